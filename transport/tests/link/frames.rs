//! Frames arrive whole, in order where promised, and are held back where the peer does not keep up.

use std::collections::BTreeMap;

use outboard_core::ByteCount;
use outboard_transport::{Link, SendError};
use outboard_wire::Lane;

use crate::support::{Pair, SendFrame as _, config, pattern, received};

/// Around every size at which something changes: copied or not, one step or several, one window or more.
const SIZES: [usize; 12] =
    [0, 1, 4_095, 4_097, 16_384, 65_535, 65_536, 65_537, 262_145, 1 << 20, 5 << 20, 9_999_999];

async fn every_size_arrives(from: &Link, to: &mut Link, lane: Lane) {
    for size in SIZES {
        from.sender().send(lane, pattern(size as u8, size)).unwrap();
        assert!(received(to).await == pattern(size as u8, size), "{size} bytes");
    }
}

#[tokio::test]
async fn frames_of_every_size_arrive_on_both_lanes_in_both_directions() {
    let mut pair = Pair::new().await;
    for lane in [Lane::Small, Lane::Bulk] {
        every_size_arrives(&pair.device, &mut pair.server, lane).await;
        every_size_arrives(&pair.server, &mut pair.device, lane).await;
    }
}

#[tokio::test]
async fn the_server_may_speak_first() {
    let mut pair = Pair::new().await;
    pair.server.small(*b"welcome");
    assert_eq!(received(&mut pair.device).await, b"welcome");
}

#[tokio::test]
async fn several_frames_of_twenty_megabytes_cross_in_both_directions() {
    let mut pair = Pair::new().await;
    for seed in 0..3 {
        pair.device.bulk(pattern(seed, 20_000_000));
        pair.server.bulk(pattern(seed + 100, 20_000_000));
    }
    let (mut at_server, mut at_device) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (one, other) = tokio::join!(received(&mut pair.server), received(&mut pair.device));
        at_server.push(one);
        at_device.push(other);
    }
    at_server.sort_by_key(|frame| frame[0]);
    at_device.sort_by_key(|frame| frame[0]);
    for seed in 0..3 {
        assert!(at_server[usize::from(seed)] == pattern(seed, 20_000_000));
        assert!(at_device[usize::from(seed)] == pattern(seed + 100, 20_000_000));
    }
}

#[tokio::test]
async fn a_small_frame_overtakes_bulk_frames_that_were_sent_before_it() {
    let mut pair = Pair::new().await;
    pair.device.bulk(pattern(1, 20_000_000));
    pair.device.bulk(pattern(2, 20_000_000));
    pair.device.small(*b"quick");
    assert_eq!(received(&mut pair.server).await, b"quick");
    assert_eq!(received(&mut pair.server).await.len(), 20_000_000);
    assert_eq!(received(&mut pair.server).await.len(), 20_000_000);
}

#[tokio::test]
async fn a_flood_of_small_frames_does_not_hold_a_bulk_frame_back() {
    let mut pair = Pair::new().await;
    pair.device.bulk(pattern(1, 100_000));
    for _ in 0..20_000 {
        pair.device.small(*b"ping");
    }
    let mut before = 0;
    while received(&mut pair.server).await.len() == 4 {
        before += 1;
    }
    assert!(before < 20_000, "the bulk frame came after every small one");
}

