//! The vocabulary of Outboard: units, ids, time, call graph, placement problem and plan.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. Everything here is data and
//! arithmetic: no clock, no thread, no socket, no random source.

mod graph;
mod id;
mod plan;
mod problem;
mod time;
mod unit;

pub use graph::{CallFigures, CallGraph, LinkPrice, MethodFigures, UnknownMethod};
pub use id::{
    BodyHash, CallId, Epoch, InstanceId, MethodId, MethodIndex, SchemaHash, ServerIndex, SessionId,
};
pub use plan::{Choice, Plan, PlanError, Quality, Value, Why};
pub use problem::{Cost, Edge, Objective, Placement, Problem, ProblemError, TimeBound, Vertex};
pub use time::Timestamp;
pub use unit::{Bandwidth, ByteCount, Energy, Power};
