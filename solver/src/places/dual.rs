//! A lower bound on every placement, by moving cost between methods and edges until as much as possible is unavoidable.
//!
//! The measure of a placement is a sum of parts, one per method and one per edge. Moving cost from one part to another
//! changes no placement's measure, but the sum of what each part costs at least: that sum is the bound, and the highest
//! that moves of this kind reach is the linear relaxation's (Schlesinger 1976; Werner 2007). The moves here are those of
//! sequential tree-reweighted message passing (Kolmogorov 2006; written for parts as in Kolmogorov 2015, "A new look at
//! reweighted message passing"): there and back over all methods, each takes what its edges can give, keeps the least as
//! the bound, and hands the rest on to the edges ahead.
//!
//! Parts stay at zero or above in integers, whatever is rounded, so that the bound is one at any time, and no part is ever
//! above what the dearest placement measures.

use super::program::Program;
use crate::steps::Steps;

/// A program, or what is undecided of it, with its cost moved into the bound as far as it was possible.
#[derive(Clone, Debug)]
pub(crate) struct Dual {
    pub(super) places: usize,
    /// Per method the number it has in the program.
    pub(super) numbers: Vec<u32>,
    /// Per method the places that it may still be in, as bits.
    pub(super) open: Vec<u16>,
    /// Per method and place what is left there, by `method · places + place`. Without meaning where not open.
    pub(super) own: Vec<i64>,
    pub(super) edges: Vec<(u32, u32)>,
    /// As [`Program::tables`], of what is left.
    pub(super) apart: Vec<i64>,
    /// Per method its edges, those to methods before it first.
    pub(super) at: Vec<At>,
    /// Every figure is times two to the power of this, so that what is rounded is small.
    pub(super) shift: u32,
    /// Nothing that is open measures less.
    pub(super) bound: i64,
}

/// The edges at a method.
#[derive(Clone, Debug, Default)]
pub(super) struct At {
    behind: Vec<u32>,
    ahead: Vec<u32>,
}

/// A direction over the methods.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// That nothing which is open is as cheap as what is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dead;

impl Dual {
    /// Of a program with its [tables](Program::tables), every figure shifted by so many bits.
    pub(crate) fn new(program: &Program, apart: &[i64], shift: u32) -> Self {
        let scaled = |values: &[i64]| values.iter().map(|value| value << shift).collect();
        let count = program.len();
        let mut dual = Self {
            places: program.places,
            numbers: (0..count as u32).collect(),
            open: vec![u16::MAX >> (u16::BITS as usize - program.places); count],
            own: scaled(&program.own),
            edges: program.edges.clone(),
            apart: scaled(apart),
            at: Vec::new(),
            shift,
            bound: program.base << shift,
        };
        dual.connect();
        dual
    }

    /// Lists the edges at each method.
    pub(super) fn connect(&mut self) {
        self.at = vec![At::default(); self.numbers.len()];
        for (edge, (one, other)) in (0..).zip(&self.edges) {
            self.at[*one as usize].ahead.push(edge);
            self.at[*other as usize].behind.push(edge);
        }
    }

    /// Passes over the methods until the bound hardly rises any more, and closes what measures more than `most`.
    ///
    /// # Errors
    /// Nothing measures as little as `most`.
    pub(crate) fn raise(&mut self, most: i64, passes: u32, steps: &mut Steps<'_>) -> Result<(), Dead> {
        let mut slow = 0;
        for _ in 0..passes {
            let (before, closed) = (self.bound, self.open_count());
            for way in [Way::There, Way::Back] {
                if !steps.spend((self.apart.len() + self.own.len()) as u64 * 2) {
                    return Ok(());
                }
                self.pass(way, most)?;
            }
            // A thousandth of what is missing, a few times over, is as good as nothing.
            let missing = most.saturating_sub(before) / 1_000;
            let rose = self.bound - before > missing || self.open_count() < closed;
            slow = if rose { 0 } else { slow + 1 };
            if slow == 5 || self.is_decided() {
                break;
            }
        }
        Ok(())
    }

    /// Whether one place is left to each method.
    pub(crate) fn is_decided(&self) -> bool {
        self.open.iter().all(|open| open.is_power_of_two())
    }

