//! The call graph: methods, who calls whom, and what was learned about both.

use std::collections::BTreeMap;
use std::time::Duration;

use petgraph::graphmap::DiGraphMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::problem::{Cost, Edge, Objective, Placement, Problem, ProblemError, Shipping, Vertex};
use crate::{Bandwidth, ByteCount, Energy, MethodIndex, Power};

/// What a method costs over the profiled run, all its calls together and without the methods it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodFigures {
    /// The method's name, for people.
    pub name: String,
    /// How often it was called.
    pub calls: u64,
    /// Energy of running it on the device.
    pub local_energy: Energy,
    /// Time of running it on the device.
    pub local_time: Duration,
    /// Time of running it on the server, without the way there and back.
    pub remote_time: Duration,
    /// Energy that the device spends while it runs on the server.
    pub remote_energy: Energy,
    /// Where it must run; `None` where the solver may choose.
    pub pin: Option<Placement>,
}

/// What one method's calls of another cost when the two run in different places, all calls together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFigures {
    /// How often the caller called.
    pub calls: u64,
    /// Arguments, state and results, both ways.
    pub bytes: ByteCount,
    /// What shipping them costs.
    pub shipping: Shipping,
}

/// Methods with their profiled figures, and edges from caller to callee.
///
/// ```
/// use outboard_core::{CallFigures, CallGraph, MethodFigures, MethodIndex, Objective, Placement};
///
/// let (ui, find) = (MethodIndex(0), MethodIndex(1));
/// let mut graph = CallGraph::new();
/// graph.insert(ui, MethodFigures { pin: Some(Placement::Device), ..Default::default() });
/// graph.insert(find, MethodFigures::default());
/// graph.add_calls(ui, find, CallFigures { calls: 3, ..Default::default() })?;
/// let problem = graph.problem(Objective::Energy)?;
/// assert_eq!(problem.vertices().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CallGraph {
    methods: BTreeMap<MethodIndex, MethodFigures>,
    /// Keeps the edges in the order in which they were added, and finds one in constant time.
    calls: DiGraphMap<MethodIndex, CallFigures>,
}

impl CallGraph {
    /// A graph without methods.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a method, or replaces its figures and keeps its edges.
    pub fn insert(&mut self, method: MethodIndex, figures: MethodFigures) {
        self.methods.insert(method, figures);
    }

    /// Adds calls from one method to another to those already known.
    ///
    /// # Errors
    /// A method that was not inserted.
    pub fn add_calls(
        &mut self,
        caller: MethodIndex,
        callee: MethodIndex,
        figures: CallFigures,
    ) -> Result<(), UnknownMethod> {
        for method in [caller, callee] {
            if !self.methods.contains_key(&method) {
                return Err(UnknownMethod(method));
            }
        }
        match self.calls.edge_weight_mut(caller, callee) {
            Some(known) => {
                known.calls = known.calls.saturating_add(figures.calls);
                known.bytes += figures.bytes;
                known.shipping += figures.shipping;
            }
            None => {
                self.calls.add_edge(caller, callee, figures);
            }
        }
        Ok(())
    }

    /// A method's figures.
    pub fn figures(&self, method: MethodIndex) -> Option<&MethodFigures> {
        self.methods.get(&method)
    }

    /// What one method's calls of another cost.
    pub fn calls_between(&self, caller: MethodIndex, callee: MethodIndex) -> Option<CallFigures> {
        self.calls.edge_weight(caller, callee).copied()
    }

    /// Every method with its figures, by index.
    pub fn methods(&self) -> impl Iterator<Item = (MethodIndex, &MethodFigures)> {
        self.methods.iter().map(|(method, figures)| (*method, figures))
    }

    /// Every edge as caller, callee and figures, in the order in which they were first added.
    pub fn calls(&self) -> impl Iterator<Item = (MethodIndex, MethodIndex, CallFigures)> {
        self.calls.all_edges().map(|(caller, callee, figures)| (caller, callee, *figures))
    }

    /// Prices the shipping of every edge anew, by its calls and bytes on this link.
    pub fn price(&mut self, link: &LinkPrice) {
        for (_, _, figures) in self.calls.all_edges_mut() {
            figures.shipping = link.ship(figures.calls, figures.bytes);
        }
    }

