//! The edges of a core by vertex.

use super::core::Core;
use super::price::Point;

/// Per vertex its edges, as positions in the core's list.
pub(super) struct Neighbours {
    first: Vec<u32>,
    entries: Vec<(u32, u32)>,
}

impl Neighbours {
    pub(super) fn new(core: &Core) -> Self {
        let mut first = vec![0_u32; core.len() + 1];
        for edge in &core.edges {
            first[edge.ends.0 as usize] += 1;
            first[edge.ends.1 as usize] += 1;
        }
        let mut before = 0;
        for first in &mut first {
            before += std::mem::replace(first, before);
        }
        let mut next = first.clone();
        let mut entries = vec![(0, 0); 2 * core.edges.len()];
        for (index, edge) in core.edges.iter().enumerate() {
            for (end, other) in [edge.ends, (edge.ends.1, edge.ends.0)] {
                let next = &mut next[end as usize];
                entries[*next as usize] = (other, index as u32);
                *next += 1;
            }
        }
        Self { first, entries }
    }

    /// The other ends of a vertex's edges, and the edges as positions in the core's list.
    pub(super) fn of(&self, vertex: usize) -> impl Iterator<Item = (usize, usize)> {
        let entries = &self.entries[self.first[vertex] as usize..self.first[vertex + 1] as usize];
        entries.iter().map(|(other, edge)| (*other as usize, *edge as usize))
    }

    /// What moving one vertex of a choice changes.
    pub(super) fn flip(&self, core: &Core, away: impl Fn(usize) -> bool, vertex: usize) -> Point {
        let here = away(vertex);
        let sign = if here { -1 } else { 1 };
        let mut change = Point { gain: sign * core.gains[vertex], row: sign * core.delays[vertex] };
        for (other, edge) in self.of(vertex) {
            let edge = &core.edges[edge];
            let sign = if away(other) == here { 1 } else { -1 };
            change.gain -= sign * edge.cost;
            change.row += sign * edge.time;
        }
        change
    }

    /// The connected parts among the vertices that `within` names, each in the order in which they are reached.
    pub(super) fn components(&self, within: impl Fn(usize) -> bool) -> Vec<Vec<u32>> {
        let mut seen = vec![false; self.first.len() - 1];
        let mut components = Vec::new();
        for start in 0..seen.len() {
            if seen[start] || !within(start) {
                continue;
            }
            seen[start] = true;
            let mut component = vec![start as u32];
            let mut next = 0;
            while next < component.len() {
                let vertex = component[next] as usize;
                next += 1;
                for (other, _) in self.of(vertex) {
                    if !seen[other] && within(other) {
                        seen[other] = true;
                        component.push(other as u32);
                    }
                }
            }
            components.push(component);
        }
        components
    }
}
