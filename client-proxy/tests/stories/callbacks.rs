//! Call-backs, and the calls that they make.

use outboard_client_proxy::{Decision, Kind, MethodInfo, Request};
use outboard_core::{MethodId, Objective};
use outboard_profiler::LocalCalls;
use outboard_wire::frame::Failure;

use crate::world::{Cost, Ended, Fate, How, World, millis};

const DETECT: Cost = Cost::of(1_000, 20_000, 1_000);
const PROGRESS: MethodId = MethodId::named("progress");
const OTHER: MethodId = MethodId::named("other");

#[test]
fn a_server_calls_back_what_its_call_lists_and_nothing_else() {
    let mut world = World::new(Objective::Time);
    let device = MethodInfo { kind: Kind::Device, ..MethodInfo::remoteable(PROGRESS, "progress") };
    world.register(device, Cost::of(1, 10, 10));
    world.method("other", DETECT);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 5);
    let id = world.engine.method_info(detect).expect("registered").id;

    world.server().fates.insert(id, Fate::CallBack(PROGRESS));
    assert_eq!(world.call(detect).how, How::Remote);
    assert_eq!(world.call_backs, [PROGRESS]);

    world.server().fates.insert(id, Fate::CallBack(OTHER));
    let how = world.call(detect).how;
    assert!(matches!(how, How::FellBack(Ended::Failed(Failure::CallBack(_)))), "{how:?}");
    assert_eq!(world.call_backs, [PROGRESS], "the device never heard of it");
}

#[test]
fn a_call_made_by_a_call_back_goes_to_the_server_that_waits_for_it() {
    let mut world = World::with(Objective::Time, |settings| {
        let cloud = outboard_client_proxy::ServerSettings { name: "cloud".into(), token: "token".into() };
        settings.servers.push(cloud);
    });
    let (outer, inner) = (world.method("outer", DETECT), world.method("inner", DETECT));
    world.pass(millis(100));
    world.calls(outer, 5);
    world.calls(inner, 5);
    let Decision::Remote(mut offer) = world.engine.decide(world.now, &Request::new(outer)) else {
        panic!("it is offloaded as a rule")
    };
    let size = outboard_core::ByteCount::from_bytes(DETECT.up);
    world.engine.confirm(world.now, &mut offer, size).expect("the offer stands");
    let attempt = world.engine.attempt(world.now, &offer, Vec::new()).expect("the session is open");
    let within = Request { within: Some(attempt), caller: Some(outer), ..Request::new(inner) };
    match world.engine.decide(world.now, &within) {
        Decision::Remote(offer) => assert_eq!(offer.server, world.offers[0].server),
        decision => panic!("{decision:?}"),
    }
}

#[test]
fn a_call_that_calls_back_is_given_the_round_trips_for_it() {
    let predicted = |backs: u64| {
        let mut world = World::with(Objective::Time, |settings| settings.slowdown = Some(1.0));
        let device = MethodInfo { kind: Kind::Device, ..MethodInfo::remoteable(PROGRESS, "progress") };
        let progress = world.register(device, Cost::of(1, 10, 10));
        let detect = world.method("detect", DETECT);
        // Runs here tell how often it calls what stays here.
        let ran = LocalCalls {
            method: progress,
            caller: Some(detect),
            calls: backs,
            timed: backs,
            inclusive: millis(0),
            exclusive: millis(0),
            cpu: None,
            work: None,
            offloaded_within: false,
        };
        world.engine.merge(world.now, &[ran]);
        world.call(detect);
        world.pass(millis(100));
        world.calls(detect, 5);
        world.offers.first().expect("it is offered").predicted
    };
    let (without, with) = (predicted(0), predicted(20));
    // The link of these stories has a round trip of 10 ms, which is not quite certain yet.
    let more = (with - without).as_millis();
    assert!((190..=240).contains(&more), "{more} ms more");
}