    /// The placement problem that this graph poses.
    ///
    /// # Errors
    /// Figures so large that their sum has no meaning.
    pub fn problem(&self, objective: Objective) -> Result<Problem, ProblemError> {
        let vertices = self.methods().map(|(method, figures)| Vertex {
            local_energy: figures.local_energy,
            local_time: figures.local_time,
            remote_time: figures.remote_time,
            remote_energy: figures.remote_energy,
            pin: figures.pin,
            ..Vertex::new(method, figures.name.clone())
        });
        let edges =
            self.calls().map(|(caller, callee, figures)| Edge { caller, callee, shipping: figures.shipping });
        Problem::new(vertices.collect(), edges.collect(), objective)
    }
}

/// What a link costs, in the four figures that MAUI's problem needs of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkPrice {
    /// Time of an exchange without payload.
    pub round_trip: Duration,
    /// Payload per time.
    pub bandwidth: Bandwidth,
    /// What the device draws, above what it would draw anyway, while it waits for the round trip.
    pub waiting: Power,
    /// What the device draws, above what it would draw anyway, while payload passes.
    pub transferring: Power,
}

impl LinkPrice {
    /// What that many calls that carry that many bytes in all cost.
    ///
    /// `t = N·rtt + B / bandwidth`, `C = P_wait·N·rtt + P_tx·B / bandwidth` (MAUI §6.1, with the exchange and the
    /// payload apart).
    pub fn ship(&self, calls: u64, bytes: ByteCount) -> Shipping {
        let nanos = self.round_trip.as_nanos().saturating_mul(u128::from(calls));
        let exchange = u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos);
        let payload = bytes / self.bandwidth;
        Shipping {
            fixed: Cost::ZERO,
            round_trips: Cost { energy: self.waiting * exchange, time: exchange },
            payload: Cost { energy: self.transferring * payload, time: payload },
        }
    }
}

/// An edge was given to or from a method that the graph does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("method {0} is not in the call graph: insert it before its calls")]
pub struct UnknownMethod(pub MethodIndex);

#[cfg(test)]
mod tests {
    use super::*;

    const UI: MethodIndex = MethodIndex(0);
    const FIND: MethodIndex = MethodIndex(1);

    fn two_methods() -> CallGraph {
        let mut graph = CallGraph::new();
        graph.insert(FIND, MethodFigures { name: "find".into(), calls: 2, ..Default::default() });
        graph.insert(UI, MethodFigures { name: "ui".into(), calls: 1, ..Default::default() });
        graph
    }

    #[test]
    fn repeated_calls_add_up_on_one_edge() {
        let mut graph = two_methods();
        let once = CallFigures { calls: 1, bytes: ByteCount::from_bytes(100), ..Default::default() };
        graph.add_calls(UI, FIND, once).unwrap();
        graph.add_calls(UI, FIND, once).unwrap();
        let sum = graph.calls_between(UI, FIND).unwrap();
        assert_eq!((sum.calls, sum.bytes), (2, ByteCount::from_bytes(200)));
        assert_eq!(graph.calls_between(FIND, UI), None);
        assert_eq!(graph.calls().count(), 1);
    }

    #[test]
    fn new_figures_keep_the_edges() {
        let mut graph = two_methods();
        graph.add_calls(UI, FIND, CallFigures { calls: 5, ..Default::default() }).unwrap();
        graph.insert(FIND, MethodFigures { calls: 9, ..Default::default() });
        assert_eq!(graph.figures(FIND).map(|figures| figures.calls), Some(9));
        assert_eq!(graph.calls_between(UI, FIND).map(|figures| figures.calls), Some(5));
    }

    #[test]
    fn an_edge_to_nowhere_is_refused_by_name() {
        let unknown = two_methods().add_calls(UI, MethodIndex(7), CallFigures::default());
        assert_eq!(unknown, Err(UnknownMethod(MethodIndex(7))));
    }

    #[test]
    fn a_link_charges_waiting_and_payload_apart() {
        let mut graph = two_methods();
        let bytes = ByteCount::from_bytes(10_000);
        graph.add_calls(UI, FIND, CallFigures { calls: 4, bytes, ..Default::default() }).unwrap();
        graph.price(&LinkPrice {
            round_trip: Duration::from_millis(25),
            bandwidth: Bandwidth::from_megabits_per_second(8),
            waiting: Power::from_milliwatts(100),
            transferring: Power::from_milliwatts(1_000),
        });
        let figures = graph.calls_between(UI, FIND).unwrap();
        // 4 × 25 ms at 0.1 W and 10 ms at 1 W.
        let cost = figures.shipping.total();
        assert_eq!(cost.time, Duration::from_millis(110));
        assert_eq!(cost.energy, Energy::from_millijoules(20));
    }
}
