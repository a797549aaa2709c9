//! What comes next, from what came lately.

mod affine;
mod calibrator;
mod power;
mod summary;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use crate::math::{exp, ln};
use crate::spread::{Quantity, Spread};
use affine::Affine;
pub use calibrator::Calibration;
use calibrator::Calibrator;
use power::Power;
pub use summary::{Summary, Trust, WorkLaw};

/// Learns one positive quantity from its samples and predicts the next one with its uncertainty.
///
/// Where samples come with `work`, two shapes are fitted side by side: a power law, which is a straight line between
/// logarithms, and a constant plus so much for each unit of work. The one that predicted better lately speaks. Recent
/// samples count most, and a level that moves is followed faster where that has been paying. The errors of past
/// *predictions*, not of the fit, say how uncertain the next one is; see [`Calibration`] for how that is kept honest.
///
/// A sample further off than three standard deviations is a surprise: it makes predictions less certain and moves nothing
/// else. Three surprises in a row on one side are a change: the level moves there at once.
pub struct Predictor<T> {
    prior: Prior,
    count: u64,
    /// How many of them stand for what it was restored from.
    restored: u64,
    /// Samples since the level last changed.
    settled: u64,
    power: Power,
    affine: Affine,
    /// Mean of the errors of either shape lately, without sign.
    shape_errors: [f64; 2],
    /// The level's recent offset from the shape, and what errors are with it and without.
    offset: f64,
    level_errors: [f64; 2],
    residuals: Residuals,
    calibrator: Calibrator,
    surprises: Surprises,
    unit: PhantomData<fn() -> T>,
}

/// What is believed before any sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// The exponent over `work`: 1 for times (twice the work, twice the time), 0 where work says nothing yet.
    pub slope: f64,
    /// The standard deviation of the logarithm from one sample to the next.
    pub deviation: f64,
}

impl Prior {
    /// For times of a method: proportional to work, and within a factor of about two of what was seen last.
    pub const TIME: Self = Self { slope: 1.0, deviation: 0.35 };
    /// For sizes: work says nothing until samples do.
    pub const SIZE: Self = Self { slope: 0.0, deviation: 0.35 };

    /// The prior's deviation counts like that of so many samples.
    const STRENGTH: f64 = 1.0;
}

/// Work, and its logarithm.
#[derive(Clone, Copy, Debug)]
struct Work {
    number: f64,
    log: f64,
}

/// Surprises in a row on one side, and the sum of their errors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Surprises {
    run: i8,
    errors: f64,
    /// Share of surprises lately.
    share: f64,
}

/// Mean squares of the errors of predictions, for little work and for much: noise need not grow as work does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Residuals {
    squares: [f64; 2],
    /// Samples that went into either.
    seen: [f64; 2],
}

/// The least weight of the newest sample in the level: it looks back over some twenty samples.
const LEVEL: f64 = 0.1;
/// The same where the level is followed faster.
const FAST: f64 = 0.4;
/// The same in what errors are like.
const ERRORS: f64 = 0.05;
/// More samples than the weights look back over do not make a prediction more certain.
const MOST_SAMPLES: f64 = 39.0;
/// The second choice of shape or level has to be better by this factor.
const CLEARLY: f64 = 0.93;
/// A sample further off than this many standard deviations is a surprise.
const SURPRISE: f64 = 3.0;
/// That many surprises in a row are a change.
const CHANGE: i8 = 3;
/// How fast the share of surprises is followed, and above what they are no exceptions: two in five or three in ten samples.
const OFTEN: f64 = 0.1;
const TOO_OFTEN: f64 = 0.15;
/// Nothing is repeated more exactly than this.
const LEAST_DEVIATION: f64 = 1e-3;
/// Before much was seen an exponent is believed to within ±0.3.
const SLOPE_VARIANCE: f64 = 0.09;

