//! The routes to a plan: this crate's own search, and the choice between it and the others.

use std::time::Duration;

use outboard_core::{Limit, Placement, Plan, Problem, Quality};

use crate::exact::{self, Ending, Gap};
use crate::incumbent::Incumbent;
use crate::port::{Limits, Solve, SolveError};
use crate::reduce::{Goal, Reduced};
use crate::steps::Steps;
use crate::{Exhaustive, Ilp};

/// Whatever is best for the problem: the exact search where at most one limit binds; else every placement where those
/// are few, and the 0/1 program for the rest of the time where they are many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Automatic;

impl Automatic {
    /// Up to here trying all placements takes some tens of milliseconds at most, and leaves no gap.
    const FEW: usize = 16;
}

impl Solve for Automatic {
    fn solve(&self, problem: &Problem, limits: &Limits<'_>) -> Result<Plan, SolveError> {
        let deadline = limits.deadline();
        let found = Exact.solve(problem, limits);
        if is_open(found.as_ref().map(Plan::quality)) {
            return ask_others(problem, limits, deadline, found);
        }
        found
    }
}

/// The same placement as [`Automatic`] plans, without what a plan says of it besides.
pub(crate) fn placements(
    problem: &Problem,
    limits: &Limits<'_>,
) -> Result<(Vec<Placement>, Quality), SolveError> {
    let deadline = limits.deadline();
    let found = search(problem, limits).and_then(Attempt::finish);
    if is_open(found.as_ref().map(|(_, quality)| *quality)) {
        let found = found.map(|(placements, quality)| planned(problem, &placements, quality));
        let plan = ask_others(problem, limits, deadline, found)?;
        return Ok((plan.placements(), plan.quality()));
    }
    found
}

/// What the other routes make of a problem that the exact search left open, in the time that is left.
fn ask_others(
    problem: &Problem,
    limits: &Limits<'_>,
    deadline: Option<(&dyn Fn() -> Duration, Duration)>,
    found: Result<Plan, SolveError>,
) -> Result<Plan, SolveError> {
    if Exhaustive::free(problem).len() <= Automatic::FEW {
        return Exhaustive.solve(problem, limits);
    }
    let time = deadline.map_or(limits.time, |(clock, deadline)| deadline.saturating_sub(clock()));
    if time.is_zero() {
        return found;
    }
    better(problem, found, Ilp::default().solve(problem, &Limits { time, ..*limits }))
}

fn planned(problem: &Problem, placements: &[Placement], quality: Quality) -> Plan {
    Plan::new(problem, placements, quality).expect("only allowed placements are offered")
}

/// Whether the exact search has left something to the other routes.
fn is_open(found: Result<Quality, &SolveError>) -> bool {
    match found {
        Ok(quality) => matches!(quality, Quality::Unproven { .. }),
        Err(error) => matches!(error, SolveError::NoneFound { .. }),
    }
}

/// The better of two answers, as sure as both together.
fn better(
    problem: &Problem,
    one: Result<Plan, SolveError>,
    other: Result<Plan, SolveError>,
) -> Result<Plan, SolveError> {
    let (one, other) = match (one, other) {
        (Ok(one), Ok(other)) => (one, other),
        (Ok(plan), Err(_)) | (_, Ok(plan)) => return Ok(plan),
        (Err(_), Err(error)) => return Err(error),
    };
    let objective = problem.objective();
    let measure = |plan: &Plan| objective.measure(plan.cost());
    let (best, worse) = if measure(&other) < measure(&one) { (other, one) } else { (one, other) };
    // A bound that the better plan is below was wrong.
    let floor = if worse.floor() > measure(&best) { best.floor() } else { best.floor().max(worse.floor()) };
    let quality = match best.quality() {
        _ if floor >= measure(&best) => Quality::Optimal,
        quality => quality.with_bound(objective.value_of(floor)),
    };
    Ok(best.with_quality(quality))
}

