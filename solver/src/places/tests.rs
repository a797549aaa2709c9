//! Plans over several places against every placement of small problems, and against what must hold of any.

use std::time::Duration;

use outboard_core::{
    Cost, Energy, EnergyBound, MethodIndex, Objective, Place, PlacesEdge, PlacesVertex, Power, TimeBound,
    Topology,
};
use proptest::prelude::*;

use super::*;
use crate::{Exhaustive, Ilp};

/// Heavy-tailed: most figures are small, some a million times larger, some zero, some equal.
fn figure() -> impl Strategy<Value = u64> {
    prop_oneof![
        1 => Just(0),
        2 => 0..10_u64,
        2 => 0..1_000_u64,
        4 => (0..24_u32, 0..1_000_u64).prop_map(|(power, rest)| (1 << power) + rest),
    ]
}

fn cost() -> impl Strategy<Value = Cost> {
    (figure(), figure()).prop_map(|(energy, time)| Cost {
        energy: Energy::from_microjoules(energy),
        time: Duration::from_micros(time),
    })
}

fn unbounded() -> impl Strategy<Value = Objective> {
    prop_oneof![
        Just(Objective::Energy),
        Just(Objective::Time),
        Just(Objective::battery_life(Power::from_milliwatts(300))),
    ]
}

fn bounded() -> impl Strategy<Value = Objective> {
    let time = |micros| Objective::EnergyWithin(TimeBound::Absolute(Duration::from_micros(micros)));
    prop_oneof![
        (300..1_300_u32).prop_map(|thousandths| Objective::EnergyWithin(TimeBound::OfLocal { thousandths })),
        figure().prop_map(move |micros| time(4 * micros)),
        (300..1_300_u32).prop_map(|thousandths| Objective::TimeWithin(EnergyBound::OfLocal { thousandths })),
    ]
}

/// Any tree in which parents come first.
fn tree(places: usize) -> impl Strategy<Value = Topology> {
    proptest::collection::vec(0..u16::MAX, places - 1).prop_map(|drawn| {
        let parents = (1..).zip(drawn).map(|(place, drawn)| PlaceIndex(drawn % place));
        Topology::Tree { parents: parents.collect() }
    })
}

/// Problems of all kinds: loops, parallel and self edges, pins, zero and equal costs; a few methods in a few places.
fn problems<T: Strategy<Value = Topology>>(
    places: std::ops::RangeInclusive<usize>,
    most: usize,
    topology: impl Fn(usize) -> T,
    objective: impl Strategy<Value = Objective>,
) -> impl Strategy<Value = PlacesProblem> {
    let shape = (places, 1..=most).prop_flat_map(move |(places, methods)| {
        let topology = topology(places);
        topology.prop_flat_map(move |topology| {
            let pin = prop_oneof![
                6 => Just(None),
                2 => Just(Some(PlaceIndex::DEVICE)),
                1 => (0..places as u16).prop_map(|place| Some(PlaceIndex(place))),
            ];
            let vertex = (proptest::collection::vec(cost(), places), pin);
            let links = proptest::collection::vec(cost(), topology.links(places));
            let end = 0..methods as u32;
            let vertices = proptest::collection::vec(vertex, methods);
            let edges = proptest::collection::vec((end.clone(), end, links), 0..=2 * methods);
            (Just((places, topology)), vertices, edges)
        })
    });
    (shape, objective).prop_map(|(((places, topology), vertices, edges), objective)| {
        let vertices = (0..).zip(vertices).map(|(index, (costs, pin))| PlacesVertex {
            method: MethodIndex(index),
            name: format!("method{index}"),
            costs,
            pin,
        });
        let edges = edges.into_iter().map(|(caller, callee, links)| PlacesEdge {
            caller: MethodIndex(caller),
            callee: MethodIndex(callee),
            links,
        });
        let names = (1..places).map(|number| format!("server{number}"));
        let (vertices, edges) = (vertices.collect(), edges.collect());
        PlacesProblem::new(Place::device_and(names), topology, vertices, edges, objective).unwrap()
    })
}

fn measure(plan: &PlacesPlan) -> u64 {
    plan.objective().measure(plan.cost())
}

/// What the device and one of the servers can do together, by trying everything.
fn best_with_one_server(problem: &PlacesProblem) -> u64 {
    let free: Vec<usize> = (0..problem.vertices().len())
        .filter(|position| problem.vertices()[*position].pin.is_none())
        .collect();
    let servers = 1..problem.place_count() as u16;
    let measures = servers.flat_map(|server| {
        let free = &free;
        (0_u32..1 << free.len()).map(move |away| {
            let mut placements = problem.all_local();
            for (bit, position) in free.iter().enumerate() {
                placements[*position] = PlaceIndex(if away >> bit & 1 == 1 { server } else { 0 });
            }
            problem.objective().measure(problem.cost(&placements))
        })
    });
    measures.min().expect("there is a server")
}

