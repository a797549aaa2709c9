//! What comes next, from what came lately.

use std::marker::PhantomData;

use crate::math::ln;
use crate::spread::{Quantity, Spread};

/// Learns one positive quantity from its samples, in log space, and predicts the next one with its uncertainty.
///
/// Recent samples count most (an exponentially weighted mean whose weight falls to a tenth), an outlier is cut to
/// three standard deviations, and three surprises in a row on one side are a change: the past is dropped. Where a sample
/// comes with `work`, the logarithm of the quantity is a straight line over the logarithm of the work; the line starts
/// with the slope that [`Prior`] says and is learned by recursive least squares with a ridge towards it.
pub struct Predictor<T> {
    prior: Prior,
    count: u64,
    centre: f64,
    work: f64,
    work_variance: f64,
    covariance: f64,
    residual: f64,
    surprises: i8,
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

    /// The prior counts like this many samples.
    const STRENGTH: f64 = 2.0;
    /// Before any sample the exponent is believed to within ±0.3.
    const SLOPE_VARIANCE: f64 = 0.09;
    /// Work has to vary by about this much (as the variance of its logarithm) before the slope is believed.
    const RIDGE: f64 = 0.05;
}

/// The weight of the newest sample never falls below this: a tenth looks back over some twenty samples.
const LEAST_WEIGHT: f64 = 0.1;
/// Samples counted for the certainty of a prediction; more than the weights look back over would be a lie.
const MOST_SAMPLES: f64 = 20.0;
/// A sample further off than this many standard deviations is a surprise.
const SURPRISE: f64 = 3.0;
/// That many surprises in a row are a change.
const CHANGE: i8 = 3;

impl<T: Quantity> Predictor<T> {
    /// Knows nothing but its prior.
    pub fn new(prior: Prior) -> Self {
        Self {
            prior,
            count: 0,
            centre: 0.0,
            work: 0.0,
            work_variance: 0.0,
            covariance: 0.0,
            residual: 0.0,
            surprises: 0,
            unit: PhantomData,
        }
    }

    /// Takes a sample in; `work` that is not a positive number counts as not given.
    pub fn observe(&mut self, value: T, work: Option<f64>) {
        let value = ln(value.to_number().max(1e-9));
        let work = self.log_work(work);
        if self.count == 0 {
            self.begin(value, work);
            return;
        }
        let (predicted, variance) = self.line(work);
        let error = value - predicted;
        let deviation = variance.sqrt().max(1e-3);
        if error.abs() > SURPRISE * deviation {
            let side = if error > 0.0 { 1 } else { -1 };
            self.surprises = if self.surprises.signum() == side { self.surprises + side } else { side };
            if self.surprises.abs() >= CHANGE {
                self.begin(value, work);
                return;
            }
        } else {
            self.surprises = 0;
        }
        let error = error.clamp(-SURPRISE * deviation, SURPRISE * deviation);
        self.learn(predicted + error, work, error);
    }

    /// The next value for that much work; `None` before the first sample.
    pub fn predict(&self, work: Option<f64>) -> Option<Spread<T>> {
        (self.count > 0).then(|| {
            let (centre, variance) = self.line(self.log_work(work));
            Spread::from_log(centre, variance)
        })
    }

    /// How many samples it has seen since the last change.
    pub fn samples(&self) -> u64 {
        self.count
    }

    /// The factor by which a prediction for `work` differs from one for the usual work.
    pub fn factor(&self, work: f64) -> f64 {
        let distance = self.log_work(Some(work)) - self.work;
        crate::math::exp(self.slope() * distance)
    }

    fn begin(&mut self, value: f64, work: f64) {
        *self = Self { count: 1, centre: value, work, ..Self::new(self.prior) };
    }

    fn learn(&mut self, value: f64, work: f64, error: f64) {
        self.count += 1;
        let weight = (1.0 / self.count as f64).max(LEAST_WEIGHT);
        let (dx, dy) = (work - self.work, value - self.centre);
        self.work += weight * dx;
        self.centre += weight * dy;
        self.work_variance = (1.0 - weight) * (self.work_variance + weight * dx * dx);
        self.covariance = (1.0 - weight) * (self.covariance + weight * dx * dy);
        self.residual += weight * (error * error - self.residual);
    }

