//! Calls that may run once only, across sessions.

use outboard_core::{ByteCount, CallId, InstanceId};
use outboard_server_proxy::kept::{Begin, OnceId, Returned};
use outboard_server_proxy::{Connection, InnerCall};
use outboard_wire::Lost;
use outboard_wire::frame::{ArgumentsHash, AskFrame, Failure, Hello, Inner, NotRun, ServerCost};

use crate::world::{DETECT, DETECT_TOKEN, End, World, attempt, call, hello, not_run};

fn inner(sequence: u32) -> Inner {
    Inner { sequence, method: DETECT, arguments: ArgumentsHash(7) }
}

impl World {
    /// A call that may run once only, to a worker that runs it.
    fn run_once(&mut self, connection: Connection, number: u64) {
        self.call(connection, call(number));
        self.exchange();
        assert_eq!(self.start_once(connection, number), Ok(()));
    }

    /// A worker takes a call that may run once only.
    pub(crate) fn start_once(&mut self, connection: Connection, number: u64) -> Result<(), NotRun> {
        self.queue.retain(|(from, frame, _)| (*from, frame.attempt) != (connection, attempt(number)));
        let started = self.engine.start_once(self.now, connection, attempt(number));
        self.collect();
        started
    }

    /// Asks, as call 99, and gives what the device is told at once.
    fn ask(&mut self, connection: Connection, about: u64, inner: Option<Inner>) -> Vec<End> {
        let ask = AskFrame { attempt: attempt(99), about: CallId(about), inner };
        self.with_device(connection, |session, now| session.ask(now, ask)).expect("the device may ask");
        self.exchange();
        self.ends(connection)
    }

    fn begin(&mut self, connection: Connection, attempt: u64, root: u64, sequence: u32) -> Begin {
        let call = InnerCall { root: CallId(root), inner: inner(sequence), again: false, alone: true };
        let attempt = crate::world::attempt(attempt);
        self.engine.begin_inner(self.now, connection, attempt, call)
    }

    fn end_inner(&mut self, id: OnceId) {
        let returned = Returned { result: vec![1].into(), exclusive: vec![], cost: ServerCost::default() };
        self.engine.end_inner(self.now, id, Ok(returned));
        self.collect();
        self.exchange();
    }
}

fn begun(begin: Begin) -> OnceId {
    match begin {
        Begin::Now(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_that_was_lost_with_its_session_is_told_in_the_next() {
    let mut world = World::new();
    let phone = world.attach();
    world.run_once(phone, 1);
    world.reply(phone, 1);
    world.cut(phone);
    let again = world.attach();
    assert_eq!(world.ask(again, 1, None), [End::Replied(99)]);
}

#[test]
fn a_call_that_runs_on_is_waited_for_and_told_when_it_ends() {
    let mut world = World::new();
    let phone = world.attach();
    world.run_once(phone, 1);
    world.cut(phone);
    let again = world.attach();
    assert_eq!(world.ask(again, 1, None), []);
    assert!(!world.reply(phone, 1), "its own session is gone");
    world.exchange();
    assert_eq!(world.ends(again), [End::Replied(99)]);
}

#[test]
fn a_panic_and_a_call_that_never_started_are_told_apart() {
    let mut world = World::new();
    let phone = world.attach();
    world.run_once(phone, 1);
    let panic = Failure::Panicked("no".into());
    world.fail(phone, 1, panic.clone());
    world.call(phone, call(2));
    world.exchange();
    world.cut(phone);
    let again = world.attach();
    assert_eq!(world.ask(again, 1, None), [End::Failed(99, panic)]);
    assert_eq!(world.ask(again, 2, None), [not_run(99, NotRun::Fenced)]);
    assert!(world.engine.start_once(world.now, phone, attempt(2)).is_err(), "and never will");
}

#[test]
fn who_asks_has_left_its_older_session_and_nothing_starts_there_any_more() {
    let mut world = World::new();
    let phone = world.attach();
    let tablet = world.attach_as(Hello { device: InstanceId(200), ..hello() });
    world.run(phone, 1);
    world.call(phone, call(2));
    world.exchange();
    // The server has not noticed yet that the phone's first connection is dead.
    let again = world.attach();
    assert_eq!(world.ask(again, 2, None), [not_run(99, NotRun::Fenced)]);
    assert_eq!(world.closed, [(phone, Lost::WeLeft)]);
    assert!(world.engine.start_once(world.now, phone, attempt(2)).is_err());
    assert_eq!(world.begin(phone, 1, 1, 0), Begin::Refused(NotRun::Fenced), "nor within what runs");
    assert!(world.is_attached(tablet), "others stay");
}

#[test]
fn a_call_that_waits_in_the_session_that_asks_never_starts_either() {
    let mut world = World::new();
    let phone = world.attach();
    world.call(phone, call(1));
    world.exchange();
    let told = world.ask(phone, 1, None);
    assert_eq!(told, [not_run(1, NotRun::Fenced), not_run(99, NotRun::Fenced)]);
    assert_eq!(world.start(phone, 1), Err(NotRun::Fenced));
}

#[test]
fn a_call_within_one_that_was_given_up_is_found_by_its_place() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    let id = begun(world.begin(phone, 1, 1, 0));
    world.fence(phone, 1);
    world.exchange();
    world.ends(phone);
    assert_eq!(world.begin(phone, 1, 1, 1), Begin::Refused(NotRun::Fenced), "the attempt was given up");
    assert_eq!(world.ask(phone, 1, Some(inner(0))), [], "it runs on");
    world.end_inner(id);
    assert_eq!(world.ends(phone), [End::Replied(99)]);
    assert_eq!(world.ask(phone, 1, Some(inner(1))), [not_run(99, NotRun::Fenced)]);
    let other = Inner { arguments: ArgumentsHash(8), ..inner(0) };
    assert_eq!(world.ask(phone, 1, Some(other)), [End::Failed(99, Failure::Forgotten)]);
}

#[test]
fn what_was_dropped_is_forgotten() {
    let mut world = World::with(|settings| settings.kept.bytes = ByteCount::from_bytes(1));
    let phone = world.attach();
    for number in [1, 2] {
        world.run_once(phone, number);
        world.reply(phone, number);
    }
    world.cut(phone);
    let again = world.attach();
    assert_eq!(world.ask(again, 1, None), [End::Failed(99, Failure::Forgotten)]);
    assert_eq!(world.ask(again, 2, None), [End::Replied(99)]);
}

#[test]
fn another_token_asks_in_vain() {
    let mut world = World::new();
    let phone = world.attach();
    world.run_once(phone, 1);
    world.reply(phone, 1);
    let stranger = world.attach_as(Hello { token: DETECT_TOKEN.into(), ..hello() });
    assert_eq!(world.ask(stranger, 1, None), [not_run(99, NotRun::Fenced)]);
    assert!(world.is_attached(phone), "and shuts nobody out");
    world.cut(phone);
    let again = world.attach();
    assert_eq!(world.ask(again, 1, None), [End::Replied(99)]);
}
