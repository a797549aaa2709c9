//! What is no part of the app, as the making of plans: placed like any method, and no reason for a plan.

use std::time::Duration;

use outboard_client_proxy::MethodInfo;
use outboard_core::{MethodId, MethodIndex, Objective, Placement};

use crate::world::{Cost, How, World, millis};

/// An app that is planned for, and something beside it that takes 100 ms here and 25 ms there.
fn with_something_aside() -> (World, MethodIndex, MethodIndex) {
    let mut world = World::new(Objective::Time);
    let method = world.method("detect", Cost::of(100, 500, 500));
    let info = MethodInfo { aside: true, ..MethodInfo::remoteable(MethodId::named("plan"), "plan") };
    let aside = world.register(info, Cost::of(100, 500, 500));
    world.pass(millis(100));
    world.calls(method, 20);
    assert_eq!(world.call(method).how, How::Remote);
    (world, method, aside)
}

/// What the engine asks for of its own accord within ten minutes.
fn quiet(world: &mut World) -> u64 {
    let problems = world.problems;
    for _ in 0..600 {
        world.pass(Duration::from_secs(1));
    }
    world.problems - problems
}

#[test]
fn what_is_learned_of_it_asks_for_no_plan() {
    let (mut world, _, aside) = with_something_aside();
    quiet(&mut world);
    let problems = world.problems;
    for milliseconds in [100, 400, 30, 900, 60] {
        // Its first run, the size of its slots, and then figures that move by far more than a third.
        world.costs(aside, Cost::of(milliseconds, 500, 500));
        world.call(aside);
        assert_eq!(quiet(&mut world), 0, "after {milliseconds} ms");
    }
    assert_eq!(world.problems, problems);
}

#[test]
fn the_next_plan_places_it_and_it_goes_to_the_server_then() {
    let (mut world, method, aside) = with_something_aside();
    world.calls(aside, 3);
    assert_ne!(world.call(aside).how, How::Remote, "no plan knows it");
    let problems = world.problems;
    world.costs(method, Cost::of(300, 500, 500));
    while world.problems == problems {
        world.calls(method, 10);
        world.pass(Duration::from_secs(2));
    }
    let report = world.engine.report(world.now);
    assert_eq!(report.methods[aside.position()].placement, Placement::Server);
    assert_eq!(world.call(aside).how, How::Remote);
}
