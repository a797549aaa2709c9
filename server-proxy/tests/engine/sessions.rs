//! Sessions that end, and what goes on after them.

use outboard_core::InstanceId;
use outboard_wire::Lost;
use outboard_wire::frame::{Failure, Hello, NotRun};
use outboard_wire::server::NotCalledBack;

use crate::world::{End, World, attempt, call, hello, seconds};

#[test]
fn a_lost_connection_drops_what_waits_and_lets_go_what_runs() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.run(phone, 2);
    world.back(phone, 2, 0).unwrap();
    world.call(phone, call(3));
    world.exchange();

    world.cut(phone);
    assert_eq!(world.gone, [(phone, vec![attempt(1), attempt(2), attempt(3)])]);
    assert_eq!(world.closed, [(phone, Lost::Connection)]);
    assert_eq!(world.ends(phone), [End::Unknown(1), End::Unknown(2), End::Unknown(3)]);
    assert_eq!(world.load(), (1, 0));
    assert_eq!(world.engine.status().let_go, 2);

    assert_eq!(world.start(phone, 3), Err(NotRun::Fenced));
    assert_eq!(world.back(phone, 1, 0), Err(NotCalledBack::Fenced(attempt(1))));
    assert!(!world.reply(phone, 1));
    assert!(!world.fail(phone, 2, Failure::CallBack(String::new())));
    assert_eq!(world.load(), (0, 0));
    assert_eq!(world.engine.status().let_go, 0);
}

#[test]
fn a_worker_that_waits_for_a_device_that_is_gone_is_told_once_and_may_resume() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.back(phone, 1, 0).unwrap();
    world.cut(phone);
    world.cut(phone);
    assert_eq!(world.gone.len(), 1);
    world.resumed(phone, 1);
    assert_eq!(world.load(), (1, 0), "it unwinds, which takes a processor");
    world.fail(phone, 1, Failure::Fenced);
    assert_eq!(world.load(), (0, 0));
}

#[test]
fn a_silent_device_is_let_go() {
    let mut world = World::new();
    let phone = world.attach();
    world.call(phone, call(1));
    world.exchange();
    world.pass_for_the_server(seconds(44));
    assert_eq!(world.closed, []);
    world.pass_for_the_server(seconds(1));
    assert_eq!(world.closed, [(phone, Lost::Silence)]);
    assert_eq!(world.gone, [(phone, vec![attempt(1)])]);
    assert_eq!(world.load(), (0, 0));
}

#[test]
fn an_idle_device_that_is_there_stays_attached() {
    let mut world = World::new();
    let phone = world.attach();
    world.pass(seconds(600));
    assert!(world.is_attached(phone));
    assert_eq!(world.closed, []);
}

#[test]
fn a_device_that_breaks_the_protocol_takes_nobody_with_it() {
    let mut world = World::new();
    let phone = world.attach();
    let tablet = world.attach_as(Hello { device: InstanceId(200), ..hello() });
    world.run(phone, 1);
    world.run(tablet, 1);
    world.raw(phone, b"\x01nonsense");
    assert!(matches!(world.closed[..], [(_, Lost::Violation(_))]));
    assert!(!world.reply(phone, 1));
    assert!(world.reply(tablet, 1));
}

#[test]
fn the_same_attempt_of_two_sessions_is_two_attempts() {
    let mut world = World::new();
    let phone = world.attach();
    let tablet = world.attach();
    world.run(phone, 1);
    world.run(tablet, 1);
    world.fence(phone, 1);
    world.exchange();
    assert_eq!(world.fenced, [(phone, attempt(1))]);
    assert!(world.reply(tablet, 1));
    assert!(!world.reply(phone, 1));
}

#[test]
fn a_connection_that_was_never_made_is_no_trouble() {
    let mut world = World::new();
    let nobody = outboard_server_proxy::Connection(99);
    world.raw(nobody, b"hello?");
    assert_eq!(world.start(nobody, 1), Err(NotRun::Fenced));
    assert!(!world.reply(nobody, 1));
    world.resumed(nobody, 1);
    assert_eq!(world.load(), (0, 0));
}

#[test]
fn the_status_shows_who_does_what() {
    let mut world = World::new();
    let phone = world.attach();
    world.attach_as(Hello { device: InstanceId(200), ..hello() });
    world.connect_silent();
    world.run(phone, 1);
    world.run(phone, 2);
    world.back(phone, 2, 0).unwrap();
    world.call(phone, call(3));
    world.exchange();

    let status = world.engine.status();
    assert_eq!(status.strangers, 1);
    let [first, second] = &status.sessions[..] else { panic!("two sessions: {status:?}") };
    assert_eq!((first.running, first.waiting, first.queued), (1, 1, 1));
    assert_eq!((second.device, second.methods), (InstanceId(200), 3));
    let shown = status.to_string();
    let expected = "faces 1.2.3 build abc: 1 running, 1 queued, 1 waiting for their devices\n  s1: device";
    assert!(shown.starts_with(expected), "{shown}");
}
