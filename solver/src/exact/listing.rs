//! The choices of one connected part that may be worthwhile.
//!
//! Vertices are decided one after the other. What was decided matters to the rest only through the vertices that still
//! have undecided neighbours; among choices that agree on those, the ones that another beats in both gain and row go, and
//! so do those that already pay too much of what the flow left. On the sparse parts that remain of call graphs the
//! choices stay few even where all subsets would be many.

use super::core::Core;
use super::neighbours::Neighbours;
use super::pareto::{Allowance, Failed};
use super::price::Point;
use crate::cut::Network;

/// A choice for one part, a bit per vertex.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) point: Point,
    /// What it costs more than the cut, in the cut's units.
    pub(super) extra: i64,
    pub(super) away: u64,
}

/// The choices of a part.
pub(super) struct List {
    /// The part's vertices, in the order of the bits.
    pub(super) part: Vec<u32>,
    pub(super) choices: Vec<Choice>,
}

/// Lists choices of a core's parts that cost at most `most` more than the cut that left this network.
pub(super) struct Listing<'a> {
    core: &'a Core,
    neighbours: &'a Neighbours,
    network: &'a Network,
    most: i64,
    /// Per vertex of the core its position in the part, once it has one.
    position: Vec<Option<u32>>,
}

/// An edge to an earlier vertex of a part: what it costs, and what the flow left of it, to have either end alone away.
struct Earlier {
    position: u32,
    apart: Point,
    this_away: i64,
    that_away: i64,
}

impl<'a> Listing<'a> {
    pub(super) fn new(core: &'a Core, neighbours: &'a Neighbours, network: &'a Network, most: i64) -> Self {
        Self { core, neighbours, network, most, position: vec![None; core.len()] }
    }

    pub(super) fn list(&mut self, part: &[u32], allowance: &mut Allowance<'_, '_>) -> Result<List, Failed> {
        let part = self.arrange(part);
        let mut choices = vec![Choice { point: Point::ZERO, extra: 0, away: 0 }];
        // Positions that have undecided neighbours, a bit each.
        let mut live = 0_u64;
        for (index, vertex) in part.iter().enumerate() {
            let earlier = self.earlier(*vertex, index);
            allowance.spend((choices.len() * (4 + earlier.len())) as u64)?;
            choices = self.extend(*vertex, index, &earlier, &choices);
            live |= 1 << index;
            let ends = std::iter::once(index as u32).chain(earlier.iter().map(|edge| edge.position));
            for position in ends {
                let mut others = self.neighbours.of(part[position as usize] as usize);
                if others.all(|(other, _)| self.position[other].is_some_and(|other| other <= index as u32)) {
                    live &= !(1 << position);
                }
            }
            if choices.len() > 1 {
                undominated(&mut choices, live);
            }
        }
        Ok(List { part, choices })
    }

    /// Puts a part in an order in which few vertices are live at a time, and numbers it.
    fn arrange(&mut self, part: &[u32]) -> Vec<u32> {
        let mut order = Vec::with_capacity(part.len());
        let mut reached: Vec<u32> = part[..1].to_vec();
        while let Some(next) = (0..reached.len()).min_by_key(|index| {
            let others = self.neighbours.of(reached[*index] as usize);
            others.filter(|(other, _)| self.position[*other].is_none()).count()
        }) {
            let vertex = reached.remove(next);
            self.position[vertex as usize] = Some(order.len() as u32);
            order.push(vertex);
            for (other, _) in self.neighbours.of(vertex as usize) {
                if self.position[other].is_none() && !reached.contains(&(other as u32)) {
                    reached.push(other as u32);
                }
            }
        }
        order
    }

    fn earlier(&self, vertex: u32, index: usize) -> Vec<Earlier> {
        let edges = self.neighbours.of(vertex as usize).filter_map(|(other, edge)| {
            let position = self.position[other].filter(|position| *position < index as u32)?;
            let (forward, backward) = self.network.residual(edge);
            let edge = &self.core.edges[edge];
            let apart = Point { gain: -edge.cost, row: edge.time };
            let (this_away, that_away) =
                if edge.ends.0 == vertex { (forward, backward) } else { (backward, forward) };
            Some(Earlier { position, apart, this_away, that_away })
        });
        edges.collect()
    }

    /// Both places of the next vertex for every choice so far.
    fn extend(&self, vertex: u32, index: usize, earlier: &[Earlier], choices: &[Choice]) -> Vec<Choice> {
        let terminal = self.network.residual_terminal(vertex as usize);
        let own = Point { gain: self.core.gains[vertex as usize], row: self.core.delays[vertex as usize] };
        let mut extended = Vec::with_capacity(2 * choices.len());
        for choice in choices {
            let mut here = Choice { extra: choice.extra.saturating_add(terminal.max(0)), ..*choice };
            let mut away = Choice {
                point: choice.point.plus(own),
                extra: choice.extra.saturating_add((-terminal).max(0)),
                away: choice.away | 1 << index,
            };
            for edge in earlier {
                if choice.away >> edge.position & 1 == 1 {
                    here.point = here.point.plus(edge.apart);
                    here.extra = here.extra.saturating_add(edge.that_away);
                } else {
                    away.point = away.point.plus(edge.apart);
                    away.extra = away.extra.saturating_add(edge.this_away);
                }
            }
            extended.extend([here, away].into_iter().filter(|choice| choice.extra <= self.most));
        }
        extended
    }
}

/// Keeps what no other one beats in both gain and row that is the same in the live positions; in order of the row if there
/// are none.
fn undominated(choices: &mut Vec<Choice>, live: u64) {
    let key = |choice: &Choice| (choice.away & live, choice.point.row, std::cmp::Reverse(choice.point.gain));
    choices.sort_unstable_by_key(key);
    let mut latest: Option<(u64, i64)> = None;
    choices.retain(|choice| {
        let beaten =
            latest.is_some_and(|(away, gain)| away == choice.away & live && gain >= choice.point.gain);
        if !beaten {
            latest = Some((choice.away & live, choice.point.gain));
        }
        !beaten
    });
}
