//! The counters of one edge of the call graph, and when its next call is timed.

use std::cell::Cell;
use std::time::Duration;

use super::NOBODY;

/// Of the calls of a method that is not long, one in so many is timed.
const SAMPLE_EVERY: u32 = 64;
/// Of the calls of a quick method: a sample costs some 300 ns, until it is in the profile.
const SAMPLE_QUICK_EVERY: u32 = 1024;
/// A method is quick that takes less.
const QUICK: Duration = Duration::from_micros(1);
/// Calls of an edge that are all timed before sampling begins.
const ALWAYS_TIMED: u32 = 8;
/// A method that takes longer is timed on every call: reading the clock twice costs about 50 ns.
const LONG: Duration = Duration::from_micros(10);

/// Counts of one edge. A free place has no callee.
pub(super) struct Edge {
    pub(super) caller: Cell<u32>,
    pub(super) callee: Cell<u32>,
    pub(super) calls: Cell<u64>,
    /// Calls until the next timed one.
    pub(super) due: Cell<u32>,
    pub(super) timed: Cell<u32>,
    /// Smoothed time of a call, in nanoseconds.
    pub(super) mean: Cell<u64>,
}

impl Edge {
    pub(super) const fn new() -> Self {
        Self {
            caller: Cell::new(NOBODY),
            callee: Cell::new(NOBODY),
            calls: Cell::new(0),
            due: Cell::new(1),
            timed: Cell::new(0),
            mean: Cell::new(0),
        }
    }

    /// Counts down to the next timed call.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        let due = self.due.get() - 1;
        self.due.set(due);
        due == 0
    }

    /// Sets when the call after a timed one is timed; says whether the method takes long.
    pub(super) fn schedule(&self) -> bool {
        let timed = self.timed.get().saturating_add(1);
        self.timed.set(timed);
        let mean = Duration::from_nanos(self.mean.get());
        let long = mean >= LONG;
        self.due.set(match mean {
            _ if timed < ALWAYS_TIMED || long => 1,
            mean if mean < QUICK => SAMPLE_QUICK_EVERY,
            _ => SAMPLE_EVERY,
        });
        long
    }

    pub(super) fn learn(&self, nanos: u64) {
        let mean = self.mean.get();
        self.mean.set(if mean == 0 { nanos } else { mean - mean / 8 + nanos / 8 });
    }
}
