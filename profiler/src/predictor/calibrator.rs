//! Keeps bounds honest: how far errors go beyond their typical size, whatever their distribution.

use crate::spread::Quantile;

/// How often bounds held.
///
/// A 90 % bound that is right holds nine times in ten: not always, which would be wasteful, and not less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calibration {
    /// Predictions that a sample was compared with.
    pub predictions: u64,
    /// Samples at or below the 90 % bound.
    pub held_90: u64,
    /// Samples at or below the 95 % bound.
    pub held_95: u64,
}

/// Follows two quantiles of the errors, in units of their typical size.
///
/// A miss raises the bound by more than a hit lowers it, so that in the long run it holds as often as it should, for
/// any sequence of samples: two modes, heavy tails, or a level that moves (Gibbs and Candès, Adaptive Conformal Inference
/// Under Distribution Shift, NeurIPS 2021, equation 2, on the width instead of the level).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Calibrator {
    kept: Calibration,
    bounds: [f64; 2],
}

const QUANTILES: [(Quantile, f64); 2] = [(Quantile::P90, 0.1), (Quantile::P95, 0.05)];
/// How far a bound moves at a miss, in typical errors.
const STEP: f64 = 0.08;

impl Default for Calibrator {
    fn default() -> Self {
        let bounds = QUANTILES.map(|(quantile, _)| quantile.deviations());
        Self { kept: Calibration::default(), bounds }
    }
}

impl Calibrator {
    /// An error, in typical errors and in standard deviations of what was predicted.
    pub(super) fn observe(&mut self, in_scale: f64, in_deviations: f64) {
        self.kept.predictions += 1;
        self.kept.held_90 += u64::from(in_deviations <= Quantile::P90.deviations());
        self.kept.held_95 += u64::from(in_deviations <= Quantile::P95.deviations());
        let step = STEP.max(1.0 / (self.kept.predictions as f64 + 2.0));
        for (bound, (quantile, share)) in self.bounds.iter_mut().zip(QUANTILES) {
            let missed = if in_scale > *bound { 1.0 } else { 0.0 };
            let normal = quantile.deviations();
            *bound = (*bound + step * (missed - share)).clamp(0.7 * normal, 4.0 * normal);
        }
    }

    /// By how much the bounds are wider than a normal distribution's.
    pub(super) fn width(&self) -> f64 {
        let widths =
            self.bounds.iter().zip(QUANTILES).map(|(bound, (normal, _))| bound / normal.deviations());
        widths.fold(0.0, f64::max)
    }

    pub(super) fn kept(&self) -> Calibration {
        self.kept
    }
}
