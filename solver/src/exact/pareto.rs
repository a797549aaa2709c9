//! Programs that fall into small parts: the choices of every part, and the best that go together under the row.
//!
//! The parts share nothing but the row, so of a part's choices only those count that no other one beats in both gain and
//! row. They are put together part by part (the dynamic program of the knapsack problem in its Pareto form; Nemhauser &
//! Ullmann 1969). A cut at the best price says what every choice costs more than the cheapest; what costs too much to
//! be worthwhile is dropped on the way, which keeps the lists short.

use super::core::Core;
use super::dual::Dual;
use super::incumbent::Best;
use super::listing::{Choice, Listing};
use super::neighbours::Neighbours;
use super::price::{Point, Price};
use super::tuning::Tuning;
use crate::steps::Steps;

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// The lists became too long.
    TooLong,
    /// It was to stop.
    Stopped,
}

/// The steps of one attempt.
pub(super) struct Allowance<'a, 'b> {
    left: u64,
    steps: &'a mut Steps<'b>,
}

impl Allowance<'_, '_> {
    pub(super) fn spend(&mut self, steps: u64) -> Result<(), Failed> {
        if !self.steps.spend(steps) {
            return Err(Failed::Stopped);
        }
        self.left = self.left.checked_sub(steps).ok_or(Failed::TooLong)?;
        Ok(())
    }
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

/// Makes the best of a core whose parts are all small the incumbent, if it is worthwhile.
pub(super) fn solve(
    core: &Core,
    parts: &[Vec<u32>],
    neighbours: &Neighbours,
    price: Price,
    tuning: &Tuning,
    best: &mut Best,
    steps: &mut Steps<'_>,
) -> Result<(), Failed> {
    let worthwhile = best.worthwhile().ok_or(Failed::TooLong)?;
    let mut dual = Dual::new(core);
    let cut = dual.cut(price, steps).ok_or(Failed::Stopped)?;
    let most = dual.most(&cut, worthwhile);
    if most < 0 {
        return Ok(());
    }
    let left = tuning.listing + tuning.listing_per_vertex * core.len() as u64;
    let mut allowance = Allowance { left, steps };
    let mut listing = Listing::new(core, neighbours, &dual.network, most);
    let mut lists = Vec::with_capacity(parts.len());
    for part in parts {
        lists.push(listing.list(part, &mut allowance)?);
    }
    lists.sort_by_key(|list| list.choices.len());

    let start = State { point: Point::ZERO, extra: 0, before: 0, latest: 0 };
    let mut merged = vec![vec![start]];
    for list in &lists {
        merged.push(merge(merged.last().expect("starts with one"), &list.choices, most, &mut allowance)?);
    }
    let last = merged.last().expect("starts with one");
    // In order of the row, each gains more than the one before.
    let fitting = last.partition_point(|state| core.fits(state.point.row));
    if let Some(state) = fitting.checked_sub(1).map(|index| last[index]) {
        let mut away = vec![false; core.len()];
        let mut walk = state;
        for (list, before) in lists.iter().zip(&merged).rev() {
            let choice = list.choices[walk.latest as usize];
            for (bit, vertex) in list.part.iter().enumerate() {
                away[*vertex as usize] = choice.away >> bit & 1 == 1;
            }
            walk = before[walk.before as usize];
        }
        best.offer(core, state.point.gain, |vertex| away[vertex]);
    }
    Ok(())
}

/// Every pair of a state and a choice of the next part that may be worthwhile, less what others beat.
fn merge(
    states: &[State],
    choices: &[Choice],
    most: i64,
    allowance: &mut Allowance<'_, '_>,
) -> Result<Vec<State>, Failed> {
    let mut merged: Vec<Vec<State>> = Vec::with_capacity(choices.len());
    for (latest, choice) in choices.iter().enumerate() {
        allowance.spend(2 * states.len() as u64)?;
        let next = states.iter().enumerate().map(|(before, state)| State {
            point: state.point.plus(choice.point),
            extra: state.extra.saturating_add(choice.extra),
            before: before as u32,
            latest: latest as u32,
        });
        merged.push(next.filter(|state| state.extra <= most).collect());
    }
    // All of them are in order already: two at a time keeps them so.
    while merged.len() > 1 {
        let mut halved = Vec::with_capacity(merged.len().div_ceil(2));
        for pair in merged.chunks(2) {
            allowance.spend(2 * pair.iter().map(Vec::len).sum::<usize>() as u64)?;
            halved.push(match pair {
                [one, other] => both(one, other),
                _ => pair[0].clone(),
            });
        }
        merged = halved;
    }
    Ok(merged.pop().unwrap_or_default())
}

/// What is in either list and not beaten, in order of the row.
fn both(one: &[State], other: &[State]) -> Vec<State> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
    let mut most = i64::MIN;
    loop {
        let order = |state: &&State| (state.point.row, std::cmp::Reverse(state.point.gain));
        let from_left = match (left.peek(), right.peek()) {
            (Some(one), Some(other)) => order(one) <= order(other),
            (one, _) => one.is_some(),
        };
        let Some(state) = (if from_left { left.next() } else { right.next() }) else { return all };
        if state.point.gain > most {
            most = state.point.gain;
            all.push(*state);
        }
    }
}
