//! MAUI's 0/1 program, handed to `good_lp`. Everything that leaves this module is to be checked in integers.
//!
//! A backend is one of the modules below. Those that need more than a Rust compiler come with a feature each.

#[cfg(feature = "cbc")]
mod cbc;
#[cfg(feature = "highs")]
mod highs;
mod microlp;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use good_lp::variable::UnsolvedProblem;
use good_lp::{Constraint, Expression, Solution, SolverModel, Variable, constraint, variable, variables};
use outboard_core::Placement;

use crate::reduce::Reduced;

pub(crate) use microlp::MICROLP;

/// A solver of 0/1 programs.
#[derive(Clone, Copy)]
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    /// Answers a question, or says how it ended without an answer.
    run: fn(Question, Effort) -> Result<Claim, Ending>,
}

/// Those that this build has.
pub(crate) const ALL: &[Backend] = &[
    MICROLP,
    #[cfg(feature = "highs")]
    highs::HIGHS,
    #[cfg(feature = "cbc")]
    cbc::CBC,
];

/// How long a search may go on, and how good an answer has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Kept by the backend, with a clock of its own and more or less well.
    pub(crate) time: Duration,
    /// As a part of what the answer gains.
    pub(crate) gap: f64,
}

/// What came of a search.
pub(crate) struct Answer {
    /// The best placement that the backend claims.
    pub(crate) placements: Vec<Placement>,
    /// How sure the backend claims to be.
    pub(crate) ending: Ending,
    /// No choice gains more, the backend claims, in units of the program.
    pub(crate) bound: Option<i64>,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Proven,
    Gap,
    Time,
    Failed,
}

/// A program in the terms of `good_lp`, in thousandths of its units.
pub(crate) struct Question {
    /// To be maximised.
    pub(crate) unsolved: UnsolvedProblem,
    pub(crate) rows: Vec<Constraint>,
    /// What the answer is read from.
    pub(crate) away: Vec<Variable>,
}

/// What a backend says.
pub(crate) struct Claim {
    /// By the variables of the question.
    pub(crate) away: Vec<bool>,
    pub(crate) ending: Ending,
    /// Of the gain, in thousandths of the program's units.
    bound: Option<f64>,
}

impl Claim {
    /// Nothing gains more, the backend claims, in units of the program.
    pub(crate) fn bound(&self) -> Option<i64> {
        self.bound.and_then(whole)
    }
}

impl Backend {
    /// Searches for the best placement of the undecided methods (MAUI §6.2). `Err` says why there is none.
    pub(crate) fn search(self, reduced: &Reduced, effort: Effort) -> Result<Answer, Ending> {
        if reduced.len() == 0 {
            let placements = reduced.expand(|_| false);
            return Ok(Answer { placements, ending: Ending::Proven, bound: Some(0) });
        }
        let claim = self.ask(|| Question::new(reduced), effort)?;
        let placements = reduced.expand(|number| claim.away[number]);
        Ok(Answer { placements, ending: claim.ending, bound: claim.bound() })
    }

    /// Asks any question.
    pub(crate) fn ask(self, question: impl FnOnce() -> Question, effort: Effort) -> Result<Claim, Ending> {
        // An unwinding bug of the backend is one more of its failures; it must not take the app down.
        let run = AssertUnwindSafe(|| (self.run)(question(), effort));
        catch_unwind(run).unwrap_or(Err(Ending::Failed))
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Question {
    /// The edges are written as one row each, `x_u − x_v = a − b`, with `a` and `b` continuous: an optimum never has both
    /// above zero, so `a + b = |x_u − x_v|`. The usual pair of inequalities takes 1.2–1.7 × as long.
    fn new(reduced: &Reduced) -> Self {
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
        let mut rows = Vec::with_capacity(reduced.edges.len() + reduced.rows.len());
        for ((first, second), (one, other)) in reduced.edges.iter().zip(&shipped) {
            let (first, second) = (away[*first as usize], away[*second as usize]);
            rows.push(constraint!(first - second == *one - *other));
        }
        for row in &reduced.rows {
            rows.push(sum(&row.delays, &row.times, 1.0).leq(thousand(row.slack)));
        }
        let unsolved = names.maximise(sum(&reduced.gains, &reduced.apart, -1.0));
        Self { unsolved, rows, away }
    }
}

/// A model with these rows.
fn with_rows<M: SolverModel>(mut model: M, rows: Vec<Constraint>) -> M {
    for row in rows {
        model.add_constraint(row);
    }
    model
}

fn chosen(solution: &impl Solution, away: &[Variable]) -> Vec<bool> {
    away.iter().map(|away| solution.value(*away) > 0.5).collect()
}

/// Microjoules and microseconds in millijoules and milliseconds: in joules and seconds small figures fall into the
/// backends' tolerances, and HiGHS and CBC were wrong on about one small instance in a hundred.
pub(crate) fn thousand(micro: i64) -> f64 {
    micro as f64 / 1e3
}

/// A bound in whole units, loosened by what a backend takes for zero: a millionth.
fn whole(thousandths: f64) -> Option<i64> {
    let bound = thousandths * 1e3;
    // What is no number, or infinite, bounds nothing. A cast from float to integer saturates.
    bound.is_finite().then(|| (bound + bound.abs() * 1e-6 + 1.0).ceil() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_rounded_away_from_what_it_bounds() {
        assert_eq!(whole(0.0), Some(1));
        assert_eq!(whole(1_000.0), Some(1_000_002));
        assert_eq!(whole(-1_000.0), Some(-999_998));
        assert_eq!(whole(f64::INFINITY), None);
        assert_eq!(whole(f64::NAN), None);
    }
}
