//! What the bound leaves open, tried out: split where nothing connects it, else by the places of one method.

use super::dual::{Dead, Dual, places};
use crate::steps::Steps;

/// Labels by number, of those that the search was about, and what they measure, shifted.
pub(super) struct Found {
    pub(super) measure: i64,
    pub(super) labels: Vec<(u32, u16)>,
}

/// A search for the best of what is open.
pub(super) struct Search<'a, 'b> {
    pub(super) steps: &'a mut Steps<'b>,
    /// Whether it gave up somewhere.
    pub(super) gave_up: bool,
}

impl Search<'_, '_> {
    /// With more methods than that undecided and connected, trying them out would hardly end, and keep a copy for each.
    const MOST: usize = 256;

    /// Passes at the root go on for as long as they help; further down the bound starts near its best.
    const PASSES: u32 = 20;

    /// The best of what is open if it measures no more than `most`.
    pub(super) fn run(&mut self, mut dual: Dual, most: i64) -> Option<Found> {
        if dual.raise(most, Self::PASSES, self.steps) == Err(Dead) {
            return None;
        }
        self.finish(dual, most)
    }

    /// The same of a bound that was raised already.
    pub(super) fn finish(&mut self, mut dual: Dual, most: i64) -> Option<Found> {
        if self.steps.stopped() {
            self.gave_up = true;
            return None;
        }
        let mut labels = Vec::new();
        dual.settle(|number, label| labels.push((number, label)));
        if dual.bound > most {
            return None;
        }
        let mut measure = dual.bound;
        for part in dual.split() {
            let found = self.branch(&part, most - measure)?;
            measure += found.measure;
            labels.extend(found.labels);
        }
        Some(Found { measure, labels })
    }

    fn branch(&mut self, dual: &Dual, most: i64) -> Option<Found> {
        if dual.numbers.len() > Self::MOST {
            self.gave_up = true;
            return None;
        }
        let method = dual.most_connected();
        let mut labels: Vec<usize> = places(dual.open[method]).collect();
        labels.sort_by_key(|label| dual.own[method * dual.places + label]);
        let (mut best, mut most) = (None, most);
        for label in labels {
            let mut child = dual.clone();
            child.open[method] = 1 << label;
            if let Some(found) = self.run(child, most) {
                most = found.measure - (1 << dual.shift);
                best = Some(found);
            }
            if self.gave_up {
                return None;
            }
        }
        best
    }
}

impl Dual {
    /// Takes the methods out that one place is left to, with what they cost, and says by number where they are.
    pub(super) fn settle(&mut self, mut decide: impl FnMut(u32, u16)) {
        let size = self.places;
        let decided = |method: u32| {
            let open = self.open[method as usize];
            open.is_power_of_two().then(|| open.trailing_zeros() as usize)
        };
        let methods = 0..self.numbers.len() as u32;
        let labels: Vec<(usize, usize)> =
            methods.filter_map(|method| Some((method as usize, decided(method)?))).collect();
        let (mut bound, mut own) = (self.bound, std::mem::take(&mut self.own));
        for (method, label) in &labels {
            bound += own[method * size + label];
        }
        for (edge, (one, other)) in self.edges.iter().enumerate() {
            let apart = |from: usize, to: usize| self.apart[(edge * size + from) * size + to];
            match (decided(*one), decided(*other)) {
                (Some(from), Some(to)) => bound += apart(from, to),
                (Some(from), None) => {
                    let own = &mut own[*other as usize * size..];
                    places(self.open[*other as usize]).for_each(|to| own[to] += apart(from, to));
                }
                (None, Some(to)) => {
                    let own = &mut own[*one as usize * size..];
                    places(self.open[*one as usize]).for_each(|from| own[from] += apart(from, to));
                }
                (None, None) => {}
            }
        }
        self.own = own;
        let mut part_of = vec![Some(0); self.numbers.len()];
        for (method, label) in labels {
            decide(self.numbers[method], label as u16);
            part_of[method] = None;
        }
        *self = Self { bound, ..self.divide(&part_of, 1).remove(0) };
    }

    /// The parts that no edge connects.
    fn split(&self) -> Vec<Self> {
        let mut part_of = vec![None; self.numbers.len()];
        let mut count = 0;
        for root in 0..self.numbers.len() {
            if part_of[root].is_some() {
                continue;
            }
            let mut pending = vec![root];
            while let Some(method) = pending.pop() {
                if part_of[method].is_none() {
                    part_of[method] = Some(count);
                    pending.extend(self.neighbours(method));
                }
            }
            count += 1;
        }
        self.divide(&part_of, count)
    }

    /// So many parts, with the edges inside each; every part has a bound of its own, of zero.
    fn divide(&self, part_of: &[Option<usize>], count: usize) -> Vec<Self> {
        let (size, square) = (self.places, self.places * self.places);
        let empty = Self {
            places: size,
            numbers: Vec::new(),
            open: Vec::new(),
            own: Vec::new(),
            edges: Vec::new(),
            apart: Vec::new(),
            at: Vec::new(),
            shift: self.shift,
            bound: 0,
        };
        let mut parts = vec![empty; count];
        let mut new = vec![0; self.numbers.len()];
        for (method, part) in part_of.iter().enumerate() {
            let Some(part) = part else { continue };
            let part = &mut parts[*part];
            new[method] = part.numbers.len() as u32;
            part.numbers.push(self.numbers[method]);
            part.open.push(self.open[method]);
            part.own.extend_from_slice(&self.own[method * size..(method + 1) * size]);
        }
        for (edge, (one, other)) in self.edges.iter().enumerate() {
            let (one, other) = (*one as usize, *other as usize);
            if let (Some(part), true) = (part_of[one], part_of[one] == part_of[other]) {
                parts[part].edges.push((new[one], new[other]));
                parts[part].apart.extend_from_slice(&self.apart[edge * square..(edge + 1) * square]);
            }
        }
        parts.iter_mut().for_each(Self::connect);
        parts
    }

    /// The first of the methods with most edges.
    fn most_connected(&self) -> usize {
        let degree = |method: &usize| self.neighbours(*method).count();
        (0..self.numbers.len()).rev().max_by_key(degree).expect("parts are not empty")
    }
}
