//! A device, its servers, and the links between them, in virtual time.
//!
//! [`World`] does what the runtime does around the engine: it runs the methods' bodies (as waits), encodes their slots
//! (as zeros), keeps the bound of an attempt, carries frames, and solves problems at once.

mod servers;

use std::collections::BTreeMap;
use std::time::Duration;

use outboard_client_proxy::{
    AbandonReason, AttemptEvent, Decision, Engine, Hedge, LocalReason, MethodInfo, Notice, Offer, Output,
    Request, Rerun, ServerSettings, Settings, Word,
};
use outboard_core::{
    Bandwidth, ByteCount, CallId, InstanceId, MethodId, MethodIndex, Objective, Placement, Plan, ServerIndex,
    Timestamp,
};
use outboard_profiler::{DeviceProfile, EnergyModel, LocalCalls, Radio, Transfer};
use outboard_solver::{Limits, plan_ahead};
use outboard_wire::Timing;
use outboard_wire::frame::{
    AnswerFrame, AnswerImage, AppIdentity, Attempt, BackFrame, Capacity, FailedFrame, Failure, Image, Load,
    MethodStatus, Refusal, ReplyFrame, ServerCost, SlotImage, Welcome,
};
use outboard_wire::server::{Event as ServerEvent, Output as ServerOutput, Session};

use servers::{Happening, Server};

pub(crate) const DEVICE_SPEED: u64 = 1_000_000;

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A method of the app: what it costs on the device, and what its slots weigh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) local: Duration,
    pub(crate) up: u64,
    pub(crate) down: u64,
}

impl Cost {
    pub(crate) const fn of(millis: u64, up: u64, down: u64) -> Self {
        Self { local: Duration::from_millis(millis), up, down }
    }
}

/// How a server is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Nobody listens on its port.
    Absent,
    /// It neither hears nor says anything, and nobody is told.
    Stalled,
    /// It sends bytes that are no frames.
    Garbling,
}

/// What a call of a method comes to on the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    Reply,
    Fail(Failure),
    /// It takes that many times as long as it should.
    Slow(f64),
    /// It calls that method of the device first, whether or not it may.
    CallBack(MethodId),
}

/// How a call went.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Went {
    pub(crate) took: Duration,
    pub(crate) how: How,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum How {
    Local(LocalReason),
    /// On the server, the whole reply committed.
    Remote,
    /// Here, after an attempt that ended like this.
    FellBack(Ended),
    /// Here, beside an attempt that took longer.
    Hedged,
    Refused(LocalReason),
    /// Remote only, and the attempt ended like this.
    Error(Ended),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ended {
    Late,
    Lost,
    Failed(Failure),
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) engine: Engine,
    pub(crate) servers: Vec<Server>,
    pub(crate) words: BTreeMap<MethodIndex, Word>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) problems: u64,
    /// How often a plan moved a method.
    pub(crate) moves: u64,
    pub(crate) bytes_up: u64,
    /// What the device's radio really does; without one it is always ready.
    pub(crate) radio: Option<Radio>,
    placements: BTreeMap<MethodIndex, Placement>,
    costs: BTreeMap<MethodId, Cost>,
    works: BTreeMap<Attempt, f64>,
    pub(crate) delivered: BTreeMap<Attempt, Vec<AttemptEvent>>,
    /// Call-backs that the device was given, and answered.
    pub(crate) call_backs: Vec<MethodId>,
    queue: BTreeMap<(Timestamp, u64), (usize, Happening)>,
    /// The round trip that the transport measures whenever something happens.
    measures: Option<Duration>,
    /// An attempt is under way.
    awaits: bool,
    sequence: u64,
}

impl World {
    /// A device with one server, four times as fast, over a good link; energy as of a Raspberry Pi 4B.
    pub(crate) fn new(objective: Objective) -> Self {
        Self::with(objective, |_| {})
    }

