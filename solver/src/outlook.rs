//! Flip points: how the best placement changes with the bandwidth, the round trip, the server's speed or the work.
//!
//! What a placement costs, and what it takes of anything limited, is a straight line over one condition, or over its inverse
//! where it divides. Without limits the best of all placements is therefore the lower envelope of lines, which two of them
//! determine: where they cross, either nothing is below, and there the placement changes, or something is, and the search
//! goes on on both sides of it (Eisner and Severance 1976, as for any parametric minimum cut). A placement that is best at
//! both ends of a range is best all through.
//!
//! With limits that bind this does not hold, since a placement may be allowed in a part of the range only. There the range is
//! looked at in steps, and between two that differ the change is where their lines cross or where one of them meets a
//! limit; what is best at that point says whether there is more in between.

use std::ops::RangeInclusive;
use std::time::Duration;

use outboard_core::{Condition, Conditions, Outlook, Piece, Placement, Plan, Problem, Quality};

use crate::port::{Limits, Solve, SolveError};
use crate::route::{Automatic, placements};

/// Two factors this close are one: figures are not known to a tenth of a percent.
const SAME: f64 = 1.001;
/// Where limits bind, changes back and forth within such a step are not seen.
const STEP: f64 = 1.5;

/// The best placements over a range of one condition, as factors of what the problem was made for. The time of the limits is
/// for all of it, their steps are for each point that is looked at.
///
/// Flip points are exact to a thousandth. Where limits bind, what flips twice within a factor of 1.5 may be missed.
///
/// # Errors
/// As of [`Solve::solve`] at any point of the range that nothing allowed is known for, at the range's ends where figures get too
/// large, and where a search ends before it is done.
///
/// # Panics
/// If the range does not go from above zero to a finite end.
pub fn outlook(
    problem: &Problem,
    condition: Condition,
    range: RangeInclusive<f64>,
    limits: &Limits<'_>,
) -> Result<Outlook, SolveError> {
    let (from, until) = range.into_inner();
    assert!(0.0 < from && from <= until && until.is_finite(), "a range goes from above zero to a finite end");
    let deadline = limits.clock.map(|clock| clock().saturating_add(limits.time));
    let nameless = problem.clone().nameless();
    let unlimited = nameless.clone().unlimited();
    let free = Search { problem: &unlimited, condition, limits, deadline };
    let mut pieces = free.envelope(from, until)?;
    if !problem.limits().is_empty() {
        let bound = Search { problem: &nameless, condition, limits, deadline };
        pieces = bound.within_limits(pieces, until)?;
    }
    pieces.dedup_by(|later, earlier| later.placements == earlier.placements);
    Ok(Outlook::new(condition, pieces, until))
}

/// The best plan, and what is worth knowing of it until the next one: how it changes on a link up to ten times as slow or
/// as fast. The time of the limits is for all of it; where it does not last, the plan comes without what is missing.
///
/// # Errors
/// As [`Solve::solve`].
pub fn plan_ahead(problem: &Problem, limits: &Limits<'_>) -> Result<Plan, SolveError> {
    let deadline = limits.clock.map(|clock| clock().saturating_add(limits.time));
    let plan = Automatic.solve(problem, limits)?;
    Ok([Condition::Bandwidth, Condition::RoundTrip].into_iter().fold(plan, |plan, condition| {
        let left = deadline.zip(limits.clock).map(|(deadline, clock)| deadline.saturating_sub(clock()));
        let time = left.unwrap_or(limits.time);
        // One point does not use up what all of them may take.
        let limits = Limits { time, ..limits.with_steps(limits.steps / 64) };
        match outlook(problem, condition, 0.1..=10.0, &limits) {
            Ok(outlook) => plan.with_outlook(outlook),
            Err(_) => plan,
        }
    }))
}

struct Search<'a> {
    problem: &'a Problem,
    condition: Condition,
    limits: &'a Limits<'a>,
    /// When all of it has to be done, by the clock of the limits.
    deadline: Option<Duration>,
}

/// The best placement at a factor.
struct Point {
    factor: f64,
    problem: Problem,
    placements: Vec<Placement>,
}

impl Point {
    /// What a placement costs here, in the objective's unit.
    fn measure(&self, placements: &[Placement]) -> u64 {
        self.problem.objective().measure(self.problem.cost(placements))
    }

    /// Whether a placement is allowed here and costs no more than the best.
    fn is_as_good(&self, placements: &[Placement]) -> bool {
        self.measure(placements) <= self.measure(&self.placements)
            && self.problem.exceeded(placements).is_none()
    }

    fn piece(&self) -> Piece {
        Piece { from: self.factor, placements: self.placements.clone() }
    }
}

