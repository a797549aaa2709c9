//! The one clock of a runtime: everything pure gets its time from here.

use std::time::Instant;

use outboard_core::Timestamp;

/// A clock that starts with its runtime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Timestamp {
        Timestamp::from_nanos(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// The system's moment of a timestamp; far ones are as good as never.
    pub(crate) fn at(self, timestamp: Timestamp) -> Instant {
        let since = std::time::Duration::from_nanos(timestamp.as_nanos());
        self.0.checked_add(since).unwrap_or_else(|| self.0 + std::time::Duration::from_secs(86_400 * 365))
    }
}