    pub(crate) fn with(objective: Objective, adjust: impl FnOnce(&mut Settings)) -> Self {
        let app = AppIdentity { name: "app".into(), version: "1".into(), build: String::new() };
        let mut settings = Settings::new(app, InstanceId(1));
        settings.objective = objective;
        // A story in which the device runs a call beside its attempt says so.
        settings.hedge = Hedge::Never;
        settings.device_speed = Some(DEVICE_SPEED);
        settings.energy = EnergyModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in"));
        settings.servers = vec![ServerSettings { name: "edge".into(), token: "token".into() }];
        adjust(&mut settings);
        let servers = settings.servers.iter().map(|_| Server::good()).collect();
        let now = Timestamp::ZERO;
        let mut world = Self {
            now,
            engine: Engine::new(settings, now),
            servers,
            words: BTreeMap::new(),
            notices: Vec::new(),
            offers: Vec::new(),
            problems: 0,
            moves: 0,
            bytes_up: 0,
            radio: None,
            placements: BTreeMap::new(),
            costs: BTreeMap::new(),
            works: BTreeMap::new(),
            delivered: BTreeMap::new(),
            call_backs: Vec::new(),
            queue: BTreeMap::new(),
            measures: None,
            awaits: false,
            sequence: 0,
        };
        world.drain();
        world
    }

    /// From now on a call costs so much.
    pub(crate) fn costs(&mut self, method: MethodIndex, cost: Cost) {
        let id = self.engine.method_info(method).expect("it is registered").id;
        self.costs.insert(id, cost);
    }

    pub(crate) fn method(&mut self, name: &str, cost: Cost) -> MethodIndex {
        self.register(MethodInfo::remoteable(MethodId::named(name), name), cost)
    }

    pub(crate) fn register(&mut self, info: MethodInfo, cost: Cost) -> MethodIndex {
        let id = info.id;
        let index = self.engine.register(self.now, info);
        self.costs.insert(id, cost);
        self.drain();
        index
    }

    pub(crate) fn server(&mut self) -> &mut Server {
        &mut self.servers[0]
    }

    pub(crate) fn add_server(&mut self, name: &str) {
        self.servers.push(Server::good());
        self.engine.add_server(self.now, ServerSettings { name: name.into(), token: "token".into() });
        self.drain();
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until(end, |_| false);
    }

    /// Calls a method from code without annotations, as the app would.
    pub(crate) fn call(&mut self, method: MethodIndex) -> Went {
        self.call_as(Request::new(method))
    }

    pub(crate) fn calls(&mut self, method: MethodIndex, times: usize) -> Vec<Went> {
        (0..times).map(|_| self.call(method)).collect()
    }

    /// Calls, and tells the engine of that round trip again and again until the call is over.
    pub(crate) fn measures_while_calling(&mut self, method: MethodIndex, round_trip: Duration) {
        self.measures = Some(round_trip);
        assert_eq!(self.call(method).how, How::Remote);
        self.measures = None;
    }

    pub(crate) fn call_as(&mut self, request: Request) -> Went {
        // The driver has done by now what was due.
        self.pass(Duration::ZERO);
        let started = self.now;
        let how = self.carry_out(request);
        Went { took: self.now - started, how }
    }

    fn carry_out(&mut self, request: Request) -> How {
        let cost = self.cost_of(&request);
        match self.engine.decide(self.now, &request) {
            Decision::Local(reason) => {
                if self.engine.wants_size(self.now, request.method) {
                    let returning = ByteCount::from_bytes(cost.down);
                    self.engine.sized(self.now, &request, ByteCount::from_bytes(cost.up), returning);
                }
                self.run_here(&request);
                How::Local(reason)
            }
            Decision::Refused(reason) => How::Refused(reason),
            Decision::Remote(mut offer) => {
                let size = ByteCount::from_bytes(cost.up);
                if size > offer.budget {
                    let reason = self.engine.over_budget(self.now, &offer);
                    self.run_here(&request);
                    return How::Local(reason);
                }
                if let Err(reason) = self.engine.confirm(self.now, &mut offer, size) {
                    self.run_here(&request);
                    return How::Local(reason);
                }
                self.offers.push(offer);
                let slots = vec![SlotImage::Whole(Image::from(vec![0; cost.up as usize]))];
                match self.engine.attempt(self.now, &offer, slots) {
                    Ok(attempt) => self.await_attempt(attempt, &offer),
                    Err(reason) => self.elsewhere(&offer).unwrap_or_else(|| {
                        self.run_here(&request);
                        How::Local(reason)
                    }),
                }
            }
        }
    }

