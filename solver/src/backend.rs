//! MAUI's 0/1 program, handed to `good_lp`. Everything that leaves this module is to be checked in integers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use good_lp::solvers::{SolutionStatus, WithTimeLimit};
use good_lp::{
    Expression, ResolutionError, Solution, SolverModel, Variable, constraint, variable, variables,
};
use outboard_core::Placement;

use crate::reduce::Reduced;

/// What came of a search.
pub(crate) struct Answer {
    /// The best placement that the backend claims.
    pub(crate) placements: Vec<Placement>,
    /// How sure the backend claims to be.
    pub(crate) ending: Ending,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Proven,
    Gap,
    Time,
    Failed,
}

/// Searches for the best placement of the undecided methods (MAUI §6.2). `Err` says why there is none.
///
/// The edges are written as one row each, `x_u − x_v = a − b`, with `a` and `b` continuous: an optimum never has both above
/// zero, so `a + b = |x_u − x_v|`. The usual pair of inequalities takes 1.2–1.7 × as long.
pub(crate) fn search(reduced: &Reduced, time: Duration) -> Result<Answer, Ending> {
    if reduced.len() == 0 {
        return Ok(Answer { placements: reduced.expand(|_| false), ending: Ending::Proven });
    }
    // An unwinding bug of the backend is one more of its failures; it must not take the app down.
    catch_unwind(AssertUnwindSafe(|| run(reduced, time))).unwrap_or(Err(Ending::Failed))
}

fn run(reduced: &Reduced, time: Duration) -> Result<Answer, Ending> {
    let mut names = variables!();
    let away: Vec<Variable> = (0..reduced.len()).map(|_| names.add(variable().binary())).collect();
    let shipped: Vec<(Variable, Variable)> = reduced
        .edges
        .iter()
        .map(|_| (names.add(variable().clamp(0, 1)), names.add(variable().clamp(0, 1))))
        .collect();
    // Σ of vertices − or + Σ of edges, with `a + b` for each edge.
    let sum = |vertices: &[i64], edges: &[i64], sign: f64| {
        let mut sum = Expression::default();
        for (part, away) in vertices.iter().zip(&away) {
            sum.add_mul(thousand(*part), *away);
        }
        for (part, (one, other)) in edges.iter().zip(&shipped) {
            sum.add_mul(sign * thousand(*part), *one);
            sum.add_mul(sign * thousand(*part), *other);
        }
        sum
    };
    let gain = sum(&reduced.gains, &reduced.apart, -1.0);
    let mut model = names.maximise(gain).using(good_lp::microlp).with_time_limit(time.as_secs_f64());
    for ((first, second), (one, other)) in reduced.edges.iter().zip(&shipped) {
        let (first, second) = (away[*first as usize], away[*second as usize]);
        model.add_constraint(constraint!(first - second == *one - *other));
    }
    for row in &reduced.rows {
        model.add_constraint(sum(&row.delays, &row.times, 1.0).leq(thousand(row.slack)));
    }

    let solution = model.solve().map_err(|error| match error {
        // The adapter's only use of this variant.
        ResolutionError::Other(_) => Ending::Time,
        _ => Ending::Failed,
    })?;
    let ending = match solution.status() {
        SolutionStatus::Optimal => Ending::Proven,
        SolutionStatus::GapLimit => Ending::Gap,
        SolutionStatus::TimeLimit => Ending::Time,
    };
    let placements = reduced.expand(|number| solution.value(away[number]) > 0.5);
    Ok(Answer { placements, ending })
}

/// Microjoules and microseconds in millijoules and milliseconds: in joules and seconds small figures fall into the
/// backends' tolerances, and HiGHS and CBC were wrong on about one small instance in a hundred.
fn thousand(micro: i64) -> f64 {
    micro as f64 / 1e3
}
