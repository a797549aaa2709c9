use proptest::prelude::*;

use super::*;
use crate::math::{exp, ln};
use crate::spread::Quantile;

fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(millis)
}

fn call(kilobytes_up: u64, megabits: u64, round_trip: Duration) -> CallSample {
    let up = ByteCount::from_bytes(kilobytes_up * 1_000);
    let server = Duration::from_millis(20);
    let elapsed = server + round_trip + up / Bandwidth::from_megabits_per_second(megabits);
    CallSample { up, down: ByteCount::from_bytes(100), elapsed, server }
}

#[test]
fn calls_teach_the_round_trip_and_the_rate_apart() {
    let mut network = NetworkEstimate::unknown();
    let round_trip = Duration::from_millis(10);
    network.observe_round_trip(at(0), round_trip);
    for second in 0..20 {
        network.observe_call(at(second * 1_000), call(500, 100, round_trip));
    }
    let rate = network.goodput_up(at(20_000)).median().as_bits_per_second() as f64 / 1e6;
    assert!((rate / 100.0 - 1.0).abs() < 0.1, "{rate} Mbit/s");
    let seen = network.round_trip(at(20_000)).median();
    assert!(seen > Duration::from_millis(8) && seen < Duration::from_millis(13), "{seen:?}");
}

#[test]
fn a_call_that_moves_little_says_nothing_about_the_rate() {
    let mut network = NetworkEstimate::unknown();
    let before = network.goodput_up(at(0));
    network.observe_call(at(0), call(1, 1_000, Duration::from_millis(25)));
    assert_eq!(network.goodput_up(at(0)), before);
    assert!(network.is_measured());
}

#[test]
fn certainty_fades_with_age() {
    let mut network = NetworkEstimate::unknown();
    network.observe_round_trip(at(0), Duration::from_millis(10));
    let (fresh, stale) = (network.round_trip(at(10)), network.round_trip(at(60_000)));
    assert!(stale.at(Quantile::P95) > fresh.at(Quantile::P95) * 2, "{fresh:?} {stale:?}");
    assert!((stale.median().as_secs_f64() - fresh.median().as_secs_f64()).abs() < 1e-9);
}

#[test]
fn a_change_is_believed_at_the_second_surprise() {
    let mut network = NetworkEstimate::unknown();
    for step in 0..50 {
        network.observe_round_trip(at(step * 100), Duration::from_millis(10));
    }
    network.observe_round_trip(at(5_000), Duration::from_millis(800));
    assert!(network.round_trip(at(5_000)).median() < Duration::from_millis(40));
    network.observe_round_trip(at(5_100), Duration::from_millis(800));
    assert_eq!(network.round_trip(at(5_100)).median().as_millis(), 800);
}

/// A generator of numbers like any, for links that the tests make up.
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About a standard normal number: the sum of twelve draws.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.draw()).sum::<f64>() - 6.0
    }
}

/// The share of seconds whose rate is at least what nine in ten should be, for samples that are `age` seconds old; and
/// the median error.
fn tried_on(rates: &[f64], age: usize) -> (f64, f64) {
    let mut network = NetworkEstimate::unknown();
    let (mut held, mut errors) = (0, Vec::new());
    for (second, pair) in rates.windows(age + 1).enumerate() {
        network
            .observe_goodput_up(at(second as u64 * 1_000), Bandwidth::from_bits_per_second(pair[0] as u64));
        if second < 20 {
            continue;
        }
        let next = network.goodput_up(at((second + age) as u64 * 1_000));
        let (actual, centre) = (ln(pair[age].max(1e3)), ln(next.median().to_number()));
        held += usize::from(actual >= centre - Quantile::P90.deviations() * next.deviation());
        errors.push((actual - centre).abs());
    }
    errors.sort_by(f64::total_cmp);
    (held as f64 / errors.len() as f64, errors[errors.len() / 2])
}

#[test]
fn nine_in_ten_bounds_hold_on_links_of_every_kind() {
    let mut dice = Dice(7);
    let mut wandering = vec![16.0];
    for _ in 0..2_000 {
        let last: f64 = wandering[wandering.len() - 1];
        wandering.push(last + 0.2 * dice.normal() - 0.02 * (last - 16.0));
    }
    let wandering: Vec<f64> = wandering.into_iter().map(exp).collect();
    let noisy: Vec<f64> = (0..2_000).map(|_| exp(16.0 + 0.5 * dice.normal())).collect();
    // Good for a while, then poor for a while.
    let mut good = true;
    let switching: Vec<f64> = (0..2_000)
        .map(|_| {
            good ^= dice.draw() < 0.05;
            exp(if good { 17.0 } else { 14.0 } + 0.1 * dice.normal())
        })
        .collect();
    for (name, rates, error) in
        [("wandering", wandering, 0.17), ("noisy", noisy, 0.4), ("switching", switching, 0.12)]
    {
        let (held, median) = tried_on(&rates, 1);
        assert!((0.86..=0.97).contains(&held), "{name}: {held} of the bounds held");
        assert!(median < error, "{name}: {median}");
        let (later, _) = tried_on(&rates, 16);
        assert!((0.84..=0.97).contains(&later), "{name}: {later} of the bounds held 16 s later");
    }
}

