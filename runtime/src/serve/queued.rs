//! Calls that wait for a core.

use std::sync::{Mutex, MutexGuard, PoisonError};

use outboard_core::Timestamp;
use outboard_wire::frame::CallFrame;

use crate::permits::Permits;

/// A call between its arrival and the thread that takes it. Once it is let go, what it carries is free, though its
/// thread has yet to notice.
pub(super) struct Queued(Mutex<Option<(CallFrame, Timestamp)>>);

impl Queued {
    pub(super) fn new(call: CallFrame, arrived: Timestamp) -> Self {
        Self(Mutex::new(Some((call, arrived))))
    }

    /// The call, for the thread that has a core for it.
    pub(super) fn take(&self) -> Option<(CallFrame, Timestamp)> {
        self.lock().take()
    }

    pub(super) fn is_let_go(&self) -> bool {
        self.lock().is_none()
    }

    /// Frees what it carries, and the thread that waits for a core.
    pub(super) fn let_go(&self, permits: &Permits) {
        if self.take().is_some() {
            permits.recheck();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<(CallFrame, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
