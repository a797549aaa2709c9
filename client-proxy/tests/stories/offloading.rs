//! What goes to a server, and what does not.

use outboard_client_proxy::{LocalReason, Request, Word};
use outboard_core::{Bandwidth, Objective, Placement};

use crate::world::{Cost, How, World, millis};

const DETECT: Cost = Cost::of(1_000, 20_000, 1_000);

#[test]
fn the_first_run_is_here_and_the_next_ones_where_they_are_faster() {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    assert_eq!(world.call(detect).how, How::Local(LocalReason::FirstRun));
    for went in world.calls(detect, 20) {
        assert_eq!(went.how, How::Remote);
        assert!(went.took < millis(270), "{went:?}");
    }
    assert!(world.offers[0].exploring, "a try, as its time on the server is only guessed");
    assert!(!world.offers[19].exploring, "known well by now");
    let report = &world.engine.report(world.now).methods[0];
    assert_eq!((report.local_calls, report.remote_calls), (1, 20));
    assert_eq!(report.placement, Placement::Server);
    assert!(report.why.starts_with("on edge it takes 26"), "{}", report.why);
    assert!(
        report.remote_energy < report.local_energy.map(|one| one * 5),
        "20 calls, a quarter of the time: {report:?}"
    );
}

#[test]
fn without_a_server_nothing_is_asked() {
    let mut world = World::with(Objective::Time, |settings| settings.servers.clear());
    let detect = world.method("detect", DETECT);
    world.calls(detect, 3);
    assert_eq!(world.words[&detect], Word::Local);
    assert_eq!(world.engine.report(world.now).methods[0].why, "no server is configured");
}

#[test]
fn a_server_that_is_no_faster_is_not_used_for_time_and_the_report_says_why() {
    let mut world = World::new(Objective::Time);
    world.server().speed = 1.0;
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    for went in world.calls(detect, 50) {
        assert!(matches!(went.how, How::Local(_)), "{went:?}");
        assert_eq!(went.took, DETECT.local);
    }
    let report = &world.engine.report(world.now).methods[0];
    assert_eq!(report.placement, Placement::Device);
    assert!(report.why.contains("1.00 × as fast"), "{}", report.why);
    assert_eq!(world.words[&detect], Word::Local, "it need not even ask");
}

#[test]
fn a_server_that_was_measured_at_a_bad_moment_is_found_to_be_fast_in_the_end() {
    let mut world = World::new(Objective::Time);
    world.server().claims = Some(0.4);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    let went = world.calls(detect, 200);
    assert!(went[..50].iter().all(|went| matches!(went.how, How::Local(_))), "not before it is worth a look");
    assert!(went[150..].iter().all(|went| went.how == How::Remote), "{:?}", went.last());
}

#[test]
fn looking_whether_a_server_is_better_than_it_seems_costs_next_to_nothing() {
    let mut world = World::new(Objective::Time);
    world.server().speed = 1.0;
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    let began = world.now;
    world.calls(detect, 2_000);
    let native = DETECT.local * 2_000;
    let lost = world.now - began - native;
    assert!(lost > millis(0) && lost <= native / 100, "{lost:?} of {native:?}");
}

#[test]
fn energy_is_saved_where_time_is_not_gained() {
    let run = |objective| {
        let mut world = World::new(objective);
        world.server().speed = 1.6;
        let detect = world.method("detect", DETECT);
        world.pass(millis(100));
        let went = world.calls(detect, 30);
        went.iter().filter(|went| went.how == How::Remote).count()
    };
    assert_eq!(run(Objective::Time), 0, "1.6 times as fast is not 2.5 times");
    assert!(run(Objective::default()) >= 28);
}

#[test]
fn without_the_devices_figures_energy_is_not_made_up() {
    let mut world = World::with(Objective::default(), |settings| settings.energy = Default::default());
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 5);
    let report = world.engine.report(world.now);
    assert_eq!(report.methods[0].local_energy, None);
    assert_eq!(report.methods[0].remote_energy, None);
    assert_eq!(report.methods[0].remote_calls, 4, "it offloads for time instead");
}

#[test]
fn a_bad_link_sends_the_work_home_and_a_good_one_takes_it_back() {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", Cost::of(1_000, 1_000_000, 1_000));
    world.pass(millis(100));
    world.calls(detect, 10);
    assert_eq!(world.call(detect).how, How::Remote);

    world.server().rate = Bandwidth::from_megabits_per_second(1);
    let started = world.now;
    let bad = world.calls(detect, 200);
    assert!(bad.iter().all(|went| went.took <= millis(1_400)), "each within 1 + ε");
    let lost = (world.now - started).as_secs_f64() / (DETECT.local * 200).as_secs_f64() - 1.0;
    assert!(lost < 0.06, "and all together within the share for trying: {lost}");

    world.server().rate = Bandwidth::from_megabits_per_second(100);
    let good = world.calls(detect, 400);
    assert!(good.iter().rev().take(50).all(|went| went.how == How::Remote), "{:?}", good.last());
}

