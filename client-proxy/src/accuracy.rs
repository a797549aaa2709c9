//! How far remote calls are from what was predicted for them.

use std::time::Duration;

use outboard_profiler::Spread;

/// How far the remote calls of a method, by one server, are from what was predicted for them.
///
/// A prediction is a sum of parts (the way, the queue, the run), each as uncertain as it was seen to be. What no part knows
/// of is in none of them: headers, call-backs, a pause of the server. It shows in the whole, and is learned here, as a
/// factor that predictions are off by, and how much that factor differs from call to call. An error is laid to the parts as
/// far as these were uncertain, since they learn from it too, and to the whole only for the rest: a Kalman filter of
/// the factor's logarithm.
///
/// An attempt that was given up says something too: it would have taken longer. Were that left out, a prediction that is too
/// sharp would never hear of the calls that it gave up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Accuracy {
    /// Logarithm of the factor, and how certain it is.
    bias: f64,
    uncertainty: f64,
    /// What it differs by from call to call: a variance.
    noise: f64,
    calls: f64,
}

/// What is believed before any call: within 10 %, and as much more from call to call.
const FIRST: f64 = 0.1;
/// No sum of so many parts is better known than within 2 %.
const LEAST: f64 = 0.02;
/// What the factor is believed to move by from call to call.
const DRIFT: f64 = 0.01;
/// The newest call never counts less in the noise: some twenty calls are looked back over.
const LEAST_WEIGHT: f64 = 0.1;
/// One call is taken to be off by a factor of seven, e², at most.
const MOST: f64 = 2.0;
/// How much longer than its bound an attempt would have taken that was given up. Not known; half of it more moves the
/// bound by enough to find out.
const LONGER: f64 = 1.5;

impl Accuracy {
    pub(crate) const UNKNOWN: Self =
        Self { bias: 0.0, uncertainty: FIRST * FIRST, noise: FIRST * FIRST, calls: 0.0 };

    /// A call that was predicted to take so long took so long; `deviation` is how uncertain the parts were.
    pub(crate) fn took(&mut self, predicted: Duration, deviation: f64, elapsed: Duration) {
        // A call that was sent without a prediction says nothing about one.
        if !predicted.is_zero() {
            self.learn(elapsed.as_secs_f64() / predicted.as_secs_f64(), deviation);
        }
    }

    /// A call that was predicted to take so long was given up after so long.
    pub(crate) fn was_late(&mut self, predicted: Duration, deviation: f64, waited: Duration) {
        // Where it was given up before it was to be expected, nothing can be said.
        if !predicted.is_zero() && waited >= predicted {
            self.learn(LONGER * waited.as_secs_f64() / predicted.as_secs_f64(), deviation);
        }
    }

    /// A prediction, as right and as certain as those before it turned out to be.
    pub(crate) fn correct(&self, sum: Spread<Duration>) -> Spread<Duration> {
        let deviation = (self.uncertainty + self.noise).sqrt();
        sum.times(outboard_profiler::exp(self.bias)).widened(deviation.max(LEAST))
    }

    /// `factor`: of a prediction that was corrected already.
    fn learn(&mut self, factor: f64, deviation: f64) {
        let error = outboard_profiler::ln(factor.max(1e-9)).clamp(-MOST, MOST);
        // Wider parts than a factor of e^5 leave nothing to say about the whole.
        let parts = if deviation.is_nan() { 25.0 } else { (deviation * deviation).clamp(0.0, 25.0) };
        self.uncertainty += DRIFT * DRIFT;
        let gain = self.uncertainty / (self.uncertainty + self.noise + parts);
        self.bias = (self.bias + gain * error).clamp(-MOST, MOST);
        self.uncertainty *= 1.0 - gain;
        self.calls += 1.0;
        let own = self.noise / (self.noise + parts);
        let weight = (1.0 / (self.calls + 1.0)).max(LEAST_WEIGHT) * own;
        self.noise = (self.noise + weight * (error * error - self.noise)).max(1e-6);
    }
}

#[cfg(test)]
mod tests {
    use outboard_profiler::Quantile;
    use proptest::prelude::*;

    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn sharp(millis: u64) -> Spread<Duration> {
        Spread::around(ms(millis), 0.001)
    }

    #[test]
    fn a_prediction_that_is_always_short_is_made_longer_and_sure_of_itself() {
        let mut accuracy = Accuracy::UNKNOWN;
        for _ in 0..40 {
            let predicted = accuracy.correct(sharp(50)).median();
            accuracy.took(predicted, 0.001, ms(62));
        }
        let corrected = accuracy.correct(sharp(50));
        assert!(corrected.median().abs_diff(ms(62)) < ms(1), "{corrected:?}");
        let worst = corrected.at(Quantile::P95);
        assert!(worst > ms(63) && worst < ms(68), "{corrected:?}");
    }

    #[test]
    fn what_was_given_up_puts_the_bound_off_until_it_holds() {
        let mut accuracy = Accuracy::UNKNOWN;
        let mut given_up = 0;
        for _ in 0..30 {
            let corrected = accuracy.correct(sharp(50));
            let (usual, bound) = (corrected.median(), corrected.at(Quantile::P95));
            if bound < ms(90) {
                accuracy.was_late(usual, 0.001, bound);
                given_up += 1;
            } else {
                accuracy.took(usual, 0.001, ms(90));
            }
        }
        assert!((1..=4).contains(&given_up), "{given_up}");
        assert!(accuracy.correct(sharp(50)).at(Quantile::P95) > ms(90));
    }

    #[test]
    fn parts_that_are_less_certain_stay_so() {
        let wide = Spread::around(ms(50), 0.8);
        let deviation = Accuracy::UNKNOWN.correct(wide).deviation();
        assert!((0.8..0.85).contains(&deviation), "{deviation}");
    }

    #[test]
    fn an_error_that_the_parts_explain_is_left_to_them() {
        let mut accuracy = Accuracy::UNKNOWN;
        accuracy.took(ms(50), 1.2, ms(150));
        let corrected = accuracy.correct(sharp(50)).median();
        assert!(corrected < ms(52), "{corrected:?}");
    }

    proptest! {
        #[test]
        fn whatever_calls_take_a_correction_is_a_time(
            calls in proptest::collection::vec((any::<u32>(), any::<f64>(), any::<u64>(), any::<bool>()), 0..100),
        ) {
            let mut accuracy = Accuracy::UNKNOWN;
            for (predicted, deviation, took, late) in calls {
                let (predicted, took) = (Duration::from_nanos(predicted.into()), Duration::from_nanos(took));
                if late {
                    accuracy.was_late(predicted, deviation, took);
                } else {
                    accuracy.took(predicted, deviation, took);
                }
            }
            let corrected = accuracy.correct(sharp(50));
            prop_assert!(corrected.at(Quantile::P95) >= corrected.median());
            prop_assert!(!corrected.deviation().is_nan());
        }
    }
}
