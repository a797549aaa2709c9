use outboard_core::{MethodId, Timestamp};

use super::pair::{DEVICE_METHOD, METHOD, Pair, attempt, call, hello, welcome};
use crate::device::{Event, NotSent};
use crate::frame::*;
use crate::session::{Lost, Output, Timing, Violation};
use crate::{Limits, device, server};

#[test]
fn a_greeting_opens_a_session() {
    let mut pair = Pair::connecting(1, hello(), Limits::default());
    assert!(!pair.device.is_open());
    pair.settle();

    let [Event::Attached(welcome)] = &pair.device_saw()[..] else { panic!("attached") };
    assert_eq!(welcome.protocol, 1);
    assert_eq!(welcome.limits, Limits::default());
    assert_eq!(pair.device.status(METHOD), Some(MethodStatus::Accepted));
    assert_eq!(pair.device.credit(), Limits::default().calls);
}

#[test]
fn calls_before_the_session_is_open_are_not_run() {
    let mut pair = Pair::connecting(1, hello(), Limits::default());
    let result = pair.device.call(pair.now, call(attempt(1, 0), 0));
    assert_eq!(result, Err(NotSent::NotAttached));
}

#[test]
fn each_refusal_arrives_as_it_was_given() {
    let app = AppIdentity { name: "chess".into(), ..AppIdentity::default() };
    for refusal in [Refusal::Token, Refusal::App(app.clone()), Refusal::Version(app), Refusal::Busy] {
        let mut pair = Pair::connecting(1, hello(), Limits::default());
        pair.accepts = false;
        pair.settle();
        assert_eq!(pair.server_saw(), [server::Event::Hello(hello())]);

        pair.server.refuse(pair.now, refusal.clone());
        pair.pass(std::time::Duration::from_secs(1));
        let lost = Event::Lost { reason: Lost::Refused, unknown: vec![] };
        assert_eq!(pair.device_saw(), [Event::Refused(refusal), lost]);
        assert_eq!((pair.device_closed, pair.server_closed), (Some(Lost::Refused), Some(Lost::Refused)));
    }
}

#[test]
fn a_device_of_the_future_is_told_what_the_server_speaks() {
    let newer = Hello { protocol: ProtocolRange { oldest: 2, newest: 3 }, ..hello() };
    let mut pair = Pair::connecting(1, newer, Limits::default());
    pair.settle();
    assert_eq!(pair.device_saw()[0], Event::Refused(Refusal::Protocol(PROTOCOL)));
}

#[test]
fn a_greeting_in_an_unknown_layout_is_answered_in_ours() {
    let mut session = server::Session::new(Timestamp::ZERO, Limits::default(), Timing::default());
    session.handle_frame(Timestamp::ZERO, &[200, 1, 2, 3]);
    let Some(Output::Transmit { bytes, .. }) = session.poll() else { panic!("an answer") };
    let answer: ToDevice = decode_frame(&bytes, &Limits::default()).expect("a frame");
    assert_eq!(answer, ToDevice::Refused(Refusal::Protocol(PROTOCOL)));
}

#[test]
fn an_answer_in_an_unknown_layout_is_a_refusal_too() {
    let mut session = device::Session::new(Timestamp::ZERO, hello(), Timing::default());
    session.poll();
    session.handle_frame(Timestamp::ZERO, &[200, 1, 2, 3]);
    let theirs = ProtocolRange { oldest: 200, newest: 200 };
    assert_eq!(session.poll(), Some(Output::Event(Event::Refused(Refusal::Protocol(theirs)))));
}

#[test]
fn a_table_over_the_limit_is_refused_with_the_figures() {
    let limits = Limits { methods: 1, ..Limits::default() };
    let mut pair = Pair::connecting(1, hello(), limits);
    pair.settle();
    let expected = Refusal::Malformed("2 methods, the server takes 1".into());
    assert_eq!(pair.device_saw()[0], Event::Refused(expected));
}

#[test]
fn limits_without_room_for_a_session_are_refused() {
    let mut greeting = hello();
    greeting.limits.frame_bytes = 100;
    let mut pair = Pair::connecting(1, greeting, Limits::default());
    pair.settle();
    assert_eq!(pair.server_closed, Some(Lost::Refused));
}

#[test]
fn methods_that_were_not_accepted_are_not_sent() {
    let mut pair = Pair::connecting(1, hello(), Limits::default());
    pair.accepts = false;
    pair.settle();
    let methods = vec![MethodStatus::BodyDiffers, MethodStatus::Accepted];
    pair.server.accept(pair.now, Welcome { methods, ..welcome(2) });
    pair.pass(std::time::Duration::from_secs(1));

    let refused = pair.device.call(pair.now, call(attempt(1, 0), 0));
    assert_eq!(refused, Err(NotSent::Method(METHOD, MethodStatus::BodyDiffers)));
    let unlisted = CallFrame { method: MethodId(5), ..call(attempt(1, 0), 0) };
    assert_eq!(pair.device.call(pair.now, unlisted), Err(NotSent::Unlisted(MethodId(5))));

    // And a device that tries all the same gets an honest answer.
    pair.device_saw();
    pair.forge_to_server(&ToServer::Call(Serial(0), call(attempt(1, 0), 0)));
    assert_eq!(pair.server_saw(), [server::Event::Hello(hello())]);
    assert_eq!(pair.device.status(DEVICE_METHOD), Some(MethodStatus::Accepted));
}

#[test]
fn a_welcome_that_does_not_fit_the_table_ends_the_session() {
    let mut pair = Pair::connecting(1, hello(), Limits::default());
    pair.forge_to_device(&ToDevice::Welcome(Welcome { protocol: 1, ..welcome(3) }));
    let violation = Violation::Statuses { expected: 2, found: 3 };
    assert_eq!(pair.device_closed, Some(Lost::Violation(violation)));

    let mut pair = Pair::connecting(1, hello(), Limits::default());
    pair.forge_to_device(&ToDevice::Welcome(Welcome { protocol: 4, ..welcome(2) }));
    assert_eq!(pair.device_closed, Some(Lost::Violation(Violation::Protocol(4))));
}

#[test]
fn nobody_waits_for_ever_for_a_greeting() {
    let mut pair = Pair::connecting(1, hello(), Limits::default());
    pair.black_hole();
    pair.pass(Timing::default().greeting);
    assert_eq!((pair.device_closed, pair.server_closed), (Some(Lost::Silence), Some(Lost::Silence)));
}

#[test]
fn draining_that_overtakes_the_welcome_is_remembered() {
    let mut pair = Pair::connecting(1, hello(), Limits::default());
    pair.forge_to_device(&ToDevice::Draining);
    pair.forge_to_device(&ToDevice::Welcome(Welcome { protocol: 1, ..welcome(2) }));
    let events = pair.device_saw();
    assert!(matches!(events[..2], [Event::Attached(_), Event::Draining]), "{events:?}");
    assert_eq!(pair.device_closed, Some(Lost::Drained));
}

#[test]
fn the_token_does_not_show_in_logs() {
    assert!(!format!("{:?}", ToServer::Hello(hello())).contains("secret"));
}
