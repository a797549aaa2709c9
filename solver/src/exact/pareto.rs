//! Programs that fall into small parts: the choices of every part, and the best that go together under the row.
//!
//! The parts share nothing but the row, so of a part's choices only those count that no other one beats in both gain and
//! row. They are put together part by part (the dynamic program of the knapsack problem in its Pareto form; Nemhauser &
//! Ullmann 1969). A cut at the best price says what every choice costs more than the cheapest; what costs too much to
//! be worthwhile is dropped on the way, which keeps the lists short.

use super::core::{Core, Point};
use super::dual::{Dual, Price};
use super::incumbent::Best;
use super::neighbours::Neighbours;
use crate::cut::Network;
use crate::steps::Steps;

/// The most vertices of a part: a bit each.
pub(super) const LARGEST: usize = 64;

/// The longest list of choices that is kept.
const LONGEST: usize = 1 << 16;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The best of the core is the incumbent, if it is worthwhile.
    Done,
    /// The lists became too long.
    TooLong,
    /// It was to stop.
    Stopped,
}

/// A choice for one part, a bit per vertex.
#[derive(Clone, Copy)]
struct Choice {
    point: Point,
    /// What it costs more than the cut, in the cut's units.
    extra: i64,
    away: u64,
}

/// A choice for some parts.
#[derive(Clone, Copy)]
struct State {
    point: Point,
    extra: i64,
    /// The choice for all but the latest part, and that for the latest, as positions in their lists.
    before: u32,
    latest: u32,
}

/// Finds the best of a core whose parts are all small.
pub(super) fn solve(
    core: &Core,
    parts: &[Vec<u32>],
    neighbours: &Neighbours,
    price: Price,
    best: &mut Best,
    steps: &mut Steps<'_>,
) -> Attempt {
    let Some(worthwhile) = best.worthwhile() else { return Attempt::TooLong };
    let mut dual = Dual::new(core);
    let Some(cut) = dual.cut(price, steps) else { return Attempt::Stopped };
    let most = dual.most(&cut, worthwhile);
    if most < 0 {
        return Attempt::Done;
    }
    let mut listing = Listing::new(core, neighbours, &dual.network, most);
    let mut lists = Vec::with_capacity(parts.len());
    for part in parts {
        let list = listing.list(part);
        if !steps.spend(listing.looked) {
            return Attempt::Stopped;
        }
        match list {
            Some(list) => lists.push(list),
            None => return Attempt::TooLong,
        }
    }
    let mut order: Vec<usize> = (0..lists.len()).collect();
    order.sort_by_key(|part| lists[*part].len());

    let start = State { point: Point { gain: 0, row: 0 }, extra: 0, before: 0, latest: 0 };
    let mut merged = vec![vec![start]];
    for part in &order {
        match merge(merged.last().expect("starts with one"), &lists[*part], most, steps) {
            Ok(next) => merged.push(next),
            Err(attempt) => return attempt,
        }
    }
    let last = merged.last().expect("starts with one");
    // In order of the row, each gains more than the one before.
    let fitting = last.partition_point(|state| core.fits(state.point.row));
    if let Some(state) = fitting.checked_sub(1).map(|index| last[index]) {
        let mut away = vec![false; core.len()];
        let mut walk = state;
        for (part, before) in order.iter().zip(&merged).rev() {
            let choice = lists[*part][walk.latest as usize];
            for (bit, vertex) in parts[*part].iter().enumerate() {
                away[*vertex as usize] = choice.away >> bit & 1 == 1;
            }
            walk = before[walk.before as usize];
        }
        best.offer(core, state.point.gain, |vertex| away[vertex]);
    }
    Attempt::Done
}

/// Every pair of a state and a choice of the next part that may be worthwhile.
fn merge(
    states: &[State],
    choices: &[Choice],
    most: i64,
    steps: &mut Steps<'_>,
) -> Result<Vec<State>, Attempt> {
    let mut next = Vec::with_capacity(states.len() * 2);
    let mut looked = 0;
    for (index, state) in states.iter().enumerate() {
        for (latest, choice) in choices.iter().enumerate() {
            let extra = state.extra + choice.extra;
            if extra > most {
                break;
            }
            let point = state.point.plus(choice.point);
            next.push(State { point, extra, before: index as u32, latest: latest as u32 });
        }
        looked += choices.len();
        if looked > 4_096 && !steps.spend(4 * std::mem::take(&mut looked) as u64) {
            return Err(Attempt::Stopped);
        }
        if next.len() > 4 * LONGEST {
            undominated(&mut next, |state| state.point);
            if next.len() > LONGEST {
                return Err(Attempt::TooLong);
            }
        }
    }
    if !steps.spend(8 * next.len() as u64) {
        return Err(Attempt::Stopped);
    }
    undominated(&mut next, |state| state.point);
    Ok(next)
}

