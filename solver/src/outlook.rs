//! Flip points: how the best placement changes with the bandwidth, the round trip, the server's speed or the work.
//!
//! What a placement costs is a straight line over one condition, or over its inverse where it divides. Without limits the
//! best of all placements is therefore the lower envelope of lines, which two of them determine: where they cross, either
//! nothing is below, and there the placement changes, or something is, and the search goes on on both sides of it (Eisner
//! and Severance 1976, as for any parametric minimum cut). A placement that is best at both ends of a range is best all
//! through.
//!
//! With limits that bind this does not hold, since a placement may be allowed in one part of the range only. There the range is
//! looked at in steps, and between two that differ the change is found by bisection.

use std::ops::RangeInclusive;

use outboard_core::{Condition, Conditions, Outlook, Piece, Placement, Plan, Problem, Quality};

use crate::port::{Limits, Solve, SolveError};
use crate::route::Automatic;

/// Two factors this close are one: figures are not known to a tenth of a percent.
const SAME: f64 = 1.001;
/// Where limits bind, changes are found this exactly.
const BISECTED: f64 = 1.01;
/// Where limits bind, changes back and forth within such a step are not seen.
const STEP: f64 = 1.5;

/// The best placements over a range of one condition, as factors of what the problem was made for. The limits are those of
/// each solve.
///
/// Where no limit binds, flip points are exact to a thousandth. Where one does they are exact to a hundredth, and what flips twice
/// within a factor of 1.5 may be missed.
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
    let unlimited = problem.clone().unlimited();
    let free = Search { problem: &unlimited, condition, limits };
    let mut pieces = free.envelope(from, until)?;
    if !problem.limits().is_empty() {
        let bound = Search { problem, condition, limits };
        pieces = bound.within_limits(pieces, until)?;
    }
    pieces.dedup_by(|later, earlier| later.placements == earlier.placements);
    Ok(Outlook::new(condition, pieces, until))
}

/// The best plan, and what is worth knowing of it until the next one: how it changes on a link up to ten times as slow or
/// as fast. Where that cannot be told in the time, the plan comes without it.
///
/// # Errors
/// As [`Solve::solve`].
pub fn plan_ahead(problem: &Problem, limits: &Limits<'_>) -> Result<Plan, SolveError> {
    let plan = Automatic.solve(problem, limits)?;
    // One solve does not use up what all of them may take.
    let limits = limits.with_steps(limits.steps / 64);
    Ok([Condition::Bandwidth, Condition::RoundTrip].into_iter().fold(plan, |plan, condition| {
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

    fn piece(&self) -> Piece {
        Piece { from: self.factor, placements: self.placements.clone() }
    }
}

impl Search<'_> {
    fn at(&self, factor: f64) -> Result<Point, SolveError> {
        let problem = self.problem.under(&Conditions::but(self.condition, factor))?;
        let plan = Automatic.solve(&problem, self.limits)?;
        if matches!(plan.quality(), Quality::TimeLimit { .. }) {
            // What was found in a hurry at one point and not at another would show as a change.
            return Err(SolveError::OutOfTime);
        }
        Ok(Point { factor, placements: plan.placements(), problem })
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
        let crossing = self.crossing(low, high);
        if low.factor * SAME < crossing && crossing * SAME < high.factor {
            let middle = self.at(crossing)?;
            let known = middle.measure(&low.placements).min(middle.measure(&high.placements));
            if middle.measure(&middle.placements) < known {
                self.between(low, &middle, pieces)?;
                return self.between(&middle, high, pieces);
            }
        }
        pieces.push(Piece { from: crossing, placements: high.placements.clone() });
        Ok(())
    }

    /// Where the lines of the two points' placements cross.
    fn crossing(&self, low: &Point, high: &Point) -> f64 {
        let excess = |point: &Point, other: &Point| {
            point.measure(&other.placements).saturating_sub(point.measure(&point.placements)) as f64
        };
        let (at_low, at_high) = (excess(low, high), excess(high, low));
        if at_low + at_high == 0.0 {
            // They cost the same all through.
            return high.factor;
        }
        let share = at_low / (at_low + at_high);
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

    /// The pieces of the envelope as far as they keep the limits, and what is best elsewhere. What a limit counts is a straight line
    /// as well, so a placement that is allowed at both ends of its piece is allowed all through.
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
            self.bisect(&low, &high, pieces)?;
            low = high;
        }
        Ok(())
    }

    fn bisect(&self, low: &Point, high: &Point, pieces: &mut Vec<Piece>) -> Result<(), SolveError> {
        if low.placements == high.placements {
            return Ok(());
        }
        if high.factor <= low.factor * BISECTED {
            pieces.push(high.piece());
            return Ok(());
        }
        let middle = self.at((low.factor * high.factor).sqrt())?;
        self.bisect(low, &middle, pieces)?;
        self.bisect(&middle, high, pieces)
    }
}
