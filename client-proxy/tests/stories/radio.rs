//! A radio that sleeps: what it does to decisions, and what it is charged.

use std::time::Duration;

use outboard_client_proxy::{LocalReason, Word};
use outboard_core::{Energy, Objective, Placement, Timestamp};
use outboard_profiler::{DeviceProfile, EnergyModel, Radio};

use crate::world::{Cost, How, World, millis};

/// The processor of a Raspberry Pi 4B on an LTE modem: 0.26 s to wake it, 11.6 s until it sleeps again.
const PROFILE: &str = "name = 'robot'
[cpu]
cores = 4
idle = { watts = 2.29, quality = 'modelled', source = 'Raspberry Pi 4B' }
busy = { watts = 6.82, quality = 'modelled', source = 'Raspberry Pi 4B' }
[radio]
profile = 'lte'
";
/// Longer than the tail, far shorter than a heartbeat on such a radio.
const SILENCE: Duration = Duration::from_millis(13_000);

pub(crate) fn on_lte(objective: Objective) -> World {
    let energy = EnergyModel::new(&DeviceProfile::parse("robot.toml", PROFILE).expect("sound"));
    let radio = Radio::new(*energy.radio().expect("its powers are known"), Timestamp::ZERO);
    let mut world = World::with(objective, |settings| settings.energy = energy);
    world.radio = Some(radio);
    world
}

#[test]
fn a_small_call_stays_while_the_radio_sleeps_and_goes_while_it_is_awake() {
    let mut world = on_lte(Objective::Time);
    let small = world.method("small", Cost::of(400, 1_000, 1_000));
    let large = world.method("large", Cost::of(4_000, 20_000, 1_000));
    world.pass(millis(500));
    for _ in 0..30 {
        world.call(small);
        world.call(large);
    }
    assert_eq!(world.call(small).how, How::Remote);

    world.pass(SILENCE);
    let cold = world.call(small);
    assert_eq!((cold.how, cold.took), (How::Local(LocalReason::TooSlow), millis(400)));
    let why = world.engine.report(world.now).methods[0].why.clone();
    assert!(why.contains("260.0ms to wake the radio"), "{why}");

    let woke = world.call(large);
    assert_eq!(woke.how, How::Remote, "it is worth waking the radio for");
    assert!(woke.took > millis(1_260), "{woke:?}");
    assert_eq!(world.call(small).how, How::Remote);
}

#[test]
fn waking_the_radio_is_not_taken_for_a_slower_link() {
    let mut world = on_lte(Objective::Time);
    let large = world.method("large", Cost::of(4_000, 20_000, 1_000));
    world.pass(millis(500));
    world.calls(large, 10);
    for _ in 0..10 {
        world.pass(SILENCE);
        assert_eq!(world.call(large).how, How::Remote);
    }
    world.pass(world.engine.heartbeat() * 2);
    let round_trip = world.engine.report(world.now).servers[0].round_trip.expect("measured");
    assert!(round_trip < millis(20), "of 10 ms, heartbeats over a sleeping radio included: {round_trip:?}");
}

#[test]
fn the_tail_that_a_call_prolongs_is_charged() {
    // Here 1.4 J. There 0.3 J for the device, and 1.06 W for as long as the radio stays awake because of the call.
    let mut world = on_lte(Objective::default());
    let method = world.method("method", Cost::of(400, 1_000, 1_000));
    world.pass(millis(500));
    world.calls(method, 40);
    assert_eq!(world.call(method).how, How::Remote);
    world.pass(millis(300));
    assert_eq!(world.call(method).how, How::Remote, "the radio would be awake anyway, but for 0.4 s of it");
    world.pass(millis(4_000));
    assert_eq!(world.call(method).how, How::Local(LocalReason::RadioSilent));
    let report = &world.engine.report(world.now).methods[0];
    assert_eq!(report.placement, Placement::Device);
    assert!(report.why.contains("the radio has been silent"), "{}", report.why);
}

#[test]
fn many_calls_are_worth_the_radio_together() {
    let mut world = on_lte(Objective::default());
    let method = world.method("method", Cost::of(400, 1_000, 1_000));
    world.pass(millis(500));
    world.calls(method, 40);
    world.pass(millis(2_500));
    // Three joules and more with time for the tail, while each call would save about 0.7 J.
    let (began, went) = (world.now, world.calls(method, 40));
    let stayed = went.iter().take_while(|went| went.how == How::Local(LocalReason::RadioSilent)).count();
    assert!((5..=20).contains(&stayed), "{stayed} since {began}");
    assert!(went[stayed..].iter().all(|went| went.how == How::Remote), "{:?}", &went[stayed..]);
}

#[test]
fn calls_that_came_one_by_one_and_stayed_go_when_they_come_together() {
    let mut world = on_lte(Objective::default());
    let method = world.method("method", Cost::of(400, 1_000, 1_000));
    world.pass(millis(500));
    for _ in 0..60 {
        world.pass(Duration::from_secs(26));
        world.call(method);
    }
    let alone = world.call(method);
    assert!(matches!(alone.how, How::Local(_)), "{alone:?}");
    world.pass(millis(1_500));
    assert_eq!(world.words[&method], Word::Local, "one by one they are not worth a connection");
    // It takes a hundred of them until the plan believes it, and as many again until the try at the beginning is earned back,
    // which was charged a whole tail: nothing wakes the radio by chance meanwhile.
    let went = world.calls(method, 600);
    let remote = went.iter().filter(|went| went.how == How::Remote).count();
    assert!(remote > 200 && went[599].how == How::Remote, "{remote}");
}

#[test]
fn what_calls_are_charged_is_what_the_radio_takes() {
    let mut world = on_lte(Objective::Time);
    let method = world.method("method", Cost::of(4_000, 100_000, 10_000));
    world.pass(millis(500));
    world.calls(method, 5);
    world.pass(SILENCE);
    let charged = |world: &World| world.engine.report(world.now).methods[0].remote_energy.expect("known");
    let taken = |world: &World| world.radio.expect("there").energy(Timestamp::FAR_FUTURE);
    let (charged_before, taken_before) = (charged(&world), taken(&world));
    let mut busy = Duration::ZERO;
    for gap in [0, 200, 1_000, 5_000, 13_000, 500] {
        world.pass(millis(gap));
        let went = world.call(method);
        assert_eq!(went.how, How::Remote);
        busy += went.took;
    }
    let idle = outboard_core::Power::from_milliwatts(2_290) * busy;
    let charged = (charged(&world) - charged_before - idle).as_joules_f64();
    let taken = (taken(&world) - taken_before).as_joules_f64();
    assert!(Energy::ZERO < idle && (charged / taken - 1.0).abs() < 0.05, "{charged} J of {taken} J");
}
