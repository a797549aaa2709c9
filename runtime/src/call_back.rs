//! A call-back as the code that serves it on the device sees it.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use outboard_wire::frame::Attempt;

use crate::device::Device;
use crate::once::Part;
use crate::poll::park;
use crate::server_call::Unwound;

/// How long an async device method is waited for within an async call that has no bound. The thread that polls the call
/// waits, and what the method waits for may be another task of that very thread.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One call-back that runs on the device, for an attempt of an outer call.
#[derive(Debug)]
pub(crate) struct CallBack {
    device: Arc<Device>,
    /// The outer attempt.
    attempt: Attempt,
    /// When the outer attempt is given up.
    bound: Option<Instant>,
    /// Whether it was, in the midst of an async method.
    late: AtomicBool,
    /// The part of the outer call's root that it is. `None`: the outer call may run only once, and nothing within it is
    /// repeated.
    pub(crate) part: Option<Part>,
    failure: OnceLock<Unwound>,
    /// It has its answer. Threads that carry its context may live on.
    ended: AtomicBool,
    /// A call that it made is at the server, which counts on what may run only once.
    away: AtomicBool,
}

/// Keeps a call-back away, until dropped.
#[derive(Debug)]
pub(crate) struct Away(Arc<CallBack>);

impl Drop for Away {
    fn drop(&mut self) {
        self.0.away.store(false, Ordering::SeqCst);
    }
}

impl CallBack {
    pub(crate) fn new(
        device: Arc<Device>,
        attempt: Attempt,
        bound: Option<Instant>,
        part: Option<Part>,
    ) -> Arc<Self> {
        Arc::new(Self {
            device,
            attempt,
            bound,
            late: AtomicBool::new(false),
            part,
            failure: OnceLock::new(),
            ended: AtomicBool::new(false),
            away: AtomicBool::new(false),
        })
    }

    /// The attempt within which a call is made that belongs to `device`: the server's thread that waits for this
    /// call-back may run it.
    pub(crate) fn attempt(&self, device: &Arc<Device>) -> Option<Attempt> {
        (Arc::ptr_eq(device, &self.device) && !self.has_ended()).then_some(self.attempt)
    }

    /// It has its answer, and nobody at the server waits for it any more.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// A call of it goes to the server, which counts on from here. One at a time: another thread's would count the same.
    pub(crate) fn leave(self: &Arc<Self>) -> Option<Away> {
        (!self.has_ended() && !self.away.swap(true, Ordering::SeqCst)).then(|| Away(Arc::clone(self)))
    }

    /// Whether the device counts alone. Asked after a number was taken, which nobody else has then.
    pub(crate) fn counts_alone(&self) -> bool {
        !self.has_ended() && !self.away.load(Ordering::SeqCst)
    }

    /// Runs an async method to its end on this thread, whose own async runtime, if it has one, stands still meanwhile.
    /// Unwinds when the attempt is to be given up first.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        park(future, self.device.outside.timers(), self.bound).unwrap_or_else(|| {
            self.late.store(true, Ordering::Relaxed);
            self.fail("it did not end before the bound of the outer call".to_owned())
        })
    }

    /// Whether the outer attempt is to be given up, as its bound has passed.
    pub(crate) fn is_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    /// Why the answer is not to be used, if it is not.
    pub(crate) fn failure(&self) -> Option<Unwound> {
        self.failure.get().cloned()
    }

    /// Unwinds if the call-back has failed: user code may have caught the first unwinding.
    pub(crate) fn gate(&self) {
        if let Some(failure) = self.failure() {
            resume_unwind(Box::new(failure));
        }
    }

    /// A method that may run only once is about to be called, and has slots from which nothing can be kept.
    pub(crate) fn refuse_once(&self, method: &str) -> ! {
        self.refuse(format!("it calls `{method}`, which may run only once"))
    }

    /// The attempt is to be given up before what comes next.
    pub(crate) fn refuse(&self, reason: String) -> ! {
        self.unwind(Unwound { reason, needs_device: true })
    }

    fn fail(&self, reason: String) -> ! {
        self.unwind(Unwound::new(reason))
    }

    fn unwind(&self, failure: Unwound) -> ! {
        resume_unwind(Box::new(self.failure.get_or_init(|| failure).clone()))
    }
}
