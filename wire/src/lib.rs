//! Frames, codec, limits, state and the two session state machines of Outboard.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only.

pub mod device;
pub mod frame;
mod limits;
pub mod server;
mod session;

pub use limits::Limits;
pub use session::{Lane, Lost, Output, Timing, Violation};