    /// Tries the next server, if there is one that is worth it.
    fn elsewhere(&mut self, offer: &Offer) -> Option<How> {
        let request = Request { tried: offer.request.tried.and(offer), ..offer.request };
        let next = matches!(self.engine.decide(self.now, &request), Decision::Remote(_));
        next.then(|| self.carry_out(request))
    }

    fn await_attempt(&mut self, attempt: Attempt, offer: &Offer) -> How {
        self.works.insert(attempt, offer.request.work.unwrap_or(1.0));
        self.drain();
        let give_up = offer.bound.map_or(Timestamp::FAR_FUTURE, |bound| self.now + bound);
        let came = |world: &Self| world.delivered.contains_key(&attempt);
        let local = self.cost_of(&offer.request).local;
        let mut done_here = Timestamp::FAR_FUTURE;
        if offer.hedge == Hedge::Always {
            self.engine.hedged(attempt);
            done_here = self.now + local;
        }
        self.awaits = true;
        self.run_until(give_up.min(done_here), came);
        self.awaits = false;
        if offer.hedge != Hedge::Never && !came(self) && self.now < done_here {
            if offer.hedge == Hedge::Late {
                self.engine.hedged(attempt);
                done_here = self.now + local;
            }
            self.engine.overdue(self.now, attempt);
            self.run_until(done_here, came);
        }
        if self.now >= done_here && !came(self) {
            self.engine.abandon(self.now, attempt, AbandonReason::Hedged(local));
            self.ran_here(&offer.request);
            return How::Hedged;
        }
        let event = self.delivered.remove(&attempt).and_then(|mut events| events.pop());
        let ended = match event {
            Some(AttemptEvent::Replied(_)) => {
                self.engine.committed(self.now, attempt);
                self.drain();
                return How::Remote;
            }
            Some(AttemptEvent::Failed(failure)) => Ended::Failed(failure),
            Some(AttemptEvent::Lost(_)) => Ended::Lost,
            Some(AttemptEvent::Back(_)) | None => {
                self.engine.abandon(self.now, attempt, AbandonReason::Late);
                self.drain();
                Ended::Late
            }
        };
        let ran_perhaps = !matches!(&ended, Ended::Failed(failure) if failure.never_started());
        if !ran_perhaps && let Some(how) = self.elsewhere(offer) {
            return how;
        }
        let info = self.engine.method_info(offer.request.method).expect("registered");
        if info.remote_only || info.once && ran_perhaps {
            return How::Error(ended);
        }
        self.run_here(&offer.request);
        self.engine.reran(self.now, offer.request.method, Rerun::Returned);
        self.drain();
        How::FellBack(ended)
    }

    /// Runs a method's body on the device.
    fn run_here(&mut self, request: &Request) {
        let time = self.cost_of(request).local;
        self.pass(time);
        self.ran_here(request);
    }

    fn ran_here(&mut self, request: &Request) {
        let time = self.cost_of(request).local;
        self.engine.ran_locally(
            self.now,
            &LocalCalls {
                method: request.method,
                caller: request.caller,
                calls: 1,
                timed: 1,
                inclusive: time,
                exclusive: time,
                cpu: Some(time),
                work: request.work,
                offloaded_within: false,
            },
        );
        self.drain();
    }

