//! The vocabulary of Outboard: units, ids, time, call graph, placement problem and plan.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. Everything here is data and
//! arithmetic. What it does not do is decide, measure or talk: no clock, no thread, no socket, no random source.
//!
//! ```text
//!     what methods cost ── CallGraph ──▶ Problem ── a solver ──▶ Plan: a Placement for every method
//!                          (profiler)     (checked)              (re-checked in integers)
//! ```
//!
//! ```
//! use std::time::Duration;
//!
//! use outboard_core::{Bandwidth, ByteCount, Energy, Power};
//!
//! // An LTE radio's promotion (Huang et al., MobiSys 2012): 0.26 s at 1.21 W.
//! let promotion = Power::from_milliwatts(1_210) * Duration::from_millis(260);
//! assert_eq!(promotion, Energy::from_microjoules(314_600));
//! let state = ByteCount::from_bytes(11_000);
//! assert_eq!(state / Bandwidth::from_megabits_per_second(8), Duration::from_millis(11));
//! ```

mod graph;
mod id;
mod outlook;
mod places;
mod plan;
mod problem;
mod time;
mod unit;

pub use graph::{CallFigures, CallGraph, LinkPrice, MethodFigures, UnknownMethod};
pub use id::{
    BodyHash, CallId, Epoch, InstanceId, MethodId, MethodIndex, PlaceIndex, SchemaHash, ServerIndex,
    SessionId,
};
pub use outlook::{Flip, Outlook, OutlookError, Piece};
pub use places::{
    Detour, Place, PlacesChoice, PlacesEdge, PlacesError, PlacesPlan, PlacesPlanError, PlacesProblem,
    PlacesVertex, Topology,
};
pub use plan::{Choice, Plan, PlanError, Quality, Why};
pub use problem::{
    Condition, Conditions, Constraints, Cost, Edge, EnergyBound, Exceeded, LatencyBound, Limit, MemoryLimit,
    Objective, Placement, Problem, ProblemError, Resident, Resource, Shipping, TimeBound, Value, Vertex,
};
pub use time::Timestamp;
pub use unit::{Bandwidth, ByteCount, Energy, Frequency, Power};
