//! Problems to solve: MAUI's applications, and random ones that shrink.

use std::time::Duration;

use outboard_core::{Edge, Energy, MethodIndex, Objective, Placement, Problem, Shipping, TimeBound, Vertex};
use proptest::prelude::*;

pub(crate) use outboard_problems::maui::{
    DETECT, DO_LEVEL, FIND_MATCH, GAME_LOOP, HANDLE_MISSILES, INITIALIZE, USER_INTERFACE, arcade,
    face_recognition,
};

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
