//! What the engine learns of the way to a server, and when it looks although no call does.

use std::time::Duration;

use outboard_client_proxy::MethodInfo;
use outboard_core::{Bandwidth, ByteCount, MethodId, MethodIndex, Objective, ServerIndex};
use outboard_profiler::PathSample;

use crate::world::{Cost, How, World, millis};

const SERVER: ServerIndex = ServerIndex(0);

fn probes(world: &World) -> u64 {
    world.engine.report(world.now).servers[0].probes
}

/// An app whose method is worth sending where the rate is at least about 12 Mbit/s: 200 kB, 180 ms here, 45 ms there.
fn near_its_flip_point(rate: u64) -> (World, MethodIndex) {
    let mut world = World::new(Objective::Time);
    world.server().rate = Bandwidth::from_megabits_per_second(rate);
    let method = world.method("detect", Cost::of(180, 200_000, 500));
    world.pass(millis(100));
    (world, method)
}

/// Calls once in a while, and counts what ran on the server.
fn used(world: &mut World, method: MethodIndex, calls: usize) -> usize {
    let mut remote = 0;
    for _ in 0..calls {
        remote += usize::from(world.call(method).how == How::Remote);
        world.pass(millis(800));
    }
    remote
}

#[test]
fn a_method_that_is_never_tried_on_luck_goes_where_a_look_says_it_pays() {
    let remote_with = |probing: f64| {
        let mut world = World::with(Objective::Time, |settings| {
            settings.probing = probing;
            // How long it runs there is uncertain too.
            settings.slowdown = Some(0.8);
        });
        let info = MethodInfo::remoteable(MethodId::named("upload"), "upload");
        let cost = Cost { local: Duration::from_secs(6), up: 2_000_000, down: 500 };
        let upload = world.register(MethodInfo { once: true, ..info }, cost);
        world.pass(millis(100));
        (used(&mut world, upload, 20), probes(&world))
    };
    assert_eq!(remote_with(0.0), (0, 0), "nothing says how fast the way is");
    let (remote, looks) = remote_with(0.01);
    assert!(remote > 10 && looks >= 1, "{remote} of 20 calls, {looks} looks");
    assert!(looks <= 2, "calls tell from then on: {looks} looks");
}

#[test]
fn an_app_that_does_not_call_does_not_look() {
    let (mut world, method) = near_its_flip_point(10);
    used(&mut world, method, 60);
    let (looked, sent) = (probes(&world), world.bytes_up);
    world.pass(Duration::from_secs(3_600));
    assert_eq!(probes(&world), looked);
    // Four pings a minute, of a few bytes.
    assert!(world.bytes_up - sent < 10_000, "{} B in an hour", world.bytes_up - sent);
}

#[test]
fn looks_are_few_whatever_they_promise() {
    let (mut world, method) = near_its_flip_point(10);
    let begun = world.now;
    used(&mut world, method, 600);
    let seconds = (world.now - begun).as_secs();
    assert!(probes(&world) <= seconds / 10 + 1, "{} looks in {seconds} s", probes(&world));
}

#[test]
fn nobody_looks_for_methods_that_stay_or_go_whatever_the_way_is_like() {
    let mut world = World::new(Objective::Time);
    let small = world.method("small", Cost::of(1, 100_000, 100));
    let large = world.method("large", Cost::of(5_000, 1_000, 100));
    world.pass(millis(100));
    used(&mut world, small, 100);
    used(&mut world, large, 100);
    assert_eq!(probes(&world), 0);
}

#[test]
fn a_share_of_nothing_is_no_look() {
    let mut world = World::with(Objective::Time, |settings| settings.probing = 0.0);
    world.server().rate = Bandwidth::from_megabits_per_second(10);
    let method = world.method("detect", Cost::of(180, 200_000, 500));
    world.pass(millis(100));
    used(&mut world, method, 200);
    assert_eq!(probes(&world), 0);
}

fn path(kilobytes: u64, round_trip: u64) -> PathSample {
    let mut sample = PathSample::default();
    sample.round_trip = millis(round_trip);
    sample.shortest_round_trip = millis(10);
    sample.congestion_window = ByteCount::from_bytes(60_000);
    sample.sent = ByteCount::from_bytes(kilobytes * 1_000);
    sample.sent_packets = kilobytes;
    sample
}

#[test]
fn the_transport_tells_of_a_way_that_became_longer() {
    let mut world = World::new(Objective::Time);
    let method = world.method("detect", Cost::of(100, 500, 500));
    world.pass(millis(100));
    used(&mut world, method, 20);
    assert_eq!(world.call(method).how, How::Remote);
    for second in 1..6 {
        world.pass(Duration::from_secs(2));
        world.engine.path(world.now, SERVER, path(100 + second, 300));
    }
    world.pass(Duration::from_secs(2));
    let seen = world.engine.report(world.now).servers[0].round_trip.expect("it was measured");
    assert!(seen > millis(150), "{seen:?}");
    assert!(matches!(world.call(method).how, How::Local(_)));
}

#[test]
fn samples_of_the_path_wake_nobody() {
    let mut world = World::new(Objective::Time);
    let method = world.method("detect", Cost::of(100, 500, 500));
    world.pass(millis(100));
    used(&mut world, method, 5);
    world.pass(Duration::from_secs(10));
    let due = world.engine.timeout();
    world.engine.path(world.now, SERVER, path(100, 300));
    assert_eq!(world.engine.timeout(), due);
}

#[test]
fn a_ping_beside_a_large_call_is_not_taken_for_a_longer_way() {
    let mut world = World::new(Objective::Time);
    world.server().rate = Bandwidth::from_megabits_per_second(20);
    let large = world.method("large", Cost::of(60_000, 8 << 20, 100));
    world.pass(millis(100));
    world.calls(large, 2);
    assert_eq!(world.call(large).how, How::Remote, "3.4 s on the way, 15 s there");
    let before = world.engine.report(world.now).servers[0].round_trip.expect("it was measured");
    // While the next one is under way, what the transport measures has its queue in it.
    world.measures_while_calling(large, millis(2_000));
    let after = world.engine.report(world.now).servers[0].round_trip.expect("it was measured");
    assert!(after < before * 3, "{before:?} {after:?}");
}

#[test]
fn a_queue_that_replies_tell_of_keeps_calls_here_until_it_is_gone() {
    let mut world = World::new(Objective::Time);
    let method = world.method("detect", Cost::of(1_000, 20_000, 500));
    world.pass(millis(100));
    assert!(used(&mut world, method, 20) > 15);
    let idle = world.engine.report(world.now).servers[0].queueing.expect("calls came back");
    assert!(idle < millis(1), "{idle:?}");
    world.load(4, 60);
    world.call(method);
    let busy = world.engine.report(world.now).servers[0].queueing.expect("calls came back");
    // 61 ends of 250 ms each on four cores.
    assert!(busy > millis(2_500) && busy < millis(5_000), "{busy:?}");
    assert!(matches!(world.call(method).how, How::Local(_)));
    world.load(0, 0);
    world.pass(Duration::from_secs(60));
    assert!(used(&mut world, method, 10) > 5, "the queue is gone");
}
