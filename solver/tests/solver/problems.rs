//! Problems to solve: MAUI's applications by their published figures, and random ones.

use std::time::Duration;

use outboard_core::{
    Bandwidth, ByteCount, CallFigures, CallGraph, Edge, Energy, LinkPrice, MethodFigures, MethodIndex,
    Objective, Placement, Power, Problem, Shipping, TimeBound, Vertex,
};
use proptest::prelude::*;

pub(crate) const USER_INTERFACE: MethodIndex = MethodIndex(0);
pub(crate) const FIND_MATCH: MethodIndex = MethodIndex(1);
pub(crate) const INITIALIZE: MethodIndex = MethodIndex(2);
pub(crate) const DETECT: MethodIndex = MethodIndex(3);

pub(crate) const GAME_LOOP: MethodIndex = MethodIndex(0);
pub(crate) const DO_LEVEL: MethodIndex = MethodIndex(1);
pub(crate) const HANDLE_MISSILES: MethodIndex = MethodIndex(2);

/// A method of that energy and time on the device; the server is ten times as fast and costs the device nothing.
fn method(name: &str, energy: Energy, local_time: Duration) -> MethodFigures {
    MethodFigures {
        name: name.into(),
        calls: 1,
        local_energy: energy,
        local_time,
        remote_time: local_time / 10,
        ..Default::default()
    }
}

/// MAUI's face recogniser (figure 8 of the paper, with the times of its text). The paper prints the energy of shipping, not
/// its time, which is therefore left at zero.
pub(crate) fn face_recognition(objective: Objective) -> Problem {
    let milli = Energy::from_millijoules;
    let ms = Duration::from_millis;
    let mut graph = CallGraph::new();
    let interface = method("UserInterface", Energy::ZERO, Duration::ZERO);
    graph.insert(USER_INTERFACE, MethodFigures { pin: Some(Placement::Device), ..interface });
    graph.insert(FIND_MATCH, method("FindMatch", milli(900), ms(15)));
    graph.insert(INITIALIZE, method("InitializeFaceRecognizer", milli(5_000), ms(3_000)));
    graph.insert(DETECT, method("DetectAndExtractFaces", milli(15_000), ms(12_000)));
    for (caller, callee, energy) in
        [(USER_INTERFACE, FIND_MATCH, 1_000), (FIND_MATCH, INITIALIZE, 10_000), (FIND_MATCH, DETECT, 25_000)]
    {
        let shipping = Shipping::fixed(milli(energy), Duration::ZERO);
        let figures = CallFigures { calls: 1, shipping, ..Default::default() };
        graph.add_calls(caller, callee, figures).unwrap();
    }
    graph.problem(objective).unwrap()
}

