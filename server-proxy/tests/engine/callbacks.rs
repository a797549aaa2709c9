//! Call-backs, and calls that they make.

use std::time::Duration;

use outboard_core::Timestamp;
use outboard_wire::frame::{CallFrame, Failure, NotRun};
use outboard_wire::server::NotCalledBack;

use crate::world::{End, World, attempt, call, not_run, within};

#[test]
fn a_worker_that_waits_for_its_call_back_is_not_counted_as_running() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    assert_eq!(world.back(phone, 1, 0), Ok(()));
    assert_eq!(world.load(), (0, 0));
    assert_eq!(world.engine.status().waiting, 1);

    world.exchange();
    world.answer(phone, 1, 0);
    world.exchange();
    assert_eq!(world.answers.len(), 1);
    assert_eq!(world.load(), (0, 0), "it has the answer, but no permit yet");

    world.resumed(phone, 1);
    assert_eq!(world.load(), (1, 0));
    assert!(world.reply(phone, 1));
    assert_eq!(world.load(), (0, 0));
}

#[test]
fn a_method_waits_until_the_last_of_its_call_backs_is_answered() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.back(phone, 1, 0).unwrap();
    world.back(phone, 1, 1).unwrap();
    world.exchange();
    world.answer(phone, 1, 1);
    world.answer(phone, 1, 0);
    world.exchange();
    let order: Vec<u32> = world.answers.iter().map(|(_, answer)| answer.sequence).collect();
    assert_eq!(order, [1, 0]);
    world.resumed(phone, 1);
    assert_eq!(world.load(), (0, 0));
    world.resumed(phone, 1);
    assert_eq!(world.load(), (1, 0));
    world.resumed(phone, 1);
    assert_eq!(world.load(), (1, 0), "one word too many does no harm");
}

#[test]
fn a_fenced_method_unwinds_at_its_next_call_back() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.fence(phone, 1);
    world.exchange();
    assert_eq!(world.back(phone, 1, 0), Err(NotCalledBack::Fenced(attempt(1))));
    assert_eq!(world.load(), (1, 0));
    assert!(!world.fail(phone, 1, Failure::CallBack(String::new())));
    assert_eq!(world.load(), (0, 0));
}

#[test]
fn nobody_calls_back_who_does_not_run() {
    let mut world = World::new();
    let phone = world.attach();
    world.call(phone, call(1));
    world.exchange();
    assert!(world.back(phone, 1, 0).is_err(), "it waits for a worker");
    assert!(world.back(phone, 2, 0).is_err(), "it is not known");
    assert_eq!(world.load(), (0, 1));
}

#[test]
fn a_call_back_that_was_not_made_leaves_the_method_running() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.back(phone, 1, 0).unwrap();
    assert!(world.back(phone, 1, 0).is_err(), "a number is used once");
    world.exchange();
    world.answer(phone, 1, 0);
    world.exchange();
    world.resumed(phone, 1);
    assert_eq!(world.load(), (1, 0));
}

#[test]
fn a_call_made_by_a_call_back_runs_within() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.back(phone, 1, 0).unwrap();
    world.exchange();
    world.call(phone, within(1, 2));
    world.exchange();
    assert_eq!(world.load(), (0, 1));
    world.start(phone, 2).unwrap();
    assert_eq!(world.load(), (1, 0));
    world.reply(phone, 2);
    world.exchange();
    world.answer(phone, 1, 0);
    world.exchange();
    world.resumed(phone, 1);
    world.reply(phone, 1);
    world.exchange();
    assert_eq!(world.ends(phone), [End::Replied(2), End::Replied(1)]);
}

#[test]
fn a_call_within_one_that_waits_for_nothing_is_not_run() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.call(phone, within(1, 2));
    world.call(phone, within(9, 3));
    world.exchange();
    assert_eq!(world.ends(phone), [not_run(2, NotRun::Fenced), not_run(3, NotRun::Fenced)]);
}

#[test]
fn a_call_within_does_not_outlast_the_wait_that_would_have_run_it() {
    for end in ["resumed", "replied", "fenced"] {
        let mut world = World::new();
        let phone = world.attach();
        world.run(phone, 1);
        world.back(phone, 1, 0).unwrap();
        world.exchange();
        world.call(phone, within(1, 2));
        world.exchange();
        assert_eq!(world.queued(), [2]);
        match end {
            "resumed" => {
                world.answer(phone, 1, 0);
                world.exchange();
                world.resumed(phone, 1);
            }
            "replied" => assert!(world.reply(phone, 1)),
            _ => world.fence(phone, 1),
        }
        world.exchange();
        assert_eq!(world.queued(), [], "{end}");
        assert_eq!(world.start(phone, 2), Err(NotRun::Fenced), "{end}");
        let ends = world.ends(phone);
        assert!(ends.contains(&not_run(2, NotRun::Fenced)), "{end}: {ends:?}");
    }
}

#[test]
fn a_call_within_is_not_started_after_its_time() {
    for comes_first in ["worker", "timeout"] {
        let mut world = World::new();
        let phone = world.attach();
        world.run(phone, 1);
        world.back(phone, 1, 0).unwrap();
        world.exchange();
        let time_left = Some(Duration::from_millis(500));
        world.call(phone, CallFrame { time_left, ..within(1, 2) });
        world.exchange();

        world.now = Timestamp::ZERO + Duration::from_millis(500);
        match comes_first {
            "worker" => assert_eq!(world.start(phone, 2), Err(NotRun::TooLate)),
            _ => world.tick(),
        }
        world.exchange();
        assert_eq!(world.queued(), [], "{comes_first}");
        assert_eq!(world.ends(phone), [not_run(2, NotRun::TooLate)], "{comes_first}");

        // The outer one has time, and goes on.
        world.answer(phone, 1, 0);
        world.exchange();
        world.resumed(phone, 1);
        assert!(world.reply(phone, 1));
    }
}
