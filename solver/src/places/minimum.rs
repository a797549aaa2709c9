//! The least that a program measures, as nearly as is known, and labels that come nearest to it.

use outboard_core::{PlaceIndex, Problem};

use super::branch::Search;
use super::dual::{Dead, Dual};
use super::expand::Expansion;
use super::program::Program;
use super::row;
use crate::steps::Steps;

/// Labels, what they measure, and what none measure less than.
#[derive(Clone, Debug)]
pub(crate) struct Minimum {
    pub(crate) labels: Vec<u16>,
    pub(crate) measure: i64,
    pub(crate) floor: i64,
}

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds of raising the bound, each followed by a try at better labels.
    pub(crate) rounds: u32,
    /// Whether to try out what the bound leaves open.
    pub(crate) branches: bool,
    /// Millionths of what is found that may be left open.
    pub(crate) gap: u32,
}

impl Effort {
    /// For an answer.
    pub(crate) fn thorough(gap: u32) -> Self {
        Self { rounds: 40, branches: true, gap }
    }

    /// For one bound among many.
    pub(crate) const QUICK: Self = Self { rounds: 2, branches: false, gap: 0 };

    /// For a bound that is to be good.
    pub(crate) const BOUND: Self = Self { rounds: 20, branches: false, gap: 0 };

    /// Moves alone.
    #[cfg(test)]
    pub(crate) const MOVES: Self = Self { rounds: 0, branches: false, gap: 0 };
}

impl Minimum {
    /// Looks for the least, at first by moves from `start`; what comes of it is never worse than that.
    pub(crate) fn of(
        program: &Program,
        row: Option<&[PlaceIndex]>,
        start: &[u16],
        effort: Effort,
        steps: &mut Steps<'_>,
    ) -> Self {
        let mut minimum = Self::at(program, start);
        match row {
            Some(row) => {
                if let Some(labels) = row::solve(program, row, steps) {
                    minimum = Self::at(program, &labels);
                    minimum.floor = minimum.measure;
                }
            }
            None => minimum.approach(program, effort, steps),
        }
        minimum
    }

    fn at(program: &Program, labels: &[u16]) -> Self {
        Self { labels: labels.to_vec(), measure: program.measure(labels), floor: program.floor() }
    }

    /// Whether nothing is better by more than the gap.
    fn is_done(&self, gap: u32) -> bool {
        self.floor > self.wanted(gap)
    }

    /// What labels have to measure to be worth looking for.
    fn wanted(&self, gap: u32) -> i64 {
        let allowed = i128::from(self.measure) * i128::from(gap) / 1_000_000;
        self.measure - 1 - allowed as i64
    }

    fn take(&mut self, program: &Program, labels: &[u16]) {
        let measure = program.measure(labels);
        if measure < self.measure {
            (self.labels, self.measure) = (labels.to_vec(), measure);
        }
    }

    /// Moves first, from every place's best start, then the bound, then whatever that leaves open.
    fn approach(&mut self, program: &Program, effort: Effort, steps: &mut Steps<'_>) {
        let apart = program.tables();
        let mut expansion = Expansion::new(program, &apart);
        let mut starts = Vec::new();
        for place in 1..program.places as u16 {
            let mut labels = self.labels.clone();
            if expansion.move_to(place, &mut labels, steps).is_none() {
                break;
            }
            starts.push((program.measure(&labels), labels));
        }
        starts.sort_by_key(|(measure, _)| *measure);
        starts.push((0, cheapest(program)));
        let mut starts = starts.into_iter();
        let mut settle = |minimum: &mut Self, mut labels: Vec<u16>, steps: &mut Steps<'_>| {
            // Where the steps run out what was found by then counts.
            let _ = expansion.settle(&mut labels, steps);
            minimum.take(program, &labels);
        };
        // The best start is mostly enough, and the bound tells.
        if let Some((_, labels)) = starts.next() {
            settle(self, labels, steps);
        }

        let mut dual = Dual::new(program, &apart, shift(program));
        let mut best = self.labels.clone();
        for round in 1..=effort.rounds {
            let before = (dual.bound, self.measure);
            if dual.raise(self.wanted(effort.gap) << dual.shift, 8, steps) == Err(Dead) {
                self.floor = self.wanted(effort.gap) + 1;
                return;
            }
            // What is decided is so for everything that is better than what is known.
            dual.settle(|number, label| best[number as usize] = label);
            self.floor = self.floor.max(ceiling(dual.bound, dual.shift));
            if self.is_done(effort.gap) || steps.stopped() {
                return;
            }
            dual.label(&mut best);
            // Cuts cost more than passes, and the bound suggests much the same from one round to the next.
            if round.is_power_of_two() || program.measure(&best) < self.measure {
                settle(self, best.clone(), steps);
            }
            let next = starts.next();
            let was_last = next.is_none();
            if let Some((_, labels)) = next {
                settle(self, labels, steps);
            }
            if was_last && (dual.bound, self.measure) == before {
                break;
            }
        }
        for (_, labels) in starts {
            settle(self, labels, steps);
        }
        if effort.branches && !self.is_done(effort.gap) {
            self.branch(program, dual, best, effort, steps);
        }
    }

    /// Tries out what is open; `labels` have what is not.
    fn branch(
        &mut self,
        program: &Program,
        dual: Dual,
        mut labels: Vec<u16>,
        Effort { gap, .. }: Effort,
        steps: &mut Steps<'_>,
    ) {
        let shift = dual.shift;
        let mut search = Search { steps, gave_up: false };
        let wanted = self.wanted(gap);
        match search.finish(dual, wanted << shift) {
            Some(found) => {
                for (number, label) in found.labels {
                    labels[number as usize] = label;
                }
                self.take(program, &labels);
                debug_assert_eq!(self.measure, found.measure >> shift, "the labels measure what was found");
                self.floor = self.measure;
            }
            None if !search.gave_up => self.floor = wanted + 1,
            None => {}
        }
    }
}

/// Every method where it is cheapest by itself, the nearest of the cheapest.
fn cheapest(program: &Program) -> Vec<u16> {
    let label = |number| {
        let own = program.own(number);
        (0..own.len()).min_by_key(|place| own[*place]).expect("there are places") as u16
    };
    (0..program.len()).map(label).collect()
}

/// By how many bits everything can be shifted and still add up, 16 at most.
fn shift(program: &Program) -> u32 {
    (Problem::LARGEST_SUM.cast_signed() / program.sum().max(1)).ilog2().min(16)
}

/// Shifted back and rounded up.
fn ceiling(value: i64, shift: u32) -> i64 {
    (value >> shift) + i64::from(value & ((1 << shift) - 1) != 0)
}
