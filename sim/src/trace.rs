//! What was recorded: how a link behaved over time, what a device drew, when work came in.
//!
//! Importers take the text and its file's name, which errors say; who reads files is the caller. A text is not trusted: each
//! line is checked, and what is kept is bounded in number and in proportion to the text.

mod arrivals;
mod calendar;
mod csv;
mod decimal;
mod error;
mod lines;
mod mahimahi;
mod measured;
mod power;
mod seconds;
mod steps;

pub use arrivals::{Arrival, ArrivalTrace};
pub use error::TraceError;
pub use power::{PowerTrace, Voltage};
pub(crate) use steps::{LONGEST, MAX_STEPS, nanos};
pub use steps::{LinkStep, LinkTrace, Loss, StepsError, TraceEnd};
