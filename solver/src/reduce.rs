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

/// The problem while methods are being decided; indexed by the positions of groups' leaders. What belongs to the objective and to
/// each limit stands side by side, in `width` columns, of the objective first.
struct Work {
    width: usize,
    leaders: Vec<usize>,
    fixed: Vec<Option<Placement>>,
    /// How much better off each is on the server: of the objective, then, turned round, of each limit.
    gains: Vec<i64>,
    /// Who shares edges with whom, the smaller one first, in order.
    pairs: Vec<(usize, usize)>,
    /// What it costs to have the two apart, beside `pairs`.
    apart: Vec<i64>,
    /// Where each one's part of `beside` begins, and where the last one's ends.
    begins: Vec<usize>,
    /// Neighbours, and the numbers of the pairs that they make.
    beside: Vec<(usize, usize)>,
}

impl Work {
    fn new(problem: &Problem, goal: Goal<'_>, limits: &[&Limit]) -> Self {
        let (count, width) = (problem.vertices().len(), 1 + limits.len());
        let leaders: Vec<usize> = (0..count).map(|position| problem.leader(position)).collect();
        let mut gains = vec![0; count * width];
        for (position, vertex) in problem.vertices().iter().enumerate() {
            let gains = &mut gains[leaders[position] * width..][..width];
            let measure = |placement| goal.of_vertex(problem, position, vertex, placement);
            gains[0] += measure(Placement::Device) - measure(Placement::Server);
            for (gain, limit) in gains[1..].iter_mut().zip(limits) {
                let amount = |placement| signed(limit.of_vertex(position, vertex, placement));
                *gain += amount(Placement::Device) - amount(Placement::Server);
            }
        }
        let edges = problem.edges().enumerate().map(|(number, (caller, callee, edge))| {
            let (one, other) = (leaders[caller], leaders[callee]);
            (one.min(other), one.max(other), number, edge)
        });
        let mut edges: Vec<_> = edges.filter(|(one, other, ..)| one != other).collect();
        edges.sort_unstable_by_key(|(one, other, number, _)| (*one, *other, *number));
        let (mut pairs, mut apart) =
            (Vec::with_capacity(edges.len()), Vec::with_capacity(edges.len() * width));
        for (one, other, number, edge) in edges {
            if pairs.last() != Some(&(one, other)) {
                pairs.push((one, other));
                apart.resize(pairs.len() * width, 0);
            }
            let sums = &mut apart[(pairs.len() - 1) * width..];
            sums[0] += goal.of_edge(problem, number, edge);
            for (sum, limit) in sums[1..].iter_mut().zip(limits) {
                *sum += signed(limit.of_edge(number, edge));
            }
        }
        let (begins, beside) = neighbours(count, &pairs);
        let fixed = vec![None; count];
        let mut work = Self { width, leaders, fixed, gains, pairs, apart, begins, beside };
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
        let mut apart = vec![0; self.width];
        while let Some(position) = pending.pop() {
            if self.fixed[position].is_some() || self.leaders[position] != position {
                continue;
            }
            apart.fill(0);
            for number in self.begins[position]..self.begins[position + 1] {
                let (neighbour, pair) = self.beside[number];
                if self.fixed[neighbour].is_none() {
                    for (sum, part) in apart.iter_mut().zip(self.apart(pair)) {
                        *sum += part;
                    }
                }
            }
            let gains = &self.gains[position * self.width..][..self.width];
            let place = if gains.iter().zip(&apart).all(|(gain, apart)| -gain >= *apart) {
                Placement::Device
            } else if gains.iter().zip(&apart).all(|(gain, apart)| gain >= apart) {
                Placement::Server
            } else {
                continue;
            };
            self.fix(position, place);
            let neighbours = &self.beside[self.begins[position]..self.begins[position + 1]];
            let undecided = neighbours.iter().filter(|(neighbour, _)| self.fixed[*neighbour].is_none());
            pending.extend(undecided.map(|(neighbour, _)| neighbour));
        }
    }

    /// Decides a method and folds its edges into its undecided neighbours.
    fn fix(&mut self, position: usize, place: Placement) {
        self.fixed[position] = Some(place);
        for number in self.begins[position]..self.begins[position + 1] {
            let (neighbour, pair) = self.beside[number];
            if self.fixed[neighbour].is_some() {
                continue;
            }
            for column in 0..self.width {
                let part = self.apart[pair * self.width + column];
                self.gains[neighbour * self.width + column] +=
                    if place == Placement::Server { part } else { -part };
            }
        }
    }

    /// What it costs to have a pair apart.
    fn apart(&self, pair: usize) -> &[i64] {
        &self.apart[pair * self.width..][..self.width]
    }

    fn finish(self, problem: &Problem, limits: &[&Limit]) -> Reduced {
        let place = |leader: &usize| self.fixed[*leader].unwrap_or(Placement::Device);
        let start: Vec<Placement> = self.leaders.iter().map(place).collect();
        let undecided: Vec<usize> = (0..start.len())
            .filter(|position| self.leaders[*position] == *position && self.fixed[*position].is_none())
            .collect();
        let mut numbers: Vec<Option<u32>> = vec![None; start.len()];
        for (number, position) in (0..).zip(&undecided) {
            numbers[*position] = Some(number);
        }
        let (mut edges, mut kept) = (Vec::new(), Vec::new());
        for (pair, (one, other)) in self.pairs.iter().enumerate() {
            if let (Some(one), Some(other)) = (numbers[*one], numbers[*other]) {
                edges.push((one, other));
                kept.push(pair);
            }
        }
        let gains = |column: usize| undecided.iter().map(move |at| (at, column));
        let gain = |(position, column): (&usize, usize)| self.gains[position * self.width + column];
        let apart = |column: usize| kept.iter().map(|pair| self.apart(*pair)[column]).collect();
        let rows = limits.iter().zip(1..).map(|(limit, column)| Row {
            delays: gains(column).map(|at| -gain(at)).collect(),
            times: apart(column),
            slack: signed(limit.most()) - signed(problem.amount(limit, &start)),
        });
        let (rows, gains, apart) = (rows.collect(), gains(0).map(gain).collect(), apart(0));
        for position in 0..numbers.len() {
            numbers[position] = numbers[self.leaders[position]];
        }
        Reduced { gains, edges, apart, rows, numbers, start }
    }
}

/// The neighbours of each of so many, and the numbers of the pairs that they make: where each one's begin, and all of them.
fn neighbours(count: usize, pairs: &[(usize, usize)]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut begins = vec![0; count + 1];
    for (one, other) in pairs {
        begins[one + 1] += 1;
        begins[other + 1] += 1;
    }
    for position in 0..count {
        begins[position + 1] += begins[position];
    }
    let mut free = begins.clone();
    let mut beside = vec![(0, 0); 2 * pairs.len()];
    for (pair, (one, other)) in pairs.iter().enumerate() {
        for (end, neighbour) in [(*one, *other), (*other, *one)] {
            beside[free[end]] = (neighbour, pair);
            free[end] += 1;
        }
    }
    (begins, beside)
}

/// Sums of a checked problem stay below 2⁶⁰; a limit may be anything and is as good as none past that.
pub(crate) fn signed(value: u64) -> i64 {
    value.min(Problem::LARGEST_SUM) as i64
}
