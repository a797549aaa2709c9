use std::time::Duration;

use outboard_core::{Bandwidth, CallId, Epoch, MethodId};

use super::*;
use crate::codec::DecodeError;
use crate::delta::Delta;
use crate::limits::Limits;

fn attempt() -> Attempt {
    Attempt { call: CallId(7), epoch: Epoch(2) }
}

fn version(part: Part) -> Version {
    Version { attempt: attempt(), part }
}

fn inner() -> Inner {
    Inner { sequence: 3, method: MethodId(3), arguments: ArgumentsHash(9) }
}

fn reply(bytes: usize) -> ToDevice {
    ToDevice::Reply(ReplyFrame {
        attempt: attempt(),
        result: vec![5; bytes].into(),
        exclusive: vec![SlotImage::Whole(Image::from(vec![6; 3]))],
        onces: 2,
        cost: ServerCost { ran: Duration::from_millis(3), ..ServerCost::default() },
        load: Load { running: 1, queued: 2 },
    })
}

fn limits(frame_bytes: u32) -> Limits {
    Limits { frame_bytes, ..Limits::default() }
}

#[test]
fn frames_come_out_as_they_went_in() {
    let frames = [
        ToServer::Call(
            Serial(1),
            CallFrame {
                attempt: attempt(),
                method: MethodId(3),
                within: Some(attempt()),
                root: Some(Root { call: CallId(5), onces: 4 }),
                time_left: Some(Duration::from_millis(20)),
                on_device: vec![MethodId(4)],
                slots: vec![
                    vec![1, 2, 3].into(),
                    SlotImage::Same(version(Part::Sent(1))),
                    SlotImage::Delta(Some(version(Part::Returned(2))), Delta::Edits(vec![4].into())),
                    SlotImage::Delta(None, Delta::Packed { length: 9, bytes: vec![5].into() }),
                ],
                reply_rate: Some(Bandwidth::from_megabits_per_second(3)),
                result_base: Some(version(Part::Result)),
                forget: vec![version(Part::Sent(0))],
            },
        ),
        ToServer::Ask(Serial(2), AskFrame { attempt: attempt(), about: CallId(1), inner: Some(inner()) }),
        ToServer::Fence(Serial(1), attempt()),
        ToServer::Answer(AnswerFrame {
            attempt: attempt(),
            sequence: 4,
            outcome: Err("no".into()),
            onces: 0,
        }),
        ToServer::Answer(AnswerFrame {
            attempt: attempt(),
            sequence: 4,
            outcome: Ok(AnswerImage { result: Image::from(vec![9]), exclusive: vec![] }),
            onces: 3,
        }),
        ToServer::Ping(1),
        ToServer::Goodbye,
        ToServer::Probe(ProbeFrame { number: 3, wanted: 9, padding: vec![0; 5].into() }),
    ];
    for frame in frames {
        let bytes = encode_frame(&frame, &Limits::default()).unwrap();
        assert_eq!(decode_frame::<ToServer>(&bytes, &Limits::default()), Ok(frame));
    }
    let back = ToDevice::Back(BackFrame {
        attempt: attempt(),
        sequence: 1,
        method: MethodId(3),
        slots: vec![
            BackSlot::Copy(vec![1].into()),
            BackSlot::Place { slot: 0, path: vec![2, 1], image: vec![2].into() },
        ],
        onces: Some(3),
    });
    let probed = ProbedFrame { number: 3, padding: vec![0; 9].into(), load: Load { running: 1, queued: 0 } };
    let frames =
        [back, reply(10), ToDevice::Pong(3, Load::default()), ToDevice::Draining, ToDevice::Probed(probed)];
    for frame in frames {
        let bytes = encode_frame(&frame, &Limits::default()).unwrap();
        assert_eq!(decode_frame::<ToDevice>(&bytes, &Limits::default()), Ok(frame));
    }
}

#[test]
fn an_image_is_its_length_and_its_bytes() {
    let bytes = encode_frame(&reply(3), &Limits::default()).unwrap();
    let image = [&3u64.to_le_bytes()[..], &[5, 5, 5]].concat();
    assert!(bytes.windows(image.len()).any(|window| window == image));
}

#[test]
fn a_frame_over_the_limit_is_neither_sent_nor_read() {
    let bytes = encode_frame(&reply(1000), &Limits::default()).unwrap();
    let exact = limits(bytes.len() as u32);
    let short = limits(bytes.len() as u32 - 1);
    assert!(encode_frame(&reply(1000), &exact).is_ok());
    assert!(decode_frame::<ToDevice>(&bytes, &exact).is_ok());
    assert!(matches!(encode_frame(&reply(1000), &short), Err(FrameError::TooLarge { .. })));
    assert!(matches!(decode_frame::<ToDevice>(&bytes, &short), Err(FrameError::TooLarge { .. })));
    assert!(matches!(encode_frame(&reply(1000), &limits(500)), Err(FrameError::TooLarge { .. })));
}

#[test]
fn what_is_not_one_whole_frame_is_refused() {
    let decode = |bytes: &[u8]| decode_frame::<ToDevice>(bytes, &Limits::default());
    let mut bytes = encode_frame(&reply(10), &Limits::default()).unwrap();
    for length in 1..bytes.len() {
        assert!(matches!(decode(&bytes[..length]), Err(FrameError::Malformed(_))), "{length} bytes");
    }
    bytes.push(0);
    assert_eq!(decode(&bytes), Err(FrameError::Malformed(DecodeError::Trailing { left: 1 })));
    assert_eq!(decode(&[]), Err(FrameError::Empty));
    bytes[0] = 9;
    assert_eq!(decode(&bytes), Err(FrameError::Version(9)));
}

#[test]
fn claims_of_size_are_not_believed() {
    // A failure whose text claims to be of every possible length: the bytes are not there.
    for claim in [5, 4096, 4097, 1 << 40, u64::MAX] {
        let frame = FailedFrame {
            attempt: attempt(),
            failure: Failure::Panicked("boom".into()),
            load: Load::default(),
        };
        let mut bytes = encode_frame(&ToDevice::Failed(frame), &Limits::default()).unwrap();
        let place = bytes.windows(8).position(|window| window == 4u64.to_le_bytes()).unwrap();
        bytes[place..place + 8].copy_from_slice(&claim.to_le_bytes());
        let result = decode_frame::<ToDevice>(&bytes, &Limits::default());
        assert!(matches!(result, Err(FrameError::Malformed(_))), "{claim}: {result:?}");
    }
    let mut bytes = encode_frame(&reply(10), &Limits::default()).unwrap();
    let place = bytes.windows(8).position(|window| window == 10u64.to_le_bytes()).unwrap();
    bytes[place..place + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(decode_frame::<ToDevice>(&bytes, &Limits::default()), Err(FrameError::Malformed(_))));
}

#[test]
fn more_slots_than_any_method_has_are_refused() {
    let frame = |count| {
        let slots = vec![SlotImage::Whole(Image::default()); count];
        let call = CallFrame::new(attempt(), MethodId(3), slots);
        encode_frame(&ToServer::Call(Serial(0), call), &Limits::default()).unwrap()
    };
    assert!(decode_frame::<ToServer>(&frame(256), &Limits::default()).is_ok());
    assert!(matches!(
        decode_frame::<ToServer>(&frame(257), &Limits::default()),
        Err(FrameError::Malformed(_))
    ));
}
