//! What a plan's flip points are good for until the next plan.

use std::time::Duration;

use outboard_client_proxy::LocalReason;
use outboard_core::{ByteCount, MethodIndex, Objective, Placement, ServerIndex};
use outboard_profiler::PathSample;

use crate::world::{Cost, How, World, millis};

const SERVER: ServerIndex = ServerIndex(0);

/// An app whose method takes 100 ms here and 25 ms there, which makes one plan and then none for an hour.
fn planned_once() -> (World, MethodIndex) {
    let mut world = World::with(Objective::Time, |settings| {
        settings.replan_interval = Duration::from_secs(3_600);
    });
    let method = world.method("detect", Cost::of(100, 500, 500));
    world.pass(millis(100));
    world.calls(method, 20);
    assert_eq!(world.call(method).how, How::Remote);
    (world, method)
}

/// The way to the server takes so long from now on, and the transport measures it.
fn changes(world: &mut World, round_trip: Duration) {
    world.server().round_trip = round_trip;
    for second in 1..10 {
        world.pass(Duration::from_secs(2));
        let mut sample = PathSample::default();
        sample.round_trip = round_trip;
        sample.shortest_round_trip = millis(10);
        sample.congestion_window = ByteCount::from_bytes(60_000);
        sample.sent = ByteCount::from_bytes(100_000 + 1_000 * second);
        sample.sent_packets = 100 + second;
        world.engine.path(world.now, SERVER, sample);
    }
}

#[test]
fn a_method_moves_at_its_flip_point_without_a_new_plan() {
    let (mut world, method) = planned_once();
    let problems = world.problems;
    changes(&mut world, millis(300));
    world.call(method);
    world.pass(millis(1_500));
    let went = world.call(method);
    assert_eq!(went.how, How::Local(LocalReason::Planned), "as the plan has it on such a link");
    assert_eq!(world.engine.report(world.now).methods[0].placement, Placement::Device);
    assert_eq!(world.problems, problems);

    changes(&mut world, millis(10));
    world.call(method);
    world.pass(millis(1_500));
    assert_eq!(world.call(method).how, How::Remote, "and back");
    assert_eq!(world.problems, problems);
}
