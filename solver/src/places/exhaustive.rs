//! Every placement over several places, one after the other: the oracle that the other ways are tested against.

use outboard_core::{Cost, PlaceIndex, PlacesPlan, PlacesProblem, Quality, Resource};

use super::incumbent::Incumbent;
use crate::Exhaustive;
use crate::port::SolveError;

impl Exhaustive {
    /// The most placements over several places.
    pub const MOST_PLACEMENTS: u64 = 1 << 19;

    /// Tries every placement over several places.
    ///
    /// # Errors
    /// No placement keeps the limit, or there are more than [`MOST_PLACEMENTS`](Self::MOST_PLACEMENTS).
    pub fn solve_places(&self, problem: &PlacesProblem) -> Result<PlacesPlan, SolveError> {
        let free = unpinned(problem);
        let places = problem.place_count();
        if !is_few(places, free.len()) {
            return Err(SolveError::TooManyPlacements { most: Self::MOST_PLACEMENTS });
        }
        let mut incumbent = Incumbent::new(problem);
        let mut placements = problem.all_local();
        let mut least = u64::MAX;
        loop {
            if !incumbent.offer(&placements) {
                least = least.min(limited(problem, problem.cost(&placements)));
            }
            // Counts up, a digit per method.
            let next = free.iter().find(|position| {
                let place = &mut placements[**position];
                *place = PlaceIndex((place.0 + 1) % places as u16);
                *place != PlaceIndex::DEVICE
            });
            if next.is_none() {
                break;
            }
        }
        match (incumbent.placements(), problem.limit()) {
            (Some(best), _) => Ok(PlacesPlan::new(problem, best, Quality::Optimal)
                .expect("only allowed placements are offered")),
            (None, Some((resource, most))) => Err(infeasible(resource, most, least)),
            (None, None) => unreachable!("without a limit everything is allowed"),
        }
    }
}

/// The methods that may run anywhere.
pub(super) fn unpinned(problem: &PlacesProblem) -> Vec<usize> {
    let vertices = problem.vertices();
    (0..vertices.len()).filter(|position| vertices[*position].pin.is_none()).collect()
}

/// Whether all placements can be tried.
pub(super) fn is_few(places: usize, free: usize) -> bool {
    let count = u32::try_from(free).ok().and_then(|free| (places as u64).checked_pow(free));
    count.is_some_and(|count| count <= Exhaustive::MOST_PLACEMENTS)
}

/// The limited part of a cost, in the limit's unit; zero where nothing is limited.
pub(super) fn limited(problem: &PlacesProblem, cost: Cost) -> u64 {
    match problem.limit() {
        Some((Resource::Energy, _)) => cost.energy.as_microjoules(),
        Some(_) => u64::try_from(cost.time.as_micros()).unwrap_or(u64::MAX),
        None => 0,
    }
}

/// A limit that nothing keeps, and the least that a placement takes.
pub(super) fn infeasible(resource: Resource, most: u64, least: u64) -> SolveError {
    SolveError::Infeasible { resource, most: resource.value_of(most), least: resource.value_of(least) }
}
