use std::time::Duration;

use super::pair::{Pair, attempt, hello, welcome};
use crate::Limits;
use crate::device::Event;
use crate::frame::{Hello, ToDevice, Welcome};
use crate::session::{Lost, Timing};

#[test]
fn an_idle_session_sleeps() {
    let mut pair = Pair::attached(1);
    let sent = pair.frames_to_server;
    pair.pass(Duration::from_secs(3600));
    assert!(pair.device.is_open() && pair.server.is_open());
    assert!(pair.device_wakes < 3600 / 10, "{} wake-ups in an hour", pair.device_wakes);
    assert!(pair.frames_to_server - sent >= 200, "the server would let a silent device go");
    assert!(pair.device_events.iter().any(|event| matches!(event, Event::RoundTrip(_))));
}

#[test]
fn a_dead_server_is_found_sooner_when_something_is_under_way() {
    let timing = Timing::default();
    let mut pair = Pair::attached(1);
    pair.pass(Duration::from_secs(2));
    pair.black_hole();
    pair.call(attempt(1, 0));
    pair.pass(timing.busy_heartbeat + timing.silence - Duration::from_millis(1));
    assert_eq!(pair.device_closed, None, "its own silence counts, not the idle time before");
    pair.pass(Duration::from_millis(1));
    let lost = Event::Lost { reason: Lost::Silence, unknown: vec![attempt(1, 0)] };
    assert_eq!(pair.device_saw(), [lost]);

    let mut pair = Pair::attached(1);
    pair.black_hole();
    pair.pass(timing.heartbeat + timing.silence);
    assert_eq!(pair.device_closed, Some(Lost::Silence));
}

#[test]
fn a_long_call_is_no_silence() {
    let mut pair = Pair::attached(1);
    pair.call(attempt(1, 0));
    pair.settle();
    pair.start(attempt(1, 0)).unwrap();
    pair.pass(Duration::from_secs(600));
    assert!(pair.reply(attempt(1, 0)));
    pair.settle();
    assert!(matches!(pair.device_saw()[..], [Event::Replied(_)]));
}

#[test]
fn a_device_that_vanished_is_let_go() {
    let mut pair = Pair::attached(1);
    pair.black_hole();
    pair.pass(Duration::from_secs(44));
    assert_eq!(pair.server_closed, None);
    pair.pass(Duration::from_secs(1));
    assert_eq!(pair.server_closed, Some(Lost::Silence), "the device pings often, so its silence tells");
}

/// A device that pings every ten minutes.
fn quiet(limits: Limits) -> Pair {
    let timing = Timing { heartbeat: Duration::from_secs(600), ..Timing::default() };
    Pair::attached_in(1, Hello { limits: Limits::default(), ..hello() }, limits, timing)
}

#[test]
fn a_device_may_be_silent_for_as_long_as_both_ends_allow() {
    let mut pair = quiet(Limits::default());
    let sent = pair.frames_to_server;
    pair.pass(Duration::from_secs(36_000));
    assert!(pair.device.is_open() && pair.server.is_open());
    assert_eq!(pair.frames_to_server - sent, 59, "every ten minutes and a little, for ten hours");
    pair.black_hole();
    pair.pass(Duration::from_secs(604));
    assert_eq!(pair.device_closed, Some(Lost::Silence));
    pair.pass(Duration::from_secs(1_800));
    assert_eq!(pair.server_closed, Some(Lost::Silence));

    let mut pair = quiet(Limits { silence: Duration::from_secs(45), ..Limits::default() });
    let sent = pair.frames_to_server;
    pair.pass(Duration::from_secs(3600));
    assert!(pair.server.is_open());
    assert!(pair.frames_to_server - sent >= 200, "the server of another time has the patience that it had");
}

#[test]
fn a_quiet_device_that_vanishes_in_mid_call_is_let_go_soon() {
    let mut pair = quiet(Limits::default());
    pair.pass(Duration::from_secs(300));
    pair.call(attempt(1, 0));
    pair.settle();
    pair.start(attempt(1, 0)).unwrap();
    pair.black_hole();
    pair.pass(Timing::default().patience);
    assert_eq!(pair.server_closed, Some(Lost::Silence));
}

#[test]
fn the_device_keeps_to_the_servers_patience() {
    let limits = Limits { silence: Duration::from_secs(6), ..Limits::default() };
    let mut pair = Pair::attached_with(1, hello(), limits);
    pair.pass(Duration::from_secs(600));
    assert!(pair.server.is_open());
}

#[test]
fn a_server_without_patience_does_not_make_a_device_spin() {
    let mut pair = Pair::connecting(1, hello(), Limits::default());
    let mut welcome = Welcome { protocol: 1, ..welcome(2) };
    welcome.limits.silence = Duration::ZERO;
    pair.forge_to_device(&ToDevice::Welcome(welcome));
    assert_eq!(pair.device.timeout(), Some(pair.now + Timing::default().busy_heartbeat));
}
