//! What was recorded: how a link behaved over time.

mod steps;

pub(crate) use steps::{LONGEST, MAX_STEPS, nanos};
pub use steps::{LinkStep, LinkTrace, Loss, StepsError, TraceEnd};
