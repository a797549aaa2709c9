//! Placement problem to plan: an exact search of our own, MAUI's 0/1 program through `good_lp`, and an exhaustive oracle.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. It does not decide when to
//! solve, does not act on a plan, and reads no clock: a time limit is an argument that the backend keeps.
//!
//! ```text
//! Problem ─▶ reduce ─▶ exact: cuts, fixing, branching ─┬─▶ check in integers ─▶ Plan ─▶ explain, outlook
//!                 └──▶ ilp: a backend, in floats ──────┘
//!                 incumbent: all-local, then whatever was better
//! PlacesProblem ─▶ places: cuts, moves, a bound ─▶ check in integers ─▶ PlacesPlan
//! ```
//!
//! Core owns what a problem and a plan are, and that a plan fits its problem. This crate owns the search: it never
//! answers worse than all-local, and says honestly how sure it is. Whoever drives it owns the thread it runs on.
//!
//! Features, none by default: `highs` and `cbc` add these backends of the 0/1 program, [`Ilp::highs`](crate::Ilp) and
//! [`Ilp::cbc`](crate::Ilp). Both need more than a Rust compiler to build.
//!
//! ```
//! use std::time::Duration;
//! use outboard_core::{CallFigures, CallGraph, Energy, MethodFigures, MethodIndex, Objective, Placement, Shipping};
//! use outboard_solver::{Automatic, Limits, Solve};
//!
//! let (ui, find) = (MethodIndex(0), MethodIndex(1));
//! let mut graph = CallGraph::new();
//! graph.insert(ui, MethodFigures { pin: Some(Placement::Device), ..Default::default() });
//! graph.insert(find, MethodFigures { local_energy: Energy::from_millijoules(900), ..Default::default() });
//! let shipping = Shipping::fixed(Energy::from_millijoules(100), Duration::ZERO);
//! graph.add_calls(ui, find, CallFigures { shipping, ..Default::default() })?;
//!
//! let plan = Automatic.solve(&graph.problem(Objective::Energy)?, &Limits::default())?;
//! assert_eq!(plan.placement(find), Some(Placement::Server));
//! assert_eq!(plan.cost().energy, Energy::from_millijoules(100));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod cut;
mod exact;
mod exhaustive;
mod explain;
mod ilp;
mod incumbent;
mod lp;
mod outlook;
mod places;
mod port;
mod reduce;
mod route;
mod steps;

pub use exhaustive::Exhaustive;
pub use explain::{Explanation, explain, reason};
pub use ilp::Ilp;
pub use lp::lp;
pub use outlook::{outlook, plan_ahead};
pub use places::solve_places;
pub use port::{Limits, Solve, SolveError};
pub use route::{Automatic, Exact};
