//! Plans under a bound on time or energy, by prices for what is limited (Lagrangian relaxation; Fisher 1981, "The Lagrangian
//! relaxation method for solving integer programming problems").
//!
//! With `G(x)` the goal and `T(x) ≤ S` the limit, `(min p·G + q·T − q·S) / p` is a bound at any prices `p > 0` and
//! `q ≥ 0`, and what comes near the minimum is a placement to offer. The prices follow from two placements, one that passes the
//! limit and one that keeps it: those at which both measure the same. Whatever measures less takes the place of one
//! of them, until nothing does.

use outboard_core::{PlacesProblem, Resource};

use super::exhaustive::infeasible;
use super::minimum::{Effort, Minimum};
use super::program::Program;
use super::{Attempt, limited, signed};
use crate::port::SolveError;

/// Labels with what they measure by the goal and by the limit.
#[derive(Clone)]
struct Point {
    labels: Vec<u16>,
    goal: i64,
    taken: i64,
}

impl Attempt<'_> {
    /// Most chords that are looked at; the hull of two sums has few corners that matter.
    const CHORDS: u32 = 24;

    pub(super) fn search_limited(
        &mut self,
        cheapest: &Minimum,
        resource: Resource,
        most: u64,
    ) -> Result<(), SolveError> {
        let taken = Program::new(self.problem, &self.free, |cost| limited(self.problem, cost));
        let effort = Effort::thorough(0);
        let least = Minimum::of(&taken, self.row.as_deref(), &cheapest.labels, effort, &mut self.steps);
        if least.floor.unsigned_abs() > most {
            return Err(infeasible(resource, most, least.floor.unsigned_abs()));
        }
        self.incumbent.offer(&self.free.expand(&least.labels));
        let point = |labels: &[u16], goal: &Program| Point {
            labels: labels.to_vec(),
            goal: goal.measure(labels),
            taken: taken.measure(labels),
        };
        let (mut past, mut within) = (point(&cheapest.labels, &self.goal), point(&least.labels, &self.goal));
        let most = signed(most);
        for _ in 0..Self::CHORDS {
            if self.is_done() || self.steps.stopped() || past.taken <= most || within.taken > most {
                break;
            }
            let Some((p, q)) = prices(&past, &within, &self.goal, &taken) else { break };
            let mixed = Program::mixed((p, &self.goal), (q, &taken));
            let row = self.row.as_deref();
            let minimum = Minimum::of(&mixed, row, &within.labels, Effort::QUICK, &mut self.steps);
            let bound = i128::from(minimum.floor) - i128::from(q) * i128::from(most);
            // Rounded up; `p` is above zero.
            self.raise((-(-bound).div_euclid(i128::from(p))) as i64);
            self.incumbent.offer(&self.free.expand(&minimum.labels));
            let found = point(&minimum.labels, &self.goal);
            if minimum.measure >= p * past.goal + q * past.taken
                || minimum.measure >= p * within.goal + q * within.taken
            {
                break;
            }
            if found.taken > most {
                past = found;
            } else {
                within = found;
            }
        }
        if !self.is_done() {
            self.polish(&taken, most, &past.labels);
        }
        Ok(())
    }

    /// Moves single methods of the best placement for as long as that makes it better and keeps the limit, those that a cheaper
    /// one has elsewhere first.
    fn polish(&mut self, taken: &Program, most: i64, wanted: &[u16]) {
        let Some(placements) = self.incumbent.placements() else { return };
        let mut labels = self.free.labels(placements);
        let (mut left, mut edges) = (most - taken.measure(&labels), vec![Vec::new(); labels.len()]);
        for (edge, (one, other)) in self.goal.edges.iter().enumerate() {
            edges[*one as usize].push((edge, *other as usize));
            edges[*other as usize].push((edge, *one as usize));
        }
        let goal = &self.goal;
        let change = |program: &Program, labels: &[u16], number: usize, to: usize| {
            let from = usize::from(labels[number]);
            let apart = edges[number].iter().map(|(edge, neighbour)| {
                let there = usize::from(labels[*neighbour]);
                program.apart(*edge, to, there) - program.apart(*edge, from, there)
            });
            program.own(number)[to] - program.own(number)[from] + apart.sum::<i64>()
        };
        // Every move betters an integer, but by as little as one; later rounds find ever less.
        for round in 0..8 {
            let mut moved = false;
            for number in 0..labels.len() {
                let targets = if round == 0 {
                    usize::from(wanted[number])..usize::from(wanted[number]) + 1
                } else {
                    0..goal.places
                };
                for to in targets {
                    let takes = change(taken, &labels, number, to);
                    if change(goal, &labels, number, to) < 0 && takes <= left {
                        labels[number] = to as u16;
                        left -= takes;
                        moved = true;
                    }
                }
            }
            if !moved && round > 0 {
                break;
            }
        }
        self.incumbent.offer(&self.free.expand(&labels));
    }
}

/// Prices at which two placements measure the same, small enough that everything still adds up; `None` where there are none.
fn prices(past: &Point, within: &Point, goal: &Program, taken: &Program) -> Option<(i64, i64)> {
    let (mut p, mut q) = (past.taken - within.taken, within.goal - past.goal);
    if p <= 0 || q <= 0 {
        return None;
    }
    let sum = |program: &Program| {
        let parts = program.own.iter().sum::<i64>() + program.base;
        // A link is on the way of at most a quarter of all pairs of places, and `places²` rounds that up.
        let links = program.links.iter().map(|link| i128::from(*link)).sum::<i128>();
        i128::from(parts) + links * (program.places * program.places) as i128
    };
    let (goals, takings) = (sum(goal), sum(taken));
    while i128::from(p) * goals + i128::from(q) * takings > i128::from(PlacesProblem::LARGEST_SUM) {
        (p, q) = (p / 2, q / 2);
    }
    (p > 0 && q > 0).then_some((p, q))
}
