use std::time::Duration;

use super::pair::{Pair, answer, attempt, call, failed, hello, reply};
use crate::device::{Event, NotAnswered, NotSent};
use crate::frame::*;
use crate::server::{self, NotCalledBack};
use crate::session::Lost;
use crate::{Limits, frame::NotRun};

const FIRST: u64 = 1;

#[test]
fn a_call_is_run_and_replied() {
    let mut pair = Pair::attached(1);
    let first = attempt(FIRST, 0);
    pair.call(first);
    pair.settle();
    assert_eq!(pair.server_saw(), [server::Event::Call(call(first, 100))]);
    assert_eq!(pair.start(first), Ok(()));
    assert!(pair.reply(first));
    pair.settle();
    assert_eq!(pair.device_saw(), [Event::Replied(reply(first))]);
    assert_eq!(pair.device.credit(), Limits::default().calls);
    assert!(pair.server.is_idle());
}

#[test]
fn a_fence_that_overtakes_its_call_keeps_it_from_starting() {
    let mut pair = Pair::attached(3);
    let first = attempt(FIRST, 0);
    pair.call_of(first, 1 << 20);
    pair.fence(first);
    assert_eq!(pair.device.credit(), Limits::default().calls - 1);
    pair.settle();

    assert_eq!(pair.server_saw(), []);
    assert_eq!(pair.device_saw(), []);
    assert_eq!(pair.device.credit(), Limits::default().calls, "its place is free again");
}

#[test]
fn a_fenced_call_that_waits_is_withdrawn() {
    let mut pair = Pair::attached(1);
    let first = attempt(FIRST, 0);
    pair.call(first);
    pair.settle();
    pair.fence(first);
    pair.settle();
    assert_eq!(pair.server_saw()[1], server::Event::Fence(first));
    assert_eq!(pair.start(first), Err(NotRun::Fenced));
    assert_eq!(pair.device_saw(), []);
    assert_eq!(pair.device.credit(), Limits::default().calls);
}

#[test]
fn nothing_of_a_fenced_attempt_is_let_through() {
    let mut pair = Pair::attached(1);
    let first = attempt(FIRST, 0);
    pair.call(first);
    pair.settle();
    pair.start(first).unwrap();
    pair.back(first, 0).unwrap();
    pair.settle();
    pair.server_saw();
    pair.device_saw();

    pair.fence(first);
    assert_eq!(pair.answer(first, 0), Err(NotAnswered::NotAsked(first)));
    // The call-back and the reply are on their way when the fence is.
    pair.back(first, 1).unwrap();
    assert!(pair.reply(first));
    pair.settle();
    assert_eq!(pair.device_saw(), []);
    assert_eq!(pair.server_saw(), [], "the fence came after the end");

    // Another attempt of the same call is not hurt.
    let second = attempt(FIRST, 1);
    pair.call(second);
    pair.settle();
    pair.start(second).unwrap();
    pair.reply(second);
    pair.settle();
    assert_eq!(pair.device_saw(), [Event::Replied(reply(second))]);
}

#[test]
fn an_attempt_that_runs_when_it_is_fenced_unwinds_at_its_next_call_back() {
    let mut pair = Pair::attached(1);
    let first = attempt(FIRST, 0);
    pair.call(first);
    pair.settle();
    pair.start(first).unwrap();
    pair.fence(first);
    pair.settle();
    assert_eq!(pair.server_saw()[1], server::Event::Fence(first));
    assert_eq!(pair.back(first, 0), Err(NotCalledBack::Fenced(first)));
    assert_eq!(pair.device.credit(), Limits::default().calls - 1, "it still takes a worker");

    assert!(!pair.server.fail(pair.now, failed(first, Failure::CallBack("unwound".into()))));
    pair.pass(Duration::from_secs(1));
    assert_eq!(pair.device_saw(), []);
    assert_eq!(pair.device.credit(), Limits::default().calls);
}

#[test]
fn call_backs_are_matched_by_number() {
    let mut pair = Pair::attached(1);
    let first = attempt(FIRST, 0);
    pair.call(first);
    pair.settle();
    pair.start(first).unwrap();
    // Two threads of the call make them: the later number can come first.
    pair.back(first, 1).unwrap();
    pair.back(first, 0).unwrap();
    pair.settle();
    assert_eq!(pair.device_saw().len(), 2);
    pair.server_saw();

    pair.answer(first, 1).unwrap();
    assert_eq!(pair.answer(first, 1), Err(NotAnswered::NotAsked(first)), "once is enough");
    assert_eq!(pair.answer(first, 2), Err(NotAnswered::NotAsked(first)));
    pair.settle();
    assert_eq!(pair.server_saw(), [server::Event::Answer(answer(first, 1))]);
    assert_eq!(pair.back(first, 1), Err(NotCalledBack::Repeated(first, 1)));
}

