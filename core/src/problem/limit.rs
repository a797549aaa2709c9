//! What a placement must keep besides its pins: sums that may not pass a limit.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::objective::Value;
use super::vertex::{Edge, Placement, Vertex, micros};
use crate::{ByteCount, Energy, MethodIndex};

/// What placements must keep besides pins and the objective's own bound. Default: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraints {
    /// Groups of methods that run in the same place, wherever that is.
    pub together: Vec<Vec<MethodIndex>>,
    /// Methods that must be done in time.
    pub latency: Vec<LatencyBound>,
    /// Places that cannot hold everything.
    pub memory: Vec<MemoryLimit>,
}

/// The time that all calls of a method may take in the profiled run, with everything they call in turn and with the shipping
/// between them and from their callers.
///
/// Methods that others call as well count in full, so that the bound is kept for sure, perhaps with room to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyBound {
    /// Which method.
    pub method: MethodIndex,
    /// For all its calls, in whole microseconds.
    pub most: Duration,
}

/// What the methods of one place may hold in memory together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryLimit {
    /// Where.
    pub place: Placement,
    /// How much.
    pub most: ByteCount,
}

/// What a limit is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// The time of the run.
    Time,
    /// The energy of the run.
    Energy,
    /// The time of a method and all that it calls.
    Latency(MethodIndex),
    /// The memory of a place.
    Memory(Placement),
}

impl Resource {
    /// A bare number of this resource, in microseconds, microjoules or bytes, as a value.
    pub fn value_of(self, amount: u64) -> Value {
        match self {
            Self::Time | Self::Latency(_) => Value::Time(Duration::from_micros(amount)),
            Self::Energy => Value::Energy(Energy::from_microjoules(amount)),
            Self::Memory(_) => Value::Memory(ByteCount::from_bytes(amount)),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time => f.write_str("the run's time"),
            Self::Energy => f.write_str("the run's energy"),
            Self::Latency(method) => write!(f, "the time of {method} and what it calls"),
            Self::Memory(place) => write!(f, "the {place}'s memory"),
        }
    }
}

/// One limit of a problem: what each method and call adds to a sum, and the most that the sum may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    resource: Resource,
    most: u64,
    scope: Option<Scope>,
}

/// The part of a problem that a limit counts, by positions of vertices and edges.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scope {
    vertices: Vec<bool>,
    edges: Vec<bool>,
}

impl Limit {
    /// A limit on everything.
    pub(super) fn overall(resource: Resource, most: u64) -> Self {
        Self { resource, most, scope: None }
    }

    /// A limit on a method and all that it calls; `ends` are the positions of the edges' callers and callees.
    pub(super) fn latency(bound: &LatencyBound, root: usize, count: usize, ends: &[(usize, usize)]) -> Self {
        let vertices = reached_from(root, count, ends);
        // Calls from outside come to the method itself, or are somebody else's.
        let counts = |(caller, callee): &(usize, usize)| vertices[*caller] || *callee == root;
        let edges = ends.iter().map(counts).collect();
        let scope = Some(Scope { vertices, edges });
        Self { resource: Resource::Latency(bound.method), most: micros(bound.most), scope }
    }

    /// What is limited.
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// The most that is allowed, in microseconds, microjoules or bytes.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// What a method at a position adds in a place.
    pub fn of_vertex(&self, position: usize, vertex: &Vertex, placement: Placement) -> u64 {
        if self.scope.as_ref().is_some_and(|scope| !scope.vertices[position]) {
            return 0;
        }
        match self.resource {
            Resource::Time | Resource::Latency(_) => micros(vertex.cost(placement).time),
            Resource::Energy => vertex.cost(placement).energy.as_microjoules(),
            Resource::Memory(place) if place == placement => vertex.memory.as_bytes(),
            Resource::Memory(_) => 0,
        }
    }

    /// What an edge, by its number, adds where its ends are apart.
    pub fn of_edge(&self, number: usize, edge: &Edge) -> u64 {
        if self.scope.as_ref().is_some_and(|scope| !scope.edges[number]) {
            return 0;
        }
        match self.resource {
            Resource::Time | Resource::Latency(_) => micros(edge.cost().time),
            Resource::Energy => edge.cost().energy.as_microjoules(),
            Resource::Memory(_) => 0,
        }
    }
}

/// What is called from there, directly or not, and itself.
fn reached_from(root: usize, count: usize, ends: &[(usize, usize)]) -> Vec<bool> {
    let mut callees = vec![Vec::new(); count];
    for (caller, callee) in ends {
        callees[*caller].push(*callee);
    }
    let mut reached = vec![false; count];
    let mut pending = vec![root];
    while let Some(position) = pending.pop() {
        if !std::mem::replace(&mut reached[position], true) {
            pending.append(&mut callees[position]);
        }
    }
    reached
}

/// A limit that a placement passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// What is limited.
    pub resource: Resource,
    /// What the placement takes.
    pub amount: Value,
    /// What it may take.
    pub most: Value,
}
