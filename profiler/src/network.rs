//! What the link to a server does: round trip and goodput, apart.

mod ages;
mod call;
mod gauge;
mod path;

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Timestamp};

use crate::spread::{Quantity, Spread};
use call::{Part, split};
use gauge::{Gauge, Prior, Side};
use path::Path;

pub use path::PathSample;

/// Round trip and goodput of one link, learned from the calls that use it.
///
/// Each figure is forecast by competing averages, and is as uncertain as forecasts of that age were wrong on this very
/// link; two surprises in a row on one side are a change that is believed at once. A call that moves few bytes says
/// nothing about goodput (it was limited by the app), and one that moves many says little about the round trip: what
/// is unexpected about a call's time is charged to the figure that probably caused it. A round trip that was measured
/// while own bytes stood in a queue says only what it is at most.
#[derive(Clone, Debug)]
pub struct NetworkEstimate {
    round_trip: Gauge,
    up: Gauge,
    down: Gauge,
    path: Path,
    measured: bool,
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
        let rate = Prior { typical: 50e6, deviation: 1.5, least: 1e3 };
        Self {
            round_trip: Gauge::new(Prior { typical: 0.030, deviation: 1.0, least: 1e-6 }, Side::Above),
            up: Gauge::new(rate, Side::Below),
            down: Gauge::new(rate, Side::Below),
            path: Path::default(),
            measured: false,
        }
    }

    /// A round trip was measured while the link had nothing else to do.
    pub fn observe_round_trip(&mut self, now: Timestamp, round_trip: Duration) {
        self.round_trip.observe(now, round_trip.to_number());
        self.measured = true;
    }

    /// A round trip was measured while own transfers were under way. Their queue is in it, so it only says what the round
    /// trip is at most.
    pub fn observe_round_trip_under_load(&mut self, now: Timestamp, round_trip: Duration) {
        if !self.measured || round_trip.to_number() < self.round_trip.typical() {
            self.observe_round_trip(now, round_trip);
        }
    }

    /// A call came back whole.
    pub fn observe_call(&mut self, now: Timestamp, sample: CallSample) {
        let whole = sample.elapsed.saturating_sub(sample.server).to_number().max(1e-6);
        let (up_bytes, down_bytes) = (sample.up.to_number(), sample.down.to_number());
        if up_bytes + down_bytes < SMALL.to_number() {
            let moving = Part::transfer(up_bytes, &self.up, 0.0).expected
                + Part::transfer(down_bytes, &self.down, 0.0).expected;
            self.round_trip.observe(now, (whole - moving).max(whole * 0.5));
            self.measured = true;
            return;
        }
        let variance = self.round_trip.variance(now);
        let trip = Part::round_trip(&self.round_trip, variance);
        let up = Part::transfer(up_bytes, &self.up, self.up.variance(now));
        let down = Part::transfer(down_bytes, &self.down, self.down.variance(now));
        // Within the round trip's own noise a transfer cannot be told from none: the rate is at least what that noise
        // allows.
        let noise = whole.min(trip.expected) * variance.sqrt().min(1.0) / 4.0;
        let [_, up_found, down_found] = split(whole, [trip, up, down]);
        for (gauge, bytes, part, found) in
            [(&mut self.up, up_bytes, up, up_found), (&mut self.down, down_bytes, down, down_found)]
        {
            let app_limited = found.took <= noise;
            // It says something where it was a good part of the way, or turned out faster than could be told.
            if found.blame < TELLING || (app_limited && part.expected <= noise) {
                continue;
            }
            gauge.observe(now, bytes * 8.0 / found.took.max(noise));
        }
    }

    /// The transport's statistics, read when something happened. `busy`: own transfers of more than a few packets are
    /// under way. Says whether anything was learned.
    pub fn observe_path(&mut self, now: Timestamp, sample: PathSample, busy: bool) -> bool {
        let news = self.path.observe(sample);
        if news.other {
            self.reset();
            return true;
        }
        if let Some(most) = news.most.map(Quantity::to_number)
            && most < self.up.typical()
        {
            self.up.observe(now, most);
        }
        // What calls and pings say themselves goes before: the smoothed figure lags.
        let known = self.round_trip.seen().is_some_and(|seen| now.since(seen) < LAGS);
        if !news.moved || known {
            return news.moved;
        }
        if news.quiet && !busy {
            self.observe_round_trip(now, sample.round_trip);
        } else {
            // Before anything else is known, the way without its queue is the better guess.
            let known = self.measured || sample.shortest_round_trip.is_zero();
            let round_trip = if known { sample.round_trip } else { sample.shortest_round_trip };
            self.observe_round_trip_under_load(now, round_trip);
        }
        true
    }

    /// A rate that was measured by itself, to the server.
    pub fn observe_goodput_up(&mut self, now: Timestamp, rate: Bandwidth) {
        self.up.observe(now, rate.to_number());
    }

    /// A rate that was measured by itself, from the server.
    pub fn observe_goodput_down(&mut self, now: Timestamp, rate: Bandwidth) {
        self.down.observe(now, rate.to_number());
    }

    /// The path is another one now (a new address, another interface): keep the guess, drop the certainty.
    pub fn reset(&mut self) {
        self.round_trip.forget();
        self.up.forget();
        self.down.forget();
        self.path.forget();
    }

    /// From a small message to its answer.
    pub fn round_trip(&self, now: Timestamp) -> Spread<Duration> {
        self.round_trip.predict(now).widened(self.path.deviation())
    }

    /// The same without any queue, on this path; absent until the transport has said so.
    pub fn shortest_round_trip(&self) -> Option<Duration> {
        self.path.shortest()
    }

    /// The rate at which the server receives.
    pub fn goodput_up(&self, now: Timestamp) -> Spread<Bandwidth> {
        self.up.predict(now).widened(self.path.deviation())
    }

    /// The rate at which the device receives.
    pub fn goodput_down(&self, now: Timestamp) -> Spread<Bandwidth> {
        self.down.predict(now).widened(self.path.deviation())
    }

    /// Round trip, goodput up and goodput down, as certain as they would be right after another sample: what looking
    /// can gain.
    pub fn when_fresh(&self) -> (Spread<Duration>, Spread<Bandwidth>, Spread<Bandwidth>) {
        (self.round_trip.fresh(), self.up.fresh(), self.down.fresh())
    }

    /// For how long nothing was learned of the rate to the server; absent if nothing ever was.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        self.up.seen().map(|seen| now.since(seen))
    }

    /// Whether the round trip was ever measured.
    pub fn is_measured(&self) -> bool {
        self.measured
    }
}

/// Below this a call's transfer time drowns in the round trip.
const SMALL: ByteCount = ByteCount::from_bytes(4_000);
/// A figure learns from a call if at least this share of what was unexpected was its doing.
const TELLING: f64 = 0.25;
/// The smoothed round trip is asked only if nothing better was heard for so long.
const LAGS: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
