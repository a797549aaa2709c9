//! The placement problem over more than two places: an edge server and a cloud behind it, or several servers side by side.
//!
//! MAUI knows a device and a server. With more places every method has a cost in each, and every edge one for each pair that
//! its ends may be in, which the [`Topology`] makes of costs per link. What [`Problem`](crate::Problem) promises holds here
//! too: figures are integers, their sums are bounded when the problem is made, and no evaluation overflows.
//!
//! Groups, latency bounds and memory limits are those of two places only.

mod check;
mod error;
mod plan;
mod topology;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::problem::{Cost, EnergyBound, Exceeded, Objective, Resource, TimeBound, micros, thousandths_of};
use crate::{MethodIndex, PlaceIndex};

pub use error::PlacesError;
pub use plan::{PlacesChoice, PlacesPlan, PlacesPlanError};
pub use topology::Topology;

/// Where code may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its name, for people and errors.
    pub name: String,
}

impl Place {
    /// The device and one place behind each of the names.
    pub fn device_and<N: Into<String>>(servers: impl IntoIterator<Item = N>) -> Vec<Self> {
        let servers = servers.into_iter().map(|name| Self { name: name.into() });
        std::iter::once(Self { name: "device".into() }).chain(servers).collect()
    }
}

/// A method as the solver sees it; figures are sums over the profiled run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacesVertex {
    /// Which method.
    pub method: MethodIndex,
    /// Its name, for people and errors.
    pub name: String,
    /// What running it costs, by place: the device's energy, and the time.
    pub costs: Vec<Cost>,
    /// Where it must run.
    pub pin: Option<PlaceIndex>,
}

/// What calls cost whose two ends run in different places, whichever of the two is the caller's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacesEdge {
    /// Who calls.
    pub caller: MethodIndex,
    /// Who is called.
    pub callee: MethodIndex,
    /// What it costs to pass each link of the [`Topology`], by link.
    pub links: Vec<Cost>,
}

/// A call graph with costs in several places and an objective; whoever has one knows that it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacesProblem {
    places: Vec<Place>,
    topology: Topology,
    vertices: Vec<PlacesVertex>,
    edges: Vec<PlacesEdge>,
    /// Positions of an edge's caller and callee, beside `edges`.
    ends: Vec<(usize, usize)>,
    /// Per pair of places the links between them, by `from · places + to`.
    routes: Vec<Vec<usize>>,
    objective: Objective,
    limit: Option<(Resource, u64)>,
}

/// An edge that is cheaper by a place between than straight, as the problem is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detour {
    /// Who calls.
    pub caller: MethodIndex,
    /// Who is called.
    pub callee: MethodIndex,
    /// Where one end is.
    pub from: PlaceIndex,
    /// The place between.
    pub over: PlaceIndex,
    /// Where the other end is.
    pub to: PlaceIndex,
}

impl PlacesProblem {
    /// The largest sum of all energies, in microjoules, of all times, in microseconds, and of what the objective measures: of
    /// methods over all places, of edges over all pairs of places.
    ///
    /// An eighth of what [`Problem`](crate::Problem::LARGEST_SUM) allows, because a cut that moves methods to one of several
    /// places adds up to five of these figures at a vertex.
    pub const LARGEST_SUM: u64 = 1 << 57;

    /// The most places: an edge has a figure for each pair of them.
    pub const MOST_PLACES: usize = 16;

    /// Checks a problem. Vertices are put in order of their methods, times cut to whole microseconds.
    ///
    /// # Errors
    /// Fewer than two places or more than [`MOST_PLACES`](Self::MOST_PLACES), a tree that is none, two vertices of one method, an edge
    /// of a method without a vertex, a pin to a place that is not there, costs that are not one per place or per link, or
    /// figures whose sum is past [`LARGEST_SUM`](Self::LARGEST_SUM).
    pub fn new(
        places: Vec<Place>,
        topology: Topology,
        mut vertices: Vec<PlacesVertex>,
        mut edges: Vec<PlacesEdge>,
        objective: Objective,
    ) -> Result<Self, PlacesError> {
        check::places(places.len(), &topology)?;
        vertices.sort_by_key(|vertex| vertex.method);
        check::vertices(places.len(), &vertices)?;
        let ends = check::edges(topology.links(places.len()), &vertices, &edges)?;
        let costs = vertices.iter_mut().flat_map(|vertex| &mut vertex.costs);
        for cost in costs.chain(edges.iter_mut().flat_map(|edge| &mut edge.links)) {
            *cost = cost.in_whole_micros();
        }
        let routes = topology.routes(places.len());
        let mut problem = Self { places, topology, vertices, edges, ends, routes, objective, limit: None };
        check::sums(&problem)?;
        problem.limit = problem.objectives_limit();
        Ok(problem)
    }

    /// The same methods and costs under another objective.
    ///
    /// # Errors
    /// Figures whose weighted sum is past [`LARGEST_SUM`](Self::LARGEST_SUM).
    pub fn with_objective(mut self, objective: Objective) -> Result<Self, PlacesError> {
        self.objective = objective;
        check::sums(&self)?;
        self.limit = self.objectives_limit();
        Ok(self)
    }

    /// The places; the first is the device.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// How many places there are.
    pub fn place_count(&self) -> usize {
        self.places.len()
    }

