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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::thread::ThreadId;

    use bytes::Bytes;
    use outboard_core::{CallId, Epoch, MethodId};
    use outboard_wire::frame::{Attempt, Image, SlotImage};

    use super::*;
    use crate::executor::Executor;

    #[test]
    fn what_is_let_go_frees_its_arguments_at_once_and_its_thread_without_a_core() {
        let executor = Executor::new(1, crate::stage::Site::Device);
        let _occupied = executor.permits.acquire();
        let argument = Bytes::from(vec![7; 100]);
        let attempt = Attempt { call: CallId(1), epoch: Epoch::FIRST };
        let slots = vec![SlotImage::Whole(Image(argument.clone()))];
        let queued = Arc::new(Queued::new(CallFrame::new(attempt, MethodId(1), slots), Timestamp::ZERO));

        let (sender, threads) = mpsc::channel::<ThreadId>();
        let (permits, waiting, begun) = (Arc::clone(&executor.permits), Arc::clone(&queued), sender.clone());
        let waits = move || {
            begun.send(std::thread::current().id()).unwrap();
            assert!(permits.acquire_unless(|| waiting.is_let_go()).is_none());
        };
        executor.run(Box::new(waits)).unwrap();
        let waited = threads.recv().unwrap();

        queued.let_go(&executor.permits);
        assert!(argument.is_unique(), "nobody else holds it");
        // Other threads run these jobs until the one that waited is back.
        loop {
            let sender = sender.clone();
            executor.run(Box::new(move || sender.send(std::thread::current().id()).unwrap())).unwrap();
            if threads.recv().unwrap() == waited {
                break;
            }
        }
    }
}
