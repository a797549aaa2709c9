//! Plans over more than two places: MAUI's face recogniser with a cloud behind its server, and what two places must agree on.

use std::time::Duration;

use outboard_core::{
    Cost, Energy, MethodIndex, Objective, Place, PlaceIndex, Placement, PlacesEdge, PlacesPlan,
    PlacesProblem, PlacesVertex, Problem, Quality, TimeBound, Topology,
};
use outboard_solver::{Exact, Exhaustive, Limits, Solve, SolveError, solve_places};
use proptest::prelude::*;

use crate::problems::{DETECT, FIND_MATCH, INITIALIZE, USER_INTERFACE, face_recognition, problems};

const DEVICE: PlaceIndex = PlaceIndex::DEVICE;
const EDGE: PlaceIndex = PlaceIndex(1);
const CLOUD: PlaceIndex = PlaceIndex(2);

const fn millis(millis: u64) -> Cost {
    Cost { energy: Energy::ZERO, time: Duration::from_millis(millis) }
}

/// The published figures with a server in the same building, twice as fast as the device, and a cloud behind it, ten times as
/// fast; from one to the other a call takes that long.
fn with_a_cloud(objective: Objective, to_cloud: u64) -> PlacesProblem {
    let problem = face_recognition(Objective::Energy);
    let vertices = problem.vertices().iter().map(|vertex| {
        let local = vertex.cost(Placement::Device);
        let away = |times: u32| Cost { energy: Energy::ZERO, time: local.time / times };
        PlacesVertex {
            method: vertex.method,
            name: vertex.name.clone(),
            costs: vec![local, away(2), away(10)],
            pin: vertex.pin.map(|_| DEVICE),
        }
    });
    let edges = problem.edges().map(|(_, _, edge)| PlacesEdge {
        caller: edge.caller,
        callee: edge.callee,
        links: vec![edge.cost(), millis(to_cloud)],
    });
    let (vertices, edges) = (vertices.collect(), edges.collect());
    PlacesProblem::new(Place::device_and(["edge", "cloud"]), Topology::Chain, vertices, edges, objective)
        .unwrap()
}

fn solved(problem: &PlacesProblem) -> PlacesPlan {
    let plan = solve_places(problem, &Limits::default()).unwrap();
    assert_eq!(plan.quality(), Quality::Optimal);
    plan
}

fn places(plan: &PlacesPlan) -> [PlaceIndex; 4] {
    [USER_INTERFACE, FIND_MATCH, INITIALIZE, DETECT].map(|method| plan.place(method).unwrap())
}

#[test]
fn a_chain_puts_what_is_heavy_in_the_cloud_and_the_rest_where_it_is_called() {
    // Every call that stays on one side of the link to the cloud saves a second.
    let plan = solved(&with_a_cloud(Objective::Time, 1_000));
    assert_eq!(places(&plan), [DEVICE, CLOUD, CLOUD, CLOUD]);
    // 1.5 ms, 300 ms and 1.2 s there, and a second to get there.
    assert_eq!(plan.cost().time, Duration::from_micros(2_501_500));
    // Nothing is worth that long a way. MAUI's plan remains: everything that is not pinned on the server.
    let plan = solved(&with_a_cloud(Objective::Time, 60_000));
    assert_eq!(places(&plan), [DEVICE, EDGE, EDGE, EDGE]);
    // The energy does not tell edge from cloud, and the nearest is as good as any.
    let plan = solved(&with_a_cloud(Objective::Energy, 1_000));
    assert_eq!(places(&plan), [DEVICE, EDGE, EDGE, EDGE]);
    assert_eq!(plan.cost().energy, Energy::from_millijoules(1_000));
}

#[test]
fn a_bound_on_time_moves_what_it_has_to() {
    let within = |millis| Objective::EnergyWithin(TimeBound::Absolute(Duration::from_millis(millis)));
    let plan = solved(&with_a_cloud(within(8_000), 1_000));
    assert_eq!(plan.cost().energy, Energy::from_millijoules(1_000));
    assert_eq!(places(&plan)[1], EDGE, "half the device's time is enough");
    let plan = solved(&with_a_cloud(within(3_000), 1_000));
    assert_eq!(places(&plan)[3], CLOUD);
    let refused = solve_places(&with_a_cloud(within(2_000), 1_000), &Limits::default()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "no placement keeps the run's time below 2.5015s: allow that much instead of 2s, or minimise it"
    );
}

