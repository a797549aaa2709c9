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
    /// The most methods without a pin, groups counted once: a million placements.
    pub const MOST: usize = 20;

    /// The leaders of the groups that may move; of methods that go alone, those methods.
    pub(crate) fn free(problem: &Problem) -> Vec<usize> {
        let may_move =
            |position: &usize| problem.leader(*position) == *position && problem.pin(*position).is_none();
        (0..problem.vertices().len()).filter(may_move).collect()
    }
}

impl Solve for Exhaustive {
    fn solve(&self, problem: &Problem, _: &Limits<'_>) -> Result<Plan, SolveError> {
        let free = Self::free(problem);
        if free.len() > Self::MOST {
            return Err(SolveError::TooMany { free: free.len(), most: Self::MOST });
        }
        let mut incumbent = Incumbent::new(problem);
        let mut placements = problem.all_local();
        let mut least: Vec<u64> = vec![u64::MAX; problem.limits().len()];
        for number in 0_u32..1 << free.len() {
            for (bit, position) in free.iter().enumerate() {
                let away = number >> bit & 1 == 1;
                placements[*position] = if away { Placement::Server } else { Placement::Device };
            }
            for position in 0..placements.len() {
                placements[position] = placements[problem.leader(position)];
            }
            if !incumbent.offer(&placements) {
                for (least, limit) in least.iter_mut().zip(problem.limits()) {
                    *least = (*least).min(problem.amount(limit, &placements));
                }
            }
        }
        match incumbent.into_best() {
            Some(best) => {
                Ok(Plan::new(problem, &best, Quality::Optimal).expect("only allowed placements are offered"))
            }
            None => Err(no_placement(problem, &least)),
        }
    }
}

/// Why nothing is allowed: the limit that nothing meets, or that there are several.
fn no_placement(problem: &Problem, least: &[u64]) -> SolveError {
    let alone = problem.limits().iter().zip(least).find(|(limit, least)| **least > limit.most());
    match alone {
        Some((limit, least)) => SolveError::infeasible(limit, *least),
        None => SolveError::Contradiction,
    }
}
