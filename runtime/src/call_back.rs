//! A call-back as the code that serves it on the device sees it.

use std::panic::resume_unwind;
use std::sync::{Arc, OnceLock};

use crate::server_call::Unwound;

/// One call-back that runs on the device, for an attempt of an outer call.
#[derive(Debug)]
pub(crate) struct CallBack {
    /// Whether the outer method may run only once: then nothing within it is repeated either.
    outer_once: bool,
    failure: OnceLock<Unwound>,
}

impl CallBack {
    pub(crate) fn new(outer_once: bool) -> Arc<Self> {
        Arc::new(Self { outer_once, failure: OnceLock::new() })
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

    /// A method that may run only once is about to be called. An outer call that is run again when its attempt is given up
    /// would repeat it; so the attempt is given up before.
    pub(crate) fn guard_once(&self, method: &str) {
        if !self.outer_once {
            let reason = format!("it calls `{method}`, which may run only once");
            let failure = Unwound { reason, needs_device: true };
            resume_unwind(Box::new(self.failure.get_or_init(|| failure).clone()));
        }
    }
}
