//! The placement problem: MAUI's call graph with costs, pins and an objective, checked when it is made.
//!
//! Energy is kept in microjoules and time in whole microseconds, so that every evaluation is exact and the same on every
//! machine. The constructor bounds the sums, therefore no evaluation overflows.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Energy, MethodIndex};

/// One of the two places where code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Placement {
    /// The machine that the app runs on.
    Device,
    /// The machine that it offloads to.
    Server,
}

impl Placement {
    /// The place that this one is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Device => Self::Server,
            Self::Server => Self::Device,
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Device => "device",
            Self::Server => "server",
        })
    }
}

/// A method as the solver sees it; figures are sums over the profiled run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vertex {
    /// Which method.
    pub method: MethodIndex,
    /// Its name, for people and errors.
    pub name: String,
    /// Energy of running it on the device (MAUI's `E_v`).
    pub local_energy: Energy,
    /// Time of running it on the device (`Tl_v`).
    pub local_time: Duration,
    /// Time of running it on the server (`Tr_v`).
    pub remote_time: Duration,
    /// Energy that the device spends while it runs on the server.
    pub remote_energy: Energy,
    /// Where it must run (`r_v`, and its opposite for what only the server can run).
    pub pin: Option<Placement>,
}

/// What it costs when a caller and a callee run in different places, whichever of the two is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Who calls.
    pub caller: MethodIndex,
    /// Who is called.
    pub callee: MethodIndex,
    /// Energy of shipping (MAUI's `C_uv`).
    pub energy: Energy,
    /// Time of shipping (`B_uv`).
    pub time: Duration,
}

/// What a plan minimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// The device's energy, whatever time it takes.
    Energy,
    /// Time, whatever energy it takes.
    Time,
    /// The device's energy among placements that meet a time bound: MAUI's objective.
    EnergyWithin(TimeBound),
}

impl Default for Objective {
    fn default() -> Self {
        Self::EnergyWithin(TimeBound::default())
    }
}

/// The time that a placement may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeBound {
    /// That many thousandths of the all-local time.
    OfLocal {
        /// 1000 is the all-local time itself.
        thousandths: u32,
    },
    /// That time, in whole microseconds.
    Absolute(Duration),
}

impl Default for TimeBound {
    /// MAUI's `L`: 1.05 × the all-local time.
    fn default() -> Self {
        Self::OfLocal { thousandths: 1_050 }
    }
}

/// Energy and time of one placement of the whole call graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// What the device spends.
    pub energy: Energy,
    /// What the run takes.
    pub time: Duration,
}

/// A call graph with costs and an objective; whoever has one knows that it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    vertices: Vec<Vertex>,
    edges: Vec<Edge>,
    /// Positions of an edge's caller and callee, beside `edges`.
    ends: Vec<(usize, usize)>,
    objective: Objective,
}

impl Problem {
    /// The largest sum of all energies, in microjoules, and of all times, in microseconds: leaves room for signs and
    /// differences in 64 bits.
    pub const LARGEST_SUM: u64 = 1 << 60;

    /// Checks a problem. Vertices are put in order of their methods, times cut to whole microseconds.
    ///
    /// # Errors
    /// Two vertices of one method, an edge to or from a method without a vertex, or figures whose sum is past
    /// [`LARGEST_SUM`](Self::LARGEST_SUM); the error names the place.
    pub fn new(
        mut vertices: Vec<Vertex>,
        mut edges: Vec<Edge>,
        objective: Objective,
    ) -> Result<Self, ProblemError> {
        vertices.sort_by_key(|vertex| vertex.method);
        if let Some(pair) = vertices.windows(2).find(|pair| pair[0].method == pair[1].method) {
            let (method, name) = (pair[0].method, pair[0].name.clone());
            return Err(ProblemError::Duplicate { method, name });
        }
        let mut sums = Sums::default();
        for vertex in &mut vertices {
            vertex.local_time = whole_micros(vertex.local_time);
            vertex.remote_time = whole_micros(vertex.remote_time);
            let energies = [("local energy", vertex.local_energy), ("remote energy", vertex.remote_energy)];
            let times = [("local time", vertex.local_time), ("remote time", vertex.remote_time)];
            sums.add(energies, times, || vertex.name.clone())?;
        }
        let mut ends = Vec::with_capacity(edges.len());
        for edge in &mut edges {
            edge.time = whole_micros(edge.time);
            let position = |method, other| {
                position(&vertices, method).ok_or(ProblemError::UnknownMethod { method, other })
            };
            let (caller, callee) = (position(edge.caller, edge.callee)?, position(edge.callee, edge.caller)?);
            sums.add([("shipping energy", edge.energy)], [("shipping time", edge.time)], || {
                format!("{} → {}", vertices[caller].name, vertices[callee].name)
            })?;
            ends.push((caller, callee));
        }
        Ok(Self { vertices, edges, ends, objective })
    }

