//! The problem made smaller, without losing an optimum, and turned to gains, delays and slacks.
//!
//! With `x_v = 1` for a method on the server, everything free on the device as the starting point, and one row for every
//! limit:
//!
//! ```text
//! maximise Σ g_v x_v − Σ C_uv |x_u − x_v|    subject to Σ d_v x_v + Σ t_uv |x_u − x_v| ≤ S
//! g_v = what v costs on the device − what it costs on the server     d_v = what it takes there − what it takes here
//! ```
//!
//! Methods that go together become one. An edge to a method that stays on the device becomes `g_v −= C, d_v += t`, one to
//! a method that stays on the server `g_v += C, d_v −= t`; parallel and opposite edges add up; edges from a method to itself
//! go.

use std::collections::BTreeMap;

use outboard_core::{Edge, Limit, Placement, Problem, Vertex};

use crate::exact::{Program, Row};

/// The undecided rest of a problem. Its methods are numbered anew.
#[derive(Debug)]
pub(crate) struct Reduced {
    /// `g_v`, in units of the objective.
    pub(crate) gains: Vec<i64>,
    /// Pairs of undecided methods, smaller number first.
    pub(crate) edges: Vec<(u32, u32)>,
    /// `C_uv`, in units of the objective, beside `edges`.
    pub(crate) apart: Vec<i64>,
    /// One for each limit that was asked for.
    pub(crate) rows: Vec<Row>,
    /// Per position its number; `None` where it is decided.
    numbers: Vec<Option<u32>>,
    /// The decided methods where they belong, the others on the device.
    start: Vec<Placement>,
}

/// What is minimised.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal<'a> {
    /// What the problem's objective measures.
    Objective,
    /// Something that is limited, whatever the objective comes to.
    Least(&'a Limit),
}

impl Goal<'_> {
    fn of_vertex(self, problem: &Problem, position: usize, vertex: &Vertex, place: Placement) -> i64 {
        signed(match self {
            Self::Objective => problem.objective().measure(vertex.cost(place)),
            Self::Least(limit) => limit.of_vertex(position, vertex, place),
        })
    }

    fn of_edge(self, problem: &Problem, number: usize, edge: &Edge) -> i64 {
        signed(match self {
            Self::Objective => problem.objective().measure(edge.cost()),
            Self::Least(limit) => limit.of_edge(number, edge),
        })
    }
}

impl Reduced {
    /// Reduces a problem under these of its limits.
    pub(crate) fn new(problem: &Problem, goal: Goal<'_>, limits: &[&Limit]) -> Self {
        let mut work = Work::new(problem, goal, limits);
        work.fix_the_obvious();
        work.finish(problem, limits)
    }

    /// How many methods are undecided.
    pub(crate) fn len(&self) -> usize {
        self.gains.len()
    }

    /// The program of the undecided rest under the first of its rows.
    pub(crate) fn program(&self) -> Program {
        Program {
            gains: self.gains.clone(),
            edges: self.edges.clone(),
            apart: self.apart.clone(),
            row: self.rows.first().cloned(),
        }
    }

    /// The placement of the whole problem with these undecided methods on the server.
    pub(crate) fn expand(&self, away: impl Fn(usize) -> bool) -> Vec<Placement> {
        let place = |(start, number): (&Placement, &Option<u32>)| match number {
            Some(number) if away(*number as usize) => Placement::Server,
            _ => *start,
        };
        self.start.iter().zip(&self.numbers).map(place).collect()
    }

    /// The objective's measure with the undecided methods on the device, from which gains count.
    pub(crate) fn base(&self, problem: &Problem) -> u64 {
        problem.objective().measure(problem.cost(&self.start))
    }

    /// A value that no placement is below: every gain and no shipping between undecided methods.
    pub(crate) fn floor(&self, problem: &Problem) -> u64 {
        let gains = self.gains.iter().map(|gain| gain.max(&0).unsigned_abs()).sum();
        self.base(problem).saturating_sub(gains)
    }
}

/// What it costs to have two methods apart: of the objective, then of each limit.
type Apart = Vec<i64>;

/// The problem while methods are being decided; indexed by the positions of groups' leaders.
struct Work {
    leaders: Vec<usize>,
    fixed: Vec<Option<Placement>>,
    /// How much better off each is on the server: of the objective, then, turned round, of each limit.
    gains: Vec<Vec<i64>>,
    edges: Vec<BTreeMap<usize, Apart>>,
}

