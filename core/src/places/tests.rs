//! Problems over several places: what they cost, and what is refused.

use super::*;
use crate::{Energy, Quality, Value};

const MS: Duration = Duration::from_millis(1);

fn cost(millijoules: u64, millis: u32) -> Cost {
    Cost { energy: Energy::from_millijoules(millijoules), time: MS * millis }
}

fn vertex(method: u32, costs: &[Cost]) -> PlacesVertex {
    PlacesVertex {
        method: MethodIndex(method),
        name: format!("method{method}"),
        costs: costs.to_vec(),
        pin: None,
    }
}

fn edge(caller: u32, callee: u32, links: &[Cost]) -> PlacesEdge {
    PlacesEdge { caller: MethodIndex(caller), callee: MethodIndex(callee), links: links.to_vec() }
}

fn place(number: u16) -> PlaceIndex {
    PlaceIndex(number)
}

/// Two methods on device, edge and cloud.
fn chain(objective: Objective) -> PlacesProblem {
    let vertices = vec![
        vertex(1, &[cost(40, 40), cost(0, 8), cost(0, 2)]),
        PlacesVertex { pin: Some(PlaceIndex::DEVICE), ..vertex(0, &[cost(5, 5); 3]) },
    ];
    let edges = vec![edge(0, 1, &[cost(10, 3), cost(0, 20)])];
    PlacesProblem::new(Place::device_and(["edge", "cloud"]), Topology::Chain, vertices, edges, objective)
        .unwrap()
}

#[test]
fn an_edge_pays_for_every_link_between_its_ends() {
    let problem = chain(Objective::Energy);
    assert_eq!(problem.position(MethodIndex(0)), Some(0));
    assert_eq!(problem.cost(&[place(0), place(0)]), cost(45, 45));
    assert_eq!(problem.cost(&[place(0), place(1)]), cost(15, 16));
    assert_eq!(problem.cost(&[place(0), place(2)]), cost(15, 30));
    assert_eq!(problem.detour(), None);
}

#[test]
fn a_relative_bound_is_relative_to_all_local() {
    let problem = chain(Objective::EnergyWithin(TimeBound::OfLocal { thousandths: 500 }));
    assert_eq!(problem.time_limit(), Some(Duration::from_micros(22_500)));
    let exceeded = problem.exceeded(&[place(0), place(2)]).unwrap();
    assert_eq!((exceeded.resource, exceeded.amount), (Resource::Time, Value::Time(MS * 30)));
    assert_eq!(problem.exceeded(&[place(0), place(1)]), None);
    assert_eq!(problem.with_objective(Objective::Time).unwrap().limit(), None);
}

#[test]
fn a_mesh_may_have_detours_that_the_problem_does_not_take() {
    let mesh = |links: &[Cost]| {
        let vertices = vec![vertex(0, &[cost(1, 1); 3]), vertex(1, &[cost(1, 1); 3])];
        let edges = vec![edge(0, 1, links)];
        let places = Place::device_and(["one", "other"]);
        PlacesProblem::new(places, Topology::Mesh, vertices, edges, Objective::Energy).unwrap()
    };
    let metric = mesh(&[cost(5, 1), cost(5, 1), cost(10, 1)]);
    assert_eq!(metric.detour(), None);
    let detour = mesh(&[cost(5, 1), cost(5, 1), cost(11, 1)]).detour().unwrap();
    assert_eq!((detour.from, detour.over, detour.to), (place(1), place(0), place(2)));
    assert_eq!(metric.cost(&[place(1), place(2)]), cost(12, 3));
}

#[test]
fn a_bad_problem_names_the_place() {
    let new = |count: usize, topology, vertices, edges| {
        let servers = (1..count).map(|number| format!("server{number}"));
        let problem =
            PlacesProblem::new(Place::device_and(servers), topology, vertices, edges, Objective::Energy);
        problem.unwrap_err().to_string()
    };
    let free = |method| vertex(method, &[Cost::ZERO; 3]);
    assert_eq!(
        new(1, Topology::Chain, vec![], vec![]),
        "1 places were given: name the device and 1 to 15 more"
    );
    assert_eq!(
        new(3, Topology::Tree { parents: vec![place(0)] }, vec![], vec![]),
        "a tree of 3 places was given 1 parents: name one for each but the device"
    );
    assert_eq!(
        new(3, Topology::Tree { parents: vec![place(0), place(2)] }, vec![], vec![]),
        "place2 is behind place2, which does not come before it: put what is nearer to the device first"
    );
    assert_eq!(
        new(2, Topology::Chain, vec![free(1)], vec![]),
        "`method1` has 3 costs: name one for each of the 2 places"
    );
    assert_eq!(
        new(3, Topology::Chain, vec![PlacesVertex { pin: Some(place(3)), ..free(1) }], vec![]),
        "`method1` is pinned to place3, but there are 3 places only"
    );
    assert_eq!(
        new(3, Topology::Chain, vec![free(1), free(1)], vec![]),
        "method m1 (`method1`) has more than one vertex: add its figures up"
    );
    assert_eq!(
        new(3, Topology::Mesh, vec![free(1), free(2)], vec![edge(1, 2, &[Cost::ZERO; 2])]),
        "the edge from m1 to m2 has 2 costs: name one for each of the 3 links"
    );
    assert_eq!(
        new(3, Topology::Star, vec![free(1)], vec![edge(1, 2, &[Cost::ZERO; 2])]),
        "an edge between m2 and m1 names m2, which has no vertex: add one"
    );
    // The inner link is on the way of two pairs, therefore counts twice.
    let half = Cost { energy: Energy::from_microjoules(1 << 56), time: Duration::ZERO };
    let heavy = edge(1, 2, &[half, Cost { energy: Energy::from_microjoules(1), ..half }]);
    assert_eq!(
        new(3, Topology::Chain, vec![free(1), free(2)], vec![heavy]),
        "the costs of `method1 → method2` take the sum past 144115188075855872 µJ or µs: leave out what cannot happen"
    );
}

#[test]
fn a_plan_is_checked_against_its_problem() {
    let problem = chain(Objective::EnergyWithin(TimeBound::OfLocal { thousandths: 500 }));
    let refused = |placements: &[PlaceIndex]| {
        PlacesPlan::new(&problem, placements, Quality::Optimal).unwrap_err().to_string()
    };
    assert_eq!(refused(&[place(0)]), "1 placements were given for 2 methods");
    assert_eq!(refused(&[place(0), place(3)]), "`method1` is at place3, but there are 3 places only");
    assert_eq!(refused(&[place(1), place(1)]), "`method0` is at place1 but pinned to place0");
    assert_eq!(
        refused(&[place(0), place(2)]),
        "the run's time is 30ms under this placement, past the 22.5ms that are allowed"
    );
    let plan = PlacesPlan::new(&problem, &[place(0), place(1)], Quality::Optimal).unwrap();
    assert!(plan.offloads());
    assert_eq!((plan.place(MethodIndex(1)), plan.place(MethodIndex(2))), (Some(place(1)), None));
    assert_eq!(plan.value(), Value::Energy(Energy::from_millijoules(15)));
    assert_eq!(plan.all_local_value(), Value::Energy(Energy::from_millijoules(45)));
    assert_eq!((plan.floor(), plan.gap()), (15_000, 0.0));
}