#[tokio::test]
async fn threads_share_the_small_lane_and_each_keeps_its_order() {
    const FRAMES: u32 = 2_000;
    let mut pair = Pair::new().await;
    let threads: Vec<_> = (0..4_u8)
        .map(|thread| {
            let sender = pair.device.sender();
            std::thread::spawn(move || {
                for index in 0..FRAMES {
                    let frame = [&[thread][..], &index.to_le_bytes()].concat();
                    sender.send(Lane::Small, frame).unwrap();
                }
            })
        })
        .collect();
    let mut next = BTreeMap::new();
    for _ in 0..4 * FRAMES {
        let frame = received(&mut pair.server).await;
        let expected = next.entry(frame[0]).or_insert(0_u32);
        assert_eq!(frame[1..], expected.to_le_bytes());
        *expected += 1;
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[tokio::test]
async fn a_receiver_that_gives_up_waiting_again_and_again_loses_nothing() {
    let mut pair = Pair::new().await;
    for index in 0..200_u32 {
        pair.device.small(index.to_le_bytes());
        pair.device.bulk(pattern(index as u8, 40_000));
    }
    let (mut small, mut bulk) = (0_u32, 0);
    while small + bulk < 400 {
        let frame = tokio::select! {
            biased;
            frame = pair.server.recv() => frame.unwrap(),
            () = tokio::task::yield_now() => continue,
        };
        if frame.len() == 4 {
            assert_eq!(frame, small.to_le_bytes());
            small += 1;
        } else {
            bulk += 1;
        }
    }
}

#[tokio::test]
async fn the_queue_of_a_lane_is_bounded_and_opens_again_when_the_peer_reads() {
    for lane in [Lane::Small, Lane::Bulk] {
        let mut pair = Pair::with(config(|config| {
            config.frame_bytes = 100_000;
            config.stream_window = ByteCount::from_bytes(64 << 10);
            config.queue = ByteCount::from_bytes(1_000_000);
        }))
        .await;
        let sender = pair.device.sender();
        let mut sent = 0;
        let refused = loop {
            match sender.send(lane, pattern(sent, 100_000)) {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, SendError::Full { .. }), "{refused}");
        assert!((9..=11).contains(&sent), "{sent} frames of 100 kB went into a queue of 1 MB");
        let mut seeds = Vec::new();
        for _ in 0..sent {
            let frame = received(&mut pair.server).await;
            assert!(frame == pattern(frame[0], 100_000));
            seeds.push(frame[0]);
        }
        seeds.sort_unstable();
        assert_eq!(seeds, (0..sent).collect::<Vec<_>>());
        // What was received may still be on its way out of the queue: the acknowledgement travels on its own.
        crate::support::within(async {
            while sender.send(lane, vec![7; 100]).is_err() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(received(&mut pair.server).await, [7; 100]);
    }
}

#[tokio::test]
async fn a_full_bulk_queue_leaves_the_small_lane_open() {
    let mut pair = Pair::with(config(|config| {
        config.frame_bytes = 1_000_000;
        config.queue = ByteCount::from_bytes(1_000_000);
        config.stream_window = ByteCount::from_bytes(64 << 10);
    }))
    .await;
    pair.device.bulk(pattern(1, 1_000_000));
    let full = pair.device.sender().send(Lane::Bulk, vec![0; 10]).unwrap_err();
    assert!(matches!(full, SendError::Full { .. }));
    pair.device.small(*b"still here");
    assert_eq!(received(&mut pair.server).await, b"still here");
}

#[tokio::test]
async fn a_frame_above_the_limit_is_refused_where_it_is_sent() {
    let mut pair = Pair::with(config(|config| config.frame_bytes = 1_000)).await;
    let refused = pair.device.sender().send(Lane::Bulk, vec![0; 1_001]).unwrap_err();
    assert_eq!(refused, SendError::TooLarge { size: 1_001, limit: 1_000 });
    pair.device.bulk(vec![0; 1_000]);
    assert_eq!(received(&mut pair.server).await.len(), 1_000);
}

#[tokio::test]
async fn more_frames_than_may_be_assembled_at_once_all_arrive() {
    let mut pair = Pair::with(config(|config| {
        config.frame_bytes = 300_000;
        config.unfinished = ByteCount::from_bytes(300_000);
        config.stream_window = ByteCount::from_bytes(64 << 10);
        config.bulk_streams = 4;
    }))
    .await;
    for index in 0..40 {
        pair.device.bulk(pattern(index, 200_000 + usize::from(index % 3) * 50_000));
    }
    let mut seeds: Vec<_> = Vec::new();
    for _ in 0..40 {
        let frame = received(&mut pair.server).await;
        assert!(frame == pattern(frame[0], frame.len()));
        seeds.push(frame[0]);
    }
    seeds.sort_unstable();
    assert_eq!(seeds, (0..40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_link_knows_its_traffic_and_path() {
    let mut pair = Pair::new().await;
    pair.device.bulk(pattern(1, 1_000_000));
    received(&mut pair.server).await;
    assert!(pair.device.stats().sent >= ByteCount::from_bytes(1_000_000));
    assert!(pair.server.stats().received >= ByteCount::from_bytes(1_000_000));
    assert!(pair.device.stats().path_mtu >= ByteCount::from_bytes(1_200));
    let seen_by_a_sender = pair.device.sender().stats();
    assert!(
        seen_by_a_sender.sent_packets >= 100
            && seen_by_a_sender.lost_packets <= seen_by_a_sender.sent_packets
    );
    assert!(
        seen_by_a_sender.congestion_window >= ByteCount::from_bytes(2_400),
        "two packets, RFC 9002, section 7.2"
    );
    assert!(seen_by_a_sender.round_trip >= seen_by_a_sender.shortest_round_trip);
    assert!(!pair.device.rtt().is_zero());
    assert_eq!(pair.device.peer().port(), pair.listener.local_address().unwrap().port());
}

#[tokio::test]
async fn segmentation_offload_can_be_off() {
    let mut pair = Pair::with(config(|config| {
        config.segmentation_offload = false;
        config.path_mtu = 16_000;
    }))
    .await;
    pair.device.bulk(pattern(1, 5_000_000));
    assert!(received(&mut pair.server).await == pattern(1, 5_000_000));
}

#[tokio::test]
async fn a_device_with_another_socket_has_another_address_and_the_same_link() {
    let mut pair = Pair::new().await;
    pair.device.small(*b"from here");
    assert_eq!(received(&mut pair.server).await, b"from here");
    let before = pair.server.peer();
    pair.server.bulk(pattern(1, 5_000_000));
    pair.connector.take_another_socket().unwrap();
    assert_eq!(received(&mut pair.device).await, pattern(1, 5_000_000));
    pair.device.small(*b"from there");
    assert_eq!(received(&mut pair.server).await, b"from there");
    pair.server.small(*b"heard");
    assert_eq!(received(&mut pair.device).await, b"heard");
    assert_ne!(pair.server.peer(), before);
}

#[tokio::test]
async fn the_way_out_to_loopback_is_loopback() {
    let pair = Pair::new().await;
    assert!(pair.device.sender().way_out().is_some_and(|way| way.to_canonical().is_loopback()));
}
