//! What one run of an app leaves to the next.

use outboard_client_proxy::{LocalReason, MethodInfo, Request};
use outboard_core::{BodyHash, MethodId, MethodIndex, Objective};
use outboard_profiler::{Snapshot, Trust};

use std::time::Duration;

use crate::world::{Cost, How, World, millis};

const DETECT: Cost = Cost::of(1_000, 20_000, 1_000);
const OUTER: Cost = Cost::of(20, 2_000, 1_000);

fn info(name: &str, body: u64) -> MethodInfo {
    MethodInfo { body: BodyHash(body), ..MethodInfo::remoteable(MethodId::named(name), name) }
}

/// A run of an app: an outer method that calls another one.
fn first_run() -> Snapshot {
    let mut world = World::new(Objective::Time);
    let outer = world.register(info("outer", 1), OUTER);
    let detect = world.register(info("detect", 1), DETECT);
    world.pass(millis(100));
    for _ in 0..30 {
        world.call(outer);
        world.call_as(Request { caller: Some(outer), ..Request::new(detect) });
    }
    world.engine.snapshot("kitchen-pi")
}

fn second_run(kept: Option<&Snapshot>, trust: Trust, body: u64) -> (World, MethodIndex) {
    let mut world = World::new(Objective::Time);
    if let Some(kept) = kept {
        world.engine.preload(world.now, kept, trust);
    }
    let _outer = world.register(info("outer", 1), OUTER);
    let detect = world.register(info("detect", body), DETECT);
    world.pass(millis(200));
    (world, detect)
}

#[test]
fn a_method_that_an_earlier_run_knew_goes_to_the_server_on_its_first_call() {
    let (mut unknowing, detect) = second_run(None, Trust::Own, 1);
    assert_eq!(unknowing.call(detect).how, How::Local(LocalReason::FirstRun));
    let (mut knowing, detect) = second_run(Some(&first_run()), Trust::Own, 1);
    assert_eq!(knowing.call(detect).how, How::Remote);
}

#[test]
fn methods_may_be_registered_before_what_is_known_of_them() {
    let mut world = World::new(Objective::Time);
    let detect = world.register(info("detect", 1), DETECT);
    let _outer = world.register(info("outer", 1), OUTER);
    world.engine.preload(world.now, &first_run(), Trust::Own);
    world.pass(millis(200));
    assert_eq!(world.call(detect).how, How::Remote);
}

#[test]
fn a_snapshot_survives_its_file_and_is_of_its_own_run_only() {
    let first = first_run();
    assert_eq!(first.origin.app, "app");
    assert_eq!(first.origin.device, "kitchen-pi");
    let detect = &first.methods[&MethodId::named("detect")];
    assert_eq!(detect.local_calls + detect.remote_calls, 30);
    let edge = (Some(MethodId::named("outer")), MethodId::named("detect"));
    assert_eq!(first.edges[&edge], 30);
    let read = Snapshot::parse("kept.toml", &first.to_text()).expect("it was written by us");
    let (mut world, detect) = second_run(Some(&read), Trust::Own, 1);
    assert!(world.engine.snapshot("kitchen-pi").is_empty(), "it has learned nothing yet");
    world.calls(detect, 5);
    let second = world.engine.snapshot("kitchen-pi");
    assert_eq!(second.methods[&MethodId::named("detect")].remote_calls, 5);
    assert_eq!(second.edges.get(&edge), None);
}

#[test]
fn a_changed_method_is_tried_before_it_is_believed() {
    let first = first_run();
    let (mut world, detect) = second_run(Some(&first), Trust::Own, 2);
    // It has become a hundred times as quick: no server is worth its way.
    let quick = Cost { local: millis(10), ..DETECT };
    world.costs(detect, quick);
    let went = world.calls(detect, 40);
    assert!(went[20..].iter().all(|went| matches!(went.how, How::Local(_))), "{went:?}");
}

#[test]
fn what_is_true_now_soon_outweighs_what_was() {
    let first = first_run();
    let (mut world, detect) = second_run(Some(&first), Trust::Own, 1);
    world.server().speed = 0.5;
    let went = world.calls(detect, 60);
    let remote = went.iter().filter(|went| went.how == How::Remote).count();
    assert!(remote <= 10, "{remote} calls went to a server that has become slow");
    let took: Duration = went[20..].iter().map(|went| went.took).sum();
    assert!(took < DETECT.local * 40 * 105 / 100, "{took:?}");
}
