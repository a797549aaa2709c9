//! Flip points: where MAUI's cases turn, and that what an outlook says at a point is what a solver says there.

use std::time::Duration;

use outboard_core::Placement::{Device, Server};
use outboard_core::{
    Condition, Conditions, Cost, Edge, Energy, MethodIndex, Objective, Placement, Problem, Shipping,
};
use outboard_solver::{Automatic, Exhaustive, Limits, Solve, outlook, plan_ahead};
use proptest::prelude::*;

use crate::problems::{DO_LEVEL, HANDLE_MISSILES, arcade, problems};

const MS: Duration = Duration::from_millis(1);

/// Where a method of the arcade game moves at which round trip in milliseconds, seen from one of them.
fn turns(method: MethodIndex, missiles: u64, seen_from: u32) -> Vec<(f64, Placement)> {
    let problem = arcade(missiles, MS * seen_from);
    let limits = Limits::default();
    let plan = Automatic.solve(&problem, &limits).unwrap();
    let trips = outlook(&problem, Condition::RoundTrip, 0.01..=100.0, &limits).unwrap();
    let turn = |flip: outboard_core::Flip| (flip.factor * f64::from(seen_from), flip.to);
    plan.with_outlook(trips).flips(method).map(turn).collect()
}

fn assert_turns(found: &[(f64, Placement)], expected: &[(f64, Placement)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((found, to), (at, place)) in found.iter().zip(expected) {
        assert!((found / at - 1.0).abs() < 0.001 && to == place, "{found} ms, not {at} ms");
    }
}

#[test]
fn the_arcade_game_turns_at_10_30_and_60_ms() {
    assert_turns(&turns(DO_LEVEL, 0, 5), &[(10.0, Device)]);
    assert_turns(&turns(DO_LEVEL, 0, 50), &[(10.0, Server)]);
    assert_turns(&turns(DO_LEVEL, 5, 45), &[(30.0, Server)]);
    assert_turns(&turns(HANDLE_MISSILES, 5, 45), &[(60.0, Device)]);
    assert_turns(&turns(HANDLE_MISSILES, 5, 80), &[(60.0, Server)]);
}

#[test]
fn a_plan_ahead_tells_its_flips() {
    let problem = arcade(5, MS * 45);
    let plan = plan_ahead(&problem, &Limits::default()).unwrap();
    let flips: Vec<_> = plan.flips(HANDLE_MISSILES).collect();
    assert_eq!(flips.len(), 1, "{flips:?}: its 300 bytes matter on no link");
    assert_eq!(plan.outlook(Condition::Bandwidth).map(|outlook| outlook.pieces().len()), Some(1));
    assert_eq!(plan.outlook(Condition::Work), None);
}

#[test]
fn with_a_clock_all_of_a_plan_ahead_is_done_in_its_time() {
    let problem = arcade(5, MS * 45);
    let planned = |time: Duration| {
        // An hour-glass of which a grain falls whenever somebody looks.
        let looks = std::cell::Cell::new(0);
        let clock = || {
            looks.set(looks.get() + 1);
            MS * looks.get()
        };
        let plan = plan_ahead(&problem, &Limits::within(time).by(&clock)).unwrap();
        (plan.outlooks().len(), looks.get())
    };
    let (outlooks, looks) = planned(MS * 1_000);
    assert_eq!(outlooks, 2);
    let (outlooks, fewer) = planned(MS * (looks / 2));
    assert_eq!(outlooks, 1, "{looks} looks");
    assert!(fewer < looks);
    let (outlooks, fewest) = planned(MS * 3);
    assert_eq!(outlooks, 0);
    assert!(fewest < fewer);
}

#[test]
fn a_time_bound_that_binds_moves_the_turn() {
    // 100 mJ and 10 ms here, nothing and 1 ms there, and a call of 4 mJ that takes 40 ms: the energy says go on any link, the
    // bound of 21 ms does from twice as fast a link on.
    let vertices =
        [(0, 0, 0, 0, Some(Device)), (1, 100, 10, 1, None)].map(|(method, energy, here, there, pin)| {
            outboard_core::Vertex {
                local_energy: Energy::from_millijoules(energy),
                local_time: MS * here,
                remote_time: MS * there,
                pin,
                ..outboard_core::Vertex::new(MethodIndex(method), format!("method{method}"))
            }
        });
    let payload = Cost { energy: Energy::from_millijoules(4), time: MS * 40 };
    let shipping = Shipping { payload, ..Default::default() };
    let edge = Edge { caller: MethodIndex(0), callee: MethodIndex(1), shipping };
    let bound = Objective::EnergyWithin(outboard_core::TimeBound::Absolute(MS * 21));
    let problem = Problem::new(vertices.to_vec(), vec![edge], bound).unwrap();
    let speeds = outlook(&problem, Condition::Bandwidth, 0.1..=10.0, &Limits::default()).unwrap();
    let flip = speeds.flips(1).next().unwrap();
    assert!(flip.to == Server && (1.99..2.03).contains(&flip.factor), "{flip:?}");
}

/// The problem with its shipping split in three by those shares of a hundred.
fn split(problem: &Problem, fixed: u32, round_trips: u32) -> Problem {
    let share = |cost: Cost, share: u32| cost.scaled(f64::from(share) / 100.0);
    let edges = problem.edges().map(|(_, _, edge)| {
        let (fixed, round_trips) = (share(edge.cost(), fixed), share(edge.cost(), round_trips));
        let payload = Cost {
            energy: edge.cost().energy.saturating_sub(fixed.energy + round_trips.energy),
            time: edge.cost().time.saturating_sub(fixed.time + round_trips.time),
        };
        Edge { shipping: Shipping { fixed, round_trips, payload }, ..*edge }
    });
    Problem::new(problem.vertices().to_vec(), edges.collect(), problem.objective()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn an_outlook_says_what_a_solver_says(
        problem in problems(6),
        (fixed, round_trips) in (0..50_u32, 0..50_u32),
        condition in prop::sample::select(Condition::ALL.to_vec()),
        factors in prop::collection::vec(-3.0..3.0_f64, 6),
    ) {
        let problem = split(&problem, fixed, round_trips);
        let limits = Limits::default();
        let Ok(found) = outlook(&problem, condition, 0.05..=20.0, &limits) else { return Ok(()) };
        let limited = !problem.limits().is_empty();
        for factor in factors.into_iter().map(f64::exp).chain([1.0]) {
            let problem = problem.under(&Conditions::but(condition, factor)).unwrap();
            let Ok(best) = Exhaustive.solve(&problem, &limits) else { continue };
            let (from, until) = found.span(factor);
            // So close to a flip point figures that were rounded to whole units may tip either way.
            if factor < from * 1.02 || factor * 1.02 > until {
                continue;
            }
            let placements = &found.at(factor).placements;
            let measure = |placements: &[Placement]| problem.objective().measure(problem.cost(placements));
            let (said, best) = (measure(placements), measure(&best.placements()));
            if limited && factor != 1.0 {
                // What is best in between may have been stepped over, what is not allowed may not.
                prop_assert!(problem.exceeded(placements).is_none());
            } else {
                // A unit for each figure that was rounded.
                let rounded = 2 * (problem.vertices().len() + 3 * problem.edges().len()) as u64;
                prop_assert!(said <= best + rounded, "{} at {}, where {} is best", said, factor, best);
            }
        }
    }
}
