//! One figure of a link: where it will be, after so long without a sample, and how far off that may be.

use std::time::Duration;

use outboard_core::Timestamp;

use super::ages::{AGES, Age, between, deviations, nearest, weights};
use crate::math::{exp, ln};
use crate::spread::{Quantity, Spread};

/// How many forecasters compete.
pub(super) const FORECASTERS: usize = 5;
/// What a new sample weighs in each of them: the last sample itself, and ever longer averages of the quantity. Averages
/// of logarithms were worse on links that fall silent now and then, since one silence outweighs many good seconds.
const GAINS: [f64; FORECASTERS] = [1.0, 0.5, 0.2, 0.05, 0.01];
/// A sample that is off by so many deviations is believed when a second one on the same side confirms it.
const SURPRISE: f64 = 4.0;
/// The first samples are drawn conclusions from at once; later that is done no more often than this, since it costs some
/// microseconds, and a device may call thousands of times a second.
const EAGER: u32 = 8;
const OFTEN: Duration = Duration::from_millis(250);
/// What a single surprise is taken for: no more than this many deviations.
const DOUBTED: f64 = 1.0;

/// A forecast by competition.
///
/// No single smoothing suits every link: on recorded 5G and 3G networks the last sample predicts the next second best and a
/// mean the next minute, on others an average is better throughout. So several forecasters run side by side, and for
/// each age of the newest sample those weigh most that were best at that age so far: the exponentially weighted
/// average of experts (Littlestone & Warmuth 1994), with discounted, truncated losses so that it follows changes. The
/// uncertainty at an age is what forecasts of that age were off by, so it grows with age as this very link does.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    prior: Prior,
    side: Side,
    /// The forecasters' values: the quantity, not its logarithm.
    values: [f64; FORECASTERS],
    logs: [f64; FORECASTERS],
    /// Samples since the start or the last change.
    samples: u32,
    /// When the newest sample was taken.
    seen: Option<Timestamp>,
    /// The side on which the last sample was off too far to be believed.
    surprised: Option<Side>,
    ages: [Age; AGES],
    /// What the forecasters weigh at each age, in all one; and the standard deviation there.
    weights: [[f64; FORECASTERS]; AGES],
    deviations: [f64; AGES],
    /// When those two were made.
    made: Option<Timestamp>,
}

/// What is believed of a figure that nobody has measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prior {
    pub(super) typical: f64,
    /// The standard deviation of its logarithm.
    pub(super) deviation: f64,
    /// The smallest value that is told from nothing.
    pub(super) least: f64,
}

/// A side of the forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Above,
    Below,
}

impl Gauge {
    /// `side` is the one on which being wrong hurts: a bound is made to hold there.
    pub(super) fn new(prior: Prior, side: Side) -> Self {
        let mut gauge = Self {
            prior,
            side,
            values: [0.0; FORECASTERS],
            logs: [0.0; FORECASTERS],
            samples: 0,
            seen: None,
            surprised: None,
            ages: std::array::from_fn(|_| Age::new()),
            weights: [[0.0; FORECASTERS]; AGES],
            deviations: [0.0; AGES],
            made: None,
        };
        gauge.begin_at(prior.typical);
        gauge.weigh();
        gauge
    }

    pub(super) fn observe(&mut self, now: Timestamp, value: f64) {
        let value = if value.is_finite() { value.clamp(self.prior.least, LARGEST) } else { return };
        let log = ln(value);
        if let Some(seen) = self.seen {
            let (centre, deviation) = self.at_age(now.since(seen).as_secs_f64());
            self.score(now, log);
            let error = log - centre;
            let side = if error > 0.0 { Side::Above } else { Side::Below };
            let is_far = error.abs() > SURPRISE * deviation;
            match self.surprised.take() {
                // Two in a row: it is another link now, and the past says nothing of it.
                Some(before) if is_far && before == side => self.begin_at(value),
                _ if is_far => {
                    self.surprised = Some(side);
                    self.take(exp(centre + error.signum() * DOUBTED * deviation));
                }
                _ => self.take(value),
            }
        } else {
            // The first sample says more than any prior.
            self.begin_at(value);
        }
        self.samples = self.samples.saturating_add(1);
        self.seen = Some(now);
        if self.samples <= EAGER || self.made.is_none_or(|made| now.since(made) >= OFTEN) {
            self.weigh();
            self.made = Some(now);
        }
        self.guess(now);
    }

