//! What a predictor knows, in a form that can be kept and merged.

use super::{Affine, ERRORS, Power, Predictor, Prior, Residuals};
use crate::math::{exp, ln};
use crate::spread::Quantity;

/// What was learned of one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary<T> {
    /// Samples that it is from; their weight when it is merged.
    pub samples: u64,
    /// The middle, at the usual work.
    pub typical: T,
    /// Standard deviation of the logarithm from a prediction to the sample.
    pub deviation: f64,
    /// How it goes with work, where there was any.
    pub work: Option<WorkLaw>,
}

/// How a quantity goes with work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkLaw {
    /// Usual work.
    pub usual: f64,
    /// Standard deviation of the logarithm of work.
    pub deviation: f64,
    /// The exponent of the power law.
    pub exponent: f64,
    /// Where a constant and a rate fit better than a power law: the constant's share at the usual work, from 0 to 1.
    pub fixed: Option<f64>,
}

/// How much a summary says about what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// It is of another device, or of the method as it was: two samples outweigh it.
    Weak,
    /// It is of this build on this device, from another run.
    Own,
}

impl Trust {
    /// The samples that it counts for, and what it is uncertain by besides.
    fn terms(self) -> (u64, f64) {
        match self {
            Self::Weak => (2, 0.35),
            Self::Own => (8, 0.15),
        }
    }
}

/// More samples than these say nothing more when summaries are merged: what a program was like long ago fades.
const MOST_WEIGHT: u64 = 200;

impl<T: Quantity> Predictor<T> {
    /// What was learned here; `None` if no sample was. What it was restored from does not count as learned.
    pub fn summary(&self) -> Option<Summary<T>> {
        let samples = self.own_samples();
        let work = self.power.usual_work().map(|usual| {
            let fixed = self.is_affine().then(|| self.affine.fixed(usual));
            let exponent = self.power.slope(self.prior.slope);
            WorkLaw { usual, deviation: self.power.work_variance.sqrt(), exponent, fixed }
        });
        let typical = self.predict(None)?.median();
        let deviation = self.residuals.deviation(0.5);
        (samples > 0).then_some(Summary { samples, typical, deviation, work })
    }

    /// Knows what a summary says, less certainly.
    pub fn restore(prior: Prior, summary: &Summary<T>, trust: Trust) -> Self {
        let (most, widened) = trust.terms();
        let count = summary.samples.clamp(1, most);
        let deviation = (summary.deviation * summary.deviation + widened * widened).sqrt();
        let mut restored = Self::new(prior);
        restored.count = count;
        restored.restored = count;
        restored.settled = count;
        restored.residuals = Residuals { squares: [deviation * deviation; 2], seen: [1.0 / ERRORS; 2] };
        restored.power = Power::around(ln(summary.typical.to_number().max(1e-9)), summary.work, count as f64);
        restored.affine = Affine::default();
        // A line is known by two points; they stand for the samples.
        let law = summary.work.unwrap_or(WorkLaw { usual: 1.0, deviation: 0.0, exponent: 0.0, fixed: None });
        for side in [-1.0, 1.0] {
            let factor = exp(side * law.deviation.max(0.3));
            let value = match law.fixed {
                Some(fixed) => fixed + (1.0 - fixed) * factor,
                None => exp(law.exponent * ln(factor)),
            };
            let value = value * summary.typical.to_number().max(1e-9);
            restored.affine.learn(law.usual * factor, value, value);
        }
        restored.affine.solve(prior.slope > 0.5);
        let preferred = if law.fixed.is_some() { 0.8 } else { 1.2 };
        restored.shape_errors = [deviation, deviation * preferred];
        restored.level_errors = [deviation, deviation * 1.2];
        restored
    }
}

impl<T: Quantity> Summary<T> {
    /// Both, weighted by their samples. The same whichever comes first.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let weight = |summary: &Self| summary.samples.clamp(1, MOST_WEIGHT) as f64;
        let (own, others) = (weight(self), weight(other));
        let mean = |one: f64, two: f64| (one * own + two * others) / (own + others);
        let work = match (self.work, other.work) {
            (Some(one), Some(two)) => Some(WorkLaw {
                usual: exp(mean(ln(one.usual), ln(two.usual))),
                deviation: mean(one.deviation, two.deviation),
                exponent: mean(one.exponent, two.exponent),
                fixed: match (one.fixed, two.fixed) {
                    (Some(one), Some(two)) => Some(mean(one, two)),
                    (Some(fixed), None) if own > others => Some(fixed),
                    (None, Some(fixed)) if others > own => Some(fixed),
                    _ => None,
                },
            }),
            (one, two) => one.or(two),
        };
        let at = |summary: &Self| {
            let typical = ln(summary.typical.to_number().max(1e-9));
            match (summary.work, work) {
                (Some(law), Some(merged)) => typical + law.exponent * (ln(merged.usual) - ln(law.usual)),
                _ => typical,
            }
        };
        let (one, two) = (at(self), at(other));
        let within = mean(self.deviation * self.deviation, other.deviation * other.deviation);
        let between = own * others / ((own + others) * (own + others)) * (one - two) * (one - two);
        Self {
            samples: self.samples.saturating_add(other.samples),
            typical: T::from_number(exp(mean(one, two))),
            deviation: (within + between).sqrt(),
            work,
        }
    }

    /// What was learned since an earlier summary of the same predictor.
    #[must_use]
    pub fn since(&self, earlier: Option<&Self>) -> Option<Self> {
        let before = earlier.map_or(0, |earlier| earlier.samples);
        let samples = self.samples.saturating_sub(before);
        (samples > 0).then_some(Self { samples, ..*self })
    }
}
