//! Workloads made from seeds, and how well predictions hold on them: for tests and measurements.

use std::time::Duration;

use crate::math::{cos, exp, ln};
use crate::predictor::{Predictor, Prior};
use crate::spread::{Quantile, Quantity};

/// What the costs of a method's calls may be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Workload {
    /// The same each time, to within a thousandth.
    Constant,
    /// Log-normal, the logarithm's standard deviation 0.1.
    Noisy,
    /// Log-normal, the logarithm's standard deviation 0.5.
    VeryNoisy,
    /// Seven in ten quick, the others ten times as long; 5 % of noise.
    Bimodal,
    /// Noise of 10 %, and one in a hundred takes 20 times as long: garbage collection, or another process.
    Outliers,
    /// Half a per cent longer each time, up to five times and back; 10 % of noise.
    Drift,
    /// Every 60 calls the level goes up to three times, or back; 10 % of noise.
    Shifts,
    /// In proportion to work; 10 % of noise.
    Linear,
    /// A constant as large as what typical work adds; 10 % of noise.
    Affine,
    /// With the square of the work; 10 % of noise.
    Quadratic,
    /// With work times its logarithm; 10 % of noise.
    LogLinear,
    /// In proportion to work, with noise of 30 % for little work and 5 % for much.
    Uneven,
    /// In proportion to work that is not told.
    Hidden,
}

/// How good predictions were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Predictions compared.
    pub predictions: u64,
    /// Mean error of the logarithm, without sign: 0.1 is about 10 %.
    pub error: f64,
    /// Share of samples at or below the 90 % bound.
    pub held_90: f64,
    /// Share of samples at or below the 95 % bound.
    pub held_95: f64,
    /// The 95 % bound over the median, its logarithm's mean.
    pub width_95: f64,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Constant,
        Self::Noisy,
        Self::VeryNoisy,
        Self::Bimodal,
        Self::Outliers,
        Self::Drift,
        Self::Shifts,
        Self::Linear,
        Self::Affine,
        Self::Quadratic,
        Self::LogLinear,
        Self::Uneven,
        Self::Hidden,
    ];

    /// Whether its law never changes.
    pub fn is_stationary(self) -> bool {
        !matches!(self, Self::Drift | Self::Shifts)
    }

    /// Calls with their work, where it is told; the same for the same seed.
    pub fn calls(self, seed: u64) -> impl Iterator<Item = (Duration, Option<f64>)> {
        let mut draws = Draws(seed);
        (0u32..).map(move |number| self.call(number, &mut draws))
    }

    fn call(self, number: u32, draws: &mut Draws) -> (Duration, Option<f64>) {
        // Three decades of work, evenly by logarithm.
        let work = exp(ln(1e3) * draws.uniform()) * 1e3;
        let unit = work / 3e4;
        let noise = draws.normal();
        let chance = draws.uniform();
        let (seconds, told, deviation) = match self {
            Self::Constant => (0.02, None, 0.0003),
            Self::Noisy => (0.02, None, 0.1),
            Self::VeryNoisy => (0.02, None, 0.5),
            Self::Bimodal => (if chance < 0.7 { 0.01 } else { 0.1 }, None, 0.05),
            Self::Outliers => (if chance < 0.01 { 0.4 } else { 0.02 }, None, 0.1),
            Self::Drift => {
                let phase = number % 640;
                let steps = if phase < 320 { phase } else { 640 - phase };
                (0.02 * exp(0.005 * f64::from(steps)), None, 0.1)
            }
            Self::Shifts => (if number % 120 < 60 { 0.02 } else { 0.06 }, None, 0.1),
            Self::Linear => (0.02 * unit, Some(work), 0.1),
            Self::Affine => (0.02 + 0.02 * unit, Some(work), 0.1),
            Self::Quadratic => (0.02 * unit * unit, Some(work), 0.1),
            Self::LogLinear => (2e-7 * work * ln(work), Some(work), 0.1),
            Self::Uneven => (0.02 * unit, Some(work), if unit < 1.0 { 0.3 } else { 0.05 }),
            Self::Hidden => (0.02 * unit, None, 0.1),
        };
        (Duration::from_number(seconds * exp(deviation * noise)), told)
    }
}

