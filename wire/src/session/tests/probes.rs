use std::time::Duration;

use outboard_core::ByteCount;

use super::pair::{Pair, attempt, hello};
use crate::Limits;
use crate::device::{Event, Probed};
use crate::frame::{Load, ProbeFrame, ProbedFrame, ToDevice, ToServer};
use crate::session::{Lost, Violation};

const TEN: ByteCount = ByteCount::from_bytes(10_000);
const TWO: ByteCount = ByteCount::from_bytes(2_000);

#[test]
fn a_probe_tells_how_long_its_bytes_took() {
    let mut pair = Pair::attached(1);
    let asked = pair.now;
    assert!(pair.device.probe(asked, TEN, TWO));
    pair.settle();
    let elapsed = pair.now - asked;
    assert!(elapsed > Duration::ZERO);
    assert_eq!(pair.device_saw(), [Event::Probed(Probed { up: TEN, down: TWO, elapsed })]);
    assert!(pair.device.probe(pair.now, TEN, TWO), "the next one may follow");
}

#[test]
fn probes_stay_out_of_the_way_of_calls_and_of_each_other() {
    let mut pair = Pair::attached(1);
    assert!(pair.device.probe(pair.now, TEN, TWO));
    assert!(!pair.device.probe(pair.now, TEN, TWO));
    pair.call(attempt(1, 0));
    pair.settle();
    assert_eq!(pair.device_saw(), [], "a call went out meanwhile: the time is not the path's alone");
    assert!(!pair.device.probe(pair.now, TEN, TWO), "it is still under way");
    pair.start(attempt(1, 0)).unwrap();
    assert!(pair.reply(attempt(1, 0)));
    pair.settle();
    assert!(pair.device.probe(pair.now, TEN, TWO));
    pair.cut();
    assert!(!pair.device.probe(pair.now, TEN, TWO));
}

#[test]
fn no_probe_is_larger_than_the_other_end_takes() {
    let small = Limits { frame_bytes: Limits::SMALLEST_FRAME, ..Limits::default() };
    let mut pair = Pair::attached_with(1, crate::frame::Hello { limits: small, ..hello() }, small);
    let plenty = ByteCount::from_bytes(u64::MAX);
    assert!(pair.device.probe(pair.now, plenty, plenty));
    pair.settle();
    let half = ByteCount::from_bytes(u64::from(Limits::SMALLEST_FRAME) / 2);
    let [Event::Probed(probed)] = pair.device_saw()[..] else { panic!("it was answered") };
    assert_eq!((probed.up, probed.down), (half, half));

    let mut pair = Pair::attached(1);
    pair.forge_to_server(&ToServer::Probe(ProbeFrame {
        number: 0,
        wanted: u32::MAX,
        padding: vec![].into(),
    }));
    pair.settle();
    assert_eq!(pair.device_closed, Some(Lost::Violation(Violation::ProbeAnswer(0))), "nobody asked it");
    assert!(pair.largest_to_device <= ProbeFrame::MOST as usize + 100, "{}", pair.largest_to_device);
}

#[test]
fn an_answer_that_nobody_asked_for_ends_the_session() {
    let answer = |number, bytes: usize| {
        ToDevice::Probed(ProbedFrame { number, padding: vec![0; bytes].into(), load: Load::default() })
    };
    for (number, bytes) in [(1, 10), (0, 2_001)] {
        let mut pair = Pair::attached(1);
        assert!(pair.device.probe(pair.now, TEN, TWO));
        pair.forge_to_device(&answer(number, bytes));
        assert_eq!(pair.device_closed, Some(Lost::Violation(Violation::ProbeAnswer(number))));
    }
    let mut pair = Pair::attached(1);
    assert!(pair.device.probe(pair.now, TEN, TWO));
    pair.forge_to_device(&answer(0, 2_000));
    pair.forge_to_device(&answer(0, 2_000));
    assert_eq!(pair.device_closed, Some(Lost::Violation(Violation::ProbeAnswer(0))), "answered twice");
}