impl Work {
    fn new(problem: &Problem, goal: Goal<'_>, limits: &[&Limit]) -> Self {
        let (count, width) = (problem.vertices().len(), 1 + limits.len());
        let mut work = Self {
            leaders: (0..count).map(|position| problem.leader(position)).collect(),
            fixed: vec![None; count],
            gains: vec![vec![0; width]; count],
            edges: vec![BTreeMap::new(); count],
        };
        for (position, vertex) in problem.vertices().iter().enumerate() {
            let gains = &mut work.gains[work.leaders[position]];
            let measure = |placement| goal.of_vertex(problem, position, vertex, placement);
            gains[0] += measure(Placement::Device) - measure(Placement::Server);
            for (gain, limit) in gains[1..].iter_mut().zip(limits) {
                let amount = |placement| signed(limit.of_vertex(position, vertex, placement));
                *gain += amount(Placement::Device) - amount(Placement::Server);
            }
        }
        for (number, (caller, callee, edge)) in problem.edges().enumerate() {
            let (caller, callee) = (work.leaders[caller], work.leaders[callee]);
            if caller == callee {
                continue;
            }
            for (end, other) in [(caller, callee), (callee, caller)] {
                let sums = work.edges[end].entry(other).or_insert_with(|| vec![0; width]);
                sums[0] += goal.of_edge(problem, number, edge);
                for (sum, limit) in sums[1..].iter_mut().zip(limits) {
                    *sum += signed(limit.of_edge(number, edge));
                }
            }
        }
        for position in 0..count {
            let is_leader = work.leaders[position] == position;
            if let Some(pin) = problem.pin(position).filter(|_| is_leader) {
                work.fix(position, pin);
            }
        }
        work
    }

    /// Decides every method that is better off in one place, by the objective and every limit, wherever its neighbours are.
    fn fix_the_obvious(&mut self) {
        let mut pending: Vec<usize> = (0..self.fixed.len()).rev().collect();
        let mut apart = Vec::new();
        while let Some(position) = pending.pop() {
            if self.fixed[position].is_some() || self.leaders[position] != position {
                continue;
            }
            let gains = &self.gains[position];
            apart.clear();
            apart.resize(gains.len(), 0);
            for edge in self.edges[position].values() {
                for (sum, part) in apart.iter_mut().zip(edge) {
                    *sum += part;
                }
            }
            let place = if gains.iter().zip(&apart).all(|(gain, apart)| -gain >= *apart) {
                Placement::Device
            } else if gains.iter().zip(&apart).all(|(gain, apart)| gain >= apart) {
                Placement::Server
            } else {
                continue;
            };
            pending.extend(self.edges[position].keys());
            self.fix(position, place);
        }
    }

    /// Decides a method and folds its edges into its neighbours.
    fn fix(&mut self, position: usize, place: Placement) {
        self.fixed[position] = Some(place);
        for (neighbour, apart) in std::mem::take(&mut self.edges[position]) {
            self.edges[neighbour].remove(&position);
            for (gain, part) in self.gains[neighbour].iter_mut().zip(apart) {
                *gain += if place == Placement::Server { part } else { -part };
            }
        }
    }

    fn finish(self, problem: &Problem, limits: &[&Limit]) -> Reduced {
        let place = |leader: &usize| self.fixed[*leader].unwrap_or(Placement::Device);
        let start: Vec<Placement> = self.leaders.iter().map(place).collect();
        let undecided: Vec<usize> = (0..start.len())
            .filter(|position| self.leaders[*position] == *position && self.fixed[*position].is_none())
            .collect();
        let mut numbers = vec![None; start.len()];
        for (number, position) in (0..).zip(&undecided) {
            numbers[*position] = Some(number);
        }
        let (mut edges, mut apart) = (Vec::new(), Vec::new());
        let mut times = vec![Vec::new(); limits.len()];
        for (first, position) in (0..).zip(&undecided) {
            for (neighbour, costs) in self.edges[*position].range(position + 1..) {
                edges.push((first, numbers[*neighbour].expect("neighbours are undecided")));
                apart.push(costs[0]);
                for (times, part) in times.iter_mut().zip(&costs[1..]) {
                    times.push(*part);
                }
            }
        }
        let all_gains = &self.gains;
        let column = |part: usize| undecided.iter().map(move |position| all_gains[*position][part]);
        let rows = limits.iter().zip(times).enumerate().map(|(row, (limit, times))| Row {
            delays: column(row + 1).map(|gain| -gain).collect(),
            times,
            slack: signed(limit.most()) - signed(problem.amount(limit, &start)),
        });
        let rows = rows.collect();
        for position in 0..numbers.len() {
            numbers[position] = numbers[self.leaders[position]];
        }
        Reduced { gains: column(0).collect(), edges, apart, rows, numbers, start }
    }
}

/// Sums of a checked problem stay below 2⁶⁰; a limit may be anything and is as good as none past that.
pub(crate) fn signed(value: u64) -> i64 {
    value.min(Problem::LARGEST_SUM) as i64
}
