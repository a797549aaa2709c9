//! What holds whatever happens.

use std::time::Duration;

use outboard_client_proxy::{
    AbandonReason, AttemptEvent, Decision, Engine, MethodInfo, Offer, Output, Request, Rerun, ServerSettings,
    Settings,
};
use outboard_core::{
    ByteCount, InstanceId, MethodId, MethodIndex, Objective, ServerIndex, SessionId, Timestamp,
};
use outboard_profiler::{DeviceProfile, EnergyModel, LocalCalls, PathSample};
use outboard_solver::{Limits, plan_ahead};
use outboard_wire::frame::{
    AnswerFrame, AppIdentity, Attempt, Capacity, FailedFrame, Failure, Image, Load, MethodStatus, NotRun,
    ProbedFrame, ReplyFrame, ServerCost, SlotImage, ToDevice, Welcome, encode_frame,
};
use proptest::prelude::*;

/// Anything that can come from outside, in any order.
#[derive(Clone, Debug)]
enum Input {
    Wait(u64),
    Greeting(u16),
    LinkUp(u16),
    LinkFailed(u16),
    LinkLost(u16),
    Welcome(u16, u64),
    Garbage(u16, Vec<u8>),
    RoundTrip(u16, u64),
    Path(u16, u64, u64),
    Probed(u16, u64, usize),
    Ran(u32, u64),
    Call(u32, u64),
    Reply(u16, usize, u64),
    Fail(u16, usize, u8),
    Abandon(usize, bool),
    Commit(usize),
    Answer(usize),
    Reran(u32, bool),
    Register,
    Speed(u64),
}

const METHODS: u32 = 4;

fn input() -> impl Strategy<Value = Input> {
    let server = 0u16..3;
    let method = 0u32..METHODS + 2;
    prop_oneof![
        6 => (0u64..3_000_000_000).prop_map(Input::Wait),
        2 => server.clone().prop_map(Input::Greeting),
        6 => server.clone().prop_map(Input::LinkUp),
        1 => server.clone().prop_map(Input::LinkFailed),
        1 => server.clone().prop_map(Input::LinkLost),
        6 => (server.clone(), 0u64..50_000_000).prop_map(|(server, speed)| Input::Welcome(server, speed)),
        1 => (server.clone(), proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(s, b)| Input::Garbage(s, b)),
        2 => (server.clone(), 0u64..1_000_000_000).prop_map(|(server, nanos)| Input::RoundTrip(server, nanos)),
        2 => (server.clone(), 0u64..1_000_000_000, any::<u64>()).prop_map(|(s, nanos, n)| Input::Path(s, nanos, n)),
        1 => (server.clone(), 0u64..3, 0usize..12_000).prop_map(|(s, number, bytes)| Input::Probed(s, number, bytes)),
        20 => (method.clone(), 0u64..2_000_000_000).prop_map(|(method, nanos)| Input::Ran(method, nanos)),
        30 => (method.clone(), 0u64..1_000_000).prop_map(|(method, bytes)| Input::Call(method, bytes)),
        20 => (server.clone(), any::<usize>(), 0u64..1_000_000_000).prop_map(|(s, a, n)| Input::Reply(s, a, n)),
        2 => (server, any::<usize>(), any::<u8>()).prop_map(|(s, a, why)| Input::Fail(s, a, why)),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(attempt, late)| Input::Abandon(attempt, late)),
        20 => any::<usize>().prop_map(Input::Commit),
        1 => any::<usize>().prop_map(Input::Answer),
        1 => (method, any::<bool>()).prop_map(|(method, panicked)| Input::Reran(method, panicked)),
        1 => Just(Input::Register),
        1 => (1u64..10_000_000).prop_map(Input::Speed),
    ]
}

/// What most programs do first: attach, and run every method once.
fn prelude() -> Vec<Input> {
    let mut inputs = vec![Input::LinkUp(0), Input::Welcome(0, 10_000_000)];
    inputs.extend((0..METHODS).map(|method| Input::Ran(method, 1_000_000_001)));
    inputs.push(Input::Wait(100_000_000));
    inputs
}

/// An engine, and what a driver without any sense does to it.
struct Chaos {
    now: Timestamp,
    engine: Engine,
    attempts: Vec<Attempt>,
    registered: u64,
    trace: Vec<String>,
}

