//! Placing methods on more than two places.
//!
//! ```text
//! PlacesProblem ─▶ program: pins decided, edges added up, one measure ─▶ obvious: methods that have a best place anyway
//!   places in a row        ─▶ row: one minimum cut, exact
//!   any other topology     ─▶ expand: moves to one place at a time, each a minimum cut ─▶ a placement
//!                             dual: cost moved into a bound ─▶ the gap, and places that are out of the question
//!                             branch: whatever is still open ─▶ mostly a proof
//!   a time or energy bound ─▶ limited: the same at prices for what is limited ─▶ a placement and a bound
//!                             every placement where those are few, else the 0/1 program (ilp)
//! ```
//!
//! Three places that are not in a row already make the problem NP-hard (Dahlhaus et al. 1994, "The complexity of
//! multiterminal cuts"). What is answered is never worse than all-local and, steps permitting, than the best plan with the
//! device and one of the servers, and says how far from the best it may be. Everything is in integers, but for the 0/1
//! program, whose answers are checked in integers.

mod branch;
mod dual;
mod exhaustive;
mod expand;
mod ilp;
mod incumbent;
mod limited;
mod minimum;
mod obvious;
mod program;
mod row;
#[cfg(test)]
mod tests;

use outboard_core::{PlaceIndex, PlacesPlan, PlacesProblem, Quality};

use crate::backend::MICROLP;
use crate::port::{Limits, SolveError};
use crate::steps::Steps;
use exhaustive::limited;
use incumbent::Incumbent;
use minimum::{Effort, Minimum};
use obvious::obvious;
use program::{Free, Program};

/// The best plan over several places found within the limits: exact where the places are in a row and nothing is limited,
/// else with the gap that is left.
///
/// Without a bound on time or energy it is the same on every machine, as long as no clock is given. With one the 0/1 program
/// may have to help, for as long as there is time.
///
/// # Errors
/// No placement keeps the objective's bound (the least that is named then is what none takes less than), or none was found
/// that does.
pub fn solve_places(problem: &PlacesProblem, limits: &Limits<'_>) -> Result<PlacesPlan, SolveError> {
    let deadline = limits.deadline();
    let is_late = || deadline.is_some_and(|(clock, deadline)| clock() >= deadline);
    let mut attempt = Attempt::new(problem, limits.gap, Steps::new(limits.steps, Some(&is_late)));
    attempt.search()?;
    if problem.limit().is_some() && !attempt.is_done() {
        if exhaustive::is_few(problem.place_count(), exhaustive::unpinned(problem).len()) {
            return crate::Exhaustive.solve_places(problem);
        }
        let left = deadline.map_or(limits.time, |(clock, deadline)| deadline.saturating_sub(clock()));
        if attempt.has_small_program() {
            attempt.ask(MICROLP, left);
        }
    }
    attempt.finish()
}

/// A problem on its way to a plan.
struct Attempt<'a> {
    problem: &'a PlacesProblem,
    free: Free,
    /// The places in a row, if they are.
    row: Option<Vec<PlaceIndex>>,
    /// What the objective measures.
    goal: Program,
    incumbent: Incumbent<'a>,
    /// No placement measures less.
    floor: u64,
    gap: u32,
    steps: Steps<'a>,
    /// Whether the 0/1 program ran out of time.
    is_late: bool,
}

impl<'a> Attempt<'a> {
    fn new(problem: &'a PlacesProblem, gap: u32, steps: Steps<'a>) -> Self {
        let mut free = Free::new(problem);
        let goal = |free: &Free| Program::new(problem, free, |cost| problem.objective().measure(cost));
        let all = goal(&free);
        let decided = match problem.limit() {
            Some(_) => obvious(&[&all, &Program::new(problem, &free, |cost| limited(problem, cost))]),
            None => obvious(&[&all]),
        };
        free = free.decide(&decided);
        let goal = goal(&free);
        let mut incumbent = Incumbent::new(problem);
        incumbent.offer(&problem.all_local());
        incumbent.offer(&free.expand(&vec![PlaceIndex::DEVICE.0; free.len()]));
        let floor = goal.floor().unsigned_abs();
        let row = problem.topology().row(problem.place_count());
        Self { problem, free, row, goal, incumbent, floor, gap, steps, is_late: false }
    }

    fn search(&mut self) -> Result<(), SolveError> {
        let local = vec![PlaceIndex::DEVICE.0; self.free.len()];
        let Some((resource, most)) = self.problem.limit() else {
            self.approach(&local, Effort::thorough(self.gap));
            return Ok(());
        };
        // What passes the limit need not be the very best.
        let mut cheapest = self.approach(&local, Effort::QUICK);
        if !self.is_done() && self.problem.exceeded(&self.free.expand(&cheapest.labels)).is_none() {
            cheapest = self.approach(&cheapest.labels, Effort::thorough(self.gap));
        }
        if self.is_done() { Ok(()) } else { self.search_limited(&cheapest, resource, most) }
    }

    /// Looks for what the objective measures least of, whatever is limited.
    fn approach(&mut self, start: &[u16], effort: Effort) -> Minimum {
        let minimum = Minimum::of(&self.goal, self.row.as_deref(), start, effort, &mut self.steps);
        self.raise(minimum.floor);
        self.incumbent.offer(&self.free.expand(&minimum.labels));
        minimum
    }

    fn raise(&mut self, floor: i64) {
        self.floor = self.floor.max(floor.max(0).unsigned_abs());
    }

    /// Whether what is known is as good as was asked for.
    fn is_done(&self) -> bool {
        self.incumbent
            .measure()
            .is_some_and(|measure| measure - self.floor.min(measure) <= self.allowed(measure))
    }

    /// How much worse than the best a measure may be.
    fn allowed(&self, measure: u64) -> u64 {
        (u128::from(measure) * u128::from(self.gap) / 1_000_000) as u64
    }

    fn finish(self) -> Result<PlacesPlan, SolveError> {
        let (Some(placements), Some(measure)) = (self.incumbent.placements(), self.incumbent.measure())
        else {
            let (resource, most) = self.problem.limit().expect("without a limit all-local is allowed");
            return Err(SolveError::NoneFound { resource, most: resource.value_of(most) });
        };
        let bound = self.problem.objective().value_of(self.floor);
        let quality = match () {
            () if measure <= self.floor => Quality::Optimal,
            () if self.is_done() => Quality::GapLimit { bound },
            () if self.is_late || self.steps.stopped() => Quality::TimeLimit { bound },
            () => Quality::Unproven { bound },
        };
        Ok(PlacesPlan::new(self.problem, placements, quality).expect("only allowed placements are offered"))
    }
}

/// Sums of a checked problem stay below 2⁵⁷; a limit may be anything and is as good as none past that.
fn signed(value: u64) -> i64 {
    value.min(PlacesProblem::LARGEST_SUM) as i64
}