    /// The path is another one: what it is now is as uncertain as in the beginning, until there is a sample.
    pub(super) fn forget(&mut self) {
        let typical = self.centre(0);
        self.begin_at(exp(typical));
        self.seen = None;
        self.surprised = None;
        self.ages.iter_mut().for_each(Age::doubt);
        self.weigh();
    }

    /// What it is taken for now.
    pub(super) fn typical(&self) -> f64 {
        exp(self.centre(0))
    }

    /// The variance of the logarithm now.
    pub(super) fn variance(&self, now: Timestamp) -> f64 {
        let (_, deviation) = self.forecast(now);
        deviation * deviation
    }

    pub(super) fn predict<T: Quantity>(&self, now: Timestamp) -> Spread<T> {
        let (centre, deviation) = self.forecast(now);
        Spread::from_log(centre, deviation * deviation)
    }

    /// What will be known right after another sample.
    pub(super) fn fresh<T: Quantity>(&self) -> Spread<T> {
        let (centre, deviation) = self.at_age(0.0);
        Spread::from_log(centre, deviation * deviation)
    }

    /// When the newest sample was taken.
    pub(super) fn seen(&self) -> Option<Timestamp> {
        self.seen
    }

    fn forecast(&self, now: Timestamp) -> (f64, f64) {
        match self.seen {
            Some(seen) => self.at_age(now.since(seen).as_secs_f64()),
            None => (self.centre(0), self.prior.deviation),
        }
    }

    fn at_age(&self, age: f64) -> (f64, f64) {
        let (below, share) = between(age);
        let above = (below + 1).min(AGES - 1);
        let (low, high) = (self.deviations[below], self.deviations[above]);
        (self.centre(nearest(age)), low + share * (high - low))
    }

    /// The weighted mean of the forecasters, at that age.
    fn centre(&self, age: usize) -> f64 {
        self.weights[age].iter().zip(&self.logs).map(|(weight, log)| weight * log).sum()
    }

    /// Draws the conclusions from what was scored.
    fn weigh(&mut self) {
        self.weights = std::array::from_fn(|age| weights(&self.ages, age));
        self.deviations = deviations(&self.ages);
    }

    /// Compares what was forecast with what came.
    fn score(&mut self, now: Timestamp, log: f64) {
        let side = self.side;
        for (position, age) in self.ages.iter_mut().enumerate() {
            age.score(position, now, log, side);
        }
    }

    /// Writes down what is forecast now, for each age.
    fn guess(&mut self, now: Timestamp) {
        for position in 0..AGES {
            if self.ages[position].wants_guess(position, now) {
                let centre = self.centre(position);
                self.ages[position].guess(now, self.logs, centre);
            }
        }
    }

    fn begin_at(&mut self, value: f64) {
        self.values = [value; FORECASTERS];
        self.logs = [ln(value); FORECASTERS];
        self.samples = 0;
    }

    fn take(&mut self, value: f64) {
        // A long average is an even one until there are enough samples for it.
        let even = 1.0 / (f64::from(self.samples) + 1.0);
        for ((known, log), gain) in self.values.iter_mut().zip(&mut self.logs).zip(GAINS) {
            *known += gain.max(even) * (value - *known);
            *log = ln(known.max(self.prior.least));
        }
    }
}

/// Far above every rate and every time; products of such numbers are still finite.
const LARGEST: f64 = 1e18;