/// A ring of three methods that each run well on one of three servers only, and pay for being apart.
fn ring(apart: u64) -> PlacesProblem {
    let vertices = (0..3).map(|number| PlacesVertex {
        method: MethodIndex(number),
        name: format!("method{number}"),
        costs: (0..4).map(|place| millis(if place == number + 1 { 0 } else { 100 })).collect(),
        pin: None,
    });
    let edges = (0..3).map(|number| PlacesEdge {
        caller: MethodIndex(number),
        callee: MethodIndex((number + 1) % 3),
        links: vec![millis(apart); 6],
    });
    let servers = Place::device_and(["one", "two", "three"]);
    PlacesProblem::new(servers, Topology::Mesh, vertices.collect(), edges.collect(), Objective::Time).unwrap()
}

#[test]
fn parallel_servers_share_the_work_for_as_long_as_it_pays() {
    let plan = solved(&ring(60));
    assert_eq!(plan.placements(), [1, 2, 3].map(PlaceIndex));
    assert_eq!(plan.cost(), millis(180));
    // All three on one of them: two methods run badly, and nothing is shipped.
    let plan = solved(&ring(70));
    assert_eq!(plan.cost(), millis(200));
    assert!(plan.placements().windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn out_of_steps_the_answer_is_an_answer_and_says_what_it_knows() {
    let plan = solve_places(&ring(60), &Limits::default().with_steps(0)).unwrap();
    assert!(plan.cost().time <= plan.all_local().time);
    // What every method costs where it is cheapest, with nothing shipped.
    let bound = Objective::Time.value_of(0);
    assert_eq!(plan.quality(), Quality::TimeLimit { bound });
    assert_eq!(plan.gap(), 1.0);
}

#[test]
fn trying_everything_is_refused_where_it_would_not_end() {
    let vertices = (0..10).map(|number| PlacesVertex {
        method: MethodIndex(number),
        name: format!("method{number}"),
        costs: vec![millis(1); 4],
        pin: None,
    });
    let servers = Place::device_and(["one", "two", "three"]);
    let problem =
        PlacesProblem::new(servers, Topology::Star, vertices.collect(), vec![], Objective::Time).unwrap();
    assert_eq!(
        Exhaustive.solve_places(&problem),
        Err(SolveError::TooManyPlacements { most: Exhaustive::MOST_PLACEMENTS })
    );
}

/// A device and a server as places.
fn two_places(problem: &Problem) -> PlacesProblem {
    let place = |placement| PlaceIndex(u16::from(placement == Placement::Server));
    let vertices = problem.vertices().iter().map(|vertex| PlacesVertex {
        method: vertex.method,
        name: vertex.name.clone(),
        costs: [Placement::Device, Placement::Server].map(|placement| vertex.cost(placement)).to_vec(),
        pin: vertex.pin.map(place),
    });
    let edges = problem.edges().map(|(_, _, edge)| PlacesEdge {
        caller: edge.caller,
        callee: edge.callee,
        links: vec![edge.cost()],
    });
    let (vertices, edges) = (vertices.collect(), edges.collect());
    PlacesProblem::new(Place::device_and(["server"]), Topology::Mesh, vertices, edges, problem.objective())
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn two_places_are_the_ordinary_problem(problem in problems(10)) {
        let ordinary = Exact.solve(&problem, &Limits::default());
        match (solve_places(&two_places(&problem), &Limits::default()), ordinary) {
            (Ok(plan), Ok(ordinary)) => {
                prop_assert_eq!(plan.value(), ordinary.value());
                prop_assert_eq!(plan.quality(), Quality::Optimal);
            }
            (Err(one), Err(other)) => prop_assert_eq!(one, other),
            (one, other) => prop_assert!(false, "{:?} against {:?}", one, other),
        }
    }
}
