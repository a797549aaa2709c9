//! The best choice known so far.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Gap;
use super::core::Core;
use super::neighbours::Neighbours;
use super::price::{Point, Price};

/// A choice that meets the row, in the program's numbers.
pub(super) struct Incumbent {
    pub(super) gain: i64,
    pub(super) away: Vec<bool>,
}

/// The incumbent, if there is one yet, and how much better another has to be to matter.
pub(super) struct Best {
    pub(super) incumbent: Option<Incumbent>,
    vertices: usize,
    gap: Gap,
    /// Less is not looked for, for now.
    pub(super) target: i64,
}

impl Best {
    pub(super) fn new(vertices: usize, gap: Gap) -> Self {
        Self { incumbent: None, vertices, gap, target: i64::MIN }
    }

    /// Takes a choice for a core's vertices that gains `gain` on top of what is banked, if that is better.
    pub(super) fn offer(&mut self, core: &Core, gain: i64, away: impl Fn(usize) -> bool) -> bool {
        let gain = core.banked + gain;
        if self.incumbent.as_ref().is_some_and(|best| best.gain >= gain) {
            return false;
        }
        let best = self.incumbent.get_or_insert_with(|| Incumbent { gain, away: vec![false; self.vertices] });
        best.gain = gain;
        core.expand(away, &mut best.away);
        true
    }

    /// The least gain that is looked for; `None` while any is.
    pub(super) fn worthwhile(&self) -> Option<i64> {
        let beyond = |best: &Incumbent| Self::worthwhile_after(best.gain, self.gap).max(self.target);
        self.incumbent.as_ref().map(beyond)
    }

    /// The least gain that is worth looking for once `gain` is known.
    pub(super) fn worthwhile_after(gain: i64, gap: Gap) -> i64 {
        gain + 1 + gap.beyond(gain)
    }

    /// Tries what is between a choice that meets the row and one that does not: where the two differ they differ in
    /// connected parts, and each part can be taken from either without the others noticing.
    pub(super) fn mix(&mut self, core: &Core, low: &[bool], high: &[bool]) {
        let neighbours = Neighbours::new(core);
        let parts = neighbours.components(|vertex| low[vertex] != high[vertex]);
        let mut moved = low.to_vec();
        let mut change = |part: &[u32]| {
            let mut sum = Point::ZERO;
            for vertex in part {
                let change = neighbours.flip(core, |vertex| moved[vertex], *vertex as usize);
                moved[*vertex as usize] = high[*vertex as usize];
                sum.gain += change.gain;
                sum.row += change.row;
            }
            sum
        };
        let mut parts: Vec<(Point, &[u32])> =
            parts.iter().map(|part| (change(part), part.as_slice())).collect();
        // What relaxes the row first, then what gains most: near the best price all parts gain about the same per row.
        parts.sort_by_key(|(change, _)| (change.row > 0, Reverse(change.gain)));
        let mut walk = Walk::new(core, &neighbours, low);
        for (change, part) in parts {
            if (change.row <= 0 && change.gain >= 0)
                || (change.gain > 0 && core.fits(walk.point.row + change.row))
            {
                for vertex in part {
                    walk.flip(*vertex as usize);
                }
            }
        }
        walk.climb();
        if core.fits(walk.point.row) {
            self.offer(core, walk.point.gain, |vertex| walk.away[vertex]);
        }
    }

    /// Tries what is left of a choice that does not meet the row when the vertices that cost least for what they relax it
    /// are moved until it does. Where one large part is all that two cuts differ in this finds pieces of it.
    pub(super) fn peel(&mut self, core: &Core, price: Price, high: &[bool]) {
        let neighbours = Neighbours::new(core);
        let mut walk = Walk::new(core, &neighbours, high);
        walk.peel(price);
        walk.climb();
        if core.fits(walk.point.row) {
            self.offer(core, walk.point.gain, |vertex| walk.away[vertex]);
        }
    }
}

/// Single moves from one choice to the next.
struct Walk<'a> {
    core: &'a Core,
    neighbours: &'a Neighbours,
    away: Vec<bool>,
    point: Point,
}

impl<'a> Walk<'a> {
    fn new(core: &'a Core, neighbours: &'a Neighbours, away: &[bool]) -> Self {
        let point = core.measure(|vertex| away[vertex]);
        Self { core, neighbours, away: away.to_vec(), point }
    }

    fn change(&self, vertex: usize) -> Point {
        self.neighbours.flip(self.core, |vertex| self.away[vertex], vertex)
    }

    fn flip(&mut self, vertex: usize) {
        let change = self.change(vertex);
        self.away[vertex] = !self.away[vertex];
        self.point = Point { gain: self.point.gain + change.gain, row: self.point.row + change.row };
    }

    /// Moves what relaxes the row at the least cost, each vertex once at most, until the row is met.
    fn peel(&mut self, price: Price) {
        let rate = |change: Point| {
            (change.row < 0).then(|| Reverse(price.of(change).div_euclid(-i128::from(change.row))))
        };
        let mut moved = vec![false; self.core.len()];
        let mut heap: BinaryHeap<(Reverse<i128>, u32)> = (0..self.core.len())
            .filter_map(|vertex| Some((rate(self.change(vertex))?, vertex as u32)))
            .collect();
        while !self.core.fits(self.point.row) {
            let Some((was, vertex)) = heap.pop() else { break };
            let vertex = vertex as usize;
            let Some(is) = rate(self.change(vertex)).filter(|_| !moved[vertex]) else { continue };
            // Its neighbours have moved since.
            if is < was {
                heap.push((is, vertex as u32));
                continue;
            }
            self.flip(vertex);
            moved[vertex] = true;
            for (other, _) in self.neighbours.of(vertex) {
                if let Some(rate) = rate(self.change(other)).filter(|_| !moved[other]) {
                    heap.push((rate, other as u32));
                }
            }
        }
    }

    /// Moves whatever gains and fits, at most a few rounds: later ones find ever less.
    fn climb(&mut self) {
        for _ in 0..3 {
            let mut moved = false;
            for vertex in 0..self.core.len() {
                let change = self.change(vertex);
                if change.gain > 0 && self.core.fits(self.point.row + change.row) {
                    self.flip(vertex);
                    moved = true;
                }
            }
            if !moved {
                break;
            }
        }
    }
}
