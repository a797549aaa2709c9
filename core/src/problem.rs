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

    /// The most limits, times methods and edges, of a problem that is read: each limit is looked at for all of them.
    pub const MOST_LIMITED: usize = 1 << 24;

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
mod tests {
    use super::*;
    use crate::{ByteCount, Energy, Power};

    const MS: Duration = Duration::from_millis(1);

    fn vertex(method: u32, millijoules: u64) -> Vertex {
        Vertex {
            local_energy: Energy::from_millijoules(millijoules),
            local_time: MS * 10,
            remote_time: MS,
            ..Vertex::new(MethodIndex(method), format!("method{method}"))
        }
    }

    fn edge(caller: u32, callee: u32) -> Edge {
        let (caller, callee) = (MethodIndex(caller), MethodIndex(callee));
        Edge { caller, callee, shipping: Shipping::fixed(Energy::from_millijoules(5), MS * 3) }
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
        assert_eq!(problem.with_objective(Objective::Time).unwrap().time_limit(), None);
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
        let forever = Edge { shipping: Shipping::fixed(Energy::ZERO, Duration::MAX), ..edge(1, 2) };
        assert_eq!(
            new(vec![vertex(1, 1), vertex(2, 1)], vec![edge(2, 1), forever]),
            "the shipping time of `method1 → method2` takes the sum past 1152921504606846976 µJ, µs or bytes: leave \
             out what cannot happen"
        );
    }

    #[test]
    fn a_weighted_measure_adds_up_to_the_nanojoule() {
        let objective = Objective::battery_life(Power::from_milliwatts(3));
        let cost = Cost { energy: Energy::from_microjoules(7), time: Duration::from_micros(5) };
        assert_eq!(objective.measure(cost), 7_015);
        assert_eq!(objective.measure(cost + cost), 14_030);
        let heavy = Vertex { local_energy: Energy::from_microjoules(1 << 55), ..vertex(1, 0) };
        let light = Problem::new(vec![heavy], vec![], Objective::Energy).unwrap();
        let refused = light.with_objective(objective).unwrap_err();
        assert!(matches!(refused, ProblemError::TooLarge { figure: "local energy", .. }), "{refused}");
    }

    #[test]
    fn methods_that_go_together_share_their_pin_or_are_refused() {
        let pinned = |method, pin| Vertex { pin: Some(pin), ..vertex(method, 1) };
        let group = |methods: &[u32]| methods.iter().map(|method| MethodIndex(*method)).collect();
        let constraints =
            Constraints { together: vec![group(&[3, 2]), group(&[2, 1])], ..Default::default() };
        let new = |vertices| Problem::constrained(vertices, vec![], Objective::Energy, constraints.clone());
        let problem =
            new(vec![vertex(1, 1), vertex(2, 1), pinned(3, Placement::Server), vertex(4, 1)]).unwrap();
        assert_eq!([0, 1, 2, 3].map(|position| problem.leader(position)), [0, 0, 0, 3]);
        assert_eq!(problem.pin(0), Some(Placement::Server));
        assert_eq!(problem.pin(3), None);
        let apart = vec![pinned(1, Placement::Server), vertex(2, 1), pinned(3, Placement::Device)];
        assert_eq!(
            new(apart).unwrap_err().to_string(),
            "`method3` and `method1` go together but are pinned to different places: drop one of the pins"
        );
        assert_eq!(
            new(vec![vertex(1, 1), vertex(2, 1)]).unwrap_err().to_string(),
            "a group that goes together names m3, which has no vertex: add one, or leave it out"
        );
    }