/// One frame of MAUI's arcade game at that round-trip time.
///
/// The paper gives the state (11 KB for `DoLevel`, about 60 B for each missile) and where the placement turns (10 ms without
/// missiles; 30 and 60 ms with five), but not the costs. These follow from it. The device draws 1 W above its base while
/// it waits and while it transfers, at 8 Mbit/s. 11 KB are eight segments and TCP's first window was three or four, so a
/// call of `DoLevel` takes two round trips; one of `HandleMissiles` takes one. With `r` in ms and costs in mJ:
///
/// - `DoLevel` away costs `2r + 11`; it turns at 10 ms without missiles, so it costs 20 + 11 = 31 on the device.
/// - Five missiles away cost `r + 0.3`; they turn at 60 ms, so handling them costs 60 + 0.3 on the device.
/// - Taking `DoLevel` along with the missiles costs `2r + 11` instead of `r + 0.3`; that turns at 30 ms, so with five missiles
///   `DoLevel` costs 30 + 11 − 0.3 = 40.7 on the device.
pub(crate) fn arcade(missiles: u64, round_trip: Duration) -> Problem {
    let micro = Energy::from_microjoules;
    let (level, handling) = match missiles {
        0 => (micro(31_000), Energy::ZERO),
        5 => (micro(40_700), micro(60_300)),
        other => panic!("nothing was published about {other} missiles"),
    };
    // Running draws half a watt, so that a millijoule is two milliseconds.
    let time = |energy: Energy| Duration::from_micros(energy.as_microjoules() * 2);
    let mut graph = CallGraph::new();
    let game_loop = method("GameLoop", Energy::ZERO, Duration::ZERO);
    graph.insert(GAME_LOOP, MethodFigures { pin: Some(Placement::Device), ..game_loop });
    graph.insert(DO_LEVEL, method("DoLevel", level, time(level)));
    graph.insert(HANDLE_MISSILES, method("HandleMissiles", handling, time(handling)));
    let exchanges =
        |calls, bytes| CallFigures { calls, bytes: ByteCount::from_bytes(bytes), ..Default::default() };
    graph.add_calls(GAME_LOOP, DO_LEVEL, exchanges(2, 11_000)).unwrap();
    graph.add_calls(DO_LEVEL, HANDLE_MISSILES, exchanges(missiles.min(1), 60 * missiles)).unwrap();
    graph.price(&LinkPrice {
        round_trip,
        bandwidth: Bandwidth::from_megabits_per_second(8),
        waiting: Power::from_milliwatts(1_000),
        transferring: Power::from_milliwatts(1_000),
    });
    graph.problem(Objective::default()).unwrap()
}

/// Small problems of all kinds: trees with extra edges, loops, parallel and self edges, pins, zero and equal costs.
pub(crate) fn problems(most: usize) -> impl Strategy<Value = Problem> {
    (1..=most)
        .prop_flat_map(|count| {
            let vertices = proptest::collection::vec(vertex(), count);
            let end = 0..count;
            let edges = proptest::collection::vec((end.clone(), end, figure(), figure()), 0..=2 * count);
            (vertices, edges, objective())
        })
        .prop_map(|(vertices, edges, objective)| {
            let vertices = vertices.into_iter().enumerate().map(|(index, vertex)| Vertex {
                method: MethodIndex(index as u32),
                name: format!("method{index}"),
                ..vertex
            });
            let edges = edges.into_iter().map(|(caller, callee, energy, time)| Edge {
                caller: MethodIndex(caller as u32),
                callee: MethodIndex(callee as u32),
                shipping: Shipping::fixed(Energy::from_microjoules(energy), Duration::from_micros(time)),
            });
            Problem::new(vertices.collect(), edges.collect(), objective).unwrap()
        })
}

fn vertex() -> impl Strategy<Value = Vertex> {
    let pin = prop_oneof![
        8 => Just(None),
        2 => Just(Some(Placement::Device)),
        1 => Just(Some(Placement::Server)),
    ];
    (figure(), figure(), figure(), figure(), pin).prop_map(|(energy, there, time, remote, pin)| Vertex {
        local_energy: Energy::from_microjoules(energy),
        remote_energy: Energy::from_microjoules(there / 8),
        local_time: Duration::from_micros(time),
        remote_time: Duration::from_micros(remote / 4),
        pin,
        ..Vertex::new(MethodIndex(0), "")
    })
}

/// Heavy-tailed: most figures are small, some a million times larger, some zero, some equal.
fn figure() -> impl Strategy<Value = u64> {
    prop_oneof![
        1 => Just(0),
        2 => 0..10_u64,
        2 => 0..1_000_u64,
        4 => (0..24_u32, 0..1_000_u64).prop_map(|(power, rest)| (1 << power) + rest),
    ]
}

pub(crate) fn objective() -> impl Strategy<Value = Objective> {
    prop_oneof![
        2 => Just(Objective::Energy),
        1 => Just(Objective::Time),
        4 => (900..1_300_u32)
            .prop_map(|thousandths| Objective::EnergyWithin(TimeBound::OfLocal { thousandths })),
        3 => figure().prop_map(|time| {
            Objective::EnergyWithin(TimeBound::Absolute(Duration::from_micros(4 * time)))
        }),
    ]
}
