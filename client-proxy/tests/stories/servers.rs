//! Several servers: the first that takes a call and is worth it gets it, and the next one what the first does not run.

use std::time::Duration;

use outboard_client_proxy::ServerSettings;
use outboard_core::{MethodId, MethodIndex, Objective};
use outboard_wire::frame::{Failure, MethodStatus, NotRun};

use crate::world::{Cost, Ended, Fate, How, Mood, World, millis};

const DETECT: Cost = Cost::of(1_000, 20_000, 1_000);

/// A world with so many servers, in which `detect` runs on the first as a matter of course.
fn settled(servers: usize) -> (World, MethodIndex) {
    let mut world = World::with(Objective::Time, |settings| {
        let further = (1..servers).map(|number| format!("server {number}"));
        let token = "token".to_owned();
        settings.servers.extend(further.map(|name| ServerSettings { name, token: token.clone() }));
    });
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 15);
    let went = world.call(detect);
    assert_eq!((went.how, replied(&world)[0] > 0), (How::Remote, true));
    (world, detect)
}

fn replied(world: &World) -> Vec<u64> {
    world.engine.report(world.now).servers.iter().map(|server| server.replied).collect()
}

fn answers(world: &mut World, server: usize, fate: Fate) {
    world.servers[server].fates.insert(MethodId::named("detect"), fate);
}

#[test]
fn what_the_first_is_too_busy_for_the_next_one_runs_within_the_same_call() {
    let (mut world, detect) = settled(3);
    let before = replied(&world);
    for server in [0, 1] {
        answers(&mut world, server, Fate::Fail(Failure::NotRun(NotRun::Busy)));
    }
    let went = world.call(detect);
    assert_eq!(went.how, How::Remote);
    assert!(went.took < millis(400), "{went:?}");
    assert_eq!(replied(&world)[2], before[2] + 1);
}

#[test]
fn when_all_are_busy_the_device_runs_it_and_each_was_asked_once() {
    let (mut world, detect) = settled(3);
    for server in 0..3 {
        answers(&mut world, server, Fate::Fail(Failure::NotRun(NotRun::Busy)));
    }
    let offers = world.offers.len();
    let went = world.call(detect);
    assert_eq!(went.how, How::FellBack(Ended::Failed(Failure::NotRun(NotRun::Busy))));
    let asked: Vec<_> = world.offers[offers..].iter().map(|offer| offer.server.0).collect();
    assert_eq!(asked, [0, 1, 2]);
    assert!(went.took <= millis(1_400), "all of it within the bound: {went:?}");
}

#[test]
fn a_call_asked_about_again_has_only_the_rest_of_its_time() {
    let (mut world, detect) = settled(2);
    answers(&mut world, 0, Fate::Fail(Failure::NotRun(NotRun::TooLate)));
    // The refusal takes so long to come that the next server could not answer within what is accepted.
    world.servers[0].round_trip = millis(250);
    let went = world.call(detect);
    assert!(went.took <= millis(1_400), "{went:?}");
    assert!(matches!(went.how, How::FellBack(_)), "{went:?}");
}

#[test]
fn a_server_that_dies_leaves_its_calls_to_the_next_one_until_it_is_back() {
    let (mut world, detect) = settled(2);
    world.kill_server();
    world.pass(millis(20));
    let before = replied(&world);
    let went = world.calls(detect, 20);
    assert!(went.iter().all(|went| went.how == How::Remote && went.took < millis(700)), "{went:?}");
    assert_eq!(replied(&world)[1] - before[1], 20);
    world.restart_server();
    world.pass(Duration::from_secs(60));
    world.call(detect);
    assert_eq!(replied(&world)[0], before[0] + 1, "the user's order holds again");
}

#[test]
fn a_server_that_is_late_with_a_method_leaves_it_to_the_next_one() {
    let (mut world, detect) = settled(2);
    answers(&mut world, 0, Fate::Slow(20.0));
    let before = replied(&world);
    let went = world.calls(detect, 30);
    let late = went.iter().filter(|went| went.how == How::FellBack(Ended::Late)).count();
    assert!((2..8).contains(&late), "{late}");
    assert!(replied(&world)[1] - before[1] > 15, "{:?}", replied(&world));
}

#[test]
fn a_server_without_the_method_is_passed_over_and_one_that_lost_it_is_asked_once() {
    let (mut world, detect) = settled(2);
    answers(&mut world, 0, Fate::Fail(Failure::NotRun(NotRun::Method)));
    let before = replied(&world);
    assert!(world.calls(detect, 10).iter().all(|went| went.how == How::Remote));
    assert_eq!(replied(&world)[1] - before[1], 10);
    let asked = world.offers.iter().rev().take(10).filter(|offer| offer.server.0 == 0).count();
    assert_eq!(asked, 0);
}

#[test]
fn a_server_that_is_not_worth_it_is_passed_over() {
    let mut world = World::with(Objective::Time, |settings| {
        settings.servers.push(ServerSettings { name: "near".into(), token: "token".into() });
    });
    world.servers[0].round_trip = millis(2_000);
    let detect = world.method("detect", DETECT);
    world.pass(Duration::from_secs(5));
    world.calls(detect, 20);
    assert_eq!(world.call(detect).how, How::Remote);
    assert_eq!(replied(&world)[0], 0);
    let why = &world.engine.report(world.now).methods[0].why;
    assert!(why.starts_with("on near it takes"), "{why}");
}

#[test]
fn a_silent_server_is_not_waited_for_where_another_one_answers() {
    let (mut world, detect) = settled(2);
    world.servers[0].mood = Mood::Stalled;
    let first = world.call(detect);
    assert_eq!(first.how, How::FellBack(Ended::Late), "nobody could know");
    let before = replied(&world);
    let went = world.calls(detect, 10);
    assert!(went.iter().all(|went| went.how == How::Remote), "{went:?}");
    assert_eq!(replied(&world)[1] - before[1], 10);
}

#[test]
fn what_only_a_server_can_run_goes_to_the_next_one_too() {
    let (mut world, detect) = settled(2);
    let info = outboard_client_proxy::MethodInfo {
        remote_only: true,
        ..outboard_client_proxy::MethodInfo::remoteable(MethodId::named("large"), "large")
    };
    let large = world.register(info, DETECT);
    world.pass(Duration::from_secs(5));
    world.servers[0].statuses.insert(MethodId::named("large"), MethodStatus::Accepted);
    world.servers[0].fates.insert(MethodId::named("large"), Fate::Fail(Failure::NotRun(NotRun::Draining)));
    assert_eq!(world.call(large).how, How::Remote);
    assert_eq!(world.call(detect).how, How::Remote);
    world.servers[0].fates.clear();
    world.servers[0].mood = Mood::Stalled;
    assert_eq!(world.call(detect).how, How::FellBack(Ended::Late));
    let before = replied(&world);
    assert_eq!(
        world.call(large).how,
        How::Remote,
        "it waits for a silent server only where there is no other"
    );
    assert_eq!(replied(&world)[1], before[1] + 1);
}
