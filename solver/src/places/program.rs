//! What is left of a problem over several places once pins are decided and edges are added up, in one measure.

use std::collections::BTreeMap;

use outboard_core::{Cost, PlaceIndex, PlacesProblem};

use super::signed;

/// The undecided methods, by number, in order of their positions.
#[derive(Debug)]
pub(crate) struct Free {
    /// Per number the position.
    positions: Vec<usize>,
    /// The placement in which everything undecided is on the device.
    start: Vec<PlaceIndex>,
}

/// Minimise `Σ own(v, x_v) + Σ_e apart(e, x_u, x_v)`, which is the problem's measure but for `base`.
///
/// All of it is at most [`PlacesProblem::LARGEST_SUM`] in sum.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// How many places there are.
    pub(crate) places: usize,
    /// How many links join them.
    pub(crate) link_count: usize,
    /// What is decided.
    pub(crate) base: i64,
    /// Per undecided method and place, what the method costs there, by `number · places + place`.
    pub(crate) own: Vec<i64>,
    /// Pairs of undecided methods, the smaller one first, each pair once.
    pub(crate) edges: Vec<(u32, u32)>,
    /// Per edge and link, what passing that link costs, by `edge · links + link`.
    pub(crate) links: Vec<i64>,
    /// Per pair of places the links between, by `from · places + to`.
    routes: Vec<Vec<usize>>,
}

impl Free {
    pub(crate) fn new(problem: &PlacesProblem) -> Self {
        let vertices = problem.vertices();
        let positions = (0..vertices.len()).filter(|position| vertices[*position].pin.is_none());
        Self { positions: positions.collect(), start: problem.all_local() }
    }

    /// Those that are left when some more are decided, by number.
    pub(crate) fn decide(&self, decided: &[Option<u16>]) -> Self {
        let labels: Vec<u16> = decided.iter().map(|label| label.unwrap_or(PlaceIndex::DEVICE.0)).collect();
        let left = self.positions.iter().zip(decided).filter(|(_, label)| label.is_none());
        Self { positions: left.map(|(position, _)| *position).collect(), start: self.expand(&labels) }
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    /// The placement of all methods that has the undecided ones there.
    pub(crate) fn expand(&self, labels: &[u16]) -> Vec<PlaceIndex> {
        let mut placements = self.start.clone();
        for (position, label) in self.positions.iter().zip(labels) {
            placements[*position] = PlaceIndex(*label);
        }
        placements
    }

    /// The undecided ones of a placement of all methods.
    pub(crate) fn labels(&self, placements: &[PlaceIndex]) -> Vec<u16> {
        self.positions.iter().map(|position| placements[*position].0).collect()
    }
}

impl Program {
    /// A problem in one measure, which has to add up.
    pub(crate) fn new(problem: &PlacesProblem, free: &Free, measure: impl Fn(Cost) -> u64) -> Self {
        let measure = |cost| signed(measure(cost));
        let places = problem.place_count();
        let link_count = problem.topology().links(places);
        let indices = || (0..places as u16).map(PlaceIndex);
        let routes = indices().flat_map(|from| indices().map(move |to| problem.route(from, to).to_vec()));
        let routes: Vec<Vec<usize>> = routes.collect();
        let mut numbers = vec![None; problem.vertices().len()];
        for (number, position) in free.positions.iter().enumerate() {
            numbers[*position] = Some(number);
        }

        let (mut base, mut own) = (0, Vec::with_capacity(free.len() * places));
        for ((vertex, number), place) in problem.vertices().iter().zip(&numbers).zip(&free.start) {
            match number {
                Some(_) => own.extend(vertex.costs.iter().map(|cost| measure(*cost))),
                None => base += measure(vertex.costs[usize::from(place.0)]),
            }
        }
        let mut merged = BTreeMap::new();
        for (caller, callee, edge) in problem.edges() {
            let shipping = |from, to| measure(problem.shipping(edge, from, to));
            match (numbers[caller], numbers[callee]) {
                (Some(one), Some(other)) if one == other => {}
                (Some(one), Some(other)) => {
                    let pair = (one.min(other) as u32, one.max(other) as u32);
                    let sums = merged.entry(pair).or_insert_with(|| vec![0; link_count]);
                    for (sum, link) in sums.iter_mut().zip(&edge.links) {
                        *sum += measure(*link);
                    }
                }
                (Some(number), None) | (None, Some(number)) => {
                    let decided = if numbers[caller].is_none() { caller } else { callee };
                    for (label, place) in indices().enumerate() {
                        own[number * places + label] += shipping(free.start[decided], place);
                    }
                }
                (None, None) => base += shipping(free.start[caller], free.start[callee]),
            }
        }
        let (edges, links): (Vec<_>, Vec<_>) = merged.into_iter().unzip();
        Self { places, link_count, base, own, edges, links: links.concat(), routes }
    }

