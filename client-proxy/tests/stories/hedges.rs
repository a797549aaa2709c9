//! Calls that the device runs too while a server does.

use outboard_client_proxy::{Hedge, MethodInfo};
use outboard_core::{MethodId, MethodIndex, Objective};

use crate::world::{Cost, Ended, Fate, How, Mood, World, millis};

const DETECT: Cost = Cost::of(1_000, 20_000, 1_000);

/// A world in which `detect` runs on the server as a matter of course, and is hedged.
fn hedging(hedge: Hedge) -> (World, MethodIndex) {
    let mut world = World::with(Objective::Time, |settings| settings.hedge = hedge);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 15);
    assert_eq!(world.call(detect).how, How::Remote);
    (world, detect)
}

#[test]
fn a_server_that_is_a_little_late_is_still_of_use_and_what_it_took_is_learned() {
    let (mut world, detect) = hedging(Hedge::Late);
    let before = world.engine.report(world.now).methods[0].clone();
    world.server().fates.insert(MethodId::named("detect"), Fate::Slow(2.5));
    let went = world.call(detect);
    assert_eq!(went.how, How::Remote, "later than its bound, sooner than the device");
    assert!((millis(600)..millis(800)).contains(&went.took), "{went:?}");
    let after = &world.engine.report(world.now).methods[0];
    assert_eq!((after.hedges - before.hedges, after.hedges_lost, after.hedges_won), (1, 1, 0));
    assert_eq!((after.late - before.late, after.remote_calls - before.remote_calls), (1, 1));
}

#[test]
fn a_server_that_hangs_costs_the_bound_and_no_more() {
    let (mut world, detect) = hedging(Hedge::Late);
    let before = world.engine.report(world.now).methods[0].clone();
    world.server().mood = Mood::Stalled;
    let went = world.call(detect);
    assert_eq!(went.how, How::Hedged);
    assert!(went.took > DETECT.local && went.took <= millis(1_400), "{went:?}");
    assert!(matches!(world.call(detect).how, How::Local(_)), "it is not waited for twice");
    let after = &world.engine.report(world.now).methods[0];
    assert_eq!((after.hedges_won, after.late - before.late), (1, 1));
    assert_eq!(after.lost_time - before.lost_time, went.took - DETECT.local);
    assert_eq!(after.local_calls - before.local_calls, 2, "the hedge was a run like any other");
    assert!(after.remote_energy > before.remote_energy, "and the attempt was not for free either");
}

#[test]
fn a_call_that_is_always_hedged_takes_as_long_as_the_faster_of_the_two() {
    let (mut world, detect) = hedging(Hedge::Always);
    let remote = world.call(detect);
    assert_eq!(remote.how, How::Remote);
    assert!(remote.took < millis(300), "{remote:?}");
    world.server().mood = Mood::Stalled;
    let here = world.call(detect);
    assert_eq!((here.how, here.took), (How::Hedged, DETECT.local));
    let report = &world.engine.report(world.now).methods[0];
    assert_eq!(report.hedges, report.attempts, "each of them");
    assert_eq!((report.hedges_won, report.hedges_lost), (1, report.hedges - 1));
    assert_eq!(report.lost_time, millis(0), "nothing was waited for that the device had not needed anyway");
}

#[test]
fn a_server_that_loses_every_time_is_tried_less_and_less() {
    let (mut world, detect) = hedging(Hedge::Always);
    world.server().fates.insert(MethodId::named("detect"), Fate::Slow(20.0));
    let attempts = world.engine.report(world.now).methods[0].attempts;
    world.calls(detect, 100);
    let attempts = world.engine.report(world.now).methods[0].attempts - attempts;
    assert!((2..12).contains(&attempts), "{attempts}");
}

#[test]
fn what_a_method_says_of_itself_outweighs_the_setting_and_once_outweighs_both() {
    let mut world = World::with(Objective::Time, |settings| settings.hedge = Hedge::Always);
    let never =
        MethodInfo { hedge: Some(Hedge::Never), ..MethodInfo::remoteable(MethodId::named("never"), "never") };
    let once = MethodInfo {
        hedge: Some(Hedge::Always),
        once: true,
        ..MethodInfo::remoteable(MethodId::named("once"), "once")
    };
    let (never, once) = (world.register(never, DETECT), world.register(once, DETECT));
    world.pass(millis(100));
    world.calls(never, 15);
    world.calls(once, 15);
    assert!(world.offers.iter().any(|offer| offer.request.method == never));
    assert!(world.offers.iter().all(|offer| offer.hedge == Hedge::Never));
    world.server().mood = Mood::Stalled;
    assert_eq!(world.call(never).how, How::FellBack(Ended::Late));
    assert_eq!(world.engine.report(world.now).methods[0].hedges, 0);
}
