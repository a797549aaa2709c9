//! Whether what a server answered is a plan.
//!
//! A plan decides where methods run, never what they return: a server that answers with a bad one can cost time and energy,
//! and each call is bounded as ever. What can be told here without solving is checked all the same: that the placement is
//! allowed, in integers, that it is no worse than running everything here, and that figures and lengths are what the engine
//! takes them for. What only another search could refute (an optimum that is none, flip points at the wrong places) is
//! taken for what it says.

use outboard_core::{Outlook, Placement, Plan, PlanError, Problem, Value};

use super::Answer;

/// What is wrong with a server's answer.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Refused {
    /// It is no placement of the problem.
    #[error(transparent)]
    Placement(#[from] PlanError),
    /// To do without it is better.
    #[error("its plan costs {plan}, everything on the device {local}")]
    Worse { plan: Value, local: Value },
    /// What it claims to be sure of contradicts itself.
    #[error("nothing is said to be below {bound}, and its plan costs {plan}")]
    Bound { bound: Value, plan: Value },
    /// It says twice how placements change with something.
    #[error("two outlooks on one condition")]
    Twice,
    /// How placements change is not told of these methods, or moves what cannot move, or leaves the present out.
    #[error("an outlook that is not of this problem")]
    Outlook,
}

/// Makes a plan of an answer.
pub(super) fn checked(problem: &Problem, answer: Answer) -> Result<Plan, Refused> {
    let Answer { placements, quality, outlooks } = answer;
    let plan = Plan::new(problem, &placements, quality)?;
    let objective = problem.objective();
    let measure = objective.measure(plan.cost());
    let local = problem.all_local();
    if problem.exceeded(&local).is_none() && measure > objective.measure(problem.cost(&local)) {
        return Err(Refused::Worse { plan: plan.value(), local: plan.all_local_value() });
    }
    if let Some(bound) = quality.bound() {
        let is_of_another_kind = std::mem::discriminant(&bound) != std::mem::discriminant(&plan.value());
        if is_of_another_kind || objective.measure_of(bound) > measure {
            return Err(Refused::Bound { bound, plan: plan.value() });
        }
    }
    outlooks.into_iter().try_fold(plan, |plan, outlook| match plan.outlook(outlook.condition()) {
        Some(_) => Err(Refused::Twice),
        None if !is_of(problem, &outlook) => Err(Refused::Outlook),
        None => Ok(plan.with_outlook(outlook)),
    })
}

/// Whether an outlook tells of the problem's methods, around the present.
fn is_of(problem: &Problem, outlook: &Outlook) -> bool {
    let (from, until) = outlook.range();
    from <= 1.0 && 1.0 <= until && outlook.pieces().iter().all(|piece| may_be(problem, &piece.placements))
}

/// Whether pins and groups are kept. Limits may not be: under other conditions they are others.
fn may_be(problem: &Problem, placements: &[Placement]) -> bool {
    let kept = |(position, placed): (usize, &Placement)| {
        problem.pin(position).is_none_or(|pin| pin == *placed)
            && placements[problem.leader(position)] == *placed
    };
    placements.len() == problem.vertices().len() && placements.iter().enumerate().all(kept)
}
