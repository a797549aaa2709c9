//! Kinds of method, and what the contract says of each.

use std::time::Duration;

use outboard_client_proxy::{Decision, Kind, LocalReason, MethodInfo, Notice, Policy, Request, Rerun, Word};
use outboard_core::{MethodId, Objective, Placement};
use outboard_wire::frame::{Failure, MethodStatus};

use crate::world::{Cost, Ended, Fate, How, Mood, World, millis};

const DETECT: Cost = Cost::of(1_000, 20_000, 1_000);

fn info(name: &str) -> MethodInfo {
    MethodInfo::remoteable(MethodId::named(name), name)
}

#[test]
fn a_device_method_never_leaves() {
    let mut world = World::new(Objective::Time);
    let show = world.register(MethodInfo { kind: Kind::Device, ..info("show") }, DETECT);
    world.pass(millis(100));
    for went in world.calls(show, 10) {
        assert_eq!(went.how, How::Local(LocalReason::DeviceMethod));
    }
}

#[test]
fn what_cannot_travel_stays_and_the_report_says_what_it_is() {
    let mut world = World::new(Objective::Time);
    let obstacle = Some("`windows` skips a field beneath a `Vec`".to_owned());
    let draw = world.register(MethodInfo { obstacle, ..info("draw") }, DETECT);
    world.pass(millis(100));
    assert_eq!(world.call(draw).how, How::Local(LocalReason::CannotTravel));
    assert_eq!(world.engine.report(world.now).methods[0].why, "`windows` skips a field beneath a `Vec`");
}

#[test]
fn what_the_server_does_not_have_stays_and_the_log_says_so() {
    let mut world = World::new(Objective::Time);
    world.server().statuses.insert(MethodId::named("detect"), MethodStatus::BodyDiffers);
    let (detect, find) = (world.method("detect", DETECT), world.method("find", DETECT));
    world.pass(millis(100));
    world.calls(detect, 3);
    world.calls(find, 3);
    assert_eq!(world.call(detect).how, How::Local(LocalReason::NotOffered(MethodStatus::BodyDiffers)));
    assert_eq!(world.call(find).how, How::Remote);
    let told = world.notices.iter().any(|notice| {
        matches!(notice, Notice::NotOffered { method, reason, .. }
            if method == "detect" && reason.contains("run the same build"))
    });
    assert!(told, "{:?}", world.notices);
}

#[test]
fn a_remote_only_method_is_refused_without_a_server_and_bounded_by_its_deadline_with_one() {
    let mut world = World::new(Objective::Time);
    world.server().mood = Mood::Absent;
    world.kill_server();
    let deadline = Some(Duration::from_secs(5));
    let translate = world.register(MethodInfo { remote_only: true, deadline, ..info("translate") }, DETECT);
    world.pass(millis(100));
    assert_eq!(world.call(translate).how, How::Refused(LocalReason::NotAttached));
    world.restart_server();
    world.pass(Duration::from_secs(10));
    assert_eq!(world.call(translate).how, How::Remote);
    assert_eq!(world.offers[0].bound, deadline);
    world.server().mood = Mood::Stalled;
    let went = world.call(translate);
    // The session notices the silence before the deadline does.
    assert!(matches!(went.how, How::Error(Ended::Lost | Ended::Late)), "{went:?}");
    assert!(went.took <= Duration::from_secs(5), "{went:?}");
}

#[test]
fn a_once_method_is_never_tried_out_and_has_no_bound_but_its_deadline() {
    let mut world = World::new(Objective::Time);
    world.server().speed = 20.0;
    let deadline = Some(Duration::from_secs(30));
    let pay = world.register(MethodInfo { once: true, deadline, ..info("pay") }, DETECT);
    world.pass(millis(100));
    world.calls(pay, 5);
    assert!(!world.offers.is_empty(), "a server 20 times as fast is certain enough");
    assert!(world.offers.iter().all(|offer| !offer.exploring && offer.bound == deadline));
}