impl<T: Quantity> Predictor<T> {
    /// Knows nothing but its prior.
    pub fn new(prior: Prior) -> Self {
        let start = prior.deviation * prior.deviation;
        Self {
            prior,
            count: 0,
            restored: 0,
            settled: 0,
            power: Power::default(),
            affine: Affine::default(),
            shape_errors: [prior.deviation; 2],
            offset: 0.0,
            level_errors: [prior.deviation; 2],
            residuals: Residuals { squares: [start; 2], seen: [0.0; 2] },
            calibrator: Calibrator::default(),
            surprises: Surprises::default(),
            unit: PhantomData,
        }
    }

    /// Takes a sample in; `work` that is not a positive number counts as not given.
    pub fn observe(&mut self, value: T, work: Option<f64>) {
        let value = ln(value.to_number().max(1e-9));
        if let Some(first) = sound(work) {
            self.power.meet_work(ln(first));
        }
        let work = self.work(work);
        if self.count == 0 {
            self.begin(value, work);
            return;
        }
        let errors = [value - self.power_at(work), value - self.affine_at(work)];
        let shape = errors[usize::from(self.is_affine())];
        let levels = [shape, shape - self.offset];
        let error = levels[usize::from(self.is_fast())];
        let scale = self.scale(work).sqrt();
        let variance = self.variance(work);
        let deviation = variance.sqrt();
        self.calibrator.observe(error / scale, error / deviation);
        self.count += 1;
        let cut = SURPRISE * deviation;
        let share = (1.0 / self.count as f64).max(ERRORS);
        let surprised = error.abs() > cut;
        self.surprises.share += OFTEN * (f64::from(u8::from(surprised)) - self.surprises.share);
        // One outlier is cut, and several in a row may be a change. Where they come again and again, with other samples
        // in between, they are what this method is like.
        let expected = self.surprises.share > TOO_OFTEN && self.surprises.run == 0;
        let clamped = if expected { error } else { error.clamp(-cut, cut) };
        self.residuals.learn(clamped, self.power.place(work.log));
        if surprised {
            return self.surprise(error);
        }
        self.surprises = Surprises { share: self.surprises.share, ..Surprises::default() };
        let errors = errors.map(|error| error.clamp(-2.0 * cut, 2.0 * cut));
        for (mean, error) in self.shape_errors.iter_mut().zip(errors) {
            *mean += share * (error.abs() - *mean);
        }
        for (mean, error) in self.level_errors.iter_mut().zip(levels) {
            *mean += share * (error.abs().min(cut) - *mean);
        }
        self.settled += 1;
        self.learn(value, work, errors);
        self.offset += FAST * (value - self.shape_at(work) - self.offset);
    }

    /// The next value for that much work; `None` before the first sample.
    pub fn predict(&self, work: Option<f64>) -> Option<Spread<T>> {
        (self.count > 0).then(|| {
            let work = self.work(work);
            let offset = if self.is_fast() { self.offset } else { 0.0 };
            Spread::from_log(self.shape_at(work) + offset, self.variance(work))
        })
    }

    /// How many samples its predictions are from.
    pub fn samples(&self) -> u64 {
        self.count
    }

    /// The same without those that stand for what it was restored from.
    pub fn own_samples(&self) -> u64 {
        self.count - self.restored
    }

    /// Whether it mostly says what it was restored from.
    pub(crate) fn is_from_elsewhere(&self) -> bool {
        self.restored > 0 && self.own_samples() < CHANGE as u64
    }

    /// How often its bounds held.
    pub fn calibration(&self) -> Calibration {
        self.calibrator.kept()
    }

    fn begin(&mut self, value: f64, work: Work) {
        self.count = 1;
        self.settled = 1;
        self.power.begin(value, work.log);
        let value = exp(value);
        self.affine.learn(work.number, value, value);
        self.affine.solve(self.prior.slope > 0.5);
    }

