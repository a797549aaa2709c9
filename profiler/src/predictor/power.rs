//! A power law: a straight line between the logarithms of work and quantity.

use super::WorkLaw;
use crate::math::{exp, ln};

/// Means and moments of logarithms, weighted towards the recent ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Power {
    /// Mean logarithm of the quantity.
    pub(super) centre: f64,
    /// Mean logarithm of the work.
    pub(super) work: f64,
    pub(super) work_variance: f64,
    pub(super) covariance: f64,
    samples: f64,
    has_work: bool,
}

/// Work has to vary by about this much (as the variance of its logarithm), over and over, before a slope is believed.
const RIDGE: f64 = 0.05;
/// Slopes change more seldom than levels: they look back over some sixty samples.
const SLOPE: f64 = 0.03;

impl Power {
    /// As it would be after that many samples.
    pub(super) fn around(centre: f64, law: Option<WorkLaw>, samples: f64) -> Self {
        let Some(law) = law else { return Self { centre, samples, ..Self::default() } };
        let work_variance = law.deviation * law.deviation;
        let covariance = law.exponent * work_variance;
        Self { centre, work: ln(law.usual), work_variance, covariance, samples, has_work: true }
    }

    /// The first sample.
    pub(super) fn begin(&mut self, value: f64, work: f64) {
        *self = Self { centre: value, work, samples: 1.0, has_work: self.has_work, ..Self::default() };
    }

    /// Samples before the first one with work are taken to have had that much.
    pub(super) fn meet_work(&mut self, work: f64) {
        if !self.has_work {
            self.has_work = true;
            self.work = work;
        }
    }

    /// The usual work, where there was any.
    pub(super) fn usual_work(&self) -> Option<f64> {
        self.has_work.then(|| exp(self.work))
    }

    /// Takes a sample in; `weight` is that of the level.
    pub(super) fn learn(&mut self, value: f64, work: f64, weight: f64) {
        self.samples += 1.0;
        let slope_weight = (1.0 / self.samples).max(SLOPE);
        let (dx, dy) = (work - self.work, value - self.centre);
        self.work += weight * dx;
        self.centre += weight * dy;
        let kept = 1.0 - slope_weight;
        self.work_variance = kept * (self.work_variance + slope_weight * dx * dx);
        self.covariance = kept * (self.covariance + slope_weight * dx * dy);
    }

    /// Moves the level.
    pub(super) fn shift(&mut self, by: f64) {
        self.centre += by;
    }

    /// The exponent; `prior` where work did not vary.
    pub(super) fn slope(&self, prior: f64) -> f64 {
        let ridge = self.ridge();
        (self.covariance + ridge * prior) / (self.work_variance + ridge)
    }

    pub(super) fn at(&self, work: f64, prior: f64) -> f64 {
        self.centre + self.slope(prior) * (work - self.work)
    }

    /// Variance of the exponent by ordinary least squares, with the ridge standing for the prior's samples.
    pub(super) fn slope_variance(&self, noise: f64, samples: f64) -> f64 {
        noise / ((self.work_variance + self.ridge()) * samples.max(1.0))
    }

    /// How far work is beyond what is usual; errors within are in the errors of predictions already.
    pub(super) fn beyond(&self, work: f64) -> f64 {
        let usual = if self.samples < 3.0 { 0.0 } else { self.work_variance.sqrt() };
        ((work - self.work).abs() - usual).max(0.0)
    }

    /// Where in the usual range of work: 0 for little, 1 for much, in the middle where it does not vary.
    pub(super) fn place(&self, work: f64) -> f64 {
        let width = 2.0 * self.work_variance.sqrt();
        if width < 0.1 { 0.5 } else { (0.5 + (work - self.work) / width).clamp(0.0, 1.0) }
    }

    fn ridge(&self) -> f64 {
        RIDGE / self.samples.clamp(1.0, 10.0)
    }
}
