//! An idle device with a radio that is dear to wake: it keeps quiet, and bears what it does not learn meanwhile.

use std::time::Duration;

use outboard_client_proxy::LocalReason;
use outboard_core::{MethodIndex, Objective, Power};

use crate::radio::on_lte;
use crate::world::{Cost, Ended, How, Mood, World, millis};

const DETECT: Cost = Cost::of(4_000, 20_000, 1_000);
const HOUR: Duration = Duration::from_secs(3_600);

/// A device on LTE whose `detect` runs on the server as a matter of course, and whose radio sleeps by now.
fn settled() -> (World, MethodIndex) {
    let mut world = on_lte(Objective::Time);
    let detect = world.method("detect", DETECT);
    world.pass(millis(500));
    world.calls(detect, 15);
    assert_eq!(world.call(detect).how, How::Remote);
    world.pass(Duration::from_secs(60));
    (world, detect)
}

/// What the radio has taken so far, in joules.
fn taken(world: &World) -> f64 {
    world.radio.expect("there").energy(world.now).as_joules_f64()
}

fn idle(time: Duration) -> f64 {
    (Power::from_milliwatts(2_290) * time).as_joules_f64()
}

#[test]
fn an_idle_device_lets_its_radio_sleep_and_keeps_its_session() {
    let (mut world, detect) = settled();
    let (before, connects) = (taken(&world), world.server().connects);
    world.pass(HOUR * 10);
    let share = (taken(&world) - before) / idle(HOUR * 10);
    assert!((0.005..=0.0105).contains(&share), "{share} of an idle device's energy");
    assert_eq!(world.server().connects, connects);
    let went = world.calls(detect, 5);
    assert_eq!(went[4].how, How::Remote, "{went:?}");
}

#[test]
fn a_device_on_wifi_finds_a_dead_server_as_early_as_ever() {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 15);
    world.server().mood = Mood::Stalled;
    world.pass(Duration::from_secs(19));
    assert_eq!(world.call(detect).how, How::Local(LocalReason::NotAttached));
}

#[test]
fn a_server_that_dies_in_a_long_silence_costs_the_next_call_its_bound_and_the_ones_after_it_nothing() {
    let (mut world, detect) = settled();
    world.server().mood = Mood::Stalled;
    world.pass(Duration::from_secs(300));
    let first = world.call(detect);
    assert_eq!(first.how, How::FellBack(Ended::Late), "nobody has noticed: {first:?}");
    assert!(first.took <= DETECT.local.mul_f64(1.4), "{first:?}");
    for went in world.calls(detect, 30) {
        assert!(matches!(went.how, How::Local(LocalReason::Silent | LocalReason::NotAttached)), "{went:?}");
        assert_eq!(went.took, DETECT.local);
    }
    world.server().mood = Mood::Well;
    world.calls(detect, 30);
    assert_eq!(world.call(detect).how, How::Remote, "calls that run here have it tried again");
}

#[test]
fn a_server_that_dies_in_a_long_silence_is_found_dead_by_the_next_ping_too() {
    let (mut world, detect) = settled();
    world.server().mood = Mood::Stalled;
    world.pass(world.engine.heartbeat());
    assert_eq!(world.call(detect).how, How::Local(LocalReason::NotAttached));
}

#[test]
fn a_server_that_stays_away_is_not_looked_for_by_a_device_that_calls_nothing() {
    let (mut world, detect) = settled();
    world.kill_server();
    // What it takes to be sure.
    world.pass(Duration::from_secs(120));
    let (before, connects) = (taken(&world), world.server().connects);
    world.pass(HOUR * 10);
    let tries = world.server().connects - connects;
    let most = (HOUR * 10).as_secs() / world.engine.heartbeat().as_secs() + 1;
    assert!((10..=most).contains(&tries), "{tries}");
    assert!(taken(&world) - before <= idle(HOUR * 10) * 0.0105);

    world.restart_server();
    assert!(matches!(world.call(detect).how, How::Local(LocalReason::NotAttached)));
    world.pass(Duration::from_secs(61));
    assert_eq!(world.call(detect).how, How::Remote, "somebody calls: it is looked for as ever");
}