/// This crate's own search, exact where at most one limit binds: a minimum cut where none does, Lagrangian bounds, fixing
/// and branching where one does.
///
/// Where several bind, it leaves a gap, and says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exact;

impl Solve for Exact {
    fn solve(&self, problem: &Problem, limits: &Limits<'_>) -> Result<Plan, SolveError> {
        let (placements, quality) = search(problem, limits)?.finish()?;
        Ok(planned(problem, &placements, quality))
    }
}

/// Searches for what is best under all limits of a problem, as far as this can be told.
fn search<'p>(problem: &'p Problem, limits: &Limits<'_>) -> Result<Attempt<'p>, SolveError> {
    let deadline = limits.deadline();
    let is_late = || deadline.is_some_and(|(clock, deadline)| clock() >= deadline);
    let mut steps = Steps::new(limits.steps, Some(&is_late));
    let mut attempt = Attempt {
        problem,
        incumbent: Incumbent::new(problem),
        floor: 0,
        ending: Ending::Proven,
        gap: limits.gap,
    };
    attempt.incumbent.offer(&problem.all_local());
    match problem.limits() {
        [] => attempt.search(&[], &mut steps)?,
        [limit] => attempt.search(&[limit], &mut steps)?,
        several => {
            // Each of them alone bounds what all of them allow, and its best may keep the others too.
            attempt.search(&[], &mut steps)?;
            for limit in several {
                if !attempt.is_proven() {
                    attempt.search(&[limit], &mut steps)?;
                }
            }
        }
    }
    Ok(attempt)
}

/// A problem on its way to a plan.
struct Attempt<'a> {
    problem: &'a Problem,
    incumbent: Incumbent<'a>,
    /// No placement measures less.
    floor: u64,
    /// How the last search ended.
    ending: Ending,
    /// Parts per million that the answer may be off by.
    gap: u32,
}

impl Attempt<'_> {
    /// Searches for what is best under one of the limits, or none.
    fn search(&mut self, limits: &[&Limit], steps: &mut Steps<'_>) -> Result<(), SolveError> {
        let reduced = Reduced::new(self.problem, Goal::Objective, limits);
        let base = reduced.base(self.problem).cast_signed();
        let gap = Gap { millionths: self.gap, base };
        let outcome = exact::search(&reduced.program(), gap, steps);
        if let (Ending::Infeasible { least }, [limit]) = (outcome.ending, limits) {
            let amount = self.problem.amount(limit, &reduced.expand(|_| false)).cast_signed() + least;
            return Err(SolveError::infeasible(limit, amount.unsigned_abs()));
        }
        if let Some(away) = &outcome.away {
            self.incumbent.offer(&reduced.expand(|number| away[number]));
        }
        let floor = base - outcome.bound;
        self.floor = self.floor.max(floor.max(0).unsigned_abs());
        self.ending = outcome.ending;
        Ok(())
    }

    fn is_proven(&self) -> bool {
        self.incumbent.measure().is_some_and(|measure| measure <= self.floor)
    }

    fn finish(mut self) -> Result<(Vec<Placement>, Quality), SolveError> {
        if !self.is_proven() {
            self.incumbent.polish();
        }
        let bound = self.problem.objective().value_of(self.floor);
        // With several limits, how the last search ended says nothing of what keeps all of them.
        let is_near = self.incumbent.measure().is_some_and(|measure| {
            let beyond = u128::from(measure.saturating_sub(self.floor));
            beyond * 1_000_000 <= u128::from(measure) * u128::from(self.gap)
        });
        let quality = match self.ending {
            _ if self.is_proven() => Quality::Optimal,
            _ if self.gap > 0 && is_near => Quality::GapLimit { bound },
            Ending::Stopped => Quality::TimeLimit { bound },
            _ => Quality::Unproven { bound },
        };
        Ok((self.incumbent.into_placements()?, quality))
    }
}
