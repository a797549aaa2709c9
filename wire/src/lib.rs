//! Frames, codec, limits, state and the two session state machines of Outboard.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only.

pub mod frame;
mod limits;

pub use limits::Limits;
