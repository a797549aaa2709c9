//! What is left of a program when some of its vertices are decided.

use std::rc::Rc;

use super::Program;
use super::price::{Point, Price};

/// A program over the undecided vertices, numbered anew, and what the decided ones amount to.
#[derive(Clone)]
pub(super) struct Core {
    pub(super) gains: Vec<i64>,
    pub(super) delays: Vec<i64>,
    /// At most one per pair, in order.
    pub(super) edges: Vec<Edge>,
    /// What the undecided vertices may use of the row; `None` if there is no row.
    pub(super) slack: Option<i64>,
    /// What the decided vertices gain, with what it costs that undecided ones are here.
    pub(super) banked: i64,
    /// Per undecided vertex its number in the program.
    pub(super) origin: Vec<u32>,
    trail: Option<Rc<Trail>>,
}

/// An edge between undecided vertices.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) ends: (u32, u32),
    pub(super) cost: i64,
    pub(super) time: i64,
}

/// What was decided, back to the program. Cores that come from the same one share its trail.
struct Trail {
    before: Option<Rc<Trail>>,
    decided: Vec<(u32, bool)>,
}

impl Core {
    pub(super) fn new(program: &Program) -> Self {
        let vertices = program.gains.len();
        let row = program.row.as_ref();
        let mut edges: Vec<Edge> = Vec::with_capacity(program.edges.len());
        for (index, (u, v)) in program.edges.iter().enumerate().filter(|(_, (u, v))| u != v) {
            let time = row.map_or(0, |row| row.times[index]);
            edges.push(Edge { ends: (*u.min(v), *u.max(v)), cost: program.apart[index], time });
        }
        if !edges.is_sorted_by(|one, next| one.ends < next.ends) {
            edges.sort_by_key(|edge| edge.ends);
            edges.dedup_by(|next, kept| {
                let same = next.ends == kept.ends;
                if same {
                    kept.cost += next.cost;
                    kept.time += next.time;
                }
                same
            });
        }
        Self {
            gains: program.gains.clone(),
            delays: row.map_or_else(|| vec![0; vertices], |row| row.delays.clone()),
            edges,
            // Past the sums of a program a slack is as good as none, or as good as never.
            slack: row.map(|row| row.slack.clamp(-(1 << 61), 1 << 61)),
            banked: 0,
            origin: (0..vertices as u32).collect(),
            trail: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.gains.len()
    }

    /// How much there is to look at: vertices and edges.
    pub(super) fn size(&self) -> usize {
        self.gains.len() + self.edges.len()
    }

    /// What a choice for the undecided vertices gains on top of what is banked, and what it uses of the row.
    pub(super) fn measure(&self, away: impl Fn(usize) -> bool) -> Point {
        let mut point = Point::ZERO;
        for (vertex, (gain, delay)) in self.gains.iter().zip(&self.delays).enumerate() {
            if away(vertex) {
                point.gain += gain;
                point.row += delay;
            }
        }
        for edge in &self.edges {
            if away(edge.ends.0 as usize) != away(edge.ends.1 as usize) {
                point.gain -= edge.cost;
                point.row += edge.time;
            }
        }
        point
    }

    /// What moving each vertex can change at most, at a price.
    pub(super) fn weights(&self, price: Price) -> Vec<i128> {
        let of = |gain: i64, row: i64| price.of(Point { gain: -gain.abs(), row: row.abs() });
        let own = self.gains.iter().zip(&self.delays);
        let mut weights: Vec<i128> = own.map(|(gain, delay)| of(*gain, *delay)).collect();
        for edge in &self.edges {
            weights[edge.ends.0 as usize] += of(edge.cost, edge.time);
            weights[edge.ends.1 as usize] += of(edge.cost, edge.time);
        }
        weights
    }

    pub(super) fn fits(&self, row: i64) -> bool {
        self.slack.is_none_or(|slack| row <= slack)
    }

    /// The rest once some more vertices are decided.
    pub(super) fn contract(&self, decided: &[Option<bool>]) -> Self {
        let mut core = Self {
            gains: Vec::new(),
            delays: Vec::new(),
            edges: Vec::new(),
            slack: self.slack,
            banked: self.banked,
            origin: Vec::new(),
            trail: None,
        };
        let mut used = 0;
        let mut gains = self.gains.clone();
        let mut delays = self.delays.clone();
        for edge in &self.edges {
            let (u, v) = (edge.ends.0 as usize, edge.ends.1 as usize);
            let (free, away) = match (decided[u], decided[v]) {
                (None, None) => continue,
                (Some(u_away), Some(v_away)) => {
                    if u_away != v_away {
                        core.banked -= edge.cost;
                        used += edge.time;
                    }
                    continue;
                }
                (Some(away), None) => (v, away),
                (None, Some(away)) => (u, away),
            };
            if away {
                core.banked -= edge.cost;
                used += edge.time;
                gains[free] += edge.cost;
                delays[free] -= edge.time;
            } else {
                gains[free] -= edge.cost;
                delays[free] += edge.time;
            }
        }
        let mut number = vec![0_u32; self.len()];
        let mut trail = Vec::new();
        for (vertex, decision) in decided.iter().enumerate() {
            if let Some(away) = *decision {
                if away {
                    core.banked += self.gains[vertex];
                    used += self.delays[vertex];
                }
                trail.push((self.origin[vertex], away));
                continue;
            }
            number[vertex] = core.gains.len() as u32;
            core.gains.push(gains[vertex]);
            core.delays.push(delays[vertex]);
            core.origin.push(self.origin[vertex]);
        }
        for edge in &self.edges {
            let (u, v) = (edge.ends.0 as usize, edge.ends.1 as usize);
            if decided[u].is_none() && decided[v].is_none() {
                core.edges.push(Edge { ends: (number[u], number[v]), ..*edge });
            }
        }
        core.slack = self.slack.map(|slack| slack - used);
        core.trail = Some(Rc::new(Trail { before: self.trail.clone(), decided: trail }));
        core
    }

    /// Writes a choice for the undecided vertices, and what was decided, in the program's numbers.
    pub(super) fn expand(&self, away: impl Fn(usize) -> bool, into: &mut [bool]) {
        for (vertex, origin) in self.origin.iter().enumerate() {
            into[*origin as usize] = away(vertex);
        }
        let mut trail = self.trail.as_ref();
        while let Some(part) = trail {
            for (vertex, away) in &part.decided {
                into[*vertex as usize] = *away;
            }
            trail = part.before.as_ref();
        }
    }
}
