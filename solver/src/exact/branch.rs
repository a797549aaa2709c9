//! The search itself: price, fix, contract, and where that leaves too much open, try a vertex in both places.

use std::collections::BinaryHeap;

use super::core::Core;
use super::dual::{Dual, Price, Verdict};
use super::incumbent::Best;
use super::neighbours::Neighbours;
use super::pareto::{self, Attempt};
use super::{Budget, Ending, Outcome, Program};
use crate::steps::Steps;

/// A search for the best choice of one program.
pub(super) struct Search<'a, 'b> {
    budget: &'a mut Budget<'b>,
    best: Best,
    /// What is still to be looked into, the most promising first.
    open: BinaryHeap<Node>,
    /// Counts nodes, so that equal ones have an order.
    made: u64,
    /// Nothing gains more, as the first dual says.
    ceiling: i64,
}

/// A core that may hold something worthwhile, and the vertex to decide next.
struct Node {
    bound: i64,
    number: u64,
    core: Core,
    price: Price,
    vertex: usize,
}

impl<'a, 'b> Search<'a, 'b> {
    pub(super) fn new(program: &Program, budget: &'a mut Budget<'b>) -> Self {
        let best = Best::new(program.gains.len(), budget.gap);
        let ceiling = program.gains.iter().map(|gain| gain.max(&0)).sum();
        Self { budget, best, open: BinaryHeap::new(), made: 0, ceiling }
    }

    pub(super) fn run(mut self, root: Core) -> Outcome {
        if !root.fits(0) {
            let mut dual = Dual::new(&root);
            match dual.least_row(&mut self.best, &mut self.budget.steps) {
                None => return self.stopped(i64::MAX),
                Some(least) if !root.fits(least) => {
                    let ending = Ending::Infeasible { least };
                    return Outcome { away: None, gain: 0, bound: 0, ending };
                }
                Some(_) => {}
            }
        }
        if let Err(bound) = self.examine(root, None) {
            return self.stopped(bound);
        }
        while let Some(node) = self.open.pop() {
            if self.best.worthwhile().is_some_and(|least| node.bound < least) {
                break;
            }
            for away in [true, false] {
                let mut decided = vec![None; node.core.len()];
                decided[node.vertex] = Some(away);
                if self.examine(node.core.contract(&decided), Some(node.price)).is_err() {
                    return self.stopped(node.bound);
                }
            }
        }
        let best = self.best.incumbent.take().expect("something meets the row");
        let worthwhile = Best::worthwhile_after(best.gain, self.budget.gap);
        let bound = (worthwhile - 1).min(self.ceiling).max(best.gain);
        let ending = if bound > best.gain { Ending::Gap } else { Ending::Proven };
        Outcome { away: Some(best.away), gain: best.gain, bound, ending }
    }

    /// Looks into a core until nothing is open in it or a vertex has to be tried in both places; if it was to stop, what
    /// is in it gains at most the error.
    fn examine(&mut self, mut core: Core, mut hint: Option<Price>) -> Result<(), i64> {
        loop {
            let verdict = Dual::new(&core).run(hint, &mut self.best, &mut self.budget.steps);
            let (bound, price, decided) = match verdict {
                Verdict::Closed => return Ok(()),
                Verdict::Stopped { bound } => return Err(bound),
                Verdict::Open { bound, price, decided } => (bound, price, decided),
            };
            if self.made == 0 {
                let dropped = self.best.worthwhile().map_or(i64::MIN, |least| least - 1);
                self.ceiling = self.ceiling.min(bound.max(dropped));
            }
            let before = core.len();
            if decided.iter().any(Option::is_some) {
                core = core.contract(&decided);
            }
            // Once little is fixed another round finds less still.
            if core.len() * 8 <= before * 7 && core.len() > pareto::LARGEST {
                hint = Some(price);
                continue;
            }
            return self.settle(core, bound, price);
        }
    }

    fn settle(&mut self, core: Core, bound: i64, price: Price) -> Result<(), i64> {
        let neighbours = Neighbours::new(&core);
        let parts = neighbours.components(&core, |_| true);
        let largest = parts.iter().max_by_key(|part| part.len());
        if largest.is_none_or(|part| part.len() <= pareto::LARGEST) {
            let steps: &mut Steps<'_> = &mut self.budget.steps;
            match pareto::solve(&core, &parts, &neighbours, price, &mut self.best, steps) {
                Attempt::Done => return Ok(()),
                Attempt::Stopped => return Err(bound),
                Attempt::TooLong => {}
            }
        }
        let Some(part) = largest else { return Ok(()) };
        let weight = |vertex: u32| {
            let vertex = vertex as usize;
            let own = i128::from(price.gain) * i128::from(core.gains[vertex].abs())
                + i128::from(price.row) * i128::from(core.delays[vertex].abs());
            neighbours.of(&core, vertex).fold(own, |sum, (_, edge)| {
                sum + i128::from(price.gain) * i128::from(edge.cost)
                    + i128::from(price.row) * i128::from(edge.time)
            })
        };
        let vertex =
            *part.iter().max_by_key(|vertex| weight(**vertex)).expect("parts are not empty") as usize;
        self.made += 1;
        self.open.push(Node { bound, number: self.made, core, price, vertex });
        Ok(())
    }

    /// The answer when there is no going on: what is open, or was being looked into, bounds it.
    fn stopped(mut self, bound: i64) -> Outcome {
        let bound = self.open.iter().map(|node| node.bound).fold(bound, i64::max).min(self.ceiling);
        match self.best.incumbent.take() {
            Some(best) => {
                let dropped = Best::worthwhile_after(best.gain, self.budget.gap) - 1;
                let (gain, bound) = (best.gain, bound.max(dropped).min(self.ceiling).max(best.gain));
                Outcome { away: Some(best.away), gain, bound, ending: Ending::Stopped }
            }
            None => Outcome { away: None, gain: 0, bound, ending: Ending::Stopped },
        }
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.bound, self.number).cmp(&(other.bound, other.number))
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Node {}