    /// Sets the label that looks best for each method, given those of the methods before it, by its number.
    pub(crate) fn label(&self, labels: &mut [u16]) {
        for (method, number) in self.numbers.iter().enumerate() {
            let score = |label: usize| {
                let behind = self.at[method].behind.iter().map(|edge| {
                    let before = self.numbers[self.edges[*edge as usize].0 as usize];
                    let before = usize::from(labels[before as usize]);
                    self.apart[(*edge as usize * self.places + before) * self.places + label]
                });
                self.own[method * self.places + label] + behind.sum::<i64>()
            };
            let best = places(self.open[method]).min_by_key(|label| score(*label));
            labels[*number as usize] = best.expect("a method without places is dead") as u16;
        }
    }

    /// The methods at the other ends of a method's edges.
    pub(super) fn neighbours(&self, method: usize) -> impl Iterator<Item = usize> {
        let At { behind, ahead } = &self.at[method];
        let behind = behind.iter().map(|edge| self.edges[*edge as usize].0 as usize);
        behind.chain(ahead.iter().map(|edge| self.edges[*edge as usize].1 as usize))
    }

    fn open_count(&self) -> u32 {
        self.open.iter().map(|open| open.count_ones()).sum()
    }

    fn pass(&mut self, way: Way, most: i64) -> Result<(), Dead> {
        for step in 0..self.numbers.len() {
            let method = if way == Way::There { step } else { self.numbers.len() - 1 - step };
            self.collect(method);
            self.close(method, most)?;
            self.hand_on(method, way);
        }
        Ok(())
    }

    /// Takes what the edges at a method cost at least, by its place.
    fn collect(&mut self, method: usize) {
        let own = method * self.places;
        let At { behind, ahead } = &self.at[method];
        for (edge, is_first) in
            behind.iter().map(|edge| (edge, false)).chain(ahead.iter().map(|edge| (edge, true)))
        {
            let (one, other) = self.edges[*edge as usize];
            let neighbour = self.open[if is_first { other } else { one } as usize];
            let (stride, step) = if is_first { (self.places, 1) } else { (1, self.places) };
            let table = *edge as usize * self.places * self.places;
            for label in places(self.open[method]) {
                let row = table + label * stride;
                let least = places(neighbour).map(|there| self.apart[row + there * step]).min();
                let least = least.unwrap_or(0);
                if least != 0 {
                    places(neighbour).for_each(|there| self.apart[row + there * step] -= least);
                    self.own[own + label] += least;
                }
            }
        }
    }

    /// Keeps what a method costs at least as the bound, and closes the places at which it costs too much.
    fn close(&mut self, method: usize, most: i64) -> Result<(), Dead> {
        let open = self.open[method];
        let own = &mut self.own[method * self.places..(method + 1) * self.places];
        let least = places(open).map(|label| own[label]).min().ok_or(Dead)?;
        self.bound += least;
        for label in places(open) {
            own[label] -= least;
            // Everything else costs nothing or more, so that this is what the place costs at least.
            if self.bound + own[label] > most {
                self.open[method] &= !(1 << label);
            }
        }
        if self.open[method] == 0 { Err(Dead) } else { Ok(()) }
    }

    /// Spreads what a method costs over the edges ahead; as much stays as there are more edges behind.
    fn hand_on(&mut self, method: usize, way: Way) {
        let At { behind, ahead } = &self.at[method];
        let parts = behind.len().max(ahead.len()) as i64;
        let targets = if way == Way::There { ahead } else { behind };
        for label in places(self.open[method]) {
            let own = &mut self.own[method * self.places + label];
            if *own == 0 || targets.is_empty() {
                continue;
            }
            let share = *own / parts;
            *own -= share * targets.len() as i64;
            for edge in targets {
                let (one, other) = self.edges[*edge as usize];
                let is_first = one as usize == method;
                let (stride, step) = if is_first { (self.places, 1) } else { (1, self.places) };
                let row = *edge as usize * self.places * self.places + label * stride;
                let neighbour = self.open[if is_first { other } else { one } as usize];
                places(neighbour).for_each(|there| self.apart[row + there * step] += share);
            }
        }
    }
}

/// The places of a set.
pub(super) fn places(mut set: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = set.trailing_zeros();
        let is_in = set != 0;
        set &= set.wrapping_sub(1);
        is_in.then_some(place as usize)
    })
}
