//! Servers that die, stall, lie or come back: no call waits longer than it accepted, and none waits twice.

use std::time::Duration;

use outboard_client_proxy::{LocalReason, Notice, ServerSettings};
use outboard_core::{MethodId, MethodIndex, Objective};
use outboard_wire::frame::{Failure, NotRun, Refusal};

use crate::world::{Cost, Ended, Fate, How, Mood, Went, World, millis};

const DETECT: Cost = Cost::of(1_000, 20_000, 1_000);

/// A world in which `detect` runs on the server as a matter of course.
fn settled() -> (World, MethodIndex) {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 15);
    assert_eq!(world.call(detect).how, How::Remote);
    (world, detect)
}

#[test]
fn nobody_waits_for_a_server_that_was_never_there() {
    let mut world = World::new(Objective::Time);
    world.server().mood = Mood::Absent;
    // The first connection is under way already and finds nobody.
    world.kill_server();
    let detect = world.method("detect", DETECT);
    let went = world.calls(detect, 600);
    assert!(went.iter().all(|went| went.took == DETECT.local));
    let connects = world.server().connects;
    assert!((10..40).contains(&connects), "ten minutes, one try a minute in the end: {connects}");
    let troubles = world.notices.iter().filter(|notice| matches!(notice, Notice::Trouble { .. })).count();
    assert_eq!(troubles, 1, "said once: {:?}", world.notices);
}

#[test]
fn a_server_killed_in_mid_call_costs_one_bound_and_is_used_again_when_it_is_back() {
    let (mut world, detect) = settled();
    world.server().fates.insert(MethodId::named("detect"), Fate::Slow(100.0));
    world.pass(millis(50));
    // The call goes out and the process dies under it.
    world.kill_server();
    let went = world.call(detect);
    assert!(matches!(went.how, How::FellBack(_) | How::Local(LocalReason::NotAttached)), "{went:?}");
    assert!(went.took <= millis(1_400), "{went:?}");
    for went in world.calls(detect, 20) {
        assert_eq!(went.how, How::Local(LocalReason::NotAttached));
        assert_eq!(went.took, DETECT.local);
    }
    world.restart_server();
    world.pass(Duration::from_secs(60));
    let went = world.calls(detect, 5);
    assert_eq!(went[4].how, How::Remote, "{went:?}");
}

#[test]
fn a_stalled_server_costs_one_call_one_bound() {
    let (mut world, detect) = settled();
    world.server().mood = Mood::Stalled;
    let went = world.call(detect);
    assert_eq!(went.how, How::FellBack(Ended::Late));
    assert!(went.took > DETECT.local && went.took <= millis(1_400), "{went:?}");
    for went in world.calls(detect, 30) {
        assert!(matches!(went.how, How::Local(LocalReason::Silent | LocalReason::NotAttached)), "{went:?}");
        assert_eq!(went.took, DETECT.local);
    }
    world.server().mood = Mood::Well;
    world.pass(Duration::from_secs(120));
    let went = world.calls(detect, 5);
    assert_eq!(went[4].how, How::Remote, "{went:?}");
}

#[test]
fn a_server_that_stalls_after_a_sign_of_life_is_not_waited_for_twice() {
    let mut world = World::with(Objective::Time, |settings| settings.slowdown = Some(1.0));
    world.server().speed = 2.0;
    let local = millis(3_000);
    let render = world.method("render", Cost::of(3_000, 20_000, 1_000));
    world.pass(millis(100));
    world.calls(render, 20);
    assert_eq!(world.call(render).how, How::Remote);
    world.server().fates.insert(MethodId::named("render"), Fate::Slow(100.0));
    // It has answered the first ping by then; the second one is sent when nobody answers any more.
    world.stall_server_in(millis(1_200));
    let first = world.call(render);
    assert_eq!(first.how, How::FellBack(Ended::Late), "{first:?}");
    let (least, most) = (millis(1_200) + local, millis(5_500));
    assert!((least..most).contains(&first.took), "the session bears it still: {first:?}");
    assert_eq!(world.call(render), Went { took: local, how: How::Local(LocalReason::Silent) });
}

#[test]
fn a_hiccup_is_over_with_the_first_sign_of_life() {
    let (mut world, detect) = settled();
    world.server().mood = Mood::Stalled;
    assert_eq!(world.call(detect).how, How::FellBack(Ended::Late));
    world.server().mood = Mood::Well;
    world.pass(Duration::from_secs(3));
    assert_eq!(world.call(detect).how, How::Remote);
    let edge = || "edge".to_owned();
    let told: Vec<_> =
        world.notices.iter().skip_while(|notice| **notice != Notice::Silent { server: edge() }).collect();
    assert_eq!(told, [&Notice::Silent { server: edge() }, &Notice::Heard { server: edge() }]);
}

#[test]
fn garbage_on_the_port_ends_the_session_and_nothing_else() {
    let mut world = World::new(Objective::Time);
    world.server().mood = Mood::Garbling;
    let detect = world.method("detect", DETECT);
    for went in world.calls(detect, 100) {
        assert_eq!(went.took, DETECT.local);
    }
    assert!(world.server().connects <= 5, "it is not asked often: {}", world.server().connects);
    let report = world.engine.report(world.now);
    assert!(report.methods[0].why.contains("protocol"), "{}", report.methods[0].why);
}