    fn slope(&self) -> f64 {
        (self.covariance + Prior::RIDGE * self.prior.slope) / (self.work_variance + Prior::RIDGE)
    }

    /// Centre and variance of the logarithm at that much work.
    fn line(&self, work: f64) -> (f64, f64) {
        let samples = (self.count as f64).min(MOST_SAMPLES);
        let believed = self.prior.deviation * self.prior.deviation;
        let seen = (samples - 1.0).max(0.0);
        let noise = (Prior::STRENGTH * believed + seen * self.residual) / (Prior::STRENGTH + seen);
        let distance = work - self.work;
        // The slope's own variance by ordinary least squares, with the ridge standing for the prior's samples.
        let slope_variance = noise / ((self.work_variance + Prior::RIDGE) * samples.max(1.0));
        let slope_variance = slope_variance.min(Prior::SLOPE_VARIANCE);
        let variance = noise + noise / samples.max(1.0) + slope_variance * distance * distance;
        (self.centre + self.slope() * distance, variance)
    }

    /// Work that is missing or makes no sense stands for the usual one.
    fn log_work(&self, work: Option<f64>) -> f64 {
        work.filter(|work| work.is_finite() && *work > 0.0).map_or(self.work, ln)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::spread::Quantile;

    fn after(millis: &[u64]) -> Predictor<Duration> {
        let mut predictor = Predictor::new(Prior::TIME);
        for millis in millis {
            predictor.observe(Duration::from_millis(*millis), None);
        }
        predictor
    }

    fn median(predictor: &Predictor<Duration>, work: Option<f64>) -> f64 {
        predictor.predict(work).expect("it has samples").median().as_secs_f64() * 1e3
    }

    #[test]
    fn before_the_first_sample_there_is_no_prediction() {
        assert!(after(&[]).predict(None).is_none());
    }

    #[test]
    fn certainty_comes_with_agreeing_samples() {
        let bound = |predictor: &Predictor<Duration>| {
            predictor.predict(None).expect("samples").at(Quantile::P95).as_secs_f64() * 1e3
        };
        let (one, many) = (after(&[100]), after(&[100; 20]));
        assert!(bound(&one) > 170.0 && bound(&one) < 250.0, "{one:?}");
        assert!(bound(&many) > 100.0 && bound(&many) < 130.0, "{many:?}");
    }

    #[test]
    fn one_outlier_is_cut_and_a_change_is_followed() {
        let mut predictor = after(&[100; 20]);
        predictor.observe(Duration::from_secs(60), None);
        assert!(median(&predictor, None) < 115.0, "{predictor:?}");
        for _ in 0..2 {
            predictor.observe(Duration::from_secs(60), None);
        }
        assert!((median(&predictor, None) - 60_000.0).abs() < 1.0, "{predictor:?}");
    }

    #[test]
    fn time_is_proportional_to_work_until_samples_say_otherwise() {
        let mut predictor = Predictor::new(Prior::TIME);
        predictor.observe(Duration::from_millis(100), Some(1e6));
        assert!((median(&predictor, Some(2e6)) - 200.0).abs() < 1e-6);

        let mut square = Predictor::new(Prior::TIME);
        for n in (1..=40).cycle().take(400) {
            square.observe(Duration::from_micros(n * n * 1_000), Some(n as f64));
        }
        let predicted = median(&square, Some(30.0));
        assert!((predicted / 900.0 - 1.0).abs() < 0.25, "{predicted}");
    }

    proptest! {
        /// Whatever it is fed, what it says is a quantity, and the bound is not below the typical value.
        #[test]
        fn any_history_predicts_something_sound(
            history in proptest::collection::vec((0u64..u64::MAX, proptest::option::of(any::<f64>())), 1..60),
            work in proptest::option::of(any::<f64>()),
        ) {
            let mut predictor = Predictor::<Duration>::new(Prior::TIME);
            for (nanos, work) in history {
                predictor.observe(Duration::from_nanos(nanos), work);
            }
            let spread = predictor.predict(work).expect("samples");
            prop_assert!(!spread.deviation().is_nan());
            prop_assert!(spread.at(Quantile::P95) >= spread.median());
        }
    }
}
