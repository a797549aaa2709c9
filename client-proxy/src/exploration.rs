//! How much time may be lost on trying things out.

use std::time::Duration;

use outboard_core::Timestamp;

/// A purse that fills with a share of the time that passes and pays for the time that tries lose.
///
/// A try is allowed while there is anything in the purse, and its whole bound is taken out of it in advance; what it did not
/// lose is put back. Over any time `t`, tries therefore lose at most `share · (t + horizon)` and one bound per call under
/// way: the share holds for a program, and the bound for each of its calls.
#[derive(Clone, Debug)]
pub(crate) struct Purse {
    share: f64,
    balance: f64,
    filled: Timestamp,
}

/// Older time does not count: a program that ran for a day may not spend an hour on trying.
const HORIZON: f64 = 60.0;

impl Purse {
    pub(crate) fn new(now: Timestamp, share: f64) -> Self {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        Self { share, balance: 0.0, filled: now }
    }

    /// Whether a try is allowed now.
    pub(crate) fn allows(&self, now: Timestamp) -> bool {
        self.balance_at(now) > 0.0
    }

    /// Takes out what a try may lose.
    pub(crate) fn reserve(&mut self, now: Timestamp, most: Duration) {
        self.balance = self.balance_at(now) - most.as_secs_f64();
        self.filled = self.filled.max(now);
    }

    /// Puts back what was reserved for a try but for what it lost.
    pub(crate) fn settle(&mut self, now: Timestamp, reserved: Duration, lost: Duration) {
        self.balance = self.balance_at(now) + reserved.as_secs_f64() - lost.as_secs_f64();
        self.filled = self.filled.max(now);
    }

    fn balance_at(&self, now: Timestamp) -> f64 {
        let filled = self.balance + now.since(self.filled).as_secs_f64() * self.share;
        filled.min(HORIZON * self.share)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_try_that_fails_is_paid_off_before_the_next() {
        let mut purse = Purse::new(at(0), 0.05);
        assert!(!purse.allows(at(0)), "nothing has passed yet");
        assert!(purse.allows(at(1)));
        purse.reserve(at(1), Duration::from_secs(1));
        assert!(!purse.allows(at(1)));
        purse.settle(at(2), Duration::from_secs(1), Duration::from_secs(1));
        assert!(!purse.allows(at(19)));
        assert!(purse.allows(at(22)));
    }

    #[test]
    fn a_try_that_succeeds_costs_nothing() {
        let mut purse = Purse::new(at(0), 0.05);
        purse.reserve(at(1), Duration::from_secs(1));
        purse.settle(at(1), Duration::from_secs(1), Duration::ZERO);
        assert!(purse.allows(at(1)));
    }

    #[test]
    fn a_share_of_zero_never_tries() {
        assert!(!Purse::new(at(0), 0.0).allows(at(1_000_000)));
        assert!(!Purse::new(at(0), f64::NAN).allows(at(1_000_000)));
    }

    proptest! {
        /// However tries come and end, those that lose everything never lose more than the share of the time, what the
        /// horizon had saved up, and one bound.
        #[test]
        fn the_share_holds(steps in proptest::collection::vec((0u64..30, 1u64..20), 1..200), share in 0.0..0.5f64) {
            let mut purse = Purse::new(at(0), share);
            let (mut time, mut lost, mut longest) = (0, 0, 0);
            for (pause, bound) in steps {
                time += pause;
                if purse.allows(at(time)) {
                    let bound_time = Duration::from_secs(bound);
                    purse.reserve(at(time), bound_time);
                    time += bound;
                    purse.settle(at(time), bound_time, bound_time);
                    lost += bound;
                    longest = longest.max(bound);
                }
            }
            prop_assert!(lost as f64 <= share * (time as f64 + HORIZON) + longest as f64 + 1e-6);
        }
    }
}
