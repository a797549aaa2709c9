//! Everything in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use outboard_core::InstanceId;
use outboard_server_proxy::Connection;
use outboard_wire::Lost;
use outboard_wire::frame::{AskFrame, CallFrame, Failure, Hello, NotRun};
use proptest::prelude::*;

use crate::world::{End, World, attempt, call, hello, seconds};

const SESSIONS: usize = 3;
const STRANGERS: usize = 2;
const CALLS: usize = 5;

/// One thing that happens. The numbers choose among what is there: any of them is fine.
#[derive(Clone, Debug)]
enum Step {
    Connect {
        device: u8,
        token: bool,
    },
    Silent,
    Call {
        who: usize,
        within: Option<usize>,
        hurry: bool,
    },
    Ask {
        who: usize,
        about: usize,
    },
    Fence {
        who: usize,
        which: usize,
    },
    Up {
        who: usize,
        place: usize,
    },
    Down {
        who: usize,
        place: usize,
    },
    Start {
        which: usize,
    },
    Reply {
        which: usize,
    },
    Fail {
        which: usize,
    },
    Back {
        which: usize,
    },
    Resume {
        which: usize,
    },
    Cut {
        who: usize,
    },
    Garbage {
        who: usize,
        bytes: Vec<u8>,
    },
    /// The driver speaks of what is not there.
    Stray {
        who: usize,
        number: u64,
    },
    Pass {
        milliseconds: u64,
    },
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    let (who, which, place) = (0..6_usize, 0..8_usize, 0..4_usize);
    prop_oneof![
        3 => (0..4_u8, prop::bool::weighted(0.9)).prop_map(|(device, token)| Step::Connect { device, token }),
        1 => Just(Step::Silent),
        8 => (who.clone(), prop::option::weighted(0.3, which.clone()), prop::bool::weighted(0.2))
            .prop_map(|(who, within, hurry)| Step::Call { who, within, hurry }),
        4 => (who.clone(), which.clone()).prop_map(|(who, about)| Step::Ask { who, about }),
        3 => (who.clone(), which.clone()).prop_map(|(who, which)| Step::Fence { who, which }),
        20 => (who.clone(), place.clone()).prop_map(|(who, place)| Step::Up { who, place }),
        12 => (who.clone(), place).prop_map(|(who, place)| Step::Down { who, place }),
        8 => which.clone().prop_map(|which| Step::Start { which }),
        4 => which.clone().prop_map(|which| Step::Reply { which }),
        2 => which.clone().prop_map(|which| Step::Fail { which }),
        5 => which.clone().prop_map(|which| Step::Back { which }),
        5 => which.prop_map(|which| Step::Resume { which }),
        1 => who.clone().prop_map(|who| Step::Cut { who }),
        1 => (who.clone(), prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(who, bytes)| Step::Garbage { who, bytes }),
        1 => (who, 0..20_u64).prop_map(|(who, number)| Step::Stray { who, number }),
        2 => (1..3_000_u64).prop_map(|milliseconds| Step::Pass { milliseconds }),
    ]
}

/// A world with its workers, and what its devices were promised.
struct Chaos {
    world: World,
    devices: Vec<Connection>,
    workers: BTreeMap<(Connection, u64), Worker>,
    /// The calls of each device that were sent, and have neither ended nor been given up.
    promised: BTreeSet<(Connection, u64)>,
    /// Who sent bytes that are no frame.
    liars: BTreeSet<Connection>,
    numbers: u64,
    onces: Onces,
}

/// Every other call may run once only. What became of them is asked by their devices.
#[derive(Default)]
struct Onces {
    /// Which device is behind a connection, and whose a call is.
    devices: BTreeMap<Connection, u8>,
    calls: BTreeMap<u64, u8>,
    began: BTreeSet<u64>,
    /// The calls that questions are about.
    questions: BTreeMap<u64, u64>,
    /// Of these a device was told that they had not run, and never will.
    shut_out: BTreeSet<u64>,
}

#[derive(Default)]
struct Worker {
    backs: u32,
    /// Call-backs that it has not resumed from.
    waits: u32,
}

