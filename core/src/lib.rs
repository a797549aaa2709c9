//! The vocabulary of Outboard: units, ids, time, call graph, placement problem and plan.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. Everything here is data and
//! arithmetic: no clock, no thread, no socket, no random source.

mod id;
mod time;
mod unit;

pub use id::{
    BodyHash, CallId, Epoch, InstanceId, MethodId, MethodIndex, SchemaHash, ServerIndex, SessionId,
};
pub use time::Timestamp;
pub use unit::{Bandwidth, ByteCount, Energy, Power};