#[test]
fn call_backs_of_an_attempt_are_limited() {
    let mut greeting = hello();
    greeting.limits.backs = 1;
    let mut pair = Pair::attached_with(1, greeting, Limits::default());
    let first = attempt(FIRST, 0);
    pair.call(first);
    pair.settle();
    pair.back(first, 0).unwrap();
    assert_eq!(pair.back(first, 1), Err(NotCalledBack::Full(first)));
}

#[test]
fn a_call_back_to_an_unknown_method_fails_the_attempt_and_not_the_session() {
    let mut pair = Pair::attached(1);
    let first = attempt(FIRST, 0);
    pair.call(first);
    pair.settle();
    pair.server_saw();
    let back = BackFrame {
        attempt: first,
        sequence: 0,
        method: outboard_core::MethodId(77),
        slots: vec![],
        onces: None,
    };
    pair.server.back(pair.now, back).unwrap();
    pair.pass(Duration::from_millis(500));
    let [server::Event::Answer(answer)] = &pair.server_saw()[..] else { panic!("an answer") };
    assert!(answer.outcome.is_err());
    assert_eq!(pair.device_saw(), []);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_sent() {
    let limits = Limits { frame_bytes: 1 << 16, ..Limits::default() };
    let mut greeting = hello();
    greeting.limits.frame_bytes = 1 << 16;
    let mut pair = Pair::attached_with(1, greeting, limits);
    let first = attempt(FIRST, 0);
    let result = pair.device.call(pair.now, call(first, 1 << 16));
    assert!(matches!(result, Err(NotSent::Frame(FrameError::TooLarge { .. }))), "{result:?}");

    pair.call(first);
    pair.settle();
    pair.server_saw();
    let large = vec![BackSlot::Copy(vec![0; 1 << 16].into())];
    let back = BackFrame {
        attempt: first,
        sequence: 0,
        method: super::pair::DEVICE_METHOD,
        slots: large,
        onces: None,
    };
    assert!(matches!(pair.server.back(pair.now, back), Err(NotCalledBack::TooLarge { .. })));

    pair.back(first, 1).unwrap();
    pair.settle();
    let image = AnswerImage { result: Image::from(vec![0; 1 << 16]), exclusive: vec![] };
    let result = pair.device.answer(pair.now, AnswerFrame { outcome: Ok(image), ..answer(first, 1) });
    assert!(matches!(result, Err(NotAnswered::TooLarge { .. })), "{result:?}");
    pair.pass(Duration::from_millis(500));
    let [server::Event::Answer(told)] = &pair.server_saw()[..] else { panic!("an answer") };
    assert!(told.outcome.is_err(), "the method must not wait for ever");

    pair.device_saw();
    let large = ReplyFrame { result: vec![0; 1 << 16].into(), ..reply(first) };
    assert!(!pair.server.reply(pair.now, large));
    pair.pass(Duration::from_millis(500));
    let [Event::Failed(failed)] = &pair.device_saw()[..] else { panic!("a failure") };
    assert!(matches!(failed.failure, Failure::Unencodable(_)));
}

#[test]
fn a_panic_message_of_any_length_arrives_in_part() {
    let mut pair = Pair::attached(1);
    let first = attempt(FIRST, 0);
    pair.call(first);
    pair.settle();
    pair.server.fail(pair.now, failed(first, Failure::Panicked("é".repeat(1 << 20))));
    pair.pass(Duration::from_millis(500));
    let [Event::Failed(FailedFrame { failure: Failure::Panicked(text), .. })] = &pair.device_saw()[..] else {
        panic!("a panic")
    };
    assert_eq!(text.len(), 4096);
}

#[test]
fn as_many_calls_as_the_server_takes_and_no_more() {
    let limits = Limits { calls: 2, ..Limits::default() };
    let mut pair = Pair::attached_with(1, hello(), limits);
    pair.call(attempt(1, 0));
    pair.call(attempt(2, 0));
    assert_eq!(pair.device.call(pair.now, call(attempt(3, 0), 0)), Err(NotSent::Full(2)));
    // A fenced one keeps its place until the server has let it go.
    pair.fence(attempt(1, 0));
    assert_eq!(pair.device.call(pair.now, call(attempt(3, 0), 0)), Err(NotSent::Full(2)));
    pair.settle();
    pair.call(attempt(3, 0));
    assert_eq!(pair.device.call(pair.now, call(attempt(3, 0), 0)), Err(NotSent::Repeated(attempt(3, 0))));
}

#[test]
fn a_call_does_not_start_after_its_time() {
    let mut pair = Pair::attached(1);
    let first = attempt(FIRST, 0);
    let hurried = CallFrame { time_left: Some(Duration::from_millis(300)), ..call(first, 0) };
    pair.device.call(pair.now, hurried.clone()).unwrap();
    pair.pass(Duration::from_secs(1));
    assert_eq!(pair.server_saw(), [server::Event::Call(hurried.clone()), server::Event::Fence(first)]);
    let too_late = failed(first, Failure::NotRun(NotRun::TooLate));
    assert_eq!(pair.device_saw(), [Event::Failed(too_late)]);
    assert_eq!(pair.start(first), Err(NotRun::Fenced));

    // Once started it may take as long as it wants.
    let second = attempt(FIRST, 1);
    pair.device.call(pair.now, CallFrame { attempt: second, ..hurried }).unwrap();
    pair.pass(Duration::from_millis(100));
    pair.start(second).unwrap();
    pair.pass(Duration::from_secs(1));
    assert!(pair.reply(second));
}

#[test]
fn a_call_within_a_call_back_runs_only_while_its_outer_attempt_does() {
    let mut pair = Pair::attached(1);
    let (outer, inner) = (attempt(1, 0), attempt(2, 0));
    pair.call(outer);
    pair.settle();
    pair.start(outer).unwrap();
    pair.back(outer, 0).unwrap();
    pair.settle();
    pair.server_saw();
    pair.device_saw();

    let within = CallFrame { within: Some(outer), ..call(inner, 0) };
    pair.device.call(pair.now, within.clone()).unwrap();
    pair.pass(Duration::from_millis(500));
    assert_eq!(pair.server_saw(), [server::Event::Call(within.clone())]);

    pair.fence(outer);
    let later = attempt(3, 0);
    pair.device.call(pair.now, CallFrame { attempt: later, ..within }).unwrap();
    pair.pass(Duration::from_millis(500));
    assert_eq!(pair.device_saw(), [Event::Failed(failed(later, Failure::NotRun(NotRun::Fenced)))]);
}

#[test]
fn a_draining_server_finishes_what_runs_and_the_device_leaves() {
    let mut pair = Pair::attached(1);
    let (running, crossing) = (attempt(1, 0), attempt(2, 0));
    pair.call(running);
    pair.settle();
    pair.start(running).unwrap();
    pair.drain();
    pair.call(crossing);
    pair.settle();
    let refused = Event::Failed(failed(crossing, Failure::NotRun(NotRun::Draining)));
    assert_eq!(pair.device_saw(), [Event::Draining, refused]);
    assert_eq!(pair.device.call(pair.now, call(attempt(3, 0), 0)), Err(NotSent::Draining));

    pair.reply(running);
    pair.settle();
    let lost = Event::Lost { reason: Lost::Drained, unknown: vec![] };
    assert_eq!(pair.device_saw(), [Event::Replied(reply(running)), lost]);
    assert_eq!(pair.server_closed, Some(Lost::TheyLeft));
}

#[test]
fn what_became_of_a_call_of_a_lost_session_can_be_asked() {
    let mut pair = Pair::attached(1);
    let question = attempt(2, 0);
    let inner = Inner { sequence: 3, method: outboard_core::MethodId(1), arguments: ArgumentsHash(9) };
    let ask = AskFrame { attempt: question, about: outboard_core::CallId(1), inner: Some(inner) };
    pair.device.ask(pair.now, ask.clone()).unwrap();
    pair.pass(Duration::from_millis(500));
    assert_eq!(pair.server_saw(), [server::Event::Ask(ask)]);
    pair.server.fail(pair.now, failed(question, Failure::Forgotten));
    pair.pass(Duration::from_millis(500));
    assert_eq!(pair.device_saw(), [Event::Failed(failed(question, Failure::Forgotten))]);
}

#[test]
fn a_lost_session_ends_every_attempt_unknown() {
    let mut pair = Pair::attached(1);
    let [first, second, given_up] = [attempt(1, 0), attempt(2, 0), attempt(3, 0)];
    pair.call(first);
    pair.call(given_up);
    pair.settle();
    pair.call_of(second, 1 << 20);
    pair.fence(given_up);
    pair.cut();
    let lost = Event::Lost { reason: Lost::Connection, unknown: vec![first, second] };
    assert_eq!(pair.device_saw(), [lost]);
    let gone = server::Event::Gone { reason: Lost::Connection, abandoned: vec![first, given_up] };
    assert_eq!(pair.server_saw().last(), Some(&gone));
    assert!(!pair.device.fence(pair.now, first));
    assert!(!pair.reply(first));
}

#[test]
fn a_goodbye_ends_the_session_on_both_ends() {
    let mut pair = Pair::attached(1);
    pair.call(attempt(1, 0));
    pair.settle();
    pair.server_saw();
    pair.device.goodbye(pair.now);
    pair.pass(Duration::from_millis(500));
    let lost = Event::Lost { reason: Lost::WeLeft, unknown: vec![attempt(1, 0)] };
    assert_eq!(pair.device_saw(), [lost]);
    let gone = server::Event::Gone { reason: Lost::TheyLeft, abandoned: vec![attempt(1, 0)] };
    assert_eq!(pair.server_saw(), [gone]);
}