impl Score {
    /// Predicts each call from those before it, and compares; the first `skipped` are only learned from.
    pub fn of<T: Quantity>(
        prior: Prior,
        calls: impl Iterator<Item = (T, Option<f64>)>,
        skipped: usize,
    ) -> Self {
        let mut predictor = Predictor::<T>::new(prior);
        let mut score = Self::default();
        for (number, (value, work)) in calls.enumerate() {
            if let Some(spread) = predictor.predict(work).filter(|_| number >= skipped) {
                let actual = value.to_number();
                let at = |quantile| spread.at(quantile).to_number();
                let median = at(Quantile::MEDIAN);
                score.predictions += 1;
                score.error += ln(actual.max(1e-9) / median.max(1e-9)).abs();
                score.held_90 += f64::from(u8::from(actual <= at(Quantile::P90)));
                score.held_95 += f64::from(u8::from(actual <= at(Quantile::P95)));
                score.width_95 += ln(at(Quantile::P95).max(1e-9) / median.max(1e-9));
            }
            predictor.observe(value, work);
        }
        let share = 1.0 / score.predictions.max(1) as f64;
        let means = [score.error, score.held_90, score.held_95, score.width_95].map(|sum| sum * share);
        let [error, held_90, held_95, width_95] = means;
        Self { error, held_90, held_95, width_95, ..score }
    }
}

/// Numbers from a seed: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Above 0 and at most 1.
    fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// From the standard normal distribution (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * ln(radius)).sqrt() * cos(2.0 * std::f64::consts::PI * angle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Means over seeds.
    fn score(workload: Workload, calls: usize, skipped: usize) -> Score {
        const SEEDS: u64 = 20;
        let scores = (0..SEEDS).map(|seed| Score::of(Prior::TIME, workload.calls(seed).take(calls), skipped));
        let share = 1.0 / SEEDS as f64;
        scores.fold(Score::default(), |sum, score| Score {
            predictions: sum.predictions + score.predictions,
            error: sum.error + share * score.error,
            held_90: sum.held_90 + share * score.held_90,
            held_95: sum.held_95 + share * score.held_95,
            width_95: sum.width_95 + share * score.width_95,
        })
    }

    #[test]
    fn bounds_hold_as_often_as_they_say() {
        for workload in Workload::ALL {
            let Score { held_90, held_95, .. } = score(workload, 500, 10);
            let (most_90, most_95) = match workload {
                // Predictions do not say that anything repeats itself to within less than a thousandth.
                Workload::Constant => (1.001, 1.001),
                _ => (0.94, 0.985),
            };
            assert!((0.88..=most_90).contains(&held_90), "{workload:?}: the 90 % bound held in {held_90}");
            assert!((0.93..=most_95).contains(&held_95), "{workload:?}: the 95 % bound held in {held_95}");
        }
    }

    #[test]
    fn bounds_are_not_bought_with_width() {
        // The logarithm of the 95 % bound over the median that who knows the law would say: 1.64 times the deviation.
        let known = [
            (Workload::Noisy, 0.165),
            (Workload::VeryNoisy, 0.82),
            (Workload::Linear, 0.165),
            (Workload::Affine, 0.165),
            (Workload::Quadratic, 0.165),
            (Workload::LogLinear, 0.165),
        ];
        for (workload, width) in known {
            let score = score(workload, 500, 10);
            assert!(score.width_95 < 1.7 * width, "{workload:?}: {score:?}");
            // A normal error without sign is 0.8 deviations.
            assert!(score.error < 1.2 * 0.8 * width / 1.645, "{workload:?}: {score:?}");
        }
    }

    #[test]
    fn few_samples_are_not_taken_for_many() {
        for workload in Workload::ALL {
            let Score { held_90, .. } = score(workload, 10, 1);
            assert!(held_90 > 0.8, "{workload:?}: {held_90}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_calls() {
        let calls = |seed| Workload::Affine.calls(seed).take(5).collect::<Vec<_>>();
        assert_eq!(calls(7), calls(7));
        assert_ne!(calls(7), calls(8));
    }
}