/// A method that may run once only, on a server that is certainly faster.
fn world_with_once(name: &str) -> (World, outboard_core::MethodIndex) {
    let mut world = World::new(Objective::Time);
    world.server().speed = 20.0;
    let pay = world.register(MethodInfo { once: true, ..info(name) }, DETECT);
    world.pass(millis(100));
    world.calls(pay, 5);
    assert_eq!(world.call(pay).how, How::Remote);
    (world, pay)
}

#[test]
fn a_once_method_whose_session_broke_is_asked_about_and_its_reply_kept() {
    let (mut world, pay) = world_with_once("pay");
    world.break_link_in(millis(30));
    let went = world.call(pay);
    assert_eq!(went.how, How::Remote);
    assert!(went.took > millis(120), "it took a new session: {went:?}");
    assert_eq!(world.server().connects, 2);
    assert_eq!(world.call(pay).how, How::Remote);
}

#[test]
fn another_run_of_the_server_knows_nothing_of_a_once_method() {
    let (mut world, pay) = world_with_once("pay");
    world.kill_server_in(millis(30));
    let attempts = world.offers.len();
    let went = world.call(pay);
    assert_eq!(went.how, How::Error(Ended::Lost), "nobody came back in time");
    assert!(went.took > Duration::from_secs(9) && went.took < Duration::from_secs(12), "{went:?}");
    world.restart_server();
    world.pass(Duration::from_secs(60));
    assert_eq!(world.call(pay).how, How::Remote);
    assert_eq!(world.offers.len(), attempts + 2, "the lost call was not sent twice");
}

#[test]
fn an_app_that_leaves_waits_for_no_server_that_is_gone() {
    let (mut world, pay) = world_with_once("pay");
    world.kill_server_in(millis(30));
    world.leave_in(millis(100));
    let went = world.call(pay);
    assert_eq!(went.how, How::Error(Ended::Lost));
    assert!(went.took < millis(200), "{went:?}");
}

#[test]
fn a_deadline_leaves_time_for_the_local_run() {
    let mut world = World::new(Objective::Time);
    let deadline = Some(millis(1_300));
    let detect = world.register(MethodInfo { deadline, ..info("detect") }, DETECT);
    world.pass(millis(100));
    world.calls(detect, 10);
    assert!(world.offers.iter().all(|offer| offer.bound <= Some(millis(301))), "{:?}", world.offers.last());
    world.server().mood = Mood::Stalled;
    assert!(world.call(detect).took <= millis(1_301));
}

#[test]
fn a_method_may_state_its_own_slowdown() {
    let mut world = World::new(Objective::Time);
    world.server().speed = 1.6;
    let patient = world.register(MethodInfo { slowdown: Some(1.5), ..info("patient") }, DETECT);
    let strict = world.register(MethodInfo { slowdown: Some(0.1), ..info("strict") }, DETECT);
    world.pass(millis(100));
    world.calls(patient, 10);
    world.calls(strict, 10);
    assert_eq!(world.call(patient).how, How::Remote);
    assert!(matches!(world.call(strict).how, How::Local(_)));
}

#[test]
fn a_panic_that_is_the_methods_own_does_not_take_it_back() {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 10);
    let id = MethodId::named("detect");
    world.server().fates.insert(id, Fate::Fail(Failure::Panicked("index out of bounds".into())));
    let Decision::Remote(mut offer) = world.engine.decide(world.now, &Request::new(detect)) else {
        panic!("it is offloaded as a rule")
    };
    let size = outboard_core::ByteCount::from_bytes(DETECT.up);
    world.engine.confirm(world.now, &mut offer, size).expect("the offer stands");
    world.engine.attempt(world.now, &offer, Vec::new()).expect("the session is open");
    world.pass(millis(1_000));
    assert!(world.engine.report(world.now).methods[0].why.contains("index out of bounds"));
    world.engine.reran(world.now, detect, Rerun::Panicked);
    world.server().fates.clear();
    assert_eq!(world.call(detect).how, How::Remote);
}

