//! What is looked at before a problem over several places is one.

use super::{PlacesEdge, PlacesError, PlacesProblem, PlacesVertex, Topology};
use crate::problem::{Cost, Objective};
use crate::{MethodIndex, PlaceIndex};

pub(super) fn places(count: usize, topology: &Topology) -> Result<(), PlacesError> {
    if !(2..=PlacesProblem::MOST_PLACES).contains(&count) {
        return Err(PlacesError::PlaceCount { count });
    }
    let Topology::Tree { parents } = topology else { return Ok(()) };
    if parents.len() != count - 1 {
        return Err(PlacesError::ParentCount { places: count, given: parents.len() });
    }
    let mut pairs = (1..).map(PlaceIndex).zip(parents);
    match pairs.find(|(place, parent)| *parent >= place) {
        Some((place, parent)) => Err(PlacesError::Parent { place, parent: *parent }),
        None => Ok(()),
    }
}

/// Looks at vertices that are in order of their methods.
pub(super) fn vertices(places: usize, vertices: &[PlacesVertex]) -> Result<(), PlacesError> {
    if let Some(pair) = vertices.windows(2).find(|pair| pair[0].method == pair[1].method) {
        let (method, name) = (pair[0].method, pair[0].name.clone());
        return Err(PlacesError::Duplicate { method, name });
    }
    for PlacesVertex { name, costs, pin, .. } in vertices {
        if costs.len() != places {
            return Err(PlacesError::Costs { name: name.clone(), given: costs.len(), wanted: places });
        }
        if let Some(pin) = pin.filter(|pin| usize::from(pin.0) >= places) {
            return Err(PlacesError::Pin { name: name.clone(), pin, places });
        }
    }
    Ok(())
}

/// The positions of every edge's caller and callee.
pub(super) fn edges(
    links: usize,
    vertices: &[PlacesVertex],
    edges: &[PlacesEdge],
) -> Result<Vec<(usize, usize)>, PlacesError> {
    let ends = edges.iter().map(|edge| {
        let (caller, callee, given) = (edge.caller, edge.callee, edge.links.len());
        if given != links {
            return Err(PlacesError::Links { caller, callee, given, wanted: links });
        }
        let position =
            |method, other| position(vertices, method).ok_or(PlacesError::UnknownMethod { method, other });
        Ok((position(caller, callee)?, position(callee, caller)?))
    });
    ends.collect()
}

pub(super) fn position(vertices: &[PlacesVertex], method: MethodIndex) -> Option<usize> {
    vertices.binary_search_by_key(&method, |vertex| vertex.method).ok()
}

/// Makes sure that no sum of figures overflows: of methods over all places, of edges over all pairs of places.
pub(super) fn sums(problem: &PlacesProblem) -> Result<(), PlacesError> {
    let mut sums = Sums { objective: problem.objective, energy: 0, time: 0, measure: 0 };
    for vertex in &problem.vertices {
        let fits = vertex.costs.iter().all(|cost| sums.add(*cost, 1));
        if !fits {
            return Err(PlacesError::TooLarge { place: vertex.name.clone() });
        }
    }
    let links = problem.topology.links(problem.places.len());
    let mut times = vec![0_u32; links];
    for link in problem.routes.iter().flatten() {
        times[*link] += 1;
    }
    for (caller, callee, edge) in problem.edges() {
        // Routes are listed there and back.
        let fits = edge.links.iter().zip(&times).all(|(cost, times)| sums.add(*cost, times / 2));
        if !fits {
            let name = |position: usize| &problem.vertices[position].name;
            return Err(PlacesError::TooLarge { place: format!("{} → {}", name(caller), name(callee)) });
        }
    }
    Ok(())
}

/// Sums of all figures so far.
struct Sums {
    objective: Objective,
    /// Microjoules.
    energy: u128,
    /// Microseconds.
    time: u128,
    /// In the objective's unit.
    measure: u128,
}

impl Sums {
    /// Adds so many of a cost; says whether the sums are still small enough.
    fn add(&mut self, cost: Cost, times: u32) -> bool {
        self.energy += u128::from(cost.energy.as_microjoules()) * u128::from(times);
        self.time += cost.time.as_micros() * u128::from(times);
        self.measure += u128::from(self.objective.measure(cost)) * u128::from(times);
        self.energy.max(self.time).max(self.measure) <= u128::from(PlacesProblem::LARGEST_SUM)
    }
}
