//! Links as the real transport makes them, told in virtual time.

use std::time::Duration;

use outboard_core::{ByteCount, Timestamp};
use outboard_sim::{Direction, Loss, Outage, OutageKind};
use outboard_transport::{LinkError, LinkStats};
use outboard_wire::Lane;

use crate::network::Passed;
use crate::scene::{Between, mbit, ms, play, steady};

const MEGABYTE: usize = 1 << 20;

/// 8 Mbit/s and 50 ms, as a café's Wi-Fi may be.
fn cafe(loss: u32) -> Between {
    steady(mbit(8), ms(50), Loss::from_percent(loss), 1)
}

/// A quarter of a megabyte, and fifty small frames with their answers: what passed, and when the last answer came.
fn busy_day(between: Between) -> (Vec<Passed>, Timestamp, LinkStats) {
    play(between, async |mut world| {
        let mut pair = world.meet().await;
        pair.device.sender().send(Lane::Bulk, vec![1; MEGABYTE / 4]).unwrap();
        for round in 0..50 {
            pair.device.sender().send(Lane::Small, vec![2; 1_000]).unwrap();
            while pair.server.recv().await.unwrap().len() != 1_000 {}
            pair.server.sender().send(Lane::Small, vec![round; 300]).unwrap();
            pair.device.recv().await.unwrap();
        }
        (world.network.log(), world.now(), pair.device.stats())
    })
}

#[test]
fn a_greeting_is_answered_in_two_round_trips_and_in_one_where_the_device_is_known() {
    play(cafe(0), async |mut world| {
        let (first, took) = world.greet().await;
        assert!(
            (ms(100)..ms(115)).contains(&took),
            "two round trips and what the certificate takes: {took:?}"
        );
        assert!(!first.device.is_resumed());
        let (again, took) = world.greet().await;
        assert!((ms(50)..ms(60)).contains(&took), "one round trip: {took:?}");
        assert!(again.device.is_resumed());
        drop(first);
    });
}

#[test]
fn a_megabyte_takes_what_the_rate_allows_and_the_headers_cost() {
    play(cafe(0), async |mut world| {
        let mut pair = world.meet().await;
        pair.carry(Lane::Bulk, MEGABYTE).await;
        let took = pair.carry(Lane::Bulk, MEGABYTE).await;
        // 8 Mbit/s are a megabyte in a second, and half of a round trip.
        let least = Duration::from_micros(MEGABYTE as u64) + ms(25);
        assert!((1.03..1.06).contains(&took.div_duration_f64(least)), "{took:?}");
        let stats = pair.device.stats();
        assert!((ms(50)..ms(160)).contains(&stats.round_trip), "with a queue of two round trips: {stats:?}");
        assert!((ms(50)..ms(56)).contains(&stats.shortest_round_trip), "{stats:?}");
        assert!((1_400..=1_472).contains(&stats.path_mtu.as_bytes()), "Ethernet's was found: {stats:?}");
        assert!(stats.sent > ByteCount::from_bytes(2 * MEGABYTE as u64), "{stats:?}");
    });
}

#[test]
fn a_small_frame_passes_a_bulk_one() {
    play(cafe(0), async |mut world| {
        let mut pair = world.meet().await;
        pair.carry(Lane::Bulk, MEGABYTE).await;
        let start = world.now();
        pair.device.sender().send(Lane::Bulk, vec![1; MEGABYTE]).unwrap();
        world.network.until(start + ms(300)).await;
        pair.device.sender().send(Lane::Small, vec![2; 100]).unwrap();
        assert_eq!(pair.server.recv().await.unwrap().len(), 100);
        let small = world.now() - (start + ms(300));
        assert!(small < ms(25 + 110), "only what the link's own queue held was before it: {small:?}");
        assert_eq!(pair.server.recv().await.unwrap().len(), MEGABYTE);
        assert!(world.now() - start > ms(1_000));
    });
}

#[test]
fn of_two_bulk_frames_the_first_comes_as_early_as_if_it_were_alone() {
    play(cafe(0), async |mut world| {
        let mut pair = world.meet().await;
        pair.carry(Lane::Bulk, MEGABYTE).await;
        let alone = pair.carry(Lane::Bulk, MEGABYTE / 2).await;
        let start = world.now();
        for size in [MEGABYTE / 2, MEGABYTE / 2 + 1] {
            pair.device.sender().send(Lane::Bulk, vec![1; size]).unwrap();
        }
        assert_eq!(pair.server.recv().await.unwrap().len(), MEGABYTE / 2);
        let first = world.now() - start;
        assert!(first < alone + alone / 20, "{first:?} and {alone:?} alone");
        assert_eq!(pair.server.recv().await.unwrap().len(), MEGABYTE / 2 + 1);
    });
}