#[test]
fn outages_leave_a_usable_figure_and_are_over_when_they_are_over() {
    let mut network = NetworkEstimate::unknown();
    let second = |second: u64| at(second * 1_000);
    for now in 0..60 {
        network.observe_goodput_up(second(now), Bandwidth::from_megabits_per_second(10));
    }
    for now in 60..70 {
        network.observe_goodput_up(second(now), Bandwidth::ZERO);
    }
    assert!(network.goodput_up(second(70)).median() < Bandwidth::from_bits_per_second(100_000));
    for now in 70..74 {
        network.observe_goodput_up(second(now), Bandwidth::from_megabits_per_second(10));
    }
    let back = network.goodput_up(second(74)).median().as_bits_per_second() as f64 / 1e6;
    assert!((8.0..12.0).contains(&back), "{back} Mbit/s");
}

#[test]
fn a_slow_upload_is_not_taken_for_a_slow_download() {
    let mut network = NetworkEstimate::unknown();
    let round_trip = Duration::from_millis(20);
    let megabytes = ByteCount::from_bytes(1_000_000);
    let (slow, fast) = (Bandwidth::from_megabits_per_second(5), Bandwidth::from_megabits_per_second(80));
    network.observe_round_trip(at(0), round_trip);
    for second in 1..40 {
        // Uploads and downloads of an app rarely have the same size: now more goes up, now more comes down.
        let (up, down) = if second % 2 == 0 {
            (megabytes, megabytes.scaled(0.1))
        } else {
            (megabytes.scaled(0.05), megabytes)
        };
        let elapsed = round_trip + up / slow + down / fast;
        network.observe_call(at(second * 2_000), CallSample { up, down, elapsed, server: Duration::ZERO });
    }
    let megabits = |rate: Spread<Bandwidth>| rate.median().as_bits_per_second() as f64 / 1e6;
    let (up, down) = (megabits(network.goodput_up(at(80_000))), megabits(network.goodput_down(at(80_000))));
    assert!((4.5..5.5).contains(&up), "{up} Mbit/s up");
    assert!((60.0..100.0).contains(&down), "{down} Mbit/s down");
}

#[test]
fn the_queue_of_own_transfers_is_not_taken_for_a_longer_way() {
    let mut network = NetworkEstimate::unknown();
    for second in 0..10 {
        network.observe_round_trip(at(second * 1_000), Duration::from_millis(20));
    }
    for second in 10..20 {
        network.observe_round_trip_under_load(at(second * 1_000), Duration::from_millis(700));
    }
    assert_eq!(network.round_trip(at(20_000)).median().as_millis(), 20);
    network.observe_round_trip_under_load(at(20_000), Duration::from_millis(15));
    assert!(network.round_trip(at(20_000)).median() < Duration::from_millis(20), "no queue makes it shorter");
}

fn path(kilobytes: u64, round_trip: u64) -> PathSample {
    PathSample {
        round_trip: Duration::from_millis(round_trip),
        shortest_round_trip: Duration::from_millis(20),
        congestion_window: ByteCount::from_bytes(50_000),
        sent: ByteCount::from_bytes(kilobytes * 1_000),
        sent_packets: kilobytes,
        ..PathSample::default()
    }
}

#[test]
fn the_transport_tells_the_round_trip_of_a_quiet_path_only() {
    let mut network = NetworkEstimate::unknown();
    network.observe_path(at(0), path(5, 30), false);
    assert_eq!(network.round_trip(at(0)).median().as_millis(), 30);
    assert_eq!(network.shortest_round_trip(), Some(Duration::from_millis(20)));
    // Eight megabytes later the smoothed figure has their queue in it.
    network.observe_path(at(5_000), path(8_005, 600), false);
    network.observe_path(at(6_500), path(8_006, 500), true);
    assert_eq!(network.round_trip(at(6_500)).median().as_millis(), 30);
    // Nothing went since: nothing was measured.
    let before = network.round_trip(at(9_000));
    network.observe_path(at(9_000), path(8_006, 300), false);
    assert_eq!(network.round_trip(at(9_000)), before);
    for (second, kilobytes) in [(12, 8_007), (15, 8_008), (18, 8_009)] {
        network.observe_path(at(second * 1_000), path(kilobytes, 45), false);
    }
    let quiet = network.round_trip(at(18_000)).median().as_millis();
    assert!((40..=45).contains(&quiet), "{quiet} ms");
}