#[test]
fn a_panic_whose_run_here_was_cancelled_is_asked_about_again() {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 10);
    let id = MethodId::named("detect");
    world.server().fates.insert(id, Fate::Fail(Failure::Panicked("index out of bounds".into())));
    let Decision::Remote(mut offer) = world.engine.decide(world.now, &Request::new(detect)) else {
        panic!("it is offloaded as a rule")
    };
    let size = outboard_core::ByteCount::from_bytes(DETECT.up);
    world.engine.confirm(world.now, &mut offer, size).expect("the offer stands");
    world.engine.attempt(world.now, &offer, Vec::new()).expect("the session is open");
    world.pass(millis(1_000));
    assert!(world.engine.report(world.now).methods[0].why.contains("index out of bounds"));
    world.engine.reran(world.now, detect, Rerun::Cancelled);
    world.server().fates.clear();
    world.pass(millis(60_000));
    assert_eq!(world.call(detect).how, How::Remote);
}

#[test]
fn a_method_registered_late_is_listed_by_a_new_session() {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", DETECT);
    world.pass(millis(2_000));
    world.call(detect);
    let late = world.method("late", DETECT);
    world.call(late);
    world.pass(millis(2_000));
    world.calls(late, 2);
    assert_eq!(world.call(late).how, How::Remote);
    assert_eq!(world.server().connects, 2);
}

#[test]
fn a_policy_outweighs_the_figures() {
    let run = |policy| {
        let mut world = World::with(Objective::Time, |settings| settings.policy = policy);
        world.server().speed = 0.5;
        let detect = world.method("detect", DETECT);
        world.pass(millis(100));
        let went = world.calls(detect, 3);
        (went.iter().filter(|went| went.how == How::Remote).count(), world.engine.report(world.now))
    };
    assert_eq!(run(Policy::Device).0, 0);
    assert_eq!(run(Policy::Device).1.methods[0].why, "the policy keeps everything on the device");
    assert_eq!(run(Policy::Server).0, 3, "from the first call, and although it takes longer there");
    assert!(run(Policy::Server).1.methods[0].why.starts_with("the policy sends it to edge; "));
}

#[test]
fn a_server_that_is_added_later_is_used() {
    let mut world = World::with(Objective::Time, |settings| settings.servers.clear());
    let detect = world.method("detect", DETECT);
    assert_eq!(world.call(detect).how, How::Local(LocalReason::NoServer));
    world.add_server("edge");
    world.pass(millis(100));
    assert_eq!(world.calls(detect, 3)[2].how, How::Remote);
}

#[test]
fn registering_twice_is_registering_once() {
    let mut world = World::new(Objective::Time);
    assert_eq!(world.method("detect", DETECT), world.method("detect", DETECT));
    assert_eq!(world.engine.report(world.now).methods.len(), 1);
}

#[test]
fn a_method_with_a_fallback_asks_even_where_no_server_is() {
    let mut world = World::with(Objective::Time, |settings| settings.servers.clear());
    let info = MethodInfo { fallback: true, ..MethodInfo::remoteable(MethodId::named("exactly"), "exactly") };
    let (exactly, plain) = (world.register(info, DETECT), world.method("plain", DETECT));
    world.pass(Duration::from_secs(2));
    assert_eq!(world.call(exactly).how, How::Local(LocalReason::NoServer));
    assert_eq!(world.words.get(&exactly), None, "it says consult from the beginning");
    assert_eq!(world.words[&plain], Word::Local);
}

#[test]
fn words_follow_the_session() {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", DETECT);
    assert_eq!(world.words[&detect], Word::Local, "no session yet");
    world.pass(millis(100));
    assert_eq!(world.words[&detect], Word::Consult);
    world.kill_server();
    world.pass(millis(20));
    assert_eq!(world.words[&detect], Word::Local);
    world.restart_server();
    world.pass(Duration::from_secs(30));
    assert_eq!(world.words[&detect], Word::Consult);
    world.engine.shutdown(world.now);
    world.pass(millis(20));
    assert_eq!(world.words[&detect], Word::Local);
    assert_eq!(world.engine.report(world.now).methods[0].placement, Placement::Device);
}
