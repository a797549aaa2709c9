//! Cuts against every cut of a small network.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Weighted {
    terminals: Vec<i64>,
    edges: Vec<(u32, u32)>,
    capacities: Vec<(i64, i64)>,
}

impl Weighted {
    fn cost(&self, is_source: impl Fn(usize) -> bool) -> i128 {
        let terminals = self
            .terminals
            .iter()
            .enumerate()
            .map(|(vertex, weight)| if is_source(vertex) { (-weight).max(0) } else { (*weight).max(0) });
        let edges =
            self.edges.iter().zip(&self.capacities).map(|((tail, head), (forward, backward))| {
                match (is_source(*tail as usize), is_source(*head as usize)) {
                    (true, false) => *forward,
                    (false, true) => *backward,
                    _ => 0,
                }
            });
        terminals.chain(edges).map(i128::from).sum()
    }

    /// The least cost, and the smallest and the largest source side that have it.
    fn brute_force(&self) -> (i128, u32, u32) {
        let all = 0_u32..1 << self.terminals.len();
        let cost = |side: u32| self.cost(|vertex| side >> vertex & 1 == 1);
        let least = all.clone().map(cost).min().expect("there is the empty side");
        let (mut smallest, mut largest) = (u32::MAX, 0);
        for side in all.filter(|side| cost(*side) == least) {
            smallest &= side;
            largest |= side;
        }
        (least, smallest, largest)
    }

    fn set(&self, network: &mut Network) {
        for (vertex, weight) in self.terminals.iter().enumerate() {
            network.terminal(vertex, *weight);
        }
        for (edge, (forward, backward)) in self.capacities.iter().enumerate() {
            network.capacity(edge, *forward, *backward);
        }
    }
}

fn capacity() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0..20_i64, 1 => Just(0), 1 => Just(INFINITE)]
}

fn weighted() -> impl Strategy<Value = Weighted> {
    (1..9_usize).prop_flat_map(|vertices| {
        let end = 0..vertices as u32;
        let edges = prop::collection::vec((end.clone(), end), 0..18);
        (prop::collection::vec(-25..25_i64, vertices), edges).prop_flat_map(|(terminals, edges)| {
            let capacities = prop::collection::vec((capacity(), capacity()), edges.len());
            (Just(terminals), Just(edges), capacities).prop_map(|(terminals, edges, capacities)| Weighted {
                terminals,
                edges,
                capacities,
            })
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_cut_is_cheaper(weighted in weighted()) {
        let mut network = Network::new(weighted.terminals.len(), &weighted.edges);
        let (least, smallest, largest) = weighted.brute_force();
        // Twice, to see that nothing is left over from the first time.
        for _ in 0..2 {
            weighted.set(&mut network);
            prop_assert_eq!(network.solve(&mut Steps::unlimited()).map(i128::from), Some(least));
            for vertex in 0..weighted.terminals.len() {
                prop_assert_eq!(network.is_source(vertex), smallest >> vertex & 1 == 1);
                prop_assert_eq!(network.reaches_sink(vertex), largest >> vertex & 1 == 0);
            }
        }
    }
}

#[test]
fn a_chain_of_infinite_arcs_is_never_cut_forwards() {
    // The second level may only be on the source side if the first is.
    let mut network = Network::new(2, &[(1, 0)]);
    for (first, second, expected) in [(-5, 3, 3), (-2, 3, 2)] {
        network.terminal(0, first);
        network.terminal(1, second);
        network.capacity(0, INFINITE, 0);
        assert_eq!(network.solve(&mut Steps::unlimited()), Some(expected));
        assert_eq!(network.is_source(0), network.is_source(1));
    }
}

#[test]
fn a_cut_stops_when_its_steps_are_used_up() {
    let edges: Vec<(u32, u32)> = (0..9_999).map(|vertex| (vertex, vertex + 1)).collect();
    let mut network = Network::new(10_000, &edges);
    network.terminal(0, 1);
    network.terminal(9_999, -1);
    for edge in 0..edges.len() {
        network.capacity(edge, 1, 1);
    }
    let mut steps = Steps::new(15_000, None);
    assert_eq!(network.solve(&mut steps), None);
    assert!(steps.stopped());
}
