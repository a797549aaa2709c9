//! The one place where the call stack reads the time, and what reading it costs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::{clock, stage};

/// Pairs of readings of which the closest says what one costs.
const READINGS: usize = 32;

/// The present.
#[inline]
pub(super) fn now() -> Instant {
    #[cfg(test)]
    if let Some(now) = fake::now() {
        return now;
    }
    clock::now()
}

/// Whether time passes only where costs are declared: then every call can be timed, and no chance decides which is.
pub(super) fn is_simulated() -> bool {
    stage::current().is_some()
}

/// CPU time of this thread so far, where it means something. A system call.
pub(super) fn cpu() -> Option<Duration> {
    #[cfg(test)]
    if let Some(cpu) = fake::cpu() {
        return Some(cpu);
    }
    clock::thread_time().map(|time| time.as_duration())
}

/// What lies between two readings with nothing in between. A method of 2 ns would seem to take ten times as long.
pub(super) fn cost() -> Duration {
    #[cfg(test)]
    if fake::now().is_some() {
        return Duration::ZERO;
    }
    if is_simulated() {
        return Duration::ZERO;
    }
    /// Measured at the first need; zero before.
    static COST: AtomicU64 = AtomicU64::new(0);
    match COST.load(Ordering::Relaxed) {
        0 => {
            let pair = |_| {
                let start = Instant::now();
                start.elapsed()
            };
            let least = (0..READINGS).map(pair).min().unwrap_or_default();
            // Threads that come here at once measure the same.
            COST.store(super::nanoseconds(least).max(1), Ordering::Relaxed);
            least
        }
        nanos => Duration::from_nanos(nanos),
    }
}

/// A clock that a test sets, for its own thread.
#[cfg(test)]
pub(super) mod fake {
    use std::cell::Cell;
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};

    thread_local! {
        static PASSED: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// From now on the time of this thread passes only as it is told.
    pub(crate) fn start() {
        PASSED.set(Some(0));
    }

    pub(crate) fn pass(nanos: u64) {
        PASSED.set(PASSED.get().map(|passed| passed + nanos));
    }

    pub(super) fn now() -> Option<Instant> {
        static START: OnceLock<Instant> = OnceLock::new();
        let start = START.get_or_init(Instant::now);
        PASSED.get().map(|passed| *start + Duration::from_nanos(passed))
    }

    /// The thread is always busy.
    pub(super) fn cpu() -> Option<Duration> {
        PASSED.get().map(Duration::from_nanos)
    }
}