    /// A method's cost is that of one unit of work.
    fn cost_of(&self, request: &Request) -> Cost {
        let id = self.engine.method_info(request.method).expect("registered").id;
        let cost = self.costs[&id];
        Cost { local: cost.local.mul_f64(request.work.unwrap_or(1.0)), ..cost }
    }

    fn run_until(&mut self, end: Timestamp, done: impl Fn(&Self) -> bool) {
        self.drain();
        while !done(self) {
            let next = [
                self.queue.first_key_value().map(|((at, _), _)| *at),
                self.engine.timeout(),
                self.servers.iter().filter_map(|server| server.session.as_ref()?.timeout()).min(),
            ];
            let next = next.into_iter().flatten().min().filter(|next| *next <= end);
            let Some(next) = next else {
                self.now = self.now.max(end);
                return;
            };
            self.now = self.now.max(next);
            if let Some(round_trip) = self.measures.filter(|_| self.awaits) {
                self.engine.round_trip(self.now, ServerIndex(0), round_trip);
            }
            if let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (server, happening) = entry.remove();
                self.happen(server, happening);
            } else {
                self.engine.handle_timeout(self.now);
                for server in 0..self.servers.len() {
                    if let Some(session) = &mut self.servers[server].session {
                        session.handle_timeout(self.now);
                    }
                    self.drain_server(server);
                }
            }
            self.drain();
        }
    }

    fn later(&mut self, after: Duration, server: usize, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), (server, happening));
    }

    /// Carries out what the engine wants done.
    fn drain(&mut self) {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Connect { server } => self.connect(server.position()),
                Output::Transmit { server, bytes, .. } => {
                    let server = server.position();
                    self.bytes_up += bytes.len() as u64;
                    let (delay, connection) = self.servers[server].carry(bytes.len());
                    let waking =
                        self.radio_passes(ByteCount::from_bytes(bytes.len() as u64), ByteCount::ZERO);
                    self.later(waking + delay, server, Happening::ToServer(connection, bytes));
                }
                Output::Disconnect { server, .. } => {
                    let (delay, connection) = self.servers[server.position()].carry(0);
                    self.later(delay, server.position(), Happening::ServerLost(connection));
                }
                Output::Deliver { event: AttemptEvent::Back(back), .. } => {
                    self.call_backs.push(back.method);
                    let answer = AnswerImage { result: Image::default(), exclusive: Vec::new() };
                    let BackFrame { attempt, sequence, .. } = back;
                    let answer = AnswerFrame { attempt, sequence, outcome: Ok(answer), onces: 0 };
                    self.engine.answer(self.now, answer).expect("the server waits for it");
                }
                Output::Deliver { attempt, event } => self.delivered.entry(attempt).or_default().push(event),
                Output::Replan(problem) => {
                    self.problems += 1;
                    if let Ok(plan) = plan_ahead(&problem, &Limits::default()) {
                        self.count_moves(&plan);
                        self.engine.plan(self.now, plan);
                    }
                }
                Output::Word { method, word } => {
                    self.words.insert(method, word);
                }
                Output::Notice(notice) => self.notices.push(notice),
                _ => {}
            }
        }
    }

    /// A frame goes out, or comes in; how long the radio keeps it waiting.
    fn radio_passes(&mut self, up: ByteCount, down: ByteCount) -> Duration {
        let Some(radio) = &mut self.radio else { return Duration::ZERO };
        let delay =
            if up > ByteCount::ZERO { radio.ready(self.now, up) } else { radio.hears(self.now, down) };
        radio.transfer(Transfer { start: self.now, end: self.now + delay, up, down });
        delay
    }

    fn count_moves(&mut self, plan: &Plan) {
        for choice in plan.choices() {
            let before = self.placements.insert(choice.method, choice.placement);
            self.moves += u64::from(before.is_some_and(|before| before != choice.placement));
        }
    }
}
