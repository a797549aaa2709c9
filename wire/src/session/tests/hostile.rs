use super::pair::{Pair, Random, answer, attempt, call, failed, hello, reply, welcome};
use crate::Limits;
use crate::device::Event;
use crate::frame::*;
use crate::session::{Lost, Violation};

fn server_after(frames: &[ToServer]) -> Option<Lost> {
    let mut pair = Pair::attached(1);
    for frame in frames {
        pair.forge_to_server(frame);
    }
    pair.server_closed
}

fn device_after(frames: &[ToDevice]) -> Option<Lost> {
    let mut pair = Pair::attached(1);
    pair.call(attempt(1, 0));
    for frame in frames {
        pair.forge_to_device(frame);
    }
    pair.device_closed
}

fn back(sequence: u32) -> ToDevice {
    let method = super::pair::DEVICE_METHOD;
    ToDevice::Back(BackFrame { attempt: attempt(1, 0), sequence, method, slots: vec![], onces: None })
}

#[test]
fn a_device_that_breaks_the_protocol_is_let_go_with_the_reason() {
    let first = attempt(1, 0);
    let start = |serial, attempt| ToServer::Call(Serial(serial), call(attempt, 0));
    let cases = [
        (vec![ToServer::Hello(hello())], Violation::GreetedTwice),
        (vec![start(0, first), start(0, attempt(2, 0))], Violation::CallRepeated(attempt(2, 0))),
        (vec![start(0, first), start(1, first)], Violation::CallRepeated(first)),
        (vec![start(u64::MAX, first)], Violation::TooManyCalls),
        ((0..=64).map(|n| start(n, attempt(n, 0))).collect(), Violation::TooManyCalls),
        (vec![ToServer::Fence(Serial(u64::MAX), first)], Violation::TooManyCalls),
        ((0..=64).map(|n| ToServer::Fence(Serial(n), attempt(n, 0))).collect(), Violation::TooManyCalls),
        (vec![start(0, first), ToServer::Answer(answer(first, 0))], Violation::AnswerUnasked(first, 0)),
    ];
    for (frames, violation) in cases {
        assert_eq!(server_after(&frames), Some(Lost::Violation(violation)), "{frames:?}");
    }
    assert_eq!(server_after(&[ToServer::Answer(answer(first, 0))]), None, "late, perhaps");
}

#[test]
fn a_server_that_breaks_the_protocol_is_left_with_the_reason() {
    let first = attempt(1, 0);
    let not_run = ToDevice::Failed(failed(first, Failure::NotRun(NotRun::Busy)));
    let cases = [
        (vec![ToDevice::Welcome(welcome(2))], Violation::GreetedTwice),
        (vec![ToDevice::Pong(7, Load::default())], Violation::PongUnasked(7)),
        (vec![back(0), back(0)], Violation::BackRepeated(first, 0)),
        (vec![back(u32::MAX)], Violation::TooManyBacks(first)),
        ((0..=16).map(back).collect(), Violation::TooManyBacks(first)),
        (vec![back(0), not_run], Violation::RanAfterAll(first)),
    ];
    for (frames, violation) in cases {
        assert_eq!(device_after(&frames), Some(Lost::Violation(violation)), "{frames:?}");
    }
    assert_eq!(device_after(&[ToDevice::Reply(reply(attempt(9, 9)))]), None, "late, perhaps");
}

#[test]
fn an_attempt_is_unknown_when_its_server_contradicts_itself() {
    let mut pair = Pair::attached(1);
    pair.call(attempt(1, 0));
    pair.forge_to_device(&back(0));
    pair.forge_to_device(&ToDevice::Failed(failed(attempt(1, 0), Failure::NotRun(NotRun::Busy))));
    let Some(Event::Lost { unknown, .. }) = pair.device_saw().pop() else { panic!("lost") };
    assert_eq!(unknown, [attempt(1, 0)]);
}

#[test]
fn no_bytes_make_either_end_panic_or_hang() {
    let mut random = Random(1);
    let samples = [
        encode_frame(&ToServer::Hello(hello()), &Limits::default()).unwrap(),
        encode_frame(&ToServer::Call(Serial(0), call(attempt(1, 0), 50)), &Limits::default()).unwrap(),
        encode_frame(&ToServer::Answer(answer(attempt(1, 0), 0)), &Limits::default()).unwrap(),
        encode_frame(&ToDevice::Welcome(welcome(2)), &Limits::default()).unwrap(),
        encode_frame(&ToDevice::Reply(reply(attempt(1, 0))), &Limits::default()).unwrap(),
        encode_frame(&back(0), &Limits::default()).unwrap(),
    ];
    for round in 0..20_000 {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..=random.below(3) {
            let place = random.below(bytes.len() as u64) as usize;
            match random.below(3) {
                0 => bytes[place] = random.next() as u8,
                1 => bytes.truncate(place.max(1)),
                _ => bytes.insert(place, 0xff),
            }
        }
        let mut pair =
            if round % 2 == 0 { Pair::attached(1) } else { Pair::connecting(1, hello(), Limits::default()) };
        pair.server.handle_frame(pair.now, &bytes);
        pair.device.handle_frame(pair.now, &bytes);
        pair.settle();
    }
}