impl Chaos {
    fn new() -> Self {
        let world = World::with(|settings| {
            settings.sessions = SESSIONS;
            settings.strangers = STRANGERS;
            settings.calls = CALLS;
            settings.session_calls = 4;
            settings.depth = 2;
        });
        Self {
            world,
            devices: vec![],
            workers: BTreeMap::new(),
            promised: BTreeSet::new(),
            liars: BTreeSet::new(),
            numbers: 0,
            onces: Onces::default(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Connect { device, token } => {
                let mut hello = Hello { device: InstanceId(device.into()), ..hello() };
                if !token {
                    hello.token.clear();
                }
                let connection = self.world.connect(hello);
                self.devices.push(connection);
                self.onces.devices.insert(connection, device);
            }
            Step::Silent => {
                let connection = self.world.connect_silent();
                self.devices.push(connection);
            }
            Step::Call { who, within, hurry } => self.call(who, within, hurry),
            Step::Ask { who, about } => {
                let Some(who) = choose(&self.devices, who) else { return };
                self.numbers += 1;
                let about = choose(&self.onces.of(who), about).unwrap_or_default();
                let ask =
                    AskFrame { attempt: attempt(self.numbers), about: attempt(about).call, inner: None };
                if self.world.with_device(who, |session, now| session.ask(now, ask)).is_ok() {
                    self.promised.insert((who, self.numbers));
                    self.onces.questions.insert(self.numbers, about);
                }
            }
            Step::Fence { who, which } => {
                let Some(who) = choose(&self.devices, who) else { return };
                let open: Vec<u64> =
                    self.promised.iter().filter(|(by, _)| *by == who).map(|&(_, number)| number).collect();
                if let Some(number) = choose(&open, which) {
                    self.promised.remove(&(who, number));
                    self.world.fence(who, number);
                }
            }
            Step::Up { who, place } => {
                if let Some(who) = choose(&self.devices, who) {
                    self.world.deliver_up(who, place);
                }
            }
            Step::Down { who, place } => {
                if let Some(who) = choose(&self.devices, who) {
                    self.world.deliver_down(who, place);
                }
            }
            Step::Start { which } => {
                let queue: Vec<_> =
                    self.world.queue.iter().map(|(who, frame, _)| (*who, frame.attempt.call.0)).collect();
                let Some((who, number)) = choose(&queue, which) else { return };
                let once = number % 2 == 0;
                let started =
                    if once { self.world.start_once(who, number) } else { self.world.start(who, number) };
                if started.is_ok() {
                    if once {
                        assert!(!self.onces.shut_out.contains(&number), "{number} was said never to start");
                        self.onces.began.insert(number);
                    }
                    let before = self.workers.insert((who, number), Worker::default());
                    assert!(before.is_none(), "two workers run the same attempt");
                }
            }
            Step::Reply { which } => self.end(which, |world, who, number| world.reply(who, number)),
            Step::Fail { which } => {
                let panic = Failure::Panicked(String::new());
                self.end(which, |world, who, number| world.fail(who, number, panic));
            }
            Step::Back { which } => {
                let Some((who, number)) = self.worker(which) else { return };
                let worker = self.workers.get_mut(&(who, number)).expect("chosen among them");
                if self.world.back(who, number, worker.backs).is_ok() {
                    worker.backs += 1;
                    worker.waits += 1;
                }
            }
            Step::Resume { which } => {
                let Some((who, number)) = self.worker(which) else { return };
                let worker = self.workers.get_mut(&(who, number)).expect("chosen among them");
                worker.waits = worker.waits.saturating_sub(1);
                self.world.resumed(who, number);
            }
            Step::Cut { who } => {
                if let Some(who) = choose(&self.devices, who) {
                    self.world.cut(who);
                }
            }
            Step::Garbage { who, bytes } => {
                if let Some(who) = choose(&self.devices, who) {
                    self.liars.insert(who);
                    self.world.raw(who, &bytes);
                }
            }
            Step::Stray { who, number } => self.stray(who, number),
            Step::Pass { milliseconds } => self.world.pass(Duration::from_millis(milliseconds)),
            Step::Drain => self.world.drain(),
        }
    }

    fn call(&mut self, who: usize, outer: Option<usize>, hurry: bool) {
        let Some(who) = choose(&self.devices, who) else { return };
        self.numbers += 1;
        let within = outer.and_then(|outer| self.worker(outer)).map(|(_, number)| attempt(number));
        let time_left = hurry.then_some(Duration::from_millis(700));
        let frame = CallFrame { within, time_left, ..call(self.numbers) };
        if self.world.with_device(who, |session, now| session.call(now, frame)).is_ok() {
            self.promised.insert((who, self.numbers));
            if let Some(&device) = self.onces.devices.get(&who) {
                self.onces.calls.insert(self.numbers, device);
            }
        }
    }

    fn end(&mut self, which: usize, end: impl FnOnce(&mut World, Connection, u64) -> bool) {
        if let Some((who, number)) = self.worker(which) {
            self.workers.remove(&(who, number));
            end(&mut self.world, who, number);
        }
    }

    fn stray(&mut self, who: usize, number: u64) {
        let nobody = Connection(1000);
        let who = choose(&self.devices, who).unwrap_or(nobody);
        let number = number + 1_000_000;
        assert!(self.world.start(who, number).is_err());
        assert!(self.world.back(who, number, 0).is_err());
        self.world.resumed(who, number);
        assert!(!self.world.reply(who, number));
        assert!(!self.world.fail(nobody, number, Failure::Fenced));
    }

    fn worker(&self, which: usize) -> Option<(Connection, u64)> {
        let keys: Vec<_> = self.workers.keys().copied().collect();
        choose(&keys, which)
    }

    /// What has to be true at any time.
    fn check(&mut self) {
        let running = self.workers.values().filter(|worker| worker.waits == 0).count() as u32;
        assert_eq!(
            self.world.load(),
            (running, self.world.queue.len() as u32),
            "the load is what workers have"
        );
        let status = self.world.engine.status();
        assert!(status.sessions.len() <= SESSIONS && status.strangers <= STRANGERS);
        assert!(self.workers.len() + self.world.queue.len() <= CALLS);
        for who in self.devices.clone() {
            for end in self.world.ends(who) {
                let (End::Replied(number) | End::Failed(number, _) | End::Unknown(number)) = end;
                assert!(self.promised.remove(&(who, number)), "one end for each call, but {number} has two");
                if let End::Failed(_, Failure::NotRun(NotRun::Fenced)) = end
                    && let Some(&about) = self.onces.questions.get(&number)
                {
                    assert!(!self.onces.began.contains(&about), "{about} has begun");
                    self.onces.shut_out.insert(about);
                }
            }
        }
        for (who, reason) in &self.world.closed {
            let is_breach = matches!(reason, Lost::Violation(_));
            assert!(!is_breach || self.liars.contains(who), "an honest device was cut off: {reason}");
        }
    }

    /// Goes away; the workers end theirs, in time or not.
    fn finish(mut self, in_time: bool) {
        self.world.drain();
        self.check();
        if in_time {
            while let Some((who, number)) = self.worker(0) {
                self.workers.remove(&(who, number));
                self.world.reply(who, number);
                self.check();
            }
            self.world.exchange();
        }
        self.world.pass(seconds(60));
        self.check();
        assert!(self.world.drained, "the drain ends");
        assert_eq!(self.world.engine.timeout(), None);
        assert_eq!(self.world.queue, [], "nothing waits for a worker");
        assert_eq!(self.promised, BTreeSet::new(), "every device has heard of every end");
        for &(who, number) in self.workers.keys() {
            assert!(!self.world.reply(who, number), "nobody is there any more");
        }
        assert_eq!(self.world.load(), (0, 0));
        assert_eq!(self.world.engine.status().let_go, 0);
    }
}

impl Onces {
    /// The calls of a device that may run once only, whatever connection it made them on.
    fn of(&self, who: Connection) -> Vec<u64> {
        let Some(device) = self.devices.get(&who) else { return vec![] };
        let calls = self.calls.iter().filter(|(number, by)| number.is_multiple_of(2) && *by == device);
        calls.map(|(&number, _)| number).collect()
    }
}

fn choose<T: Copy>(among: &[T], number: usize) -> Option<T> {
    // The latest come first: the old ones are mostly over.
    among.iter().rev().copied().nth(number % among.len().max(1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_counts_are_right_every_call_ends_and_the_server_drains(
        before in prop::collection::vec(step(), 0..120),
        during in prop::collection::vec(step(), 0..40),
        in_time: bool,
    ) {
        let mut chaos = Chaos::new();
        for step in before {
            chaos.take(step);
            chaos.check();
        }
        if !during.is_empty() {
            chaos.take(Step::Drain);
        }
        for step in during {
            chaos.check();
            chaos.take(step);
        }
        chaos.finish(in_time);
    }
}

#[test]
fn chaos_reaches_what_it_is_meant_to_reach() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, TestRunner};

    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let (mut started, mut waited, mut fenced, mut gone, mut shut_out, mut asked) = (0, 0, 0, 0, 0, 0);
    for _ in 0..150 {
        let steps = prop::collection::vec(step(), 120).new_tree(&mut runner).unwrap().current();
        let mut chaos = Chaos::new();
        for step in steps {
            chaos.take(step);
            chaos.check();
            started += chaos.workers.len();
            waited += chaos.workers.values().filter(|worker| worker.waits > 0).count();
        }
        shut_out += chaos.onces.shut_out.len();
        asked += chaos.onces.questions.values().filter(|about| chaos.onces.began.contains(about)).count();
        fenced += chaos.world.fenced.len();
        gone += chaos.world.gone.iter().filter(|(_, attempts)| !attempts.is_empty()).count();
    }
    let reached = [started, waited, fenced, gone, shut_out, asked];
    let names = "started, waited, fenced, gone, shut out, asked about after it began";
    assert!(reached.iter().all(|&times| times >= 10), "{names}: {reached:?}");
}
