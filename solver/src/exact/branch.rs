//! The search itself: price, fix, contract, and where that leaves too much open, try a vertex in both places.

use super::core::Core;
use super::dual::{Dual, Open, Verdict};
use super::fix::{self, Stake};
use super::incumbent::Best;
use super::neighbours::Neighbours;
use super::pareto::{self, Failed};
use super::price::Price;
use super::queue::{Node, Queue};
use super::tuning::Tuning;
use super::{Ending, Gap, Outcome, Program};
use crate::steps::Steps;

/// A search for the best choice of one program.
pub(super) struct Search<'a, 'b> {
    gap: Gap,
    steps: &'a mut Steps<'b>,
    tuning: Tuning,
    best: Best,
    open: Queue,
    /// Nothing gains more.
    ceiling: i64,
    /// The least that the row's left side can be, once that is known to be too much.
    least: Option<i64>,
}

impl<'a, 'b> Search<'a, 'b> {
    pub(super) fn new(program: &Program, gap: Gap, steps: &'a mut Steps<'b>, tuning: Tuning) -> Self {
        let best = Best::new(program.gains.len(), gap);
        let ceiling = program.gains.iter().map(|gain| gain.max(&0)).sum();
        Self { gap, steps, tuning, best, open: Queue::new(tuning.waiting), ceiling, least: None }
    }

    pub(super) fn run(mut self, root: Core) -> Outcome {
        let searched = self.examine(root, None).and_then(|rest| match rest {
            Some((core, open)) => self.widen(&core, &open),
            None => Ok(()),
        });
        if let Err(bound) = searched {
            return self.stopped(bound);
        }
        if let Some(least) = self.least {
            return Outcome { away: None, gain: 0, bound: 0, ending: Ending::Infeasible { least } };
        }
        let best = self.best.incumbent.take().expect("something meets the row");
        let worthwhile = Best::worthwhile_after(best.gain, self.gap);
        let bound = (worthwhile - 1).min(self.ceiling).max(best.gain);
        let ending = if bound > best.gain { Ending::Gap } else { Ending::Proven };
        Outcome { away: Some(best.away), gain: best.gain, bound, ending }
    }

    /// Searches a core, at first as if the best were close to the bound. Either it is, or nothing is that close, and the
    /// next attempt looks a bit further: a narrow search fixes nearly everything, and finds what makes a wide one
    /// unnecessary (Balas & Zemel 1980 solve knapsacks by such a core).
    fn widen(&mut self, core: &Core, open: &Open) -> Result<(), i64> {
        let mut dual = Dual::new(core);
        let Some(cut) = dual.cut(open.price, self.steps) else { return Err(open.bound) };
        let stakes: Vec<Stake> =
            (0..core.len()).map(|vertex| fix::stake(&dual.network, vertex, i64::MAX - 1)).collect();
        let mut extras: Vec<i64> = stakes.iter().map(|stake| stake.extra).collect();
        extras.sort_unstable();
        let mut undecided = self.tuning.narrowest;
        loop {
            let target = extras.get(undecided).map_or(i64::MIN, |extra| dual.target(&cut, *extra));
            undecided *= 2;
            if target > self.ceiling {
                continue;
            }
            self.best.target = target;
            let most = self.best.worthwhile().map_or(i64::MAX, |least| dual.most(&cut, least));
            let decided: Vec<Option<bool>> =
                stakes.iter().map(|stake| (stake.extra > most).then_some(stake.away)).collect();
            if let Some((rest, open)) = self.examine(core.contract(&decided), Some(open.price))? {
                self.settle(rest, &open)?;
            }
            self.drain()?;
            self.best.target = i64::MIN;
            // Whatever is worthwhile by now was looked for.
            if self.best.worthwhile().is_some_and(|least| least >= target) {
                return Ok(());
            }
            self.ceiling = self.ceiling.min(target - 1);
        }
    }

