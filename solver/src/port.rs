//! What every solver offers.

use std::fmt;
use std::time::Duration;

use outboard_core::{Limit, Plan, Problem, ProblemError, Resource, Value};
use thiserror::Error;

/// A way to solve a placement problem.
pub trait Solve {
    /// The best plan found within the limits, never worse than all-local where that is allowed.
    ///
    /// # Errors
    /// No placement keeps the problem's limits, or none was found that does.
    fn solve(&self, problem: &Problem, limits: &Limits<'_>) -> Result<Plan, SolveError>;
}

/// How long a search may go on, and how good an answer has to be.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Limits<'a> {
    /// Time for the search; 1 s by default. A plan that needed more says so in its quality. Kept by the backends with a
    /// clock of their own, and by the search of this crate with the one that it is given.
    pub time: Duration,
    /// Steps of this crate's search, each about one look at an edge, some nanoseconds; 200 million by default. They are the
    /// same on every machine, which time is not.
    pub steps: u64,
    /// How far above what is proven an answer may be, in millionths of what it measures; 0 by default.
    pub gap: u32,
    /// The time since some moment; without it only steps are counted.
    pub clock: Option<&'a dyn Fn() -> Duration>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self { time: Duration::from_secs(1), steps: 200_000_000, gap: 0, clock: None }
    }
}

impl<'a> Limits<'a> {
    /// Limits with that much time.
    pub fn within(time: Duration) -> Self {
        Self { time, ..Self::default() }
    }

    /// The clock and when its time is up; `None` without one.
    pub(crate) fn deadline(&self) -> Option<(&'a dyn Fn() -> Duration, Duration)> {
        self.clock.map(|clock| (clock, clock().saturating_add(self.time)))
    }

    /// The same with a clock to keep the time by.
    #[must_use]
    pub fn by(self, clock: &'a dyn Fn() -> Duration) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The same for answers that may be so many millionths of what they measure above what is proven.
    #[must_use]
    pub fn with_gap(self, gap: u32) -> Self {
        Self { gap, ..self }
    }

    /// The same with that many steps.
    #[must_use]
    pub fn with_steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }
}

impl fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, steps, gap, clock } = self;
        f.debug_struct("Limits")
            .field("time", time)
            .field("steps", steps)
            .field("gap", gap)
            .field("clocked", &clock.is_some())
            .finish()
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SolveError {
    /// Not even the placement that takes least of something keeps its limit.
    #[error("no placement keeps {resource} below {least}: allow that much instead of {most}, or minimise it")]
    Infeasible {
        /// What is limited.
        resource: Resource,
        /// The limit.
        most: Value,
        /// The least that a placement takes.
        least: Value,
    },
    /// Each limit can be kept, but not all of them.
    #[error("no placement keeps all limits, though some keep each: raise one of them")]
    Contradiction,
    /// All-local passes a limit and no placement was found that keeps them all, which proves nothing.
    #[error(
        "no placement was found that keeps {resource} within {most}: allow more time to search, or raise the limit"
    )]
    NoneFound {
        /// What all-local passes.
        resource: Resource,
        /// The limit.
        most: Value,
    },
    /// A search that had to be done ended before it was.
    #[error("the search ran out of time: allow more")]
    OutOfTime,
    /// Under other conditions the problem is none.
    #[error("the conditions are not possible")]
    Conditions(#[from] ProblemError),
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
    /// More placements over several places than the exhaustive search can try.
    #[error("there are more than {most} placements, too many to try every one: use another solver")]
    TooManyPlacements {
        /// How many there may be.
        most: u64,
    },
}

impl SolveError {
    /// A limit that nothing keeps, and the least that a placement takes.
    pub(crate) fn infeasible(limit: &Limit, least: u64) -> Self {
        let resource = limit.resource();
        Self::Infeasible { resource, most: resource.value_of(limit.most()), least: resource.value_of(least) }
    }
}
