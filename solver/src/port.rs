//! What every solver offers, and the choice between them.

use std::time::Duration;

use outboard_core::{Plan, Problem};
use thiserror::Error;

use crate::{Exhaustive, Ilp};

/// A way to solve a placement problem.
pub trait Solve {
    /// The best plan found within the limits, never worse than all-local where that meets the time bound.
    ///
    /// # Errors
    /// No placement meets the time bound, or none was found that does.
    fn solve(&self, problem: &Problem, limits: &Limits) -> Result<Plan, SolveError>;
}

/// How long a search may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Time for the backend's search; 1 s by default. A plan that needed more says so in its quality. Backends
    /// look at their clock between steps, so large problems overshoot it.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(1) }
    }
}

impl Limits {
    /// Limits with that much time.
    pub fn within(time: Duration) -> Self {
        Self { time }
    }
}

/// Tries every placement where there are few, and the 0/1 program otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Automatic;

impl Automatic {
    /// Up to here trying all placements takes about as long as the 0/1 program, some 10 µs, and never leaves the integers.
    const FEW: usize = 8;
}

impl Solve for Automatic {
    fn solve(&self, problem: &Problem, limits: &Limits) -> Result<Plan, SolveError> {
        let free = problem.vertices().iter().filter(|vertex| vertex.pin.is_none()).count();
        if free <= Self::FEW { Exhaustive.solve(problem, limits) } else { Ilp.solve(problem, limits) }
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SolveError {
    /// Even the fastest placement is too slow.
    #[error("no placement takes less than {fastest:?}: allow more than {limit:?}, or minimise time")]
    Infeasible {
        /// The time bound.
        limit: Duration,
        /// What the fastest placement takes.
        fastest: Duration,
    },
    /// All-local passes the time bound and no placement was found that does not, which proves nothing.
    #[error("no placement was found that takes at most {limit:?}: allow more time to search, or to run")]
    NoneFound {
        /// The time bound.
        limit: Duration,
    },
    /// More methods than the exhaustive search can try.
    #[error(
        "{free} methods can be moved, too many to try every placement of more than {most}: use another solver"
    )]
    TooMany {
        /// How many methods are not pinned.
        free: usize,
        /// How many there may be.
        most: usize,
    },
}