    /// How the places are connected.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The methods, by index; a *position* is an index into this.
    pub fn vertices(&self) -> &[PlacesVertex] {
        &self.vertices
    }

    /// Every edge with the positions of its caller and callee.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = (usize, usize, &PlacesEdge)> {
        self.ends.iter().zip(&self.edges).map(|((caller, callee), edge)| (*caller, *callee, edge))
    }

    /// What a plan minimises.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// What the objective limits, and the most that it may be, in microseconds or microjoules.
    pub fn limit(&self) -> Option<(Resource, u64)> {
        self.limit
    }

    /// The time that a placement may take; `None` where the objective bounds none.
    pub fn time_limit(&self) -> Option<Duration> {
        self.limit
            .filter(|(resource, _)| *resource == Resource::Time)
            .map(|(_, most)| Duration::from_micros(most))
    }

    /// A method's position.
    pub fn position(&self, method: MethodIndex) -> Option<usize> {
        check::position(&self.vertices, method)
    }

    /// Everything on the device, but for what is pinned elsewhere: what the app does without a plan.
    pub fn all_local(&self) -> Vec<PlaceIndex> {
        self.vertices.iter().map(|vertex| vertex.pin.unwrap_or(PlaceIndex::DEVICE)).collect()
    }

    /// The links between two places, none for one and the same.
    ///
    /// # Panics
    /// If one of the places is not there.
    pub fn route(&self, from: PlaceIndex, to: PlaceIndex) -> &[usize] {
        &self.routes[usize::from(from.0) * self.places.len() + usize::from(to.0)]
    }

    /// What an edge costs with its ends in those places.
    ///
    /// # Panics
    /// If one of the places is not there.
    pub fn shipping(&self, edge: &PlacesEdge, from: PlaceIndex, to: PlaceIndex) -> Cost {
        let links = self.route(from, to).iter().map(|link| edge.links[*link]);
        links.fold(Cost::ZERO, |sum, link| sum + link)
    }

    /// Energy and time of a placement, one entry per position.
    ///
    /// # Panics
    /// If there are fewer placements than vertices, or one is at a place that is not there.
    pub fn cost(&self, placements: &[PlaceIndex]) -> Cost {
        let mut cost = Cost::ZERO;
        for (vertex, place) in self.vertices.iter().zip(placements) {
            cost += vertex.costs[usize::from(place.0)];
        }
        for (caller, callee, edge) in self.edges() {
            cost += self.shipping(edge, placements[caller], placements[callee]);
        }
        cost
    }

    /// The objective's limit, if a placement passes it.
    ///
    /// # Panics
    /// As [`cost`](Self::cost).
    pub fn exceeded(&self, placements: &[PlaceIndex]) -> Option<Exceeded> {
        let (resource, most) = self.limit?;
        let amount = amount(resource, self.cost(placements));
        let value = |amount| resource.value_of(amount);
        (amount > most).then(|| Exceeded { resource, amount: value(amount), most: value(most) })
    }

    /// An edge whose costs, as the objective measures them, break the triangle inequality; `None` where they are a metric.
    ///
    /// Links that add up along the way are always a metric. A [`Mesh`](Topology::Mesh) need not be one: relaying over the
    /// place between would then be cheaper than what the problem allows. It has plans all the same, but the moves that look
    /// for them see less at once (Boykov, Veksler & Zabih 2001), and gaps may be wider.
    pub fn detour(&self) -> Option<Detour> {
        if !matches!(self.topology, Topology::Mesh) {
            return None;
        }
        let indices = || (0..self.places.len() as u16).map(PlaceIndex);
        self.edges.iter().find_map(|edge| {
            let measure = |from, to| self.objective.measure(self.shipping(edge, from, to));
            let triples = indices()
                .flat_map(|from| indices().flat_map(move |over| indices().map(move |to| (from, over, to))));
            let (caller, callee) = (edge.caller, edge.callee);
            triples
                .into_iter()
                .find(|(from, over, to)| measure(*from, *to) > measure(*from, *over) + measure(*over, *to))
                .map(|(from, over, to)| Detour { caller, callee, from, over, to })
        })
    }

    fn objectives_limit(&self) -> Option<(Resource, u64)> {
        let local = || self.cost(&self.all_local());
        match self.objective {
            Objective::EnergyWithin(TimeBound::Absolute(time)) => Some((Resource::Time, micros(time))),
            Objective::EnergyWithin(TimeBound::OfLocal { thousandths }) => {
                Some((Resource::Time, thousandths_of(micros(local().time), thousandths)))
            }
            Objective::TimeWithin(EnergyBound::Absolute(energy)) => {
                Some((Resource::Energy, energy.as_microjoules()))
            }
            Objective::TimeWithin(EnergyBound::OfLocal { thousandths }) => {
                Some((Resource::Energy, thousandths_of(local().energy.as_microjoules(), thousandths)))
            }
            Objective::Energy | Objective::Time | Objective::Weighted { .. } => None,
        }
    }
}

impl PlaceIndex {
    /// The machine that the app runs on.
    pub const DEVICE: Self = Self(0);
}

/// The limited part of a cost, in microseconds or microjoules.
fn amount(resource: Resource, cost: Cost) -> u64 {
    match resource {
        Resource::Energy => cost.energy.as_microjoules(),
        _ => micros(cost.time),
    }
}

#[cfg(test)]
mod tests;