    /// `p` times one measure of a problem and `q` times another one.
    pub(crate) fn mixed((p, one): (i64, &Self), (q, other): (i64, &Self)) -> Self {
        let mix = |ones: &[i64], others: &[i64]| -> Vec<i64> {
            ones.iter().zip(others).map(|(one, other)| p * one + q * other).collect()
        };
        Self {
            base: p * one.base + q * other.base,
            own: mix(&one.own, &other.own),
            links: mix(&one.links, &other.links),
            ..one.clone()
        }
    }

    /// How many methods are undecided.
    pub(crate) fn len(&self) -> usize {
        self.own.len() / self.places
    }

    /// What a method costs, by place.
    pub(crate) fn own(&self, number: usize) -> &[i64] {
        &self.own[number * self.places..(number + 1) * self.places]
    }

    /// What passing the links costs on an edge.
    pub(crate) fn links(&self, edge: usize) -> &[i64] {
        let count = self.link_count;
        &self.links[edge * count..(edge + 1) * count]
    }

    /// What an edge costs with its ends in those places.
    pub(crate) fn apart(&self, edge: usize, from: usize, to: usize) -> i64 {
        let links = self.links(edge);
        self.routes[from * self.places + to].iter().map(|link| links[*link]).sum()
    }

    /// What every edge costs, by `(edge · places + from) · places + to`.
    pub(crate) fn tables(&self) -> Vec<i64> {
        let pairs = |edge| {
            let pairs = (0..self.places).flat_map(|from| (0..self.places).map(move |to| (from, to)));
            pairs.map(move |(from, to)| self.apart(edge, from, to))
        };
        (0..self.edges.len()).flat_map(pairs).collect()
    }

    /// The measure, with what is decided.
    pub(crate) fn measure(&self, labels: &[u16]) -> i64 {
        let own = labels.iter().enumerate().map(|(number, label)| self.own(number)[usize::from(*label)]);
        let label = |number: u32| usize::from(labels[number as usize]);
        let apart = self.edges.iter().enumerate();
        let apart = apart.map(|(edge, (one, other))| self.apart(edge, label(*one), label(*other)));
        self.base + own.sum::<i64>() + apart.sum::<i64>()
    }

    /// All that it consists of: of methods over all places, of edges over all pairs of places.
    pub(crate) fn sum(&self) -> i64 {
        let mut pairs = vec![0; self.link_count];
        for link in self.routes.iter().flatten() {
            pairs[*link] += 1;
        }
        // Routes are listed there and back.
        let edges = self.links.chunks(pairs.len()).flat_map(|links| links.iter().zip(&pairs));
        let edges = edges.map(|(link, pairs)| link * (pairs / 2));
        self.base + self.own.iter().sum::<i64>() + edges.sum::<i64>()
    }

    /// What no placement is below: every method where it is cheapest, and nothing shipped.
    pub(crate) fn floor(&self) -> i64 {
        let least = |own: &[i64]| own.iter().copied().min().expect("there are places");
        self.base + self.own.chunks(self.places).map(least).sum::<i64>()
    }
}