#[test]
fn a_way_that_was_first_seen_with_its_queue_is_taken_for_what_it_is_without() {
    let mut network = NetworkEstimate::unknown();
    assert!(network.observe_path(at(0), path(8_000, 600), true));
    assert_eq!(network.round_trip(at(0)).median().as_millis(), 20);
}

#[test]
fn a_window_that_was_cut_lowers_the_rate_and_loss_widens_it() {
    let mut network = NetworkEstimate::unknown();
    network.observe_path(at(0), path(5, 50), false);
    let before = network.goodput_up(at(1_000));
    let cut = PathSample { lost_packets: 30, congestion_events: 2, ..path(500, 50) };
    network.observe_path(at(1_000), cut, true);
    let after = network.goodput_up(at(1_000));
    let megabits = after.median().as_bits_per_second() as f64 / 1e6;
    assert!((11.0..12.0).contains(&megabits), "50 kB, before the cut 71 kB, in 50 ms: {megabits} Mbit/s");
    assert!(after.median() < before.median());
    let steady = PathSample { lost_packets: 30, congestion_events: 2, ..path(9_000, 50) };
    network.observe_path(at(1_000), steady, true);
    assert!(network.goodput_up(at(1_000)).deviation() < after.deviation(), "the loss is long ago");
}

#[test]
fn packets_that_vanish_for_their_size_say_that_the_path_is_another_one() {
    let mut network = NetworkEstimate::unknown();
    for second in 0..30 {
        network.observe_round_trip(at(second * 1_000), Duration::from_millis(20));
    }
    network.observe_path(at(30_000), path(5, 20), false);
    let before = network.round_trip(at(30_000)).deviation();
    network.observe_path(at(30_000), PathSample { black_holes: 1, ..path(6, 20) }, false);
    assert!(network.round_trip(at(30_000)).deviation() > before * 2.0);
}

#[test]
fn after_a_reset_the_guess_stays_and_the_next_sample_is_believed() {
    let mut network = NetworkEstimate::unknown();
    for second in 0..60 {
        network.observe_round_trip(at(second * 1_000), Duration::from_millis(20));
    }
    network.reset();
    let lost = network.round_trip(at(60_000));
    assert_eq!(lost.median().as_millis(), 20);
    assert!(lost.deviation() >= 1.0);
    network.observe_round_trip(at(61_000), Duration::from_millis(90));
    assert_eq!(network.round_trip(at(61_000)).median().as_millis(), 90);
}

proptest! {
    /// Whatever calls, pings and the transport claim, every figure stays one that a decision can use.
    #[test]
    fn any_samples_leave_sound_figures(
        samples in proptest::collection::vec((0u8..7, any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()), 0..60),
        end in any::<u64>(),
    ) {
        let mut network = NetworkEstimate::unknown();
        for (kind, now, a, b, c, d) in samples {
            let now = Timestamp::from_nanos(now);
            let (bytes, time) = (ByteCount::from_bytes, Duration::from_nanos);
            match kind {
                0 | 1 => network.observe_call(
                    now,
                    CallSample { up: bytes(a), down: bytes(b), elapsed: time(c), server: time(d) },
                ),
                2 => network.observe_round_trip(now, time(a)),
                3 => network.observe_round_trip_under_load(now, time(a)),
                4 => network.observe_goodput_down(now, Bandwidth::from_bits_per_second(a)),
                5 => drop(network.observe_path(now, PathSample {
                    round_trip: time(a),
                    shortest_round_trip: time(b),
                    congestion_window: bytes(c),
                    congestion_events: d,
                    sent: bytes(b),
                    received: bytes(d),
                    sent_packets: a,
                    lost_packets: c,
                    black_holes: d % 3,
                }, a % 2 == 0)),
                _ => network.reset(),
            }
        }
        for end in [Timestamp::from_nanos(end), Timestamp::FAR_FUTURE] {
            let (trip, rates) = (network.round_trip(end), [network.goodput_up(end), network.goodput_down(end)]);
            prop_assert!(trip.deviation().is_finite() && trip.at(Quantile::P95) >= trip.median());
            for rate in rates {
                prop_assert!(rate.deviation().is_finite() && rate.at(Quantile::P05) <= rate.median());
                prop_assert!(rate.median() > Bandwidth::ZERO);
            }
        }
    }
}
