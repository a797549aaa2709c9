//! The problem made smaller, without losing an optimum, and turned to gains, delays and one slack.
//!
//! With `x_v = 1` for a method on the server, everything free on the device as the starting point:
//!
//! ```text
//! maximise Σ g_v x_v − Σ C_uv |x_u − x_v|    subject to Σ d_v x_v + Σ t_uv |x_u − x_v| ≤ S
//! g_v = what v costs on the device − what it costs on the server     d_v = Tr_v − Tl_v
//! ```
//!
//! An edge to a method that stays on the device becomes `g_v −= C, d_v += t`, one to a method that stays on the server
//! `g_v += C, d_v −= t`; parallel and opposite edges add up; edges from a method to itself go.

use std::collections::BTreeMap;
use std::time::Duration;

use outboard_core::{Cost, Placement, Problem};

/// What it costs to have two methods apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Apart {
    /// `C_uv`, in units of the objective.
    pub(crate) cost: i64,
    /// `t_uv`, in microseconds; zero where no time bound counts.
    pub(crate) time: i64,
}

/// The undecided rest of a problem. Its methods are numbered anew.
#[derive(Debug)]
pub(crate) struct Reduced {
    /// Per undecided method its position in the problem.
    pub(crate) positions: Vec<usize>,
    /// `g_v`, in units of the objective.
    pub(crate) gains: Vec<i64>,
    /// `d_v`, in microseconds.
    pub(crate) delays: Vec<i64>,
    /// Pairs of undecided methods, smaller number first.
    pub(crate) edges: Vec<(usize, usize, Apart)>,
    /// `S`, in microseconds; `None` where no time bound counts.
    pub(crate) slack: Option<i64>,
    /// The decided methods where they belong, the others on the device.
    start: Vec<Placement>,
}

impl Reduced {
    /// Reduces a problem under its own time bound, or none.
    pub(crate) fn new(problem: &Problem, limit: Option<Duration>) -> Self {
        let mut work = Work::new(problem, limit.is_some());
        work.fix_the_obvious();
        let start: Vec<Placement> =
            work.fixed.iter().map(|fixed| fixed.unwrap_or(Placement::Device)).collect();
        let positions: Vec<usize> =
            (0..start.len()).filter(|position| work.fixed[*position].is_none()).collect();
        let number = |position| positions.binary_search(&position).expect("neighbours are undecided");
        let mut edges = Vec::new();
        for (first, position) in positions.iter().enumerate() {
            for (neighbour, apart) in work.edges[*position].range(position + 1..) {
                edges.push((first, number(*neighbour), *apart));
            }
        }
        let slack = limit.map(|limit| micros(limit) - micros(problem.cost(&start).time));
        Self {
            gains: positions.iter().map(|position| work.gains[*position]).collect(),
            delays: positions.iter().map(|position| work.delays[*position]).collect(),
            positions,
            edges,
            slack,
            start,
        }
    }

    /// The placement of the whole problem with these undecided methods on the server.
    pub(crate) fn expand(&self, away: impl Fn(usize) -> bool) -> Vec<Placement> {
        let mut placements = self.start.clone();
        for (number, position) in self.positions.iter().enumerate() {
            if away(number) {
                placements[*position] = Placement::Server;
            }
        }
        placements
    }

    /// A value that no placement is below: every gain and no shipping between undecided methods.
    pub(crate) fn floor(&self, problem: &Problem) -> u64 {
        let start = problem.objective().measure(problem.cost(&self.start));
        let gains = self.gains.iter().map(|gain| gain.max(&0).unsigned_abs()).sum();
        start.saturating_sub(gains)
    }
}

/// The problem while methods are being decided; indexed by position.
struct Work {
    fixed: Vec<Option<Placement>>,
    gains: Vec<i64>,
    delays: Vec<i64>,
    edges: Vec<BTreeMap<usize, Apart>>,
}

impl Work {
    fn new(problem: &Problem, bounded: bool) -> Self {
        let objective = problem.objective();
        let units = |cost: Cost| Apart {
            cost: signed(objective.measure(cost)),
            time: if bounded { micros(cost.time) } else { 0 },
        };
        let count = problem.vertices().len();
        let mut work = Self {
            fixed: vec![None; count],
            gains: vec![0; count],
            delays: vec![0; count],
            edges: vec![BTreeMap::new(); count],
        };
        for (position, vertex) in problem.vertices().iter().enumerate() {
            let (device, server) =
                (units(vertex.cost(Placement::Device)), units(vertex.cost(Placement::Server)));
            work.gains[position] = device.cost - server.cost;
            work.delays[position] = server.time - device.time;
        }
        for (caller, callee, edge) in problem.edges().filter(|(caller, callee, _)| caller != callee) {
            let apart = units(edge.cost());
            for (end, other) in [(caller, callee), (callee, caller)] {
                let sum = work.edges[end].entry(other).or_default();
                sum.cost += apart.cost;
                sum.time += apart.time;
            }
        }
        for (position, vertex) in problem.vertices().iter().enumerate() {
            if let Some(pin) = vertex.pin {
                work.fix(position, pin);
            }
        }
        work
    }

    /// Decides every method that is better off in one place wherever its neighbours are.
    fn fix_the_obvious(&mut self) {
        let mut pending: Vec<usize> = (0..self.fixed.len()).rev().collect();
        while let Some(position) = pending.pop() {
            if self.fixed[position].is_some() {
                continue;
            }
            let (mut cost, mut time) = (0, 0);
            for apart in self.edges[position].values() {
                cost += apart.cost;
                time += apart.time;
            }
            let (gain, delay) = (self.gains[position], self.delays[position]);
            let place = if -gain >= cost && delay >= time {
                Placement::Device
            } else if gain >= cost && -delay >= time {
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
            let towards = if place == Placement::Server { 1 } else { -1 };
            self.gains[neighbour] += towards * apart.cost;
            self.delays[neighbour] -= towards * apart.time;
        }
    }
}

fn micros(time: Duration) -> i64 {
    signed(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

/// Sums of a checked problem stay below 2⁶⁰; a time bound may be anything and is as good as none past that.
fn signed(value: u64) -> i64 {
    value.min(Problem::LARGEST_SUM) as i64
}