    /// Tries vertices in both places until nothing is open.
    fn drain(&mut self) -> Result<(), i64> {
        while let Some(node) = self.open.pop() {
            if self.best.worthwhile().is_some_and(|least| node.bound < least) {
                continue;
            }
            for away in [true, false] {
                let mut decided = vec![None; node.core.len()];
                decided[node.vertex] = Some(away);
                let rest = self.examine(node.core.contract(&decided), Some(node.price));
                if let Some((core, open)) = rest.map_err(|_| node.bound)? {
                    self.settle(core, &open).map_err(|_| node.bound)?;
                }
            }
        }
        Ok(())
    }

    /// Prices and contracts a core until little more is fixed. Nothing is left if nothing in it is worthwhile; if it was
    /// to stop, what is in the core gains at most the error.
    fn examine(&mut self, mut core: Core, mut hint: Option<Price>) -> Result<Option<(Core, Open)>, i64> {
        loop {
            // About what it takes besides the cuts.
            self.steps.spend(8 * core.size() as u64);
            let verdict = Dual::new(&core).run(hint, &mut self.best, self.steps);
            let open = match verdict {
                Verdict::Closed { bound } => {
                    if hint.is_none() {
                        let found = self.best.incumbent.as_ref().map_or(i64::MIN, |best| best.gain);
                        self.ceiling = self.ceiling.min(bound.max(found));
                    }
                    return Ok(None);
                }
                Verdict::Infeasible { least } => {
                    // Of a core it says only that nothing in it is worthwhile.
                    self.least = hint.is_none().then_some(least);
                    return Ok(None);
                }
                Verdict::Stopped { bound } => return Err(bound),
                Verdict::Open(open) => open,
            };
            if hint.is_none() {
                let dropped = self.best.worthwhile().map_or(i64::MIN, |least| least - 1);
                self.ceiling = self.ceiling.min(open.bound.max(dropped));
            }
            let before = core.len();
            if open.decided.iter().any(Option::is_some) {
                core = core.contract(&open.decided);
            }
            if core.len() * 8 > before * 7 || core.len() <= self.tuning.narrowest {
                return Ok(Some((core, open)));
            }
            hint = Some(open.price);
        }
    }

    /// Solves a core that falls into small parts; puts another aside, to be tried with a vertex in both places.
    fn settle(&mut self, core: Core, open: &Open) -> Result<(), i64> {
        let neighbours = Neighbours::new(&core);
        let &Open { bound, price, .. } = open;
        let parts = neighbours.components(|_| true);
        let largest = parts.iter().max_by_key(|part| part.len());
        if largest.is_none_or(|part| part.len() <= self.tuning.part) {
            let steps: &mut Steps<'_> = self.steps;
            let tuning = &self.tuning;
            match pareto::solve(&core, &parts, &neighbours, price, tuning, &mut self.best, steps) {
                Ok(()) => return Ok(()),
                Err(Failed::Stopped) => return Err(bound),
                Err(Failed::TooLong) => {}
            }
        }
        let Some(part) = largest else { return Ok(()) };
        let split = open.pivot.and_then(|pivot| core.origin.binary_search(&pivot).ok());
        let vertex = split.unwrap_or_else(|| {
            let weights = core.weights(price);
            let heaviest = part.iter().max_by_key(|vertex| weights[**vertex as usize]);
            *heaviest.expect("parts are not empty") as usize
        });
        self.open.push(Node { bound, core, price, vertex });
        Ok(())
    }

    /// The answer when there is no going on: what is open, or was being looked into, bounds it.
    fn stopped(mut self, bound: i64) -> Outcome {
        let bound = self.open.bound().map_or(bound, |open| open.max(bound)).min(self.ceiling);
        match self.best.incumbent.take() {
            Some(best) => {
                let dropped = Best::worthwhile_after(best.gain, self.gap).max(self.best.target) - 1;
                let (gain, bound) = (best.gain, bound.max(dropped).min(self.ceiling).max(best.gain));
                Outcome { away: Some(best.away), gain, bound, ending: Ending::Stopped }
            }
            None => Outcome { away: None, gain: 0, bound, ending: Ending::Stopped },
        }
    }
}