impl Chaos {
    fn new(objective: Objective, seed: u64) -> Self {
        let mut settings = Settings::new(AppIdentity::default(), InstanceId(1));
        settings.objective = objective;
        settings.seed = seed;
        settings.device_speed = Some(1_000_000);
        settings.energy = EnergyModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in"));
        settings.servers =
            ["a", "b"].map(|name| ServerSettings { name: name.into(), token: "t".into() }).into();
        let now = Timestamp::ZERO;
        let mut engine = Engine::new(settings, now);
        for number in 0..METHODS {
            let name = format!("m{number}");
            let info = MethodInfo::remoteable(MethodId::named(&name), name);
            engine.register(now, MethodInfo { once: number == 2, remote_only: number == 3, ..info });
        }
        Self { now, engine, attempts: Vec::new(), registered: METHODS.into(), trace: Vec::new() }
    }

    fn step(&mut self, input: Input) {
        let now = self.now;
        let pick = |attempts: &[Attempt], which: usize| attempts.get(which % attempts.len().max(1)).copied();
        match input {
            Input::Wait(nanos) => {
                self.now += Duration::from_nanos(nanos);
                self.engine.handle_timeout(self.now);
            }
            Input::Greeting(server) => drop(self.engine.greeting(now, ServerIndex(server))),
            Input::LinkUp(server) => {
                self.engine.link_up(now, ServerIndex(server), Some(Duration::from_millis(5)))
            }
            Input::LinkFailed(server) => self.engine.link_failed(now, ServerIndex(server), "refused"),
            Input::LinkLost(server) => self.engine.link_lost(now, ServerIndex(server)),
            Input::Welcome(server, speed) => self.frame(server, &self.welcome(speed)),
            Input::Garbage(server, bytes) => self.engine.handle_frame(now, ServerIndex(server), &bytes),
            Input::RoundTrip(server, nanos) => {
                self.engine.round_trip(now, ServerIndex(server), Duration::from_nanos(nanos));
            }
            Input::Path(server, nanos, number) => {
                let mut sample = PathSample::default();
                (sample.round_trip, sample.shortest_round_trip) =
                    (Duration::from_nanos(nanos), Duration::from_nanos(nanos / 2));
                (sample.sent, sample.congestion_window) =
                    (ByteCount::from_bytes(number), ByteCount::from_bytes(number / 3));
                (sample.sent_packets, sample.lost_packets) = (number / 1_200, number / 9_000);
                (sample.congestion_events, sample.black_holes) = (number / 90_000, number % 2);
                self.engine.path(now, ServerIndex(server), sample);
            }
            Input::Probed(server, number, bytes) => {
                let padding = vec![0; bytes].into();
                self.frame(server, &ToDevice::Probed(ProbedFrame { number, padding, load: Load::default() }));
            }
            Input::Ran(method, nanos) => self.engine.ran_locally(now, &ran(method, nanos)),
            Input::Call(method, bytes) => self.call(MethodIndex(method), bytes),
            Input::Reply(server, which, nanos) => {
                if let Some(attempt) = pick(&self.attempts, which) {
                    self.frame(server, &reply(attempt, nanos));
                }
            }
            Input::Fail(server, which, why) => {
                if let Some(attempt) = pick(&self.attempts, which) {
                    let failure = failure(why);
                    self.frame(
                        server,
                        &ToDevice::Failed(FailedFrame { attempt, failure, load: Load::default() }),
                    );
                }
            }
            Input::Abandon(which, late) => {
                if let Some(attempt) = pick(&self.attempts, which) {
                    let reason = if late { AbandonReason::Late } else { AbandonReason::Cancelled };
                    self.engine.abandon(now, attempt, reason);
                }
            }
            Input::Commit(which) => {
                if let Some(attempt) = pick(&self.attempts, which) {
                    self.engine.committed(now, attempt);
                }
            }
            Input::Answer(which) => {
                if let Some(attempt) = pick(&self.attempts, which) {
                    let answer = AnswerFrame { attempt, sequence: 0, outcome: Err("no".into()), onces: 0 };
                    assert!(self.engine.answer(now, answer).is_err(), "nothing was asked");
                }
            }
            Input::Reran(method, panicked) => {
                let rerun = if panicked { Rerun::Panicked } else { Rerun::Returned };
                self.engine.reran(now, MethodIndex(method), rerun);
            }
            Input::Register => {
                let name = format!("m{}", self.registered);
                self.registered += 1;
                self.engine.register(now, MethodInfo::remoteable(MethodId::named(&name), name));
            }
            Input::Speed(speed) => self.engine.device_speed(now, speed),
        }
        self.drain();
    }

