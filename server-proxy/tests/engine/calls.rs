//! Calls from their arrival to their end.

use std::time::Duration;

use outboard_core::Timestamp;
use outboard_wire::frame::{CallFrame, Failure, Load, NotRun};

use crate::world::{End, LATE, World, attempt, call, hello, method, not_run, seconds};

#[test]
fn a_call_runs_and_its_reply_comes_back() {
    let mut world = World::new();
    let phone = world.attach();
    world.pass(seconds(2));
    world.call(phone, call(1));
    world.exchange();
    assert_eq!(world.queue, [(phone, call(1), Timestamp::ZERO + seconds(2))]);
    assert_eq!(world.load(), (0, 1));

    assert_eq!(world.start(phone, 1), Ok(()));
    assert_eq!(world.load(), (1, 0));

    assert!(world.reply(phone, 1));
    assert_eq!(world.load(), (0, 0));
    world.exchange();
    assert_eq!(world.ends(phone), [End::Replied(1)]);
}

#[test]
fn a_panic_ends_the_call_and_is_told() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    let panic = Failure::Panicked("index out of bounds".into());
    assert!(world.fail(phone, 1, panic.clone()));
    world.exchange();
    assert_eq!(world.ends(phone), [End::Failed(1, panic)]);
    assert_eq!(world.load(), (0, 0));
}

#[test]
fn every_end_and_every_pong_tells_the_load_that_is_left() {
    let mut world = World::new();
    let phone = world.attach();
    let tablet = world.attach();
    for number in 1..=3 {
        world.run(phone, number);
    }
    world.call(phone, call(4));
    world.exchange();

    world.reply(phone, 1);
    world.exchange();
    assert_eq!(world.told_load(phone), Load { running: 2, queued: 1 });
    world.fail(phone, 2, Failure::Panicked(String::new()));
    world.exchange();
    assert_eq!(world.told_load(phone), Load { running: 1, queued: 1 });

    // The tablet's session had no part in any of that.
    assert_eq!(world.told_load(tablet), Load::default());
    world.pass(seconds(20));
    assert_eq!(world.told_load(tablet), Load { running: 1, queued: 1 });
}

#[test]
fn a_fence_before_the_start_keeps_the_method_from_running() {
    let mut world = World::new();
    let phone = world.attach();
    world.call(phone, call(1));
    world.exchange();
    world.fence(phone, 1);
    world.exchange();
    assert_eq!(world.fenced, [(phone, attempt(1))]);
    assert_eq!(world.queued(), []);
    assert_eq!(world.load(), (0, 0));
    // A worker had it in its hands already.
    assert_eq!(world.start(phone, 1), Err(NotRun::Fenced));
    assert!(!world.fail(phone, 1, Failure::NotRun(NotRun::Fenced)), "it has ended");
}

#[test]
fn a_fence_that_overtakes_its_call_keeps_it_from_the_workers() {
    let mut world = World::new();
    let phone = world.attach();
    world.call(phone, call(1));
    world.fence(phone, 1);
    world.deliver_up(phone, 1);
    world.deliver_up(phone, 0);
    assert_eq!(world.queued(), []);
    assert_eq!(world.load(), (0, 0));
    assert_eq!(world.start(phone, 1), Err(NotRun::Fenced));
}

#[test]
fn a_fence_lets_a_running_method_go_and_its_place_is_taken_until_it_ends() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.fence(phone, 1);
    world.exchange();
    assert_eq!(world.fenced, [(phone, attempt(1))]);
    assert_eq!(world.load(), (1, 0), "the worker is not free yet");
    assert_eq!(world.engine.status().let_go, 1);

    assert!(!world.reply(phone, 1), "nobody wants it");
    world.exchange();
    assert_eq!(world.ends(phone), []);
    assert_eq!(world.load(), (0, 0));
    assert_eq!(world.told_load(phone), Load::default());
}

#[test]
fn a_fence_that_crosses_the_reply_changes_nothing() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.reply(phone, 1);
    world.fence(phone, 1);
    world.exchange();
    assert_eq!(world.fenced, []);
    assert_eq!(world.ends(phone), []);
    world.run(phone, 2);
}

#[test]
fn a_call_is_not_started_after_its_time() {
    let mut world = World::new();
    let phone = world.attach();
    for number in 1..=2 {
        let time_left = Some(Duration::from_millis(500));
        world.call(phone, CallFrame { time_left, ..call(number) });
    }
    world.exchange();

    world.now = Timestamp::ZERO + Duration::from_millis(500);
    assert_eq!(world.start(phone, 1), Err(NotRun::TooLate), "the worker comes before the timeout");
    world.exchange();
    assert_eq!(world.told_load(phone), Load { running: 0, queued: 1 });

    world.tick();
    world.exchange();
    assert_eq!(world.queued(), []);
    assert_eq!(world.ends(phone), [not_run(1, NotRun::TooLate), not_run(2, NotRun::TooLate)]);
    assert_eq!(world.load(), (0, 0));
}

#[test]
fn two_workers_cannot_start_the_same_attempt() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    assert_eq!(world.start(phone, 1), Err(NotRun::Fenced));
    assert_eq!(world.load(), (1, 0));
    assert!(world.reply(phone, 1));
    assert!(!world.reply(phone, 1));
}

#[test]
fn a_method_that_registered_after_the_session_began_is_not_called_in_it() {
    let mut world = World::new();
    let mut methods = hello().methods;
    methods.push(method(LATE));
    let phone = world.attach_as(outboard_wire::frame::Hello { methods, ..hello() });
    world.engine.register(method(LATE));
    let refused =
        world.with_device(phone, |session, now| session.call(now, CallFrame { method: LATE, ..call(1) }));
    assert!(refused.is_err());
}