#[test]
fn frames_arrive_whole_and_in_order_although_three_packets_in_ten_are_lost() {
    play(cafe(30), async |mut world| {
        let mut pair = world.meet().await;
        for number in 0..40 {
            pair.device.sender().send(Lane::Small, vec![number; 500]).unwrap();
        }
        pair.device.sender().send(Lane::Bulk, vec![99; 20_000]).unwrap();
        let mut small = Vec::new();
        let mut bulk = 0;
        while small.len() < 40 || bulk == 0 {
            let frame = pair.server.recv().await.unwrap();
            match frame.len() {
                500 => small.push(frame[0]),
                size => bulk = size,
            }
        }
        assert_eq!((small, bulk), ((0..40).collect(), 20_000));
        let lost = world.network.log().iter().filter(|packet| packet.arrives.is_none()).count();
        assert!(lost > 10, "{lost}");
        assert!(pair.device.stats().lost_packets > 0);
    });
}

#[test]
fn a_link_outlives_a_black_hole_of_ten_seconds() {
    let between = cafe(0);
    let at = |millis| Timestamp::ZERO + ms(millis);
    let outage = Outage { from: at(1_000), to: at(11_000), kind: OutageKind::Silent };
    let link = between.link.clone().with_outages([outage]);
    play(Between { link, ..between }, async |mut world| {
        let mut pair = world.meet().await;
        world.until(2_000).await;
        pair.carry(Lane::Small, 1_000).await;
        // It is sent again at intervals that double: it comes at most as late again as the black hole was long.
        assert!((at(11_025)..at(21_100)).contains(&world.now()), "{:?}", world.now());
        let took = pair.carry(Lane::Small, 1_000).await;
        assert!(took < ms(100), "all is well again: {took:?}");
        assert_eq!(pair.device.ended(), None);
    });
}

#[test]
fn a_server_follows_a_device_that_moves_to_another_network() {
    play(cafe(0), async |mut world| {
        let mut pair = world.meet().await;
        pair.carry(Lane::Bulk, MEGABYTE / 4).await;
        let there = world.move_device(1);
        let took = pair.carry(Lane::Small, 1_000).await;
        assert!(took < ms(200), "{took:?}");
        assert_eq!(pair.server.peer(), there);
        pair.server.sender().send(Lane::Bulk, vec![3; MEGABYTE / 4]).unwrap();
        assert_eq!(pair.device.recv().await.unwrap().len(), MEGABYTE / 4);
    });
}

#[test]
fn a_server_that_was_started_again_says_so_at_the_next_packet_and_a_dead_one_is_noticed_by_silence() {
    play(cafe(0), async |mut world| {
        let mut pair = world.meet().await;
        world.until(1_000).await;
        world.restart();
        pair.device.sender().send(Lane::Small, vec![1]).unwrap();
        assert_eq!(pair.device.recv().await.unwrap_err(), LinkError::Reset);
        let noticed = world.now() - (Timestamp::ZERO + ms(1_000));
        assert!((ms(50)..ms(55)).contains(&noticed), "one round trip: {noticed:?}");
    });
    play(cafe(0), async |mut world| {
        let mut pair = world.meet().await;
        world.kill();
        let killed = world.now();
        assert_eq!(pair.device.recv().await.unwrap_err(), LinkError::TimedOut);
        let noticed = world.now() - killed;
        assert!((Duration::from_secs(29)..Duration::from_secs(32)).contains(&noticed), "{noticed:?}");
    });
}

#[test]
fn a_run_is_the_same_to_the_nanosecond_for_the_same_seed_and_another_for_another() {
    for loss in [0, 5] {
        let first = busy_day(cafe(loss));
        for _ in 0..3 {
            assert_eq!(busy_day(cafe(loss)), first, "with {loss} % of packets lost");
        }
    }
    let of_seed = |seed| busy_day(steady(mbit(8), ms(50), Loss::from_percent(5), seed));
    assert_ne!(of_seed(1).1, of_seed(2).1);
}

#[test]
fn every_packet_is_accounted_for() {
    let (log, end, stats) = busy_day(cafe(5));
    let sent = |direction| log.iter().filter(move |packet: &&Passed| packet.direction == direction);
    let bytes: usize = sent(Direction::Up).map(|packet| packet.size).sum();
    assert_eq!(ByteCount::from_bytes(bytes as u64), stats.sent);
    assert!(log.iter().filter_map(|packet| packet.arrives).all(|at| at <= end + ms(100)));
    let lost = sent(Direction::Up).filter(|packet| packet.arrives.is_none()).count() as u64;
    // Probes of larger packets count as sent, and not as lost.
    assert!((lost / 2..=2 * lost).contains(&stats.lost_packets), "{lost} {stats:?}");
}
