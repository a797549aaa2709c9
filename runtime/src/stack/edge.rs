//! The counters of one edge of the call graph, and when its next call is timed.
//!
//! Which call is timed next is drawn: a fixed stride would always meet the same calls of a program that repeats itself.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{NOBODY, time};

/// Of the calls of a method that is not long, one in so many is timed, on average.
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
    /// The same without the annotated methods that it called.
    pub(super) own: Cell<u64>,
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
            own: Cell::new(0),
        }
    }

    /// Begins a free place anew.
    pub(super) fn begin(&self, caller: u32, callee: u32) {
        self.caller.set(caller);
        self.callee.set(callee);
        self.due.set(1);
        self.timed.set(0);
        self.mean.set(0);
        self.own.set(0);
    }

    /// A call ended.
    #[inline]
    pub(super) fn count(&self) {
        self.calls.set(self.calls.get() + 1);
    }

    /// Counts down to the next timed call.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        let due = self.due.get() - 1;
        self.due.set(due);
        due == 0
    }

    /// Sets when the call after a timed one is timed; says whether the method takes long.
    pub(super) fn schedule(&self, draws: &Draws) -> bool {
        let timed = self.timed.get().saturating_add(1);
        self.timed.set(timed);
        let mean = Duration::from_nanos(self.mean.get());
        let long = mean >= LONG;
        self.due.set(match mean {
            _ if timed < ALWAYS_TIMED || long || time::is_simulated() => 1,
            mean if mean < QUICK => draws.stride(SAMPLE_QUICK_EVERY),
            _ => draws.stride(SAMPLE_EVERY),
        });
        long
    }

    pub(super) fn learn(&self, inclusive: u64, exclusive: u64) {
        let first = self.mean.get() == 0;
        let smooth = |mean: &Cell<u64>, new: u64| {
            let old = mean.get();
            mean.set(if first { new } else { old - old / 8 + new / 8 });
        };
        smooth(&self.own, exclusive);
        smooth(&self.mean, inclusive);
    }
}

/// Numbers of one thread, the same on every run for the first, the second and so on: xorshift (Marsaglia 2003).
pub(super) struct Draws(Cell<u32>);

impl Draws {
    pub(super) const fn new() -> Self {
        Self(Cell::new(0))
    }

    /// From 1 to one less than twice the mean, each as likely.
    fn stride(&self, mean: u32) -> u32 {
        1 + self.next() % (2 * mean - 1)
    }

    fn next(&self) -> u32 {
        let mut state = match self.0.get() {
            0 => seed(),
            state => state,
        };
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        self.0.set(state);
        state
    }
}

/// Another one for each thread; never zero.
fn seed() -> u32 {
    static THREADS: AtomicU32 = AtomicU32::new(1);
    THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9) | 1
}