/// Whether a plan says no more than what is so.
fn is_honest(plan: &PlacesPlan, best: u64) -> bool {
    let is_optimal = plan.quality() == Quality::Optimal;
    plan.floor() <= best && best <= measure(plan) && (!is_optimal || measure(plan) == best)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_chain_is_exact(problem in problems(2..=4, 6, |_| Just(Topology::Chain), unbounded())) {
        let best = Exhaustive.solve_places(&problem).unwrap();
        let plan = solve_places(&problem, &Limits::default()).unwrap();
        prop_assert_eq!(measure(&plan), measure(&best));
        prop_assert_eq!(plan.quality(), Quality::Optimal);
    }

    #[test]
    fn servers_side_by_side_are_never_worse_than_one_and_the_gap_is_honest(
        problem in problems(3..=4, 6, |_| prop_oneof![Just(Topology::Star), Just(Topology::Mesh)], unbounded()),
    ) {
        let best = Exhaustive.solve_places(&problem).unwrap();
        let plan = solve_places(&problem, &Limits::default()).unwrap();
        prop_assert!(is_honest(&plan, measure(&best)), "{:?} against {:?}", plan, best);
        prop_assert!(measure(&plan) <= best_with_one_server(&problem));
        // So few methods leave nothing open.
        prop_assert_eq!(plan.quality(), Quality::Optimal);
    }

    #[test]
    fn moves_alone_are_never_worse_than_one_server_and_the_bound_alone_is_one(
        problem in problems(3..=4, 6, |_| prop_oneof![Just(Topology::Star), Just(Topology::Mesh)], unbounded()),
    ) {
        let best = measure(&Exhaustive.solve_places(&problem).unwrap()).cast_signed();
        let one_server = best_with_one_server(&problem).cast_signed();
        for effort in [Effort::MOVES, Effort::QUICK] {
            let mut attempt = Attempt::new(&problem, 0, Steps::unlimited());
            let local = vec![0; attempt.free.len()];
            let minimum = Minimum::of(&attempt.goal, None, &local, effort, &mut attempt.steps);
            prop_assert!(minimum.floor <= best && best <= minimum.measure && minimum.measure <= one_server);
        }
    }

    #[test]
    fn trees_of_places_are_solved(problem in problems(3..=5, 5, tree, unbounded())) {
        let best = Exhaustive.solve_places(&problem).unwrap();
        let plan = solve_places(&problem, &Limits::default()).unwrap();
        prop_assert_eq!(measure(&plan), measure(&best));
        prop_assert_eq!(plan.quality(), Quality::Optimal);
    }

    #[test]
    fn prices_bound_what_keeps_a_limit(
        problem in problems(2..=4, 6, |_| prop_oneof![Just(Topology::Chain), Just(Topology::Star)], bounded()),
    ) {
        let best = Exhaustive.solve_places(&problem);
        let mut attempt = Attempt::new(&problem, 0, Steps::unlimited());
        let priced = attempt.search().and_then(|()| attempt.finish());
        match (priced, best) {
            (Ok(plan), Ok(best)) => prop_assert!(is_honest(&plan, measure(&best)), "{:?} {:?}", plan, best),
            (Err(SolveError::Infeasible { least, .. }), Err(SolveError::Infeasible { least: best, .. })) => {
                prop_assert_eq!(least, best);
            }
            (Err(SolveError::NoneFound { .. }), Ok(_)) => {}
            (found, best) => prop_assert!(false, "it says {:?}, the oracle {:?}", found, best),
        }
    }

    #[test]
    fn few_steps_give_an_honest_answer_and_the_same_one_twice(
        problem in problems(3..=4, 6, |_| Just(Topology::Mesh), unbounded()),
        steps in 0..3_000_u64,
        gap in prop_oneof![Just(0_u32), 0..200_000_u32],
    ) {
        let best = Exhaustive.solve_places(&problem).unwrap();
        let limits = Limits::default().with_steps(steps).with_gap(gap);
        let plan = solve_places(&problem, &limits).unwrap();
        prop_assert!(is_honest(&plan, measure(&best)), "{:?} against {:?}", plan, best);
        prop_assert!(measure(&plan) <= plan.objective().measure(plan.all_local()));
        prop_assert_eq!(solve_places(&problem, &limits).unwrap(), plan);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_program_finds_what_the_oracle_finds(
        problem in problems(
            2..=4,
            5,
            |places| prop_oneof![Just(Topology::Chain).boxed(), Just(Topology::Mesh).boxed(), tree(places).boxed()],
            prop_oneof![unbounded(), bounded()],
        ),
    ) {
        match (Ilp::microlp().solve_places(&problem, &Limits::default()), Exhaustive.solve_places(&problem)) {
            (Ok(plan), Ok(best)) => prop_assert!(is_honest(&plan, measure(&best)), "{:?} {:?}", plan, best),
            (Err(SolveError::NoneFound { .. }), Err(SolveError::Infeasible { .. })) => {}
            (found, best) => prop_assert!(false, "it says {:?}, the oracle {:?}", found, best),
        }
    }
}

/// A program without an edge or a choice, or without anything at all.
#[test]
fn nothing_to_decide_is_decided() {
    let problem = |vertices| {
        let servers = Place::device_and(["one", "two"]);
        PlacesProblem::new(servers, Topology::Mesh, vertices, vec![], Objective::Energy).unwrap()
    };
    let pinned = PlacesVertex {
        method: MethodIndex(0),
        name: "pinned".into(),
        costs: vec![Cost { energy: Energy::from_microjoules(7), time: Duration::ZERO }; 3],
        pin: Some(PlaceIndex(2)),
    };
    for (vertices, expected) in [(vec![], 0), (vec![pinned], 7)] {
        let plan = solve_places(&problem(vertices), &Limits::default()).unwrap();
        assert_eq!((measure(&plan), plan.quality()), (expected, Quality::Optimal));
    }
}
