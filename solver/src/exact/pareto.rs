//! Programs that fall into small parts: every choice of every part, and the best that goes together under the row.
//!
//! The parts share nothing but the row, so of a part's choices only those count that no other one beats in both gain and
//! row. They are put together part by part (the dynamic program of the knapsack problem in its Pareto form; Nemhauser &
//! Ullmann 1969), and what the price says cannot end up worthwhile is dropped on the way, which keeps the lists short.

use super::core::{Core, Point};
use super::dual::Price;
use super::incumbent::Best;
use super::neighbours::Neighbours;
use crate::steps::Steps;

/// The largest part whose choices are all tried: 4096 of them.
pub(super) const LARGEST: usize = 12;

/// The longest list of choices that is kept.
const LONGEST: usize = 1 << 17;

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

/// A choice for some parts.
#[derive(Clone, Copy)]
struct State {
    point: Point,
    /// What it costs more than the cheapest choice for the same parts.
    extra: i128,
    /// The choice for all but the latest part, as a position in the list before.
    before: u32,
    /// The choice for the latest part, a bit per vertex.
    mask: u32,
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
    let worthwhile = best.worthwhile().map_or(i64::MIN / 2, |least| least - core.banked);
    let slack = core.slack.unwrap_or(0);
    // Cost of the cheapest choice, and choices of each part with what they cost more.
    let mut cheapest = 0;
    let mut lists = Vec::with_capacity(parts.len());
    for part in parts {
        if !steps.spend(4 << part.len()) {
            return Attempt::Stopped;
        }
        let (list, least) = choices(core, part, neighbours, price);
        cheapest += least;
        lists.push(list);
    }
    let most = i128::from(price.row) * i128::from(slack)
        - i128::from(price.gain) * i128::from(worthwhile)
        - cheapest;
    for list in &mut lists {
        list.retain(|state| state.extra <= most);
        undominated(list);
    }
    let mut order: Vec<usize> = (0..lists.len()).collect();
    order.sort_by_key(|part| lists[*part].len());

    let start = State { point: Point { gain: 0, row: 0 }, extra: 0, before: 0, mask: 0 };
    let mut merged = vec![vec![start]];
    for part in &order {
        let mut list = std::mem::take(&mut lists[*part]);
        list.sort_by_key(|state| state.extra);
        let mut next = Vec::new();
        for (index, state) in merged.last().expect("starts with one").iter().enumerate() {
            for choice in &list {
                let extra = state.extra + choice.extra;
                if extra > most {
                    break;
                }
                let point = Point {
                    gain: state.point.gain + choice.point.gain,
                    row: state.point.row + choice.point.row,
                };
                next.push(State { point, extra, before: index as u32, mask: choice.mask });
            }
            if next.len() > 4 * LONGEST {
                undominated(&mut next);
                if next.len() > LONGEST {
                    return Attempt::TooLong;
                }
            }
        }
        if !steps.spend(4 * next.len() as u64) {
            return Attempt::Stopped;
        }
        undominated(&mut next);
        merged.push(next);
    }

    let last = merged.last().expect("starts with one");
    // Sorted by row, and each gains more than the one before.
    let fitting = last.partition_point(|state| core.fits(state.point.row));
    if let Some(state) = fitting.checked_sub(1).map(|index| last[index]) {
        let mut away = vec![false; core.len()];
        let mut walk = state;
        for (part, before) in order.iter().zip(&merged).rev() {
            for (bit, vertex) in parts[*part].iter().enumerate() {
                away[*vertex as usize] = walk.mask >> bit & 1 == 1;
            }
            walk = before[walk.before as usize];
        }
        best.offer(core, state.point.gain, |vertex| away[vertex]);
    }
    Attempt::Done
}

/// Every choice of a part, with what it costs beyond the cheapest, and what that one costs.
fn choices(core: &Core, part: &[u32], neighbours: &Neighbours, price: Price) -> (Vec<State>, i128) {
    let mut position = vec![0_u32; core.len()];
    for (index, vertex) in part.iter().enumerate() {
        position[*vertex as usize] = index as u32;
    }
    let mut states = Vec::with_capacity(1 << part.len());
    let (mut point, mut mask) = (Point { gain: 0, row: 0 }, 0_u32);
    // One vertex moves between a choice and the next (Gray code).
    for number in 1_u32..=1 << part.len() {
        states.push(State { point, extra: price.of(point), before: 0, mask });
        let bit = number.trailing_zeros();
        if let Some(vertex) = part.get(bit as usize) {
            let away = |vertex: usize| mask >> position[vertex] & 1 == 1;
            let change = neighbours.flip(core, away, *vertex as usize);
            point = Point { gain: point.gain + change.gain, row: point.row + change.row };
            mask ^= 1 << bit;
        }
    }
    let least = states.iter().map(|state| state.extra).min().expect("there is the empty choice");
    for state in &mut states {
        state.extra -= least;
    }
    (states, least)
}

/// Keeps what no other choice beats in both gain and row, in order of the row.
fn undominated(states: &mut Vec<State>) {
    states.sort_unstable_by_key(|state| {
        (state.point.row, std::cmp::Reverse(state.point.gain), state.before, state.mask)
    });
    let mut most = i64::MIN;
    states.retain(|state| {
        let better = state.point.gain > most;
        if better {
            most = state.point.gain;
        }
        better
    });
}