    fn call(&mut self, method: MethodIndex, bytes: u64) {
        let now = self.now;
        let Decision::Remote(mut offer) = self.engine.decide(now, &Request::new(method)) else { return };
        self.check(&offer);
        let size = ByteCount::from_bytes(bytes);
        if size > offer.budget {
            self.engine.over_budget(now, &offer);
            return;
        }
        if self.engine.confirm(now, &mut offer, size).is_ok() {
            self.check(&offer);
            let slots = vec![SlotImage::Whole(Image::from(vec![0; (bytes % 10_000) as usize]))];
            if let Ok(attempt) = self.engine.attempt(now, &offer, slots) {
                self.attempts.push(attempt);
            }
        }
    }

    /// What the contract says of every offer.
    fn check(&self, offer: &Offer) {
        let info = self.engine.method_info(offer.request.method).expect("registered");
        if info.remote_only {
            assert_eq!(offer.bound, info.deadline);
            return;
        }
        let local = offer.local.expect("it ran here before");
        let slowdown = match self.engine.objective() {
            Objective::Time => 0.4,
            _ => 1.05,
        };
        if !info.once {
            let bound = offer.bound.expect("a re-runnable method is bounded");
            let most = local.as_secs_f64() * slowdown + 1e-6;
            assert!(bound.as_secs_f64() <= most, "{bound:?} is past {slowdown} × {local:?}");
        }
        assert!(self.engine.report(self.now).servers[offer.server.position()].attached);
    }

    fn frame(&mut self, server: u16, frame: &ToDevice) {
        let bytes = encode_frame(frame, &outboard_wire::Limits::default()).expect("it is small");
        self.engine.handle_frame(self.now, ServerIndex(server), &bytes);
    }

    fn welcome(&self, speed: u64) -> ToDevice {
        ToDevice::Welcome(Welcome {
            protocol: 1,
            session: SessionId(1),
            server: InstanceId(2),
            limits: outboard_wire::Limits::default(),
            methods: vec![MethodStatus::Accepted; self.registered as usize],
            capacity: Capacity { cores: 2, speed },
            load: Load::default(),
        })
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll() {
            self.trace.push(format!("{output:?}"));
            match output {
                Output::Replan(problem) => {
                    if let Ok(plan) = plan_ahead(&problem, &Limits::default()) {
                        self.engine.plan(self.now, plan);
                    }
                }
                Output::Deliver { attempt, event } => {
                    assert!(self.attempts.contains(&attempt), "nobody sent {attempt}: {event:?}");
                    assert!(!matches!(event, AttemptEvent::Back(_)), "nobody called back");
                }
                _ => {}
            }
        }
    }
}

fn ran(method: u32, nanos: u64) -> LocalCalls {
    let time = Duration::from_nanos(nanos);
    LocalCalls {
        method: MethodIndex(method),
        caller: nanos.is_multiple_of(3).then_some(MethodIndex(0)),
        calls: 1,
        timed: 1,
        inclusive: time,
        exclusive: time,
        cpu: None,
        work: nanos.is_multiple_of(5).then_some(nanos as f64),
        offloaded_within: nanos.is_multiple_of(7),
    }
}

fn reply(attempt: Attempt, nanos: u64) -> ToDevice {
    let cost = ServerCost { ran: Duration::from_nanos(nanos), ..ServerCost::default() };
    let load = Load { running: (nanos % 5) as u32, queued: (nanos % 3) as u32 };
    ToDevice::Reply(ReplyFrame {
        attempt,
        result: vec![0; 10].into(),
        exclusive: Vec::new(),
        onces: 0,
        cost,
        load,
    })
}

fn failure(why: u8) -> Failure {
    match why % 8 {
        0 => Failure::NotRun(NotRun::Busy),
        1 => Failure::NotRun(NotRun::TooLate),
        2 => Failure::NotRun(NotRun::Method),
        3 => Failure::Panicked("why not".into()),
        4 => Failure::SharedSlotChanged(3),
        5 => Failure::Unencodable("no".into()),
        6 => Failure::CallBack("no".into()),
        _ => Failure::NotRun(NotRun::Draining),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// In any order of events the engine neither panics nor offers what the contract forbids, every delivery is of an attempt
    /// that was made, and the same events make it do the same things.
    #[test]
    fn any_order_of_events_is_survived_and_repeatable(
        inputs in proptest::collection::vec(input(), 1..250),
        time in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let objective = if time { Objective::Time } else { Objective::default() };
        let run = || {
            let mut chaos = Chaos::new(objective, seed);
            chaos.drain();
            for input in prelude() {
                chaos.step(input);
            }
            for input in inputs.clone() {
                chaos.step(input);
            }
            chaos.trace.push(chaos.engine.report(chaos.now).to_string());
            chaos.engine.shutdown(chaos.now);
            chaos.drain();
            chaos.trace
        };
        prop_assert_eq!(run(), run());
    }
}