    /// The methods, by index; a *position* is an index into this.
    pub fn vertices(&self) -> &[Vertex] {
        &self.vertices
    }

    /// Every edge with the positions of its caller and callee.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize, &Edge)> {
        self.ends.iter().zip(&self.edges).map(|((caller, callee), edge)| (*caller, *callee, edge))
    }

    /// What a plan minimises.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// The same methods and costs under another objective.
    #[must_use]
    pub fn with_objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// A method's position.
    pub fn position(&self, method: MethodIndex) -> Option<usize> {
        position(&self.vertices, method)
    }

    /// Everything on the device, but for what is pinned to the server: what the app does without a plan.
    pub fn all_local(&self) -> Vec<Placement> {
        self.vertices.iter().map(|vertex| vertex.pin.unwrap_or(Placement::Device)).collect()
    }

    /// Energy and time of a placement, one entry per position (MAUI §6.2, with its signs turned to costs).
    ///
    /// # Panics
    /// If there are fewer placements than vertices.
    pub fn cost(&self, placements: &[Placement]) -> Cost {
        let mut cost = Cost::default();
        for (vertex, placement) in self.vertices.iter().zip(placements) {
            cost += vertex.cost(*placement);
        }
        for (caller, callee, edge) in self.edges() {
            if placements[caller] != placements[callee] {
                cost += edge.cost();
            }
        }
        cost
    }

    /// The time that a placement may take; `None` where the objective bounds none.
    ///
    /// A bound relative to the all-local time is relative to the time of [`all_local`](Self::all_local), rounded down.
    pub fn time_limit(&self) -> Option<Duration> {
        match self.objective {
            Objective::Energy | Objective::Time => None,
            Objective::EnergyWithin(TimeBound::Absolute(time)) => Some(whole_micros(time)),
            Objective::EnergyWithin(TimeBound::OfLocal { thousandths }) => {
                let local = self.cost(&self.all_local()).time.as_micros();
                Some(from_micros(local * u128::from(thousandths) / 1_000))
            }
        }
    }
}

impl Vertex {
    /// What the method itself costs in that place.
    pub fn cost(&self, placement: Placement) -> Cost {
        match placement {
            Placement::Device => Cost { energy: self.local_energy, time: self.local_time },
            Placement::Server => Cost { energy: self.remote_energy, time: self.remote_time },
        }
    }
}

impl Edge {
    /// What shipping costs when the two ends are apart.
    pub fn cost(&self) -> Cost {
        Cost { energy: self.energy, time: self.time }
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.energy += other.energy;
        self.time = self.time.saturating_add(other.time);
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {:?}", self.energy, self.time)
    }
}

/// What is wrong with a problem, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProblemError {
    /// A method has two vertices.
    #[error("method {method} (`{name}`) has more than one vertex: add its figures up")]
    Duplicate {
        /// The method.
        method: MethodIndex,
        /// Its name.
        name: String,
    },
    /// An edge names a method that has no vertex.
    #[error("an edge between {method} and {other} names {method}, which has no vertex: add one")]
    UnknownMethod {
        /// The method without a vertex.
        method: MethodIndex,
        /// The other end of the edge.
        other: MethodIndex,
    },
    /// Figures are past what a measured run can have; a link without bandwidth, for example, takes forever.
    #[error(
        "the {figure} of `{place}` takes the sum past {} µJ or µs: leave out what cannot happen",
        Problem::LARGEST_SUM
    )]
    TooLarge {
        /// Which figure.
        figure: &'static str,
        /// The method, or caller and callee.
        place: String,
    },
}

/// Sums of all figures so far, in microjoules and microseconds.
#[derive(Default)]
struct Sums {
    energy: u128,
    time: u128,
}