/// Lists choices of parts.
struct Listing<'a> {
    core: &'a Core,
    neighbours: &'a Neighbours,
    network: &'a Network,
    most: i64,
    /// Per vertex of the core its position in the part.
    position: Vec<u32>,
    looked: u64,
    /// Per position the edges to earlier ones.
    earlier: Vec<Vec<Earlier>>,
}

/// An edge to an earlier vertex of a part: what it costs, and what remains of it, to have either end alone away.
struct Earlier {
    position: u32,
    apart: Point,
    this_away: i64,
    that_away: i64,
}

impl<'a> Listing<'a> {
    fn new(core: &'a Core, neighbours: &'a Neighbours, network: &'a Network, most: i64) -> Self {
        let position = vec![0; core.len()];
        Self { core, neighbours, network, most, position, looked: 0, earlier: Vec::new() }
    }

    /// The choices of a part that may be worthwhile, in order of what they cost; `None` if there are too many.
    fn list(&mut self, part: &[u32]) -> Option<Vec<Choice>> {
        self.looked = 0;
        for (index, vertex) in part.iter().enumerate() {
            self.position[*vertex as usize] = index as u32;
        }
        self.earlier.clear();
        for (index, vertex) in part.iter().enumerate() {
            let earlier = self.neighbours.of(*vertex as usize).filter_map(|(other, edge)| {
                let position = self.position[other];
                let (forward, backward) = self.network.residual(edge);
                let edge = &self.core.edges[edge];
                let first = edge.ends.0 == *vertex;
                let (this_away, that_away) = if first { (forward, backward) } else { (backward, forward) };
                let apart = Point { gain: -edge.cost, row: edge.time };
                (position < index as u32).then_some(Earlier { position, apart, this_away, that_away })
            });
            self.earlier.push(earlier.collect());
        }
        let mut choices = Vec::new();
        let start = Choice { point: Point { gain: 0, row: 0 }, extra: 0, away: 0 };
        let complete = self.extend(part, 0, start, &mut choices);
        undominated(&mut choices, |choice| choice.point);
        choices.sort_by_key(|choice| choice.extra);
        complete.then_some(choices)
    }

    /// Lists what begins with these choices for the vertices before `index`; says whether all of it was listed.
    fn extend(&mut self, part: &[u32], index: usize, so_far: Choice, choices: &mut Vec<Choice>) -> bool {
        let Some(vertex) = part.get(index).map(|vertex| *vertex as usize) else {
            choices.push(so_far);
            return choices.len() < LONGEST;
        };
        let terminal = self.network.residual_terminal(vertex);
        self.looked += 2 + self.earlier[index].len() as u64;
        let mut here = Choice { extra: so_far.extra + terminal.max(0), ..so_far };
        let own = Point { gain: self.core.gains[vertex], row: self.core.delays[vertex] };
        let mut away = Choice {
            point: so_far.point.plus(own),
            extra: so_far.extra + (-terminal).max(0),
            away: so_far.away | 1 << index,
        };
        for edge in &self.earlier[index] {
            if so_far.away >> edge.position & 1 == 1 {
                here.point = here.point.plus(edge.apart);
                here.extra = here.extra.saturating_add(edge.that_away);
            } else {
                away.point = away.point.plus(edge.apart);
                away.extra = away.extra.saturating_add(edge.this_away);
            }
        }
        [here, away]
            .into_iter()
            .all(|choice| choice.extra > self.most || self.extend(part, index + 1, choice, choices))
            && self.looked < 16 * LONGEST as u64
    }
}

/// Keeps what no other one beats in both gain and row, in order of the row.
fn undominated<T>(all: &mut Vec<T>, point: impl Fn(&T) -> Point) {
    all.sort_unstable_by_key(|one| (point(one).row, std::cmp::Reverse(point(one).gain)));
    let mut most = i64::MIN;
    all.retain(|one| {
        let better = point(one).gain > most;
        if better {
            most = point(one).gain;
        }
        better
    });
}
