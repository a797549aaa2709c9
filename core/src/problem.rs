//! The placement problem: MAUI's call graph with costs, pins, limits and an objective, checked when it is made.
//!
//! Energy is kept in microjoules and time in whole microseconds, so that every evaluation is exact and the same on every
//! machine. The constructor bounds the sums, therefore no evaluation overflows.

mod check;
mod conditions;
mod error;
mod limit;
mod objective;
mod parts;
mod vertex;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::MethodIndex;

use check::{Sums, leaders, pins};
pub use conditions::{Condition, Conditions};
pub use error::ProblemError;
pub use limit::{Constraints, Exceeded, LatencyBound, Limit, MemoryLimit, Resource};
pub use objective::{EnergyBound, Objective, TimeBound, Value};
use parts::Parts;
pub(crate) use vertex::micros;
use vertex::whole_micros;
pub use vertex::{Cost, Edge, Placement, Resident, Shipping, Vertex};

/// A call graph with costs and an objective; whoever has one knows that it was checked, also where it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Problem {
    vertices: Vec<Vertex>,
    edges: Vec<Edge>,
    /// Positions of an edge's caller and callee, beside `edges`.
    ends: Vec<(usize, usize)>,
    objective: Objective,
    constraints: Constraints,
    /// Per position the first position of its group.
    leaders: Vec<usize>,
    /// Per position where it has to run, by its own pin or that of its group.
    pins: Vec<Option<Placement>>,
    limits: Vec<Limit>,
}

impl Problem {
    /// The largest sum of all energies, in microjoules, of all times, in microseconds, of what the objective measures, and of all
    /// memory, in bytes: leaves room for signs and differences in 64 bits.
    pub const LARGEST_SUM: u64 = 1 << 60;

    /// The most methods of a problem that is read.
    pub const MOST_VERTICES: usize = 1 << 16;

    /// The most edges of a problem that is read.
    pub const MOST_EDGES: usize = 1 << 20;

    /// The most limits besides the objective's of a problem that is read: each is looked at for all methods and edges.
    pub const MOST_LIMITS: usize = 100;

    /// Checks a problem without further constraints.
    ///
    /// # Errors
    /// As [`constrained`](Self::constrained).
    pub fn new(vertices: Vec<Vertex>, edges: Vec<Edge>, objective: Objective) -> Result<Self, ProblemError> {
        Self::constrained(vertices, edges, objective, Constraints::default())
    }

    /// Checks a problem. Vertices are put in order of their methods, times cut to whole microseconds.
    ///
    /// # Errors
    /// Two vertices of one method, an edge or a constraint of a method without a vertex, pins that contradict each other, or
    /// figures whose sum is past [`LARGEST_SUM`](Self::LARGEST_SUM); the error names the place.
    pub fn constrained(
        mut vertices: Vec<Vertex>,
        mut edges: Vec<Edge>,
        objective: Objective,
        constraints: Constraints,
    ) -> Result<Self, ProblemError> {
        vertices.sort_by_key(|vertex| vertex.method);
        if let Some(pair) = vertices.windows(2).find(|pair| pair[0].method == pair[1].method) {
            let (method, name) = (pair[0].method, pair[0].name.clone());
            return Err(ProblemError::Duplicate { method, name });
        }
        for vertex in &mut vertices {
            vertex.local_time = whole_micros(vertex.local_time);
            vertex.remote_time = whole_micros(vertex.remote_time);
            if let Some(resident) = &mut vertex.resident {
                resident.fetch = resident.fetch.in_whole_micros();
            }
        }
        let mut ends = Vec::with_capacity(edges.len());
        for edge in &mut edges {
            edge.shipping = edge.shipping.in_whole_micros();
            let position = |method, other| {
                position(&vertices, method).ok_or(ProblemError::UnknownMethod { method, other })
            };
            ends.push((position(edge.caller, edge.callee)?, position(edge.callee, edge.caller)?));
        }
        let leaders = leaders(&vertices, &constraints.together)?;
        let pins = pins(&vertices, &leaders)?;
        let known = |method| position(&vertices, method).is_some();
        if let Some(bound) = constraints.latency.iter().find(|bound| !known(bound.method)) {
            let (place, method) = ("a latency bound", bound.method);
            return Err(ProblemError::UnknownConstrained { place, method });
        }
        let limits = Vec::new();
        let mut problem = Self { vertices, edges, ends, objective, constraints, leaders, pins, limits };
        problem.check_sums()?;
        problem.limit();
        Ok(problem)
    }

    /// The methods, by index; a *position* is an index into this.
    pub fn vertices(&self) -> &[Vertex] {
        &self.vertices
    }

