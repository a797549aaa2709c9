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
    if reduced.positions.is_empty() {
        return Ok(Answer { placements: reduced.expand(|_| false), ending: Ending::Proven });
    }
    // An unwinding bug of the backend is one more of its failures; it must not take the app down.
    catch_unwind(AssertUnwindSafe(|| run(reduced, time))).unwrap_or(Err(Ending::Failed))
}

fn run(reduced: &Reduced, time: Duration) -> Result<Answer, Ending> {
    let mut names = variables!();
    let away: Vec<Variable> = reduced.positions.iter().map(|_| names.add(variable().binary())).collect();
    let shipped: Vec<(Variable, Variable)> = reduced
        .edges
        .iter()
        .map(|_| (names.add(variable().clamp(0, 1)), names.add(variable().clamp(0, 1))))
        .collect();

    let mut gain = Expression::default();
    let mut delay = Expression::default();
    for (number, away) in away.iter().enumerate() {
        gain.add_mul(thousand(reduced.gains[number]), *away);
        delay.add_mul(thousand(reduced.delays[number]), *away);
    }
    for ((_, _, apart), (one, other)) in reduced.edges.iter().zip(&shipped) {
        for direction in [*one, *other] {
            gain.add_mul(-thousand(apart.cost), direction);
            delay.add_mul(thousand(apart.time), direction);
        }
    }
    let mut model = names.maximise(gain).using(good_lp::microlp).with_time_limit(time.as_secs_f64());
    for ((first, second, _), (one, other)) in reduced.edges.iter().zip(&shipped) {
        model.add_constraint(constraint!(away[*first] - away[*second] == *one - *other));
    }
    if let Some(slack) = reduced.slack {
        model.add_constraint(delay.leq(thousand(slack)));
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
