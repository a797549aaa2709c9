//! Every placement, one after the other: the oracle that the other solvers are tested against.

use outboard_core::{Placement, Plan, Problem, Quality};

use crate::incumbent::Incumbent;
use crate::port::{Limits, Solve, SolveError};

/// Tries every placement. Exact, and exponential in the number of methods that are not pinned.
///
/// It evaluates the problem as it was posed, without the reductions of the other solvers, so that it can judge them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exhaustive;

impl Exhaustive {
    /// The most methods without a pin: a million placements.
    pub const MOST: usize = 20;
}

impl Solve for Exhaustive {
    fn solve(&self, problem: &Problem, _: &Limits) -> Result<Plan, SolveError> {
        let vertices = problem.vertices();
        let free: Vec<usize> =
            (0..vertices.len()).filter(|position| vertices[*position].pin.is_none()).collect();
        if free.len() > Self::MOST {
            return Err(SolveError::TooMany { free: free.len(), most: Self::MOST });
        }
        let mut incumbent = Incumbent::new(problem);
        let mut placements = problem.all_local();
        let mut fastest = problem.cost(&placements).time;
        for number in 0_u32..1 << free.len() {
            for (bit, position) in free.iter().enumerate() {
                let away = number >> bit & 1 == 1;
                placements[*position] = if away { Placement::Server } else { Placement::Device };
            }
            if !incumbent.offer(&placements) {
                fastest = fastest.min(problem.cost(&placements).time);
            }
        }
        match (incumbent.into_best(), problem.time_limit()) {
            (None, Some(limit)) => Err(SolveError::Infeasible { limit, fastest }),
            (best, _) => {
                let best = best.expect("without a time bound every placement is allowed");
                Ok(Plan::new(problem, &best, Quality::Optimal).expect("only allowed placements are offered"))
            }
        }
    }
}
