//! The one clock of a runtime: everything pure gets its time from here.

use std::sync::Arc;
use std::time::Instant;

use cpu_time::ThreadTime;
use outboard_core::Timestamp;

use crate::stage::{self, Stage};

/// A clock that starts with its runtime.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// Whose simulated time it shows, if it does.
    stage: Option<Arc<Stage>>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), stage: None }
    }

    /// The clock of a stage.
    pub(crate) fn of_stage(stage: Arc<Stage>) -> Self {
        Self { start: stage.start(), stage: Some(stage) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        match &self.stage {
            None => Timestamp::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)),
            Some(stage) => stage.now(),
        }
    }

    /// The system's moment of a timestamp; far ones are as good as never.
    pub(crate) fn at(&self, timestamp: Timestamp) -> Instant {
        let since = std::time::Duration::from_nanos(timestamp.as_nanos());
        self.start
            .checked_add(since)
            .unwrap_or_else(|| self.start + std::time::Duration::from_secs(86_400 * 365))
    }
}

/// The present, as the code on this thread meets it: simulated where its thread is on a stage.
#[inline]
pub(crate) fn now() -> Instant {
    match stage::current() {
        None => Instant::now(),
        Some(stage) => stage.moment(),
    }
}

/// CPU time of this thread, where it means something: not on a stage, where costs are declared.
pub(crate) fn thread_time() -> Option<ThreadTime> {
    stage::current().is_none().then(ThreadTime::now)
}