impl Search<'_> {
    fn at(&self, factor: f64) -> Result<Point, SolveError> {
        let left =
            self.deadline.zip(self.limits.clock).map(|(deadline, clock)| deadline.saturating_sub(clock()));
        if left == Some(Duration::ZERO) {
            return Err(SolveError::OutOfTime);
        }
        let limits = Limits { time: left.unwrap_or(self.limits.time), ..*self.limits };
        let problem = self.problem.under(&Conditions::but(self.condition, factor))?;
        let (placements, quality) = placements(&problem, &limits)?;
        if matches!(quality, Quality::TimeLimit { .. }) {
            // What was found in a hurry at one point and not at another would show as a change.
            return Err(SolveError::OutOfTime);
        }
        Ok(Point { factor, problem, placements })
    }

    /// The pieces of the lower envelope. The present is one of its points, so that an outlook agrees with the plan.
    fn envelope(&self, from: f64, until: f64) -> Result<Vec<Piece>, SolveError> {
        let mut points = vec![self.at(from)?];
        if from < 1.0 && 1.0 < until {
            points.push(self.at(1.0)?);
        }
        if from < until {
            points.push(self.at(until)?);
        }
        let mut pieces = vec![points[0].piece()];
        for pair in points.windows(2) {
            self.between(&pair[0], &pair[1], &mut pieces)?;
        }
        Ok(pieces)
    }

    /// Adds the pieces that begin above `low`, up to the one that holds at `high`.
    fn between(&self, low: &Point, high: &Point, pieces: &mut Vec<Piece>) -> Result<(), SolveError> {
        if low.placements == high.placements {
            return Ok(());
        }
        let change = self.change(low, high);
        if low.factor * SAME < change && change * SAME < high.factor {
            let middle = self.at(change)?;
            if !middle.is_as_good(&low.placements) && !middle.is_as_good(&high.placements) {
                self.between(low, &middle, pieces)?;
                return self.between(&middle, high, pieces);
            }
        }
        pieces.push(Piece { from: change, placements: high.placements.clone() });
        Ok(())
    }

    /// Where the best changes from `low`'s placement to `high`'s, if nothing else is best in between: where `low`'s passes
    /// a limit, or before that, where `high`'s keeps them all and costs no more.
    fn change(&self, low: &Point, high: &Point) -> f64 {
        let share = |at_low: f64, at_high: f64| at_low / (at_low - at_high);
        // By how much a placement is past the limits, as a share of the way from `low` to `high`.
        let crossings = |placements: &[Placement], leaving: bool| {
            let limits = low.problem.limits().iter().zip(high.problem.limits());
            let shares = limits.filter_map(move |(here, there)| {
                let past = |point: &Point, limit| {
                    point.problem.amount(limit, placements) as f64 - limit.most() as f64
                };
                let (at_low, at_high) = (past(low, here), past(high, there));
                let crosses =
                    if leaving { at_low <= 0.0 && at_high > 0.0 } else { at_low > 0.0 && at_high <= 0.0 };
                crosses.then(|| share(at_low, at_high))
            });
            shares.collect::<Vec<f64>>()
        };
        let leaves = crossings(&low.placements, true).into_iter().fold(1.0, f64::min);
        let enters = crossings(&high.placements, false).into_iter().fold(0.0, f64::max);
        let excess =
            |point: &Point| point.measure(&high.placements) as f64 - point.measure(&low.placements) as f64;
        let (at_low, at_high) = (excess(low), excess(high));
        let cheaper = match (at_low > 0.0, at_high > 0.0) {
            (true, false) => share(at_low, at_high),
            (false, false) if at_high < at_low || at_low < 0.0 => 0.0,
            // It never is, or always as good: the change is left to the limits, or to the end.
            _ => 1.0,
        };
        let share = leaves.min(enters.max(cheaper)).clamp(0.0, 1.0);
        let (first, last) = (self.line(low.factor), self.line(high.factor));
        self.line(first + share * (last - first)).clamp(low.factor, high.factor)
    }

    /// The figure over which costs are straight, and back: the factor or its inverse.
    fn line(&self, factor: f64) -> f64 {
        match self.condition {
            Condition::Bandwidth | Condition::ServerSpeed => 1.0 / factor,
            Condition::RoundTrip | Condition::Work => factor,
        }
    }

    /// The pieces of the envelope as far as they keep the limits, and what is best elsewhere. A placement that is allowed at
    /// both ends of its piece is allowed all through.
    fn within_limits(&self, pieces: Vec<Piece>, until: f64) -> Result<Vec<Piece>, SolveError> {
        let ends: Vec<f64> = pieces.iter().skip(1).map(|piece| piece.from).chain([until]).collect();
        let mut kept = Vec::new();
        for (piece, end) in pieces.into_iter().zip(ends) {
            let allowed = |factor: f64| {
                let problem = self.problem.under(&Conditions::but(self.condition, factor))?;
                Ok::<_, SolveError>(problem.exceeded(&piece.placements).is_none())
            };
            if allowed(piece.from)? && allowed(end)? {
                kept.push(piece);
            } else {
                self.step_through(piece.from, end, &mut kept)?;
            }
        }
        Ok(kept)
    }

    /// Adds the pieces between two factors, found step by step; the present is one of the steps.
    fn step_through(&self, from: f64, until: f64, pieces: &mut Vec<Piece>) -> Result<(), SolveError> {
        let mut low = self.at(from)?;
        pieces.push(low.piece());
        while low.factor < until {
            let mut next = (low.factor * STEP).min(until);
            if low.factor < 1.0 && 1.0 < next {
                next = 1.0;
            }
            let high = self.at(next)?;
            self.between(&low, &high, pieces)?;
            low = high;
        }
        Ok(())
    }
}
