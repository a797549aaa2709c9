//! What a solver says when it cannot answer, or not for sure.

use std::time::Duration;

use outboard_core::{
    Edge, Energy, MethodIndex, Objective, Problem, Quality, Resource, Shipping, TimeBound, Value, Vertex,
};
use outboard_solver::{Automatic, Exact, Exhaustive, Ilp, Limits, Solve, SolveError};

use crate::problems::face_recognition;

const MS: Duration = Duration::from_millis(1);

/// A ring of methods, each worth more on the server than its edges, all of them or none being a fair choice.
fn ring(methods: u32, objective: Objective) -> Problem {
    let vertices = (0..methods).map(|index| Vertex {
        local_energy: Energy::from_millijoules(10 + u64::from(index * 7 % 5)),
        local_time: MS,
        remote_time: MS * (1 + index % 3),
        ..Vertex::new(MethodIndex(index), format!("method{index}"))
    });
    let edges = (0..methods).map(|index| Edge {
        caller: MethodIndex(index),
        callee: MethodIndex((index + 1) % methods),
        shipping: Shipping::fixed(Energy::from_millijoules(6 + u64::from(index * 3 % 4)), MS / 2),
    });
    Problem::new(vertices.collect(), edges.collect(), objective).unwrap()
}

#[test]
fn a_bound_that_nothing_meets_is_refused_with_the_fastest_time() {
    let bound = TimeBound::Absolute(MS * 100);
    let problem = face_recognition(Objective::EnergyWithin(bound));
    let refused = SolveError::Infeasible {
        resource: Resource::Time,
        most: Value::Time(MS * 100),
        least: Value::Time(Duration::from_micros(1_501_500)),
    };
    let solvers: [&dyn Solve; 4] = [&Exhaustive, &Exact, &Ilp::microlp(), &Automatic];
    for solver in solvers {
        assert_eq!(solver.solve(&problem, &Limits::default()), Err(refused.clone()));
    }
    assert_eq!(
        refused.to_string(),
        "no placement keeps the run's time below 1.5015s: allow that much instead of 100ms, or minimise it"
    );
}

#[test]
fn a_bound_that_only_the_server_meets_is_met_even_at_a_cost() {
    let bound = TimeBound::Absolute(MS * 2_000);
    let problem = face_recognition(Objective::EnergyWithin(bound));
    let plan = Ilp::microlp().solve(&problem, &Limits::default()).unwrap();
    assert!(plan.cost().time <= MS * 2_000 && plan.all_local().time > MS * 2_000);
    assert_eq!(plan.quality(), Quality::Optimal);
}

#[test]
fn without_time_to_search_the_plan_is_no_worse_than_local_and_says_so() {
    let problem = ring(40, Objective::default());
    let hasty = Ilp::microlp().solve(&problem, &Limits::within(Duration::ZERO)).unwrap();
    let Quality::TimeLimit { bound: Value::Energy(bound) } = hasty.quality() else {
        panic!("{:?}", hasty.quality());
    };
    let best = Ilp::microlp().solve(&problem, &Limits::default()).unwrap().cost().energy;
    assert!(bound <= best && best <= hasty.cost().energy);
    assert!(hasty.cost().energy <= hasty.all_local().energy);
}

#[test]
fn the_oracle_refuses_what_would_take_it_hours() {
    let problem = ring(21, Objective::Energy);
    let refused = Exhaustive.solve(&problem, &Limits::default());
    assert_eq!(refused, Err(SolveError::TooMany { free: 21, most: 20 }));
    assert!(Automatic.solve(&problem, &Limits::default()).is_ok());
}

#[test]
fn a_program_without_methods_has_an_empty_plan() {
    let problem = Problem::new(vec![], vec![], Objective::default()).unwrap();
    let solvers: [&dyn Solve; 4] = [&Exhaustive, &Exact, &Ilp::microlp(), &Automatic];
    for solver in solvers {
        let plan = solver.solve(&problem, &Limits::default()).unwrap();
        assert!(plan.choices().is_empty() && !plan.offloads());
    }
}
