//! Which numbers of a sequence have come.

use std::collections::BTreeSet;

/// Numbers that a peer counts from zero without gaps, and that may come in any order, but each once.
///
/// Memory is bounded by how far a number may run ahead of one that is missing.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// One more than the highest that has come.
    next: u64,
    /// Those below `next` that have not.
    missing: BTreeSet<u64>,
}

/// Why a number cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unexpected {
    /// It has come before.
    Repeated,
    /// More would be missing than may be under way.
    TooFarAhead,
}

impl Arrivals {
    /// Notes that `number` has come, where at most `most` may be missing.
    pub(crate) fn arrive(&mut self, number: u64, most: u64) -> Result<(), Unexpected> {
        if number < self.next {
            return if self.missing.remove(&number) { Ok(()) } else { Err(Unexpected::Repeated) };
        }
        if self.is_too_far(number, most) {
            return Err(Unexpected::TooFarAhead);
        }
        self.missing.extend(self.next..number);
        self.next = number.saturating_add(1);
        Ok(())
    }

    /// Whether `number` has not come yet.
    pub(crate) fn is_due(&self, number: u64) -> bool {
        number >= self.next || self.missing.contains(&number)
    }

    /// Whether more than `most` would be missing if `number` came now.
    pub(crate) fn is_too_far(&self, number: u64, most: u64) -> bool {
        number.saturating_sub(self.next).saturating_add(self.missing.len() as u64) > most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_is_fine_but_each_comes_once() {
        let mut arrivals = Arrivals::default();
        for number in [2, 0, 1, 4, 3] {
            assert!(arrivals.is_due(number));
            assert_eq!(arrivals.arrive(number, 8), Ok(()));
            assert!(!arrivals.is_due(number));
            assert_eq!(arrivals.arrive(number, 8), Err(Unexpected::Repeated));
        }
        assert!(arrivals.missing.is_empty());
    }

    #[test]
    fn nobody_makes_us_remember_more_than_may_be_under_way() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.arrive(4, 4), Ok(()));
        assert_eq!(arrivals.arrive(6, 4), Err(Unexpected::TooFarAhead));
        assert_eq!(arrivals.arrive(5, 4), Ok(()));
        assert_eq!(arrivals.arrive(u64::MAX, 4), Err(Unexpected::TooFarAhead));
        assert_eq!(arrivals.missing.len(), 4);
    }
}