    /// Counts a surprise. If it is one too many, the level moves to where the last ones were.
    fn surprise(&mut self, error: f64) {
        let side = if error > 0.0 { 1 } else { -1 };
        let Surprises { run, errors, share } = self.surprises;
        let (run, errors) = if run.signum() == side { (run, errors) } else { (0, 0.0) };
        self.surprises = Surprises { run: run + side, errors: errors + error, share };
        if self.surprises.run.abs() == CHANGE {
            let offset = if self.is_fast() { self.offset } else { 0.0 };
            let moved = self.surprises.errors / f64::from(CHANGE) + offset;
            self.power.shift(moved);
            self.affine.shift(moved);
            self.offset = 0.0;
            self.settled = CHANGE as u64;
            self.surprises = Surprises::default();
        }
    }

    fn learn(&mut self, value: f64, work: Work, errors: [f64; 2]) {
        let weight = (1.0 / self.settled as f64).max(LEVEL);
        self.power.learn(value, work.log, weight);
        let predicted = self.affine_at(work);
        self.affine.drift(errors[1], weight);
        self.affine.learn(work.number, exp(predicted + errors[1]), exp(predicted));
        self.affine.solve(self.prior.slope > 0.5);
    }

    fn is_affine(&self) -> bool {
        self.shape_errors[1] < CLEARLY * self.shape_errors[0]
    }

    fn is_fast(&self) -> bool {
        self.level_errors[1] < CLEARLY * self.level_errors[0]
    }

    fn shape_at(&self, work: Work) -> f64 {
        if self.is_affine() { self.affine_at(work) } else { self.power_at(work) }
    }

    fn power_at(&self, work: Work) -> f64 {
        self.power.at(work.log, self.prior.slope)
    }

    fn affine_at(&self, work: Work) -> f64 {
        self.affine.at(work.number)
    }

    /// Typical square of an error at that much work, the prior's included.
    fn scale(&self, work: Work) -> f64 {
        let seen = (self.count as f64 - 1.0).min(MOST_SAMPLES);
        let errors = self.residuals.deviation(self.power.place(work.log));
        let deviation = (Prior::STRENGTH * self.prior.deviation + seen * errors) / (Prior::STRENGTH + seen);
        deviation.max(LEAST_DEVIATION).powi(2)
    }

    /// Variance of the logarithm of the next sample at that much work.
    fn variance(&self, work: Work) -> f64 {
        let settled = (self.settled as f64).min(MOST_SAMPLES);
        let scale = self.scale(work);
        let slope = self.power.slope_variance(scale, settled).min(SLOPE_VARIANCE);
        let distance = self.power.beyond(work.log);
        let width = self.calibrator.width();
        scale * (width * width + 1.0 / settled) + slope * distance * distance
    }

    /// Work that is missing or makes no sense stands for the usual one.
    fn work(&self, work: Option<f64>) -> Work {
        match sound(work) {
            Some(number) => Work { number, log: ln(number) },
            None if self.power.work == 0.0 => Work { number: 1.0, log: 0.0 },
            None => Work { number: exp(self.power.work), log: self.power.work },
        }
    }
}

/// Work that can be reckoned with: beyond these powers of ten a square would not fit.
fn sound(work: Option<f64>) -> Option<f64> {
    work.filter(|work| work.is_finite() && *work > 0.0).map(|work| work.clamp(1e-30, 1e30))
}

impl Residuals {
    /// `place` is 0 for little work, 1 for much.
    fn learn(&mut self, error: f64, place: f64) {
        for ((square, seen), share) in self.squares.iter_mut().zip(&mut self.seen).zip([1.0 - place, place]) {
            *seen += share;
            *square += (share / *seen).max(share * ERRORS) * (error * error - *square);
        }
    }

    fn deviation(&self, place: f64) -> f64 {
        let [little, much] = self.squares.map(f64::sqrt);
        little + place * (much - little)
    }
}

impl<T> Clone for Predictor<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Predictor<T> {}

impl<T: Quantity + std::fmt::Debug> std::fmt::Debug for Predictor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Predictor({:?} after {})", self.predict(None), self.count)
    }
}
