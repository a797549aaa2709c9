//! Waiting for something that another thread changes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::{clock, stage};

/// A condition variable. On a [stage](crate::stage) simulated time passes while a thread waits.
///
/// As with any condition variable, who waits looks again at what it waits for: it may be woken for nothing.
#[derive(Debug, Default)]
pub(crate) struct Condition(Condvar);

impl Condition {
    /// Waits until it is notified, or until `until`.
    pub(crate) fn wait<'a, T>(
        &self,
        mutex: &'a Mutex<T>,
        guard: MutexGuard<'a, T>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, T> {
        if let Some(stage) = stage::current() {
            drop(guard);
            stage.pause(until);
            return mutex.lock().unwrap_or_else(PoisonError::into_inner);
        }
        match until.map(|until| until.saturating_duration_since(clock::now())) {
            None => self.0.wait(guard).unwrap_or_else(PoisonError::into_inner),
            Some(left) => self.0.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0,
        }
    }

    /// Wakes one of those who wait.
    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
        stage::changed();
    }

    /// Wakes all who wait.
    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
        stage::changed();
    }
}