    #[test]
    fn a_latency_bound_counts_what_is_called_and_the_way_there() {
        // 1 calls 2, 2 calls 3 and itself, 4 calls 3: the bound on 2 knows of 2, 3, and the edges 1→2, 2→3, 2→2.
        let edges = vec![edge(1, 2), edge(2, 3), edge(2, 2), edge(4, 3)];
        let vertices = (1..=4).map(|method| vertex(method, 1)).collect();
        let latency = vec![LatencyBound { method: MethodIndex(2), most: MS * 16 }];
        let constraints = Constraints { latency, ..Default::default() };
        let problem = Problem::constrained(vertices, edges, Objective::Energy, constraints).unwrap();
        let [limit] = problem.limits() else { panic!("{:?}", problem.limits()) };
        let amount = |placements: [Placement; 4]| problem.amount(limit, &placements);
        use Placement::{Device, Server};
        assert_eq!(amount([Device; 4]), 20_000);
        assert_eq!(amount([Device, Server, Device, Device]), 1_000 + 10_000 + 3_000 + 3_000);
        assert_eq!(amount([Device, Device, Server, Server]), 10_000 + 1_000 + 3_000);
        let exceeded = problem.exceeded(&[Device; 4]).unwrap();
        assert_eq!((exceeded.amount, exceeded.most), (Value::Time(MS * 20), Value::Time(MS * 16)));
        assert_eq!(problem.exceeded(&[Device, Device, Server, Server]), None);
    }

    #[test]
    fn memory_and_energy_are_limited_too() {
        let mib = |count: u64| ByteCount::from_bytes(count << 20);
        let vertices =
            [(1, 110), (2, 20)].map(|(method, count)| Vertex { memory: mib(count), ..vertex(method, 4) });
        let memory = vec![MemoryLimit { place: Placement::Device, most: mib(32) }];
        let constraints = Constraints { memory, ..Default::default() };
        let budget = Objective::TimeWithin(EnergyBound::OfLocal { thousandths: 500 });
        let problem = Problem::constrained(vertices.to_vec(), vec![], budget, constraints).unwrap();
        let exceeded = |placements| problem.exceeded(placements).map(|exceeded| exceeded.resource);
        use Placement::{Device, Server};
        assert_eq!(exceeded(&[Device, Device]), Some(Resource::Energy));
        assert_eq!(exceeded(&[Device, Server]), Some(Resource::Memory(Device)));
        assert_eq!(exceeded(&[Server, Device]), None);
    }

    #[test]
    fn state_that_sits_elsewhere_has_to_be_fetched() {
        let fetch = Shipping::fixed(Energy::from_millijoules(2), MS);
        let resident = Some(Resident { place: Placement::Server, fetch });
        let problem =
            Problem::new(vec![Vertex { resident, ..vertex(1, 5) }], vec![], Objective::Energy).unwrap();
        let here = problem.cost(&[Placement::Device]);
        assert_eq!(here, Cost { energy: Energy::from_millijoules(7), time: MS * 11 });
        assert_eq!(problem.cost(&[Placement::Server]), Cost { energy: Energy::ZERO, time: MS });
    }

    #[test]
    fn conditions_change_what_depends_on_them() {
        let shipping = Shipping {
            fixed: Cost { energy: Energy::ZERO, time: MS },
            round_trips: Cost { energy: Energy::ZERO, time: MS * 10 },
            payload: Cost { energy: Energy::from_millijoules(8), time: MS * 100 },
        };
        let edges = vec![Edge { shipping, ..edge(1, 2) }];
        let problem = Problem::new(vec![vertex(1, 1), vertex(2, 1)], edges, Objective::Time).unwrap();
        let apart =
            |conditions| problem.under(&conditions).unwrap().cost(&[Placement::Device, Placement::Server]);
        let but = Conditions::but;
        assert_eq!(apart(Conditions::default()).time, MS * 122);
        assert_eq!(apart(but(Condition::Bandwidth, 4.0)).time, MS * 47);
        assert_eq!(apart(but(Condition::Bandwidth, 4.0)).energy, Energy::from_millijoules(3));
        assert_eq!(apart(but(Condition::RoundTrip, 0.5)).time, MS * 117);
        assert_eq!(apart(but(Condition::ServerSpeed, 0.1)).time, MS * 131);
        assert_eq!(apart(but(Condition::Work, 3.0)).time, MS * 144);
        assert!(matches!(
            problem.under(&but(Condition::Bandwidth, 0.0)),
            Err(ProblemError::TooLarge { figure: "shipping energy", .. })
        ));
    }
}
