//! How much may be lost on trying things out.

/// A purse that pays for what tries lose, and earns a share of what calls cost anyway.
///
/// It is kept in what the objective counts: seconds, or joules. A try is allowed while there are no debts, and the most
/// that the try may lose is taken out in advance; what it did not lose is put back. What calls save that went to a server
/// is put in too: it was saved by trying. So the calls of a program cost at most their share more than without
/// any try, and the most that each try under way may lose, however tries come and end.
#[derive(Clone, Debug)]
pub(crate) struct Purse {
    share: f64,
    balance: f64,
    /// What the last calls cost that were paid in: savings are kept for some of those.
    usual: f64,
}

/// What so many usual calls cost is kept at most: a program that ran for a day may not spend an hour on trying. It has to be
/// enough for the calls that are under way when a server falls silent, of which each loses its bound.
const KEPT: f64 = 100.0;
/// The weight of a new call in the usual one.
const NEW: f64 = 0.1;

impl Purse {
    pub(crate) fn new(share: f64) -> Self {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        Self { share, balance: 0.0, usual: 0.0 }
    }

    /// Whether a try is allowed.
    pub(crate) fn allows(&self) -> bool {
        self.share > 0.0 && self.balance >= 0.0
    }

    /// Whether what may be lost is there already.
    pub(crate) fn affords(&self, most: f64) -> bool {
        self.share > 0.0 && self.balance >= sound(most)
    }

    /// Calls cost so much.
    pub(crate) fn earn(&mut self, cost: f64) {
        let cost = sound(cost);
        self.usual += NEW * (cost - self.usual);
        self.put(cost * self.share);
    }

    /// Takes out what a try may lose.
    pub(crate) fn reserve(&mut self, most: f64) {
        self.balance -= sound(most);
    }

    /// Puts back what was reserved for an attempt, which lost so much, or saved so much where that is negative.
    pub(crate) fn settle(&mut self, reserved: f64, lost: f64) {
        let lost = if lost.is_finite() { lost } else { 0.0 };
        self.put(sound(reserved) - lost);
    }

    fn put(&mut self, amount: f64) {
        let most = KEPT * self.usual;
        self.balance = (self.balance + amount).min(most.max(self.balance));
    }
}

fn sound(cost: f64) -> f64 {
    if cost.is_finite() { cost.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_try_that_fails_is_paid_off_before_the_next() {
        let mut purse = Purse::new(0.25);
        purse.earn(1.0);
        assert!(purse.allows());
        purse.reserve(1.0);
        assert!(!purse.allows());
        purse.settle(1.0, 1.0);
        for _ in 0..3 {
            assert!(!purse.allows());
            purse.earn(1.0);
        }
        assert!(purse.allows());
    }

    #[test]
    fn what_tries_save_pays_for_others() {
        let mut purse = Purse::new(0.05);
        purse.earn(1.0);
        purse.reserve(0.4);
        purse.settle(0.4, -0.6);
        purse.reserve(0.4);
        purse.settle(0.4, 0.4);
        assert!(purse.allows());
    }

    #[test]
    fn a_share_of_zero_never_tries() {
        for share in [0.0, f64::NAN] {
            let mut purse = Purse::new(share);
            purse.earn(1e6);
            purse.settle(0.0, -1e6);
            assert!(!purse.allows());
        }
    }

    proptest! {
        /// However tries come and end, those that lose everything never lose more than the share of what calls cost, what
        /// they saved, and one bound.
        #[test]
        fn the_share_holds(
            steps in proptest::collection::vec((0.0..10.0f64, 0.0..4.0f64, -5.0..1.0f64), 1..200),
            share in 0.001..0.5f64,
        ) {
            let mut purse = Purse::new(share);
            let (mut earned, mut lost, mut longest) = (0.0, 0.0, 0.0f64);
            for (cost, bound, outcome) in steps {
                purse.earn(cost);
                earned += cost;
                if purse.allows() {
                    purse.reserve(bound);
                    let loses = bound * outcome;
                    purse.settle(bound, loses);
                    lost += loses;
                    longest = longest.max(bound);
                }
                prop_assert!(lost <= share * earned + longest + 1e-6);
            }
        }
    }
}
