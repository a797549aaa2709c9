//! What it is worth to know a time better before a decision.

use std::time::Duration;

use crate::math::{ln, normal_share};
use crate::spread::{Quantity, Spread};

/// What one decision gains on average if a time that it depends on is known as well as `fresh` instead of as `now`.
///
/// A choice is made where its mean time is at most `limit`, and saves `gain` less that time then; otherwise it saves
/// nothing. What is decided now saves `gain - E[t]` or nothing. After a sample it saves that of `M`, the mean after the
/// sample, which is seen from now log-normal with the mean of `t` and the part of its variance that the sample
/// resolves. The difference is the expected value of sample information (Raiffa & Schlaifer 1961, chapter 4). It is
/// greatest at the flip point, and nothing where no sample could change the decision.
pub fn value_of_knowing(
    limit: Duration,
    gain: Duration,
    now: Spread<Duration>,
    fresh: Spread<Duration>,
) -> Duration {
    let (limit, gain) = (limit.to_number(), gain.to_number());
    let resolved = now.deviation() * now.deviation() - fresh.deviation() * fresh.deviation();
    if limit <= 0.0 || resolved <= 1e-9 {
        return Duration::ZERO;
    }
    let (mean, _) = now.moments();
    let deviation = resolved.min(WIDEST).sqrt();
    // `M` has the logarithm's centre ln(mean) − σ²/2. The share of it up to the limit, and the part of its mean there:
    let gap = ln(limit) - ln(mean);
    let share = normal_share((gap + deviation * deviation / 2.0) / deviation);
    let part = mean * normal_share((gap - deviation * deviation / 2.0) / deviation);
    let blind = if mean <= limit { gain - mean } else { 0.0 };
    Duration::from_number((gain * share - part - blind).max(0.0))
}

/// Wider than this says nothing: a factor of e^5 either way.
const WIDEST: f64 = 25.0;

/// The mean of a time that is not known exactly.
pub fn expected(time: Spread<Duration>) -> Duration {
    Duration::from_number(time.moments().0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::math::exp;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn worth(limit: u64, median: u64, now: f64, fresh: f64) -> Duration {
        value_of_knowing(
            millis(limit),
            millis(limit),
            Spread::around(millis(median), now),
            Spread::around(millis(median), fresh),
        )
    }

    #[test]
    fn knowing_is_worth_most_at_the_flip_point() {
        let at_flip = worth(100, 90, 0.7, 0.1);
        assert!(at_flip > millis(10) && at_flip < millis(40), "{at_flip:?}");
        assert!(worth(1_000, 90, 0.7, 0.1) < at_flip / 10, "it is taken anyway");
        assert!(worth(10, 90, 0.7, 0.1) < at_flip / 10, "it is not taken anyway");
    }

    #[test]
    fn a_choice_that_saves_much_and_is_made_seldom_is_worth_a_look() {
        let now = Spread::around(millis(300), 1.5);
        let fresh = Spread::around(millis(300), 0.2);
        let careful = value_of_knowing(millis(450), millis(2_250), now, fresh);
        assert!(careful > millis(1_000) && careful < millis(2_250), "{careful:?}");
    }

    #[test]
    fn what_is_known_is_not_worth_asking() {
        assert_eq!(worth(100, 100, 0.2, 0.2), Duration::ZERO);
        assert_eq!(worth(100, 100, 0.2, 0.5), Duration::ZERO);
        assert!(worth(100, 100, 0.21, 0.2) < worth(100, 100, 0.6, 0.2));
    }

    #[test]
    fn it_is_what_a_sum_over_all_outcomes_says() {
        // Over the means that a sample may leave.
        let (limit, deviation) = (0.1, 0.6f64);
        let now = Spread::around(millis(80), deviation);
        let mean = now.moments().0;
        let steps = 200_000;
        let sum: f64 = (0..steps)
            .map(|step| {
                let z = -8.0 + 16.0 * (f64::from(step) + 0.5) / f64::from(steps);
                let density = exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
                let after = mean * exp(deviation * z - deviation * deviation / 2.0);
                density * after.min(limit) * 16.0 / f64::from(steps)
            })
            .sum();
        let exact = limit.min(mean) - sum;
        let found =
            value_of_knowing(millis(100), millis(100), now, Spread::around(millis(80), 0.0)).as_secs_f64();
        assert!((found - exact).abs() < 1e-6, "{found} {exact}");
    }

    proptest! {
        /// Knowing never costs, and never saves more than the decision is about.
        #[test]
        fn it_is_between_nothing_and_everything(
            limit in 0u64..10_000, median in 0u64..100_000, now in 0.0..6.0f64, fresh in 0.0..6.0f64,
        ) {
            let worth = worth(limit, median, now, fresh);
            prop_assert!(worth <= millis(limit) + Duration::from_nanos(10), "{worth:?}");
        }
    }
}
