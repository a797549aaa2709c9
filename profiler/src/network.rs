//! What the link to a server does: round trip and goodput, apart.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Timestamp};

use crate::math::ln;
use crate::spread::{Quantity, Spread};

/// Round trip and goodput of one link, learned from the calls that use it.
///
/// Each figure is a Kalman filter in log space: a sample sharpens it, time without samples widens it again (a link that
/// was fast a minute ago may be anything now), and two surprises in a row on one side are a change that is believed at
/// once. A call that moves few bytes says nothing about goodput (it was limited by the app), and one that moves
/// many says little about the round trip; each is charged to the figure it informs.
#[derive(Clone, Debug)]
pub struct NetworkEstimate {
    round_trip: Filter,
    up: Filter,
    down: Filter,
}

/// What one call saw of the link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CallSample {
    /// Bytes to the server.
    pub up: ByteCount,
    /// Bytes from the server.
    pub down: ByteCount,
    /// From the first byte sent to the last one received.
    pub elapsed: Duration,
    /// The part of it that the server kept the call for.
    pub server: Duration,
}

impl NetworkEstimate {
    /// Nothing is known: what a server nearby may offer, within a factor of ten or twenty either way. A guess on the
    /// low side would keep large calls from ever finding out.
    pub fn unknown() -> Self {
        Self {
            round_trip: Filter::new(0.030, 1.0, 0.01),
            up: Filter::new(50e6, 1.5, 0.02),
            down: Filter::new(50e6, 1.5, 0.02),
        }
    }

    /// The round trip as the transport measures it.
    pub fn observe_round_trip(&mut self, now: Timestamp, round_trip: Duration) {
        self.round_trip.observe(now, round_trip.to_number());
    }

    /// A call came back whole.
    pub fn observe_call(&mut self, now: Timestamp, sample: CallSample) {
        let wire = sample.elapsed.saturating_sub(sample.server).to_number().max(1e-6);
        let round_trip = self.round_trip.typical().min(wire);
        let up = transfer_time(sample.up, self.up.typical());
        let down = transfer_time(sample.down, self.down.typical());
        let predicted = up + down;
        if sample.up + sample.down < SMALL {
            self.round_trip.observe(now, (wire - predicted).max(wire * 0.5));
            return;
        }
        let transfer = (wire - round_trip).max(wire * 0.05);
        // Within the round trip's own noise nothing can be said about the rate, except that it is not lower than
        // believed when the transfer took less than predicted.
        let app_limited = transfer < round_trip * 0.5;
        if app_limited && transfer >= predicted {
            return;
        }
        let slower = transfer / predicted.max(1e-9);
        if up >= predicted * 0.3 {
            self.up.observe(now, self.up.typical() / slower);
        }
        if down >= predicted * 0.3 {
            self.down.observe(now, self.down.typical() / slower);
        }
    }

    /// The path is another one now (a new address, another interface): keep the guess, drop the certainty.
    pub fn reset(&mut self) {
        self.round_trip.forget();
        self.up.forget();
        self.down.forget();
    }

    /// From a small message to its answer.
    pub fn round_trip(&self, now: Timestamp) -> Spread<Duration> {
        self.round_trip.predict(now)
    }

    /// The rate at which the server receives.
    pub fn goodput_up(&self, now: Timestamp) -> Spread<Bandwidth> {
        self.up.predict(now)
    }

    /// The rate at which the device receives.
    pub fn goodput_down(&self, now: Timestamp) -> Spread<Bandwidth> {
        self.down.predict(now)
    }

    /// Whether the round trip was ever measured.
    pub fn is_measured(&self) -> bool {
        self.round_trip.seen.is_some()
    }
}

/// Below this a call's transfer time drowns in the round trip.
const SMALL: ByteCount = ByteCount::from_bytes(4_000);

fn transfer_time(bytes: ByteCount, rate: f64) -> f64 {
    bytes.as_bytes() as f64 * 8.0 / rate.max(1.0)
}

/// One figure in log space.
#[derive(Clone, Debug)]
struct Filter {
    centre: f64,
    variance: f64,
    /// What one sample differs from the next by, learned from the surprises.
    noise: f64,
    prior_variance: f64,
    /// Growth of the variance per second without a sample.
    drift: f64,
    seen: Option<Timestamp>,
    surprises: i8,
}

impl Filter {
    fn new(typical: f64, deviation: f64, drift: f64) -> Self {
        let variance = deviation * deviation;
        let noise = 0.04;
        Self {
            centre: ln(typical),
            variance,
            noise,
            prior_variance: variance,
            drift,
            seen: None,
            surprises: 0,
        }
    }

    fn typical(&self) -> f64 {
        crate::math::exp(self.centre)
    }

    fn observe(&mut self, now: Timestamp, value: f64) {
        let value = ln(value.max(1e-6));
        let variance = self.grown(now);
        let error = value - self.centre;
        let deviation = (variance + self.noise).sqrt();
        if error.abs() > 3.0 * deviation {
            let side = if error > 0.0 { 1 } else { -1 };
            self.surprises = if self.surprises == side { 2 * side } else { side };
        } else {
            self.surprises = 0;
        }
        if self.seen.is_none() || self.surprises.abs() >= 2 {
            // The first sample says more than any prior, and a change more than the past.
            (self.centre, self.variance, self.surprises) = (value, self.noise, 0);
        } else {
            let error = error.clamp(-3.0 * deviation, 3.0 * deviation);
            let gain = variance / (variance + self.noise);
            self.centre += gain * error;
            self.variance = (1.0 - gain) * variance;
            // Innovations carry the figure's own uncertainty too, so the excess over it is the noise.
            let noise = (error * error - variance).clamp(0.0025, 1.0);
            self.noise += 0.1 * (noise - self.noise);
        }
        self.seen = Some(now);
    }

    fn predict<T: Quantity>(&self, now: Timestamp) -> Spread<T> {
        Spread::from_log(self.centre, self.grown(now) + self.noise)
    }

    fn grown(&self, now: Timestamp) -> f64 {
        let age = self.seen.map_or(0.0, |seen| now.since(seen).as_secs_f64());
        (self.variance + self.drift * age).min(self.prior_variance.max(self.variance))
    }

    fn forget(&mut self) {
        self.variance = self.prior_variance;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
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

    proptest! {
        /// Whatever the calls claim, every figure stays one that a decision can use.
        #[test]
        fn any_samples_leave_sound_figures(
            samples in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()), 0..40),
        ) {
            let mut network = NetworkEstimate::unknown();
            for (now, up, down, elapsed, server) in samples {
                network.observe_call(Timestamp::from_nanos(now), CallSample {
                    up: ByteCount::from_bytes(up),
                    down: ByteCount::from_bytes(down),
                    elapsed: Duration::from_nanos(elapsed),
                    server: Duration::from_nanos(server),
                });
            }
            let end = Timestamp::FAR_FUTURE;
            prop_assert!(!network.round_trip(end).deviation().is_nan());
            prop_assert!(!network.goodput_up(end).deviation().is_nan());
            prop_assert!(network.round_trip(end).at(Quantile::P95) >= network.round_trip(end).median());
        }
    }
}
