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
struct Point {
    labels: Vec<u16>,
    goal: i64,
    taken: i64,
}

/// What a unit of the goal and one of what is limited are worth; both above zero.
#[derive(Clone, Copy)]
struct Prices {
    goal: i64,
    taken: i64,
}

impl Attempt<'_> {
    /// Most prices that are tried; the hull of two sums has few corners that matter.
    const PRICES: u32 = 24;

    /// Looks for what keeps the limit, from what is cheapest without it.
    pub(super) fn search_limited(
        &mut self,
        cheapest: &Minimum,
        resource: Resource,
        most: u64,
    ) -> Result<(), SolveError> {
        let taken = Program::new(self.problem, &self.free, |cost| limited(self.problem, cost));
        let bound = signed(most);
        let mut least = self.minimum(&taken, &cheapest.labels, Effort::QUICK);
        if least.measure > bound && least.floor <= bound {
            least = self.minimum(&taken, &least.labels, Effort::thorough(0));
        }
        if least.floor > bound {
            return Err(infeasible(resource, most, least.floor.unsigned_abs()));
        }
        self.incumbent.offer(&self.free.expand(&least.labels));
        let past = self.price(&taken, bound, cheapest, &least);
        if !self.is_done() {
            self.polish(&taken, bound, &past);
        }
        Ok(())
    }

    /// Tries prices; returns the labels nearest to the limit that pass it.
    fn price(&mut self, taken: &Program, most: i64, cheapest: &Minimum, least: &Minimum) -> Vec<u16> {
        let point = |minimum: &Minimum, goal: &Program| Point {
            labels: minimum.labels.clone(),
            goal: goal.measure(&minimum.labels),
            taken: taken.measure(&minimum.labels),
        };
        let (mut past, mut within) = (point(cheapest, &self.goal), point(least, &self.goal));
        let mut last = None;
        for _ in 0..Self::PRICES {
            if self.is_done() || self.steps.stopped() || past.taken <= most || within.taken > most {
                break;
            }
            let Some(prices) = Prices::between(&past, &within, &self.goal, taken) else { break };
            let minimum = self.at(prices, taken, most, &within.labels, Effort::QUICK);
            last = Some(prices);
            if minimum.measure >= prices.of(&past).min(prices.of(&within)) {
                break;
            }
            let found = point(&minimum, &self.goal);
            let place = if found.taken > most { &mut past } else { &mut within };
            *place = found;
        }
        // The last prices bound best, if the bound is looked for.
        if let Some(prices) = last.filter(|_| self.row.is_none() && !self.is_done()) {
            self.at(prices, taken, most, &within.labels, Effort::BOUND);
        }
        past.labels
    }

    /// Looks for the least at prices, offers it, and keeps the bound that it gives.
    fn at(&mut self, prices: Prices, taken: &Program, most: i64, start: &[u16], effort: Effort) -> Minimum {
        let mixed = Program::mixed((prices.goal, &self.goal), (prices.taken, taken));
        let minimum = self.minimum(&mixed, start, effort);
        let above = i128::from(minimum.floor) - i128::from(prices.taken) * i128::from(most);
        // Rounded up.
        self.raise(-(-above).div_euclid(i128::from(prices.goal)) as i64);
        self.incumbent.offer(&self.free.expand(&minimum.labels));
        minimum
    }

    fn minimum(&mut self, program: &Program, start: &[u16], effort: Effort) -> Minimum {
        Minimum::of(program, self.row.as_deref(), start, effort, &mut self.steps)
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

impl Prices {
    /// Those at which two placements measure the same, small enough that everything still adds up; `None` where there are
    /// none.
    fn between(past: &Point, within: &Point, goal: &Program, taken: &Program) -> Option<Self> {
        let mut prices = Self { goal: past.taken - within.taken, taken: within.goal - past.goal };
        if prices.goal <= 0 || prices.taken <= 0 {
            return None;
        }
        let sum = |program: &Program| i128::from(program.sum());
        let (goals, takings) = (sum(goal), sum(taken));
        while i128::from(prices.goal) * goals + i128::from(prices.taken) * takings
            > i128::from(PlacesProblem::LARGEST_SUM)
        {
            prices = Self { goal: prices.goal / 2, taken: prices.taken / 2 };
        }
        (prices.goal > 0 && prices.taken > 0).then_some(prices)
    }

    fn of(self, point: &Point) -> i64 {
        self.goal * point.goal + self.taken * point.taken
    }
}
