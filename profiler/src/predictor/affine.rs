//! A constant, plus so much for each unit of work.

use crate::math::ln;

/// Weighted least squares of a line through recent samples. Each is weighted by one over the square of what was
/// predicted for it, so that relative errors count, whatever the size; recent samples weigh more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Affine {
    weight: f64,
    work: f64,
    work_squared: f64,
    value: f64,
    product: f64,
    samples: f64,
    /// The solution.
    constant: f64,
    rate: f64,
    /// The logarithm's level beside the line's: least squares find a mean, and what is wanted is a middle.
    drift: f64,
}

/// How strongly the line is drawn to the prior's: as by so many samples.
const RIDGE: f64 = 0.02;
/// Looks back over some sixty samples.
const SHARE: f64 = 0.03;

impl Affine {
    /// Takes a sample in; `predicted` is what was predicted for it.
    pub(super) fn learn(&mut self, work: f64, value: f64, predicted: f64) {
        // Squares and their products have to fit.
        let (value, predicted) = (value.clamp(1e-26, 1e26), predicted.clamp(1e-26, 1e26));
        self.samples += 1.0;
        let share = (1.0 / self.samples).max(SHARE);
        let weight = 1.0 / (predicted * predicted);
        let mix = |mean: &mut f64, new: f64| *mean += share * (new - *mean);
        mix(&mut self.weight, weight);
        mix(&mut self.work, weight * work);
        mix(&mut self.work_squared, weight * work * work);
        mix(&mut self.value, weight * value);
        mix(&mut self.product, weight * work * value);
    }

    /// Finds the line. The prior's goes through the origin where quantities are `proportional`, else it is level.
    pub(super) fn solve(&mut self, proportional: bool) {
        let ridge = RIDGE * self.weight;
        let (a11, a12, a22) = (self.weight, self.work, self.work_squared);
        let (a11, a22) = if proportional { (a11 + ridge, a22) } else { (a11, a22 * (1.0 + RIDGE)) };
        let determinant = a11 * a22 - a12 * a12;
        let constant = (self.value * a22 - self.product * a12) / determinant;
        let rate = (self.product * a11 - self.value * a12) / determinant;
        // Neither a time nor a size is negative for little work, nor shrinks with it without end.
        (self.constant, self.rate) = match (constant, rate) {
            (constant, rate) if constant >= 0.0 && rate >= 0.0 => (constant, rate),
            (_, rate) if rate > 0.0 => (0.0, self.product / self.work_squared),
            _ => (self.value / self.weight, 0.0),
        };
    }

    /// Follows the level.
    pub(super) fn drift(&mut self, error: f64, weight: f64) {
        self.drift += weight * error;
    }

    /// Moves the level.
    pub(super) fn shift(&mut self, by: f64) {
        self.drift += by;
    }

    pub(super) fn at(&self, work: f64) -> f64 {
        ln((self.constant + self.rate * work).max(1e-26)) + self.drift
    }

    /// The share of the constant at that much work.
    pub(super) fn fixed(&self, work: f64) -> f64 {
        let whole = self.constant + self.rate * work;
        if whole > 0.0 { self.constant / whole } else { 0.0 }
    }
}
