//! MAUI's applications (Cuervo et al., MobiSys 2010), by the figures that were published, and drawn where none were.

use std::time::Duration;

use outboard_core::{
    Bandwidth, ByteCount, CallFigures, CallGraph, Constraints, Edge, Energy, LinkPrice, MemoryLimit,
    MethodFigures, MethodIndex, Objective, Placement, Power, Problem, Shipping, Vertex,
};

use crate::recipe::{Recipe, Shape};

/// The face recogniser's.
pub const USER_INTERFACE: MethodIndex = MethodIndex(0);
/// The face recogniser's.
pub const FIND_MATCH: MethodIndex = MethodIndex(1);
/// The face recogniser's.
pub const INITIALIZE: MethodIndex = MethodIndex(2);
/// The face recogniser's.
pub const DETECT: MethodIndex = MethodIndex(3);

/// The arcade game's.
pub const GAME_LOOP: MethodIndex = MethodIndex(0);
/// The arcade game's.
pub const DO_LEVEL: MethodIndex = MethodIndex(1);
/// The arcade game's.
pub const HANDLE_MISSILES: MethodIndex = MethodIndex(2);

/// What the paper has of the chess game and of the translator: about ten methods.
const ABOUT_TEN: usize = 10;

/// The four applications under MAUI's default objective, as it evaluated them: the games at a round trip of 10 ms, the arcade game
/// with five missiles.
pub fn applications() -> [(&'static str, Problem); 4] {
    [
        ("face-recognition", face_recognition(Objective::default())),
        ("arcade", arcade(5, Duration::from_millis(10))),
        ("chess", chess()),
        ("translator", translator()),
    ]
}

/// The face recogniser (figure 8 of the paper, with the times of its text). The paper prints the energy of shipping, not its
/// time, which is therefore left at zero.
pub fn face_recognition(objective: Objective) -> Problem {
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
        calls(&mut graph, caller, callee, CallFigures { calls: 1, shipping, ..Default::default() });
    }
    of(&graph, objective)
}

/// One frame of the arcade game at that round-trip time, with no missiles or five.
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
///
/// # Panics
/// With another number of missiles: nothing was published about them.
pub fn arcade(missiles: u64, round_trip: Duration) -> Problem {
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
    calls(&mut graph, GAME_LOOP, DO_LEVEL, exchanges(2, 11_000));
    calls(&mut graph, DO_LEVEL, HANDLE_MISSILES, exchanges(missiles.min(1), 60 * missiles));
    graph.price(&LinkPrice {
        round_trip,
        bandwidth: Bandwidth::from_megabits_per_second(8),
        waiting: Power::from_milliwatts(1_000),
        transferring: Power::from_milliwatts(1_000),
    });
    of(&graph, Objective::default())
}

/// The chess game. Nothing was published of its call graph but its size and the name of `SelectPiece`, which is taken to be the
/// heaviest method: the rest is drawn.
pub fn chess() -> Problem {
    let drawn = Recipe { shape: Shape::Recursive, methods: ABOUT_TEN, seed: 30 }.loose();
    let select = |vertex| Vertex { name: "SelectPiece".into(), pin: None, ..vertex };
    with_heaviest(&drawn, select, Constraints::default())
}

/// The voice translator, which holds 110 MB where 32 MB are allowed on the device, so that it can only run on the server. Of its
/// call graph nothing was published but its size: the rest is drawn, and what holds the memory is taken to be the heaviest method.
pub fn translator() -> Problem {
    let drawn = Recipe { shape: Shape::Tree, methods: ABOUT_TEN, seed: 110 }.loose();
    let most = ByteCount::from_bytes(32_000_000);
    let memory = vec![MemoryLimit { place: Placement::Device, most }];
    let translate = |vertex| Vertex {
        name: "Translate".into(),
        memory: ByteCount::from_bytes(110_000_000),
        pin: None,
        ..vertex
    };
    with_heaviest(&drawn, translate, Constraints { memory, ..Constraints::default() })
}

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

fn calls(graph: &mut CallGraph, caller: MethodIndex, callee: MethodIndex, figures: CallFigures) {
    graph.add_calls(caller, callee, figures).expect("both methods were inserted");
}

fn of(graph: &CallGraph, objective: Objective) -> Problem {
    graph.problem(objective).expect("every figure is small")
}

/// The problem with that method changed which runs longest.
fn with_heaviest(problem: &Problem, change: impl Fn(Vertex) -> Vertex, constraints: Constraints) -> Problem {
    let mut vertices = problem.vertices().to_vec();
    // The first one is where the program begins.
    if let Some(heaviest) = vertices.iter_mut().skip(1).max_by_key(|vertex| vertex.local_time) {
        *heaviest = change(heaviest.clone());
    }
    let edges: Vec<Edge> = problem.edges().map(|(_, _, edge)| *edge).collect();
    let problem = Problem::constrained(vertices, edges, problem.objective(), constraints);
    problem.expect("every figure is small, every constraint of a method")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_translator_cannot_stay() {
        let problem = translator();
        assert!(problem.exceeded(&problem.all_local()).is_some());
        assert_eq!(problem.vertices().len(), ABOUT_TEN);
    }
}
