//! What must hold for every problem, whatever its optimum is.

use std::time::Duration;

use outboard_core::{
    Bandwidth, ByteCount, CallFigures, CallGraph, Conditions, Constraints, Edge, EnergyBound, LinkPrice,
    MethodFigures, MethodIndex, Objective, Placement, Power, Problem, ProblemError, Quality, Shipping,
    TimeBound, Value, Vertex,
};
use outboard_problems::any as drawn;
use outboard_solver::{Automatic, Exact, Limits, Solve};
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

/// What the oracle for small problems of every kind says.
fn best(problem: &Problem) -> Option<u64> {
    let plan = Automatic.solve(problem, &Limits::default()).ok()?;
    assert_eq!(plan.quality(), Quality::Optimal);
    Some(problem.objective().measure(plan.cost()))
}

/// The same problem with other constraints.
fn constrained(problem: &Problem, constraints: Constraints) -> Result<Problem, ProblemError> {
    let edges = problem.edges().map(|(_, _, edge)| *edge).collect();
    Problem::constrained(problem.vertices().to_vec(), edges, problem.objective(), constraints)
}

/// Whether nothing is lost: what was possible still is, and costs no more.
fn no_worse(stricter: Option<u64>, laxer: Option<u64>) -> bool {
    stricter.is_none_or(|stricter| laxer.is_some_and(|laxer| laxer <= stricter))
}

#[test]
fn no_limit_and_no_group_ever_helps() {
    for seed in 0..1_500 {
        let problem = drawn(9, seed);
        let limited = best(&problem);
        let given = problem.constraints();
        let without = |change: fn(&mut Constraints)| {
            let mut laxer = given.clone();
            change(&mut laxer);
            best(&constrained(&problem, laxer).expect("with less it is a problem too"))
        };
        // Groups pin: what everything local comes to, which bounds may be relative to, is another without them.
        if given.together.is_empty() || !is_relative(problem.objective()) {
            assert!(no_worse(limited, without(|laxer| laxer.together.clear())), "seed {seed}");
        }
        assert!(
            no_worse(limited, without(|laxer| laxer.latency.truncate(laxer.latency.len().saturating_sub(1)))),
            "seed {seed}"
        );
        assert!(
            no_worse(limited, without(|laxer| laxer.memory.truncate(laxer.memory.len().saturating_sub(1)))),
            "seed {seed}"
        );
        let roomier = without(|laxer| {
            laxer.memory.iter_mut().for_each(|limit| limit.most = limit.most * 2);
            laxer.latency.iter_mut().for_each(|bound| bound.most *= 2);
        });
        assert!(no_worse(limited, roomier), "seed {seed}");
        assert!(no_worse(limited, best(&problem.clone().unlimited())), "seed {seed}");
    }
}

fn is_relative(objective: Objective) -> bool {
    matches!(
        objective,
        Objective::EnergyWithin(TimeBound::OfLocal { .. })
            | Objective::TimeWithin(EnergyBound::OfLocal { .. })
    )
}

#[test]
fn better_conditions_never_hurt() {
    for seed in 0..1_500 {
        let problem = drawn(9, seed);
        if is_relative(problem.objective()) {
            // The bound moves with what everything local comes to, which may hold methods that only the server runs.
            continue;
        }
        // Doubling and halving a figure of whole units rounds only one of the two.
        let under = |bandwidth, round_trip, server_speed| {
            let conditions = Conditions { bandwidth, round_trip, server_speed, ..Conditions::default() };
            best(&problem.under(&conditions).expect("the figures are small"))
        };
        let poor = under(0.5, 2.0, 0.5);
        for better in [under(1.0, 2.0, 0.5), under(0.5, 1.0, 0.5), under(0.5, 2.0, 1.0)] {
            assert!(no_worse(poor, better), "seed {seed}");
        }
    }
}

#[test]
fn no_plan_is_worse_than_all_local_whatever_is_limited() {
    for seed in 0..3_000 {
        let problem = drawn(16, seed);
        let local = problem.all_local();
        if problem.exceeded(&local).is_none() {
            let local = problem.objective().measure(problem.cost(&local));
            let hasty = Limits::within(Duration::ZERO).with_steps(seed % 500);
            let plan = Exact.solve(&problem, &hasty).expect("all-local is allowed");
            assert!(problem.objective().measure(plan.cost()) <= local, "seed {seed}");
        }
    }
}
