//! How long a search may go on, counted in work done instead of time, so that the same problem stops at the same place.

/// Steps that are left, and whoever may stop the work before they are used up.
///
/// A step is about one arc looked at, a few nanoseconds. This crate has no clock: a driver that bounds time hands in a
/// question that it answers from its own.
pub(crate) struct Steps<'a> {
    left: u64,
    /// Steps until the driver is asked again.
    until_asked: u64,
    stop: Option<&'a dyn Fn() -> bool>,
    stopped: bool,
}

impl<'a> Steps<'a> {
    /// The driver is asked every so many steps: about 50 µs, so that limits hold to well below a millisecond.
    pub(crate) const BETWEEN_QUESTIONS: u64 = 16_384;

    /// At most that many steps, and fewer once `stop` says so.
    pub(crate) fn new(most: u64, stop: Option<&'a dyn Fn() -> bool>) -> Self {
        Self { left: most, until_asked: 0, stop, stopped: false }
    }

    /// As many as it takes.
    #[cfg(test)]
    pub(crate) fn unlimited() -> Self {
        Self::new(u64::MAX, None)
    }

    /// Counts work done; says whether more may be done. Once it says no it does not change its mind.
    pub(crate) fn spend(&mut self, steps: u64) -> bool {
        if self.stopped || steps > self.left {
            self.stopped = true;
            return false;
        }
        self.left -= steps;
        if steps < self.until_asked {
            self.until_asked -= steps;
            return true;
        }
        self.until_asked = Self::BETWEEN_QUESTIONS;
        self.stopped = self.stop.is_some_and(|stop| stop());
        !self.stopped
    }

    /// Whether the work was to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn steps_run_out_and_stay_out() {
        let mut steps = Steps::new(10, None);
        assert!(steps.spend(6));
        assert!(!steps.spend(5));
        assert!(!steps.spend(1), "what was refused once is over");
        assert!(steps.stopped());
    }

    #[test]
    fn the_driver_is_asked_now_and_then() {
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() == 3
        };
        let mut steps = Steps::new(u64::MAX, Some(&stop));
        let mut done = 0;
        while steps.spend(1) {
            done += 1;
        }
        assert_eq!((done, asked.get()), (2 * Steps::BETWEEN_QUESTIONS, 3));
    }
}