#[test]
fn a_distant_server_is_for_long_methods_only() {
    let mut world = World::new(Objective::Time);
    world.server().round_trip = millis(80);
    let (long, short) = (world.method("long", DETECT), world.method("short", Cost::of(20, 100, 100)));
    world.pass(millis(300));
    for _ in 0..20 {
        world.call(long);
        world.call(short);
    }
    world.pass(millis(2_000));
    assert_eq!(world.call(long).how, How::Remote);
    assert!(matches!(world.call(short).how, How::Local(_)));
    assert_eq!((world.words[&long], world.words[&short]), (Word::Consult, Word::Local));
}

#[test]
fn work_tells_the_large_calls_from_the_small_ones() {
    let mut world = World::new(Objective::Time);
    // 1 ms per unit of work: 10 units are not worth a round trip of 10 ms, 1000 are.
    let scan = world.method("scan", Cost::of(1, 2_000, 100));
    world.pass(millis(100));
    let with = |work| Request { work: Some(work), ..Request::new(scan) };
    for _ in 0..30 {
        world.call_as(with(10.0));
    }
    let small = world.call_as(with(10.0));
    assert!(matches!(small.how, How::Local(_)), "{small:?} {:?}", world.engine.report(world.now));
    assert_eq!(world.call_as(with(1_000.0)).how, How::Remote);
    assert!(matches!(world.call_as(with(10.0)).how, How::Local(_)));
}

#[test]
fn what_is_only_worth_it_together_does_not_go_alone() {
    // Alone, the inner method ships more than it saves; the outer one brings it along.
    let mut world = World::new(Objective::default());
    let outer = world.method("outer", Cost::of(900, 1_000, 1_000));
    let inner = world.method("inner", Cost::of(100, 1_500_000, 1_500_000));
    world.pass(millis(100));
    let from_outer = Request { caller: Some(outer), ..Request::new(inner) };
    for _ in 0..3 {
        world.call(outer);
        world.call_as(from_outer);
    }
    world.pass(millis(3_000));
    assert_eq!(world.call(outer).how, How::Remote);
    for _ in 0..5 {
        assert!(matches!(world.call_as(from_outer).how, How::Local(_)));
    }
}

#[test]
fn a_state_too_large_for_the_link_is_encoded_once_and_never_sent() {
    let mut world = World::new(Objective::Time);
    let huge = world.method("huge", Cost::of(200, 50_000_000, 100));
    world.pass(millis(100));
    let went = world.calls(huge, 300);
    assert!(went.iter().all(|went| went.how != How::Remote));
    assert!(went.iter().all(|went| went.took == millis(200)));
    assert!(!world.engine.wants_size(world.now, huge), "it is known now");
    assert!(world.bytes_up < 10_000, "nothing of it was sent");
}

#[test]
fn a_state_that_grew_past_its_budget_stays_here() {
    let mut world = World::new(Objective::Time);
    let grows = world.method("grows", Cost::of(200, 1_000, 100));
    world.pass(millis(100));
    world.calls(grows, 20);
    assert_eq!(world.call(grows).how, How::Remote);
    world.costs(grows, Cost::of(200, 50_000_000, 100));
    let went = world.calls(grows, 300);
    assert!(went.iter().all(|went| went.how == How::Local(LocalReason::TooLarge)), "{:?}", went.last());
    assert!(went.iter().all(|went| went.took == millis(200)));
}

#[test]
fn the_second_server_is_used_while_the_first_is_away() {
    let mut world = World::with(Objective::Time, |settings| {
        let cloud = outboard_client_proxy::ServerSettings { name: "cloud".into(), token: "token".into() };
        settings.servers.push(cloud);
    });
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 5);
    world.kill_server();
    world.pass(millis(20));
    assert_eq!(world.call(detect).how, How::Remote);
    assert_eq!(world.offers.last().map(|offer| offer.server.0), Some(1));
}

#[test]
fn a_method_that_comes_after_the_greeting_is_listed_by_another_one() {
    let mut world = World::new(Objective::Time);
    world.greet_now();
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    assert_eq!(world.call(detect).how, How::Local(LocalReason::Unlisted));
    world.pass(millis(2_000));
    assert_eq!(world.calls(detect, 20)[19].how, How::Remote);
    assert_eq!(world.server().connects, 2, "once more, for all of them");
}
