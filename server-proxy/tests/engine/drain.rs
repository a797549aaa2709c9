//! Going away in good order.

use std::time::Duration;

use outboard_wire::Lost;
use outboard_wire::frame::{Failure, NotRun};

use crate::world::{End, World, attempt, call, hello, not_run, seconds, within};

#[test]
fn a_server_without_sessions_is_drained_at_once() {
    let mut world = World::new();
    world.connect_silent();
    world.drain();
    assert!(world.drained && world.engine.is_drained());
    assert_eq!(world.closed.len(), 1, "who had not greeted is not waited for");
    assert_eq!(world.engine.timeout(), None);
}

#[test]
fn idle_devices_leave_and_the_server_is_drained() {
    let mut world = World::new();
    let phone = world.attach();
    let tablet = world.attach();
    world.drain();
    assert!(!world.drained, "they have not heard of it yet");
    world.exchange();
    assert!(world.drained);
    assert_eq!(world.closed, [(phone, Lost::TheyLeft), (tablet, Lost::TheyLeft)]);
}

#[test]
fn running_calls_finish_and_reply() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.run(phone, 2);
    world.drain();
    world.pass(seconds(3));
    assert!(!world.drained);
    assert!(world.reply(phone, 1));
    world.exchange();
    assert!(!world.drained);
    assert!(world.reply(phone, 2));
    assert!(!world.drained, "the reply is on its way");
    world.exchange();
    assert!(world.drained);
    assert_eq!(world.ends(phone), [End::Replied(1), End::Replied(2)]);
}

#[test]
fn calls_that_wait_for_a_worker_are_not_run() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.call(phone, call(2));
    world.exchange();
    world.drain();
    assert_eq!(world.fenced, [(phone, attempt(2))]);
    assert_eq!(world.start(phone, 2), Err(NotRun::Draining));
    world.exchange();
    assert_eq!(world.ends(phone), [not_run(2, NotRun::Draining)]);
    assert_eq!(world.load(), (1, 0));
}

#[test]
fn a_call_that_crosses_the_drain_is_not_run_and_hears_so() {
    let mut world = World::new();
    let phone = world.attach();
    world.call(phone, call(1));
    world.drain();
    assert!(!world.drained);
    world.exchange();
    assert_eq!(world.ends(phone), [not_run(1, NotRun::Draining)]);
    assert!(world.drained);
}

#[test]
fn a_running_method_can_still_call_back() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.drain();
    world.back(phone, 1, 0).unwrap();
    world.exchange();
    assert!(!world.drained, "it waits, and is not forgotten");
    world.answer(phone, 1, 0);
    world.exchange();
    world.resumed(phone, 1);
    world.reply(phone, 1);
    world.exchange();
    assert_eq!(world.ends(phone), [End::Replied(1)]);
    assert!(world.drained);
}

#[test]
fn what_a_running_method_calls_back_for_runs_on_the_device() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.back(phone, 1, 0).unwrap();
    world.exchange();
    world.call(phone, within(1, 2));
    world.drain();
    world.exchange();
    assert_eq!(world.ends(phone), [not_run(2, NotRun::Draining)]);
}

#[test]
fn a_method_that_does_not_end_is_not_waited_for_beyond_the_bound() {
    let mut world = World::with(|settings| settings.drain = seconds(5));
    let phone = world.attach();
    world.run(phone, 1);
    world.run(phone, 2);
    world.back(phone, 2, 0).unwrap();
    world.drain();
    world.pass(Duration::from_millis(4999));
    assert!(!world.drained);
    world.pass(Duration::from_millis(1));
    assert!(world.drained);
    assert_eq!(world.gone, [(phone, vec![attempt(1), attempt(2)])]);
    assert_eq!(world.ends(phone), [End::Unknown(1), End::Unknown(2)], "nobody knows what they did");

    assert!(!world.reply(phone, 1));
    assert!(!world.fail(phone, 2, Failure::Fenced));
    assert_eq!(world.load(), (0, 0));
}

#[test]
fn a_device_that_is_not_there_any_more_is_not_waited_for_beyond_its_farewell() {
    let mut world = World::with(|settings| settings.farewell = seconds(1));
    world.attach();
    world.drain();
    world.pass_for_the_server(Duration::from_millis(999));
    assert!(!world.drained);
    world.pass_for_the_server(Duration::from_millis(1));
    assert!(world.drained);
}

#[test]
fn the_farewell_starts_when_the_last_call_ends_and_ends_with_the_bound() {
    let mut world = World::with(|settings| {
        settings.drain = seconds(5);
        settings.farewell = seconds(2);
    });
    let phone = world.attach();
    world.run(phone, 1);
    world.drain();
    world.pass_for_the_server(seconds(4));
    world.reply(phone, 1);
    world.pass_for_the_server(Duration::from_millis(999));
    assert!(!world.drained);
    world.pass_for_the_server(Duration::from_millis(1));
    assert!(world.drained);
}

#[test]
fn a_method_of_a_lost_session_is_waited_for() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.cut(phone);
    world.drain();
    assert!(!world.drained, "it may be one that must not be cut off");
    world.reply(phone, 1);
    assert!(world.drained);
}

#[test]
fn devices_that_leave_in_the_middle_of_their_calls_end_the_drain() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.drain();
    world.cut(phone);
    assert!(!world.drained);
    world.fail(phone, 1, Failure::CallBack(String::new()));
    assert!(world.drained);
}

#[test]
fn after_the_drain_nobody_gets_in() {
    let mut world = World::new();
    world.drain();
    let mut engine = world.engine;
    engine.connected(world.now, outboard_server_proxy::Connection(7));
    let close = outboard_server_proxy::Output::Close {
        connection: outboard_server_proxy::Connection(7),
        reason: Lost::Drained,
    };
    assert_eq!(engine.poll(), Some(close));
    assert_eq!(engine.poll(), None);
}

#[test]
fn a_second_drain_does_not_prolong_the_first() {
    let mut world = World::with(|settings| settings.drain = seconds(5));
    let phone = world.attach_as(hello());
    world.run(phone, 1);
    world.drain();
    world.pass(seconds(3));
    world.drain();
    world.pass(seconds(2));
    assert!(world.drained);
    world.drain();
}