    /// Every edge with the positions of its caller and callee.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = (usize, usize, &Edge)> {
        self.ends.iter().zip(&self.edges).map(|((caller, callee), edge)| (*caller, *callee, edge))
    }

    /// What a plan minimises.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// What placements must keep besides pins and the objective's bound.
    pub fn constraints(&self) -> &Constraints {
        &self.constraints
    }

    /// All sums that are limited: by the objective first, then by the constraints in their order.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// The same methods, costs and constraints under another objective.
    ///
    /// # Errors
    /// Figures whose weighted sum is past [`LARGEST_SUM`](Self::LARGEST_SUM).
    pub fn with_objective(mut self, objective: Objective) -> Result<Self, ProblemError> {
        self.objective = objective;
        self.check_sums()?;
        self.limit();
        Ok(self)
    }

    /// The same methods, costs, pins and groups, with nothing limited.
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.objective = match self.objective {
            Objective::EnergyWithin(_) => Objective::Energy,
            Objective::TimeWithin(_) => Objective::Time,
            unbounded => unbounded,
        };
        self.constraints.latency.clear();
        self.constraints.memory.clear();
        self.limits.clear();
        self
    }

    /// The same problem without the methods' names, for whoever makes many of it and shows none.
    #[must_use]
    pub fn nameless(mut self) -> Self {
        self.vertices.iter_mut().for_each(|vertex| vertex.name = String::new());
        self
    }

    /// A method's position.
    pub fn position(&self, method: MethodIndex) -> Option<usize> {
        position(&self.vertices, method)
    }

    /// The first position of the group that goes together with the one at a position; itself where it goes alone.
    pub fn leader(&self, position: usize) -> usize {
        self.leaders[position]
    }

    /// Where the method at a position has to run, by its own pin or that of its group.
    pub fn pin(&self, position: usize) -> Option<Placement> {
        self.pins[position]
    }

    /// Everything on the device, but for what is pinned to the server: what the app does without a plan.
    pub fn all_local(&self) -> Vec<Placement> {
        self.pins.iter().map(|pin| pin.unwrap_or(Placement::Device)).collect()
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

    /// What a placement takes of something limited, in the limit's unit.
    ///
    /// # Panics
    /// If there are fewer placements than vertices.
    pub fn amount(&self, limit: &Limit, placements: &[Placement]) -> u64 {
        let vertices = self.vertices.iter().zip(placements).enumerate();
        let mut amount: u64 = vertices
            .map(|(position, (vertex, placement))| limit.of_vertex(position, vertex, *placement))
            .sum();
        for (number, (caller, callee, edge)) in self.edges().enumerate() {
            if placements[caller] != placements[callee] {
                amount += limit.of_edge(number, edge);
            }
        }
        amount
    }

    /// The first limit that a placement passes.
    ///
    /// # Panics
    /// If there are fewer placements than vertices.
    pub fn exceeded(&self, placements: &[Placement]) -> Option<Exceeded> {
        self.limits.iter().find_map(|limit| {
            let (resource, amount) = (limit.resource(), self.amount(limit, placements));
            let (most, value) = (limit.most(), |amount| resource.value_of(amount));
            (amount > most).then(|| Exceeded { resource, amount: value(amount), most: value(most) })
        })
    }

    /// The time that a placement may take; `None` where the objective bounds none.
    ///
    /// A bound relative to the all-local time is relative to the time of [`all_local`](Self::all_local), rounded down.
    pub fn time_limit(&self) -> Option<Duration> {
        match self.objective {
            Objective::EnergyWithin(TimeBound::Absolute(time)) => Some(whole_micros(time)),
            Objective::EnergyWithin(TimeBound::OfLocal { thousandths }) => {
                let local = micros(self.cost(&self.all_local()).time);
                Some(Duration::from_micros(thousandths_of(local, thousandths)))
            }
            _ => None,
        }
    }

    /// Makes the limits anew.
    fn limit(&mut self) {
        let bound = match self.objective {
            Objective::TimeWithin(EnergyBound::Absolute(energy)) => {
                Some((Resource::Energy, energy.as_microjoules()))
            }
            Objective::TimeWithin(EnergyBound::OfLocal { thousandths }) => {
                let local = self.cost(&self.all_local()).energy.as_microjoules();
                Some((Resource::Energy, thousandths_of(local, thousandths)))
            }
            _ => self.time_limit().map(|time| (Resource::Time, micros(time))),
        };
        let bound = bound.map(|(resource, most)| Limit::overall(resource, most));
        let latency = self.constraints.latency.iter().map(|bound| {
            let root = position(&self.vertices, bound.method).expect("checked when the problem was made");
            Limit::latency(bound, root, self.vertices.len(), &self.ends)
        });
        let memory = self.constraints.memory.iter();
        let memory = memory.map(|limit| Limit::overall(Resource::Memory(limit.place), limit.most.as_bytes()));
        self.limits = bound.into_iter().chain(latency).chain(memory).collect();
    }

    /// Makes sure that no sum of figures overflows.
    fn check_sums(&self) -> Result<(), ProblemError> {
        let mut sums = Sums::new(self.objective);
        for vertex in &self.vertices {
            let place = || vertex.name.clone();
            sums.add("local energy", Cost { energy: vertex.local_energy, ..Cost::ZERO }, place)?;
            sums.add("local time", Cost { time: vertex.local_time, ..Cost::ZERO }, place)?;
            sums.add("remote energy", Cost { energy: vertex.remote_energy, ..Cost::ZERO }, place)?;
            sums.add("remote time", Cost { time: vertex.remote_time, ..Cost::ZERO }, place)?;
            if let Some(resident) = vertex.resident {
                sums.add("cost of fetching the state", resident.fetch.total(), place)?;
            }
            sums.add_memory(vertex)?;
        }
        for (caller, callee, edge) in self.edges() {
            let place = || format!("{} → {}", self.vertices[caller].name, self.vertices[callee].name);
            let Shipping { fixed, round_trips, payload } = edge.shipping;
            for part in [fixed, round_trips, payload] {
                sums.add("shipping energy", Cost { energy: part.energy, ..Cost::ZERO }, place)?;
                sums.add("shipping time", Cost { time: part.time, ..Cost::ZERO }, place)?;
            }
        }
        Ok(())
    }
}

fn position(vertices: &[Vertex], method: MethodIndex) -> Option<usize> {
    vertices.binary_search_by_key(&method, |vertex| vertex.method).ok()
}

/// Rounded down.
pub(crate) fn thousandths_of(value: u64, thousandths: u32) -> u64 {
    u64::try_from(u128::from(value) * u128::from(thousandths) / 1_000).unwrap_or(u64::MAX)
}

fn scaled(time: Duration, factor: f64) -> Duration {
    Duration::from_micros((time.as_micros() as f64 * factor).round() as u64)
}

#[cfg(test)]
mod tests;