impl Sums {
    fn add<const N: usize>(
        &mut self,
        energies: [(&'static str, Energy); N],
        times: [(&'static str, Duration); N],
        place: impl Fn() -> String,
    ) -> Result<(), ProblemError> {
        let too_large = |figure| Err(ProblemError::TooLarge { figure, place: place() });
        for (figure, energy) in energies {
            self.energy += u128::from(energy.as_microjoules());
            if self.energy > u128::from(Problem::LARGEST_SUM) {
                return too_large(figure);
            }
        }
        for (figure, time) in times {
            self.time += time.as_micros();
            if self.time > u128::from(Problem::LARGEST_SUM) {
                return too_large(figure);
            }
        }
        Ok(())
    }
}

fn position(vertices: &[Vertex], method: MethodIndex) -> Option<usize> {
    vertices.binary_search_by_key(&method, |vertex| vertex.method).ok()
}

fn whole_micros(time: Duration) -> Duration {
    from_micros(time.as_micros())
}

fn from_micros(micros: u128) -> Duration {
    u64::try_from(micros).map_or(Duration::MAX, Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn vertex(method: u32, millijoules: u64) -> Vertex {
        Vertex {
            method: MethodIndex(method),
            name: format!("method{method}"),
            local_energy: Energy::from_millijoules(millijoules),
            local_time: MS * 10,
            remote_time: MS,
            remote_energy: Energy::ZERO,
            pin: None,
        }
    }

    fn edge(caller: u32, callee: u32) -> Edge {
        let (caller, callee) = (MethodIndex(caller), MethodIndex(callee));
        Edge { caller, callee, energy: Energy::from_millijoules(5), time: MS * 3 }
    }

    #[test]
    fn an_edge_counts_only_where_its_ends_are_apart() {
        let edges = vec![edge(1, 2), edge(2, 1), edge(2, 2)];
        let problem = Problem::new(vec![vertex(2, 40), vertex(1, 20)], edges, Objective::Energy).unwrap();
        assert_eq!(problem.vertices()[0].method, MethodIndex(1));
        let cost = |placements| problem.cost(placements);
        let apart = cost(&[Placement::Device, Placement::Server]);
        assert_eq!(apart, Cost { energy: Energy::from_millijoules(30), time: MS * 17 });
        let away = cost(&[Placement::Server; 2]);
        assert_eq!(away, Cost { energy: Energy::ZERO, time: MS * 2 });
    }

    #[test]
    fn maui_allows_a_twentieth_more_time_than_local() {
        let problem = Problem::new(vec![vertex(1, 1), vertex(2, 1)], vec![], Objective::default()).unwrap();
        assert_eq!(problem.time_limit(), Some(MS * 21));
        assert_eq!(problem.with_objective(Objective::Time).time_limit(), None);
    }

    #[test]
    fn what_only_the_server_can_run_counts_as_local_there() {
        let mut only_there = vertex(2, 1);
        only_there.pin = Some(Placement::Server);
        let problem =
            Problem::new(vec![vertex(1, 1), only_there], vec![edge(1, 2)], Objective::default()).unwrap();
        assert_eq!(problem.all_local(), [Placement::Device, Placement::Server]);
        // 10 ms here, 1 ms there and 3 ms between, and a twentieth of that.
        assert_eq!(problem.time_limit(), Some(Duration::from_micros(14_700)));
    }

    #[test]
    fn a_bad_problem_names_the_place() {
        let new = |vertices, edges| Problem::new(vertices, edges, Objective::Energy).unwrap_err().to_string();
        assert_eq!(
            new(vec![vertex(1, 1), vertex(2, 1), vertex(1, 3)], vec![]),
            "method m1 (`method1`) has more than one vertex: add its figures up"
        );
        assert_eq!(
            new(vec![vertex(1, 1)], vec![edge(1, 9)]),
            "an edge between m9 and m1 names m9, which has no vertex: add one"
        );
        let forever = Edge { time: Duration::MAX, ..edge(1, 2) };
        assert_eq!(
            new(vec![vertex(1, 1), vertex(2, 1)], vec![edge(2, 1), forever]),
            "the shipping time of `method1 → method2` takes the sum past 1152921504606846976 µJ or µs: leave out \
             what cannot happen"
        );
    }
}
