//! Placement problems to try solvers on: MAUI's applications, call graphs of all shapes and sizes, and what is hard.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard), for its tests and measurements; nothing that apps link depends
//! on it, and they name `outboard` only. It solves nothing: where a problem depends on its own solution, that is an argument.
//!
//! ```text
//! maui        the four applications of the paper          as published, and drawn where nothing was
//! Recipe      trees, layers, recursion; any size          loose, or bound so that the bound binds
//! Hard        subset sums, knapsacks, symmetries, cliques what no search is expected to finish
//! any         every objective, limit, group and pin       small enough for an oracle
//! ```
//!
//! Equal seeds give equal problems on every machine: all figures are integers, drawn by integer arithmetic.
//!
//! ```
//! use outboard_problems::{Recipe, Shape};
//!
//! let recipe = Recipe { shape: Shape::Layered, methods: 1_000, seed: 7 };
//! let problem = recipe.loose();
//! assert_eq!(problem.vertices().len(), 1_000);
//! assert_eq!(problem, recipe.loose());
//! ```

mod any;
mod binding;
mod hard;
pub mod maui;
mod random;
mod recipe;

pub use any::any;
pub use binding::binding;
pub use hard::Hard;
pub use recipe::{Recipe, Shape};
