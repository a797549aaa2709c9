//! What any solver of MAUI's problem must answer, with the exact placements.

use std::time::Duration;

use outboard_core::Placement::{Device, Server};
use outboard_core::{Energy, Objective, Placement, Plan, Problem, Quality, Why};
use outboard_solver::{Automatic, Exact, Exhaustive, Ilp, Limits, Solve, explain};

use crate::problems::{
    DETECT, DO_LEVEL, FIND_MATCH, GAME_LOOP, HANDLE_MISSILES, INITIALIZE, USER_INTERFACE, arcade,
    face_recognition,
};

/// The plan that all solvers agree on, placement by placement.
fn agreed(problem: &Problem) -> Plan {
    let limits = Limits::default();
    let solvers: [&dyn Solve; 4] = [&Exhaustive, &Exact, &Ilp::microlp(), &Automatic];
    let plans = solvers.map(|solver| solver.solve(problem, &limits).expect("all-local is allowed"));
    for other in &plans[1..] {
        assert_eq!(*other, plans[0]);
    }
    plans[0].clone()
}

#[test]
fn the_face_recogniser_goes_to_the_server_as_a_whole() {
    for objective in [Objective::Energy, Objective::default()] {
        let plan = agreed(&face_recognition(objective));
        assert_eq!(plan.placement(USER_INTERFACE), Some(Device));
        for method in [FIND_MATCH, INITIALIZE, DETECT] {
            assert_eq!(plan.placement(method), Some(Server));
        }
        assert_eq!(plan.all_local().energy, Energy::from_millijoules(20_900));
        assert_eq!(plan.cost().energy, Energy::from_millijoules(1_000));
        assert_eq!(plan.quality(), Quality::Optimal);
    }
}

#[test]
fn a_decision_per_method_offloads_nothing_of_the_face_recogniser() {
    let problem = face_recognition(Objective::Energy);
    let local = Plan::new(&problem, &problem.all_local(), Quality::Optimal).unwrap();
    for choice in &local.choices()[1..] {
        assert!(matches!(choice.why, Why::Saves(_)), "{choice:?}");
    }
}

#[test]
fn the_face_recognisers_plan_says_why() {
    let plan = agreed(&face_recognition(Objective::Energy));
    assert_eq!(
        explain(&plan),
        "1.00 J instead of 20.9 J all local (no placement is better)\n\
         UserInterface runs on the device: it may run nowhere else.\n\
         FindMatch runs on the server: taking it back would cost 34.9 J more.\n\
         InitializeFaceRecognizer runs on the server: taking it back would cost 15.0 J more.\n\
         DetectAndExtractFaces runs on the server: taking it back would cost 40.0 J more.\n"
    );
}

#[test]
fn the_arcade_game_without_missiles_offloads_its_level_below_10_ms() {
    // At the turning point itself both are as good.
    for round_trip in (1..=100).filter(|round_trip| *round_trip != 10) {
        let away = arcade_away(0, round_trip);
        let expected: &[_] = if round_trip < 10 { &[DO_LEVEL] } else { &[] };
        assert_eq!(away, expected, "at {round_trip} ms");
    }
}

#[test]
fn the_arcade_game_with_missiles_offloads_level_then_missiles_then_nothing() {
    for round_trip in (1..=100).filter(|round_trip| ![30, 60].contains(round_trip)) {
        let away = arcade_away(5, round_trip);
        let expected: &[_] = match round_trip {
            ..30 => &[DO_LEVEL, HANDLE_MISSILES],
            30..60 => &[HANDLE_MISSILES],
            _ => &[],
        };
        assert_eq!(away, expected, "at {round_trip} ms");
    }
}

/// The methods of the arcade game that cost something and run on the server.
fn arcade_away(missiles: u64, milliseconds: u64) -> Vec<outboard_core::MethodIndex> {
    let problem = arcade(missiles, Duration::from_millis(milliseconds));
    let plan = agreed(&problem);
    assert_eq!(plan.placement(GAME_LOOP), Some(Device));
    let costs = |position: usize| problem.vertices()[position].local_energy > Energy::ZERO;
    let away = plan
        .choices()
        .iter()
        .enumerate()
        .filter(|(position, choice)| choice.placement == Placement::Server && costs(*position));
    away.map(|(_, choice)| choice.method).collect()
}
