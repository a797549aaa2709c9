//! What must hold for every problem, whatever its optimum is.

use std::time::Duration;

use outboard_core::{
    Bandwidth, ByteCount, CallFigures, CallGraph, Edge, LinkPrice, MethodFigures, MethodIndex, Objective,
    Placement, Power, Problem, Quality, Shipping, TimeBound, Value, Vertex,
};
use outboard_solver::{Exact, Limits, Solve};
use proptest::prelude::*;

use crate::problems::problems;

fn value(problem: &Problem) -> Option<u64> {
    let plan = Exact.solve(problem, &Limits::default()).ok()?;
    assert_eq!(plan.quality(), Quality::Optimal);
    Some(number(plan.value()))
}

fn number(value: Value) -> u64 {
    match value {
        Value::Energy(energy) => energy.as_microjoules(),
        Value::Time(time) => time.as_micros() as u64,
        Value::Memory(bytes) => bytes.as_bytes(),
    }
}

/// The same problem with other vertices and edges.
fn changed(
    problem: &Problem,
    objective: Objective,
    vertex: impl Fn(Vertex) -> Vertex,
    edge: impl Fn(Edge) -> Edge,
) -> Problem {
    let vertices = problem.vertices().iter().cloned().map(vertex).collect();
    let edges = problem.edges().map(|(_, _, original)| edge(*original)).collect();
    Problem::new(vertices, edges, objective).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_plan_is_worse_than_all_local(problem in problems(30)) {
        if let Ok(plan) = Exact.solve(&problem, &Limits::default()) {
            let limit = problem.time_limit();
            prop_assert!(limit.is_none_or(|limit| plan.cost().time <= limit));
            if limit.is_none_or(|limit| plan.all_local().time <= limit) {
                prop_assert!(number(plan.value()) <= number(plan.all_local_value()));
            }
        }
    }

    #[test]
    fn a_pin_never_helps(problem in problems(12), which in any::<prop::sample::Index>()) {
        let pinned = MethodIndex(which.index(problem.vertices().len()) as u32);
        let pin = |vertex: Vertex| match vertex.pin {
            None if vertex.method == pinned => Vertex { pin: Some(Placement::Device), ..vertex },
            _ => vertex,
        };
        let stricter = changed(&problem, problem.objective(), pin, |edge| edge);
        match (value(&problem), value(&stricter)) {
            (Some(free), Some(pinned)) => prop_assert!(free <= pinned),
            (free, pinned) => prop_assert!(pinned.is_none(), "{:?} became {:?}", free, pinned),
        }
    }

    #[test]
    fn units_do_not_matter(problem in problems(12), energies in 1..50_u64, times in 1..50_u32) {
        let objective = match problem.objective() {
            Objective::EnergyWithin(TimeBound::Absolute(time)) => {
                Objective::EnergyWithin(TimeBound::Absolute(time * times))
            }
            // Rounding the bound down to a whole microsecond is not the same before and after.
            Objective::EnergyWithin(TimeBound::OfLocal { .. }) => {
                let limit = problem.time_limit().expect("it is bounded");
                Objective::EnergyWithin(TimeBound::Absolute(limit * times))
            }
            other => other,
        };
        let vertex = |vertex: Vertex| Vertex {
            local_energy: vertex.local_energy * energies,
            remote_energy: vertex.remote_energy * energies,
            local_time: vertex.local_time * times,
            remote_time: vertex.remote_time * times,
            ..vertex
        };
        let edge = |edge: Edge| {
            let cost = edge.cost();
            Edge { shipping: Shipping::fixed(cost.energy * energies, cost.time * times), ..edge }
        };
        let scaled = changed(&problem, objective, vertex, edge);
        let factor = if objective == Objective::Time { u64::from(times) } else { energies };
        prop_assert_eq!(value(&problem).map(|value| value * factor), value(&scaled));
    }

    #[test]
    fn labels_do_not_matter(problem in problems(12), seed in any::<u32>()) {
        // An odd factor is a permutation of the 32-bit numbers.
        let label = |method: MethodIndex| MethodIndex(method.0.wrapping_mul(seed | 1));
        let vertex = |vertex: Vertex| Vertex { method: label(vertex.method), name: "other".into(), ..vertex };
        let edge = |edge: Edge| Edge { caller: label(edge.callee), callee: label(edge.caller), ..edge };
        let relabelled = changed(&problem, problem.objective(), vertex, edge);
        prop_assert_eq!(value(&problem), value(&relabelled));
    }

    #[test]
    fn more_bandwidth_never_hurts(
        sizes in proptest::collection::vec((1..2_000_u64, 0..100_000_u64), 2..10),
        megabits in 1..50_u64,
    ) {
        let objectives = [Objective::Energy, Objective::Time, Objective::default()];
        let on_link = |megabits| {
            let mut graph = chain(&sizes);
            graph.price(&LinkPrice {
                round_trip: Duration::from_millis(20),
                bandwidth: Bandwidth::from_megabits_per_second(megabits),
                waiting: Power::from_milliwatts(300),
                transferring: Power::from_milliwatts(1_200),
            });
            objectives.map(|objective| value(&graph.problem(objective).unwrap()))
        };
        let (slower, faster) = (on_link(megabits), on_link(2 * megabits));
        for (slower, faster) in slower.iter().zip(faster) {
            prop_assert!(faster <= *slower);
        }
    }
}

/// A device-bound method that calls a chain of others, each of so many milliseconds and bytes.
fn chain(sizes: &[(u64, u64)]) -> CallGraph {
    let mut graph = CallGraph::new();
    for (index, (milliseconds, _)) in sizes.iter().enumerate() {
        let local_time = Duration::from_millis(*milliseconds);
        graph.insert(
            MethodIndex(index as u32),
            MethodFigures {
                local_time,
                local_energy: Power::from_milliwatts(900) * local_time,
                remote_time: local_time / 8,
                pin: (index == 0).then_some(Placement::Device),
                ..Default::default()
            },
        );
    }
    for (index, (_, bytes)) in sizes.iter().enumerate().skip(1) {
        let (caller, callee) = (MethodIndex(index as u32 - 1), MethodIndex(index as u32));
        let shipping = CallFigures { calls: 1, bytes: ByteCount::from_bytes(*bytes), ..Default::default() };
        graph.add_calls(caller, callee, shipping).unwrap();
    }
    graph
}
