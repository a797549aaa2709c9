//! The best placement known so far, judged in integers.

use std::time::Duration;

use outboard_core::{Energy, PlaceIndex, PlacesProblem};

/// The best placement that was offered and that keeps the limit.
pub(crate) struct Incumbent<'p> {
    problem: &'p PlacesProblem,
    best: Option<(Rank, Vec<PlaceIndex>)>,
}

/// How good a placement is, smaller is better. Where the objective does not tell two apart the faster one wins, then the
/// one that spends less, then the one that ships less code away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    measure: u64,
    time: Duration,
    energy: Energy,
    away: usize,
}

impl<'p> Incumbent<'p> {
    pub(crate) fn new(problem: &'p PlacesProblem) -> Self {
        Self { problem, best: None }
    }

    /// Takes a placement if it is allowed and better than the best; says whether it is allowed.
    pub(crate) fn offer(&mut self, placements: &[PlaceIndex]) -> bool {
        if self.problem.exceeded(placements).is_some() {
            return false;
        }
        let cost = self.problem.cost(placements);
        let rank = Rank {
            measure: self.problem.objective().measure(cost),
            time: cost.time,
            energy: cost.energy,
            away: placements.iter().filter(|place| **place != PlaceIndex::DEVICE).count(),
        };
        if self.best.as_ref().is_none_or(|(best, _)| rank < *best) {
            self.best = Some((rank, placements.to_vec()));
        }
        true
    }

    /// The objective's value of the best, as a bare number.
    pub(crate) fn measure(&self) -> Option<u64> {
        self.best.as_ref().map(|(rank, _)| rank.measure)
    }

    /// The best.
    pub(crate) fn placements(&self) -> Option<&[PlaceIndex]> {
        self.best.as_ref().map(|(_, placements)| placements.as_slice())
    }
}