#[test]
fn a_refusal_is_explained_and_rarely_repeated() {
    let mut world = World::new(Objective::Time);
    world.server().refuse = Some(Refusal::Token);
    let detect = world.method("detect", DETECT);
    world.calls(detect, 60);
    assert!(world.server().connects <= 3, "{}", world.server().connects);
    let told = world.notices.iter().any(
        |notice| matches!(notice, Notice::Trouble { reason, .. } if reason.contains("access token is wrong")),
    );
    assert!(told, "{:?}", world.notices);
    world.server().refuse = None;
    world.pass(Duration::from_secs(120));
    world.call(detect);
    assert_eq!(world.call(detect).how, How::Remote);
}

#[test]
fn a_draining_server_gets_no_new_calls() {
    let (mut world, detect) = settled();
    world.drain_sessions();
    world.pass(millis(20));
    let went = world.call(detect);
    assert!(matches!(went.how, How::Local(LocalReason::Draining | LocalReason::NotAttached)), "{went:?}");
    assert_eq!(went.took, DETECT.local);
}

#[test]
fn a_method_that_panics_there_and_not_here_comes_home_for_good() {
    let (mut world, detect) = settled();
    let panic = Failure::Panicked("no such file".into());
    world.server().fates.insert(MethodId::named("detect"), Fate::Fail(panic.clone()));
    assert_eq!(world.call(detect).how, How::FellBack(Ended::Failed(panic)));
    world.server().fates.clear();
    world.pass(Duration::from_secs(600));
    assert_eq!(world.call(detect).how, How::Local(LocalReason::TakenBack));
    let why = &world.engine.report(world.now).methods[0].why;
    assert_eq!(why, "it panicked on the server and not here: no such file");
}

#[test]
fn a_method_that_changes_what_it_borrows_comes_home_for_good() {
    let (mut world, detect) = settled();
    world.server().fates.insert(MethodId::named("detect"), Fate::Fail(Failure::SharedSlotChanged(1)));
    assert!(matches!(world.call(detect).how, How::FellBack(_)));
    world.pass(Duration::from_secs(600));
    assert_eq!(world.call(detect).how, How::Local(LocalReason::TakenBack));
    assert!(world.notices.iter().any(|notice| matches!(notice, Notice::TakenBack { .. })));
}

#[test]
fn a_busy_server_is_left_alone_for_a_moment() {
    let (mut world, detect) = settled();
    world.server().fates.insert(MethodId::named("detect"), Fate::Fail(Failure::NotRun(NotRun::Busy)));
    assert!(matches!(world.call(detect).how, How::FellBack(_)));
    world.server().fates.clear();
    // A second has passed with the run here; it said busy for less.
    assert_eq!(world.call(detect).how, How::Remote);
}

#[test]
fn one_slow_method_does_not_take_the_others_along() {
    let (mut world, detect) = settled();
    let other = world.method("other", DETECT);
    world.pass(Duration::from_secs(5));
    world.calls(other, 10);
    world.server().fates.insert(MethodId::named("detect"), Fate::Slow(20.0));
    let slow = world.calls(detect, 100);
    assert!(slow.iter().all(|went| went.took <= millis(1_400)));
    let late = slow.iter().filter(|went| went.how == How::FellBack(Ended::Late)).count();
    assert!((2..12).contains(&late), "{late}");
    assert_eq!(world.call(other).how, How::Remote);
}

#[test]
fn a_flapping_link_does_not_flap_the_plan() {
    let (mut world, detect) = settled();
    let (moves, problems) = (world.moves, world.problems);
    for _ in 0..100 {
        world.kill_server();
        world.pass(millis(700));
        world.server().mood = Mood::Well;
        world.pass(millis(1_300));
        world.call(detect);
    }
    assert!(world.moves - moves <= 2, "{} moves", world.moves - moves);
    assert!(world.problems - problems <= 10, "{} problems", world.problems - problems);
}

#[test]
fn a_link_that_changes_all_the_time_changes_the_plan_now_and_then() {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", Cost::of(1_000, 500_000, 1_000));
    world.pass(millis(100));
    world.calls(detect, 10);
    let moves = world.moves;
    let started = world.now;
    for step in 0..200 {
        world.server().round_trip = if step % 2 == 0 { millis(10) } else { millis(900) };
        world.pass(millis(3_000));
        world.call(detect);
    }
    let minutes = (world.now - started).as_secs_f64() / 60.0;
    let moves = (world.moves - moves) as f64;
    assert!(moves <= 6.0 + 1.5 * minutes, "{moves} moves in {minutes:.1} minutes");
}

#[test]
fn a_dead_server_gets_no_offer_until_it_was_heard_again() {
    let (mut world, detect) = settled();
    world.kill_server();
    world.pass(millis(20));
    let offers = world.offers.len();
    world.calls(detect, 100);
    assert_eq!(world.offers.len(), offers);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = |seed| {
        let mut world = World::with(Objective::Time, |settings| {
            settings.seed = seed;
            settings.servers.push(ServerSettings { name: "cloud".into(), token: "token".into() });
        });
        let detect = world.method("detect", DETECT);
        world.pass(millis(50));
        let mut went = world.calls(detect, 5);
        world.kill_server();
        went.extend(world.calls(detect, 5));
        world.restart_server();
        world.pass(Duration::from_secs(70));
        went.extend(world.calls(detect, 5));
        (went, world.now, world.bytes_up, world.engine.report(world.now))
    };
    assert_eq!(story(7), story(7));
}
