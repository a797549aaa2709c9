//! Places in a row, as device – edge – cloud: the best placement is one minimum cut.
//!
//! A method at place `i` of a row of `k` is the levels `z¹ ≥ z² ≥ … ≥ zᵏ⁻¹` of which the first `i` are one. An edge whose
//! links `j` cost `c_j` costs `Σ_j c_j · |z_u^j − z_v^j|`, which a cut can say, and infinite arcs keep the levels in order
//! (Ishikawa 2003, "Exact optimization for Markov random fields with convex priors"; here with different costs per link, as
//! each link's sum is a cut of its own).

use outboard_core::PlaceIndex;

use super::program::Program;
use crate::cut::{INFINITE, Network};
use crate::steps::Steps;

/// The best labels, with the places in their order in `row`; `None` if the steps ran out.
///
/// Of labels that are as good, the ones nearest to the row's start.
pub(crate) fn solve(program: &Program, row: &[PlaceIndex], steps: &mut Steps<'_>) -> Option<Vec<u16>> {
    let levels = row.len() - 1;
    let node = |number: usize, level: usize| (number * levels + level) as u32;
    let places: Vec<usize> = row.iter().map(|place| usize::from(place.0)).collect();

    let order = (0..program.len())
        .flat_map(|number| (1..levels).map(move |level| (node(number, level), node(number, level - 1))));
    let mut arcs: Vec<(u32, u32)> = order.collect();
    let ordered = arcs.len();
    for (one, other) in &program.edges {
        let (one, other) = (*one as usize, *other as usize);
        arcs.extend((0..levels).map(|level| (node(one, level), node(other, level))));
    }

    let mut network = Network::new(program.len() * levels, &arcs);
    for number in 0..program.len() {
        let own = program.own(number);
        for (level, pair) in places.windows(2).enumerate() {
            // Being past this level costs so much more than not.
            network.terminal(node(number, level) as usize, own[pair[0]] - own[pair[1]]);
        }
    }
    for arc in 0..ordered {
        network.capacity(arc, INFINITE, 0);
    }
    for edge in 0..program.edges.len() {
        for (level, pair) in places.windows(2).enumerate() {
            let apart = program.apart(edge, pair[0], pair[1]);
            network.capacity(ordered + edge * levels + level, apart, apart);
        }
    }
    network.solve(steps)?;
    let passed = |number: usize| {
        (0..levels).take_while(|level| network.is_source(node(number, *level) as usize)).count()
    };
    Some((0..program.len()).map(|number| row[passed(number)].0).collect())
}
