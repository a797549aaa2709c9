//! The same calls under every policy.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Objective, Timestamp};
use outboard_profiler::{DeviceProfile, RadioModel, RadioProfile};
use outboard_sim::{
    DeviceModel, Link, LinkStep, LinkTrace, MethodModel, Missing, Outcome, Path, Policy, Script, ServerModel,
    Threads, TraceEnd, Trial, median_way,
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A link that is good for twenty seconds and bad for the next twenty.
fn square() -> Link {
    let step = |at, megabits| LinkStep {
        round_trip: Some(Duration::from_millis(20)),
        up: Some(Bandwidth::from_megabits_per_second(megabits)),
        down: Some(Bandwidth::from_megabits_per_second(megabits)),
        ..LinkStep::at(seconds(at))
    };
    let trace = LinkTrace::new(vec![step(0, 20), step(20, 1)], seconds(40), TraceEnd::Loop).expect("sound");
    Link::recorded(&trace, &Missing::default(), 1).expect("it has rates")
}

fn trial(objective: Objective) -> Trial {
    let radio = RadioModel::new(&RadioProfile::built_in("wifi").expect("built in"), None).expect("known");
    let until = Timestamp::ZERO + seconds(600);
    Trial {
        method: MethodModel::new("work", Duration::from_millis(300), ByteCount::ZERO)
            .taking(ByteCount::from_bytes(100_000))
            .giving(ByteCount::from_bytes(1_000)),
        script: Script::poisson(3, seconds(2), until, 0).on(Threads::Each),
        device: DeviceModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in")),
        server: ServerModel::of_speed(5.0),
        path: Path::new(square()).with_radio(radio),
        objective,
        until,
    }
}

fn played(objective: Objective, policy: Policy) -> Outcome {
    trial(objective).play(policy)
}

#[test]
fn nobody_is_better_than_the_oracle() {
    let oracle = played(Objective::Time, Policy::Oracle).time();
    for policy in Policy::ALL {
        let outcome = played(Objective::Time, policy);
        assert_eq!(outcome.calls.len(), trial(Objective::Time).script.calls().len(), "{policy:?}");
        assert!(outcome.time() >= oracle, "{policy:?}: {:?} < {oracle:?}", outcome.time());
    }
}

#[test]
fn the_oracle_goes_where_the_link_is_good() {
    let outcome = played(Objective::Time, Policy::Oracle);
    let good = |at: Timestamp| (at - Timestamp::ZERO).as_secs() % 40 < 19;
    for call in outcome.calls.iter().filter(|call| good(call.began)) {
        assert!(call.took < Duration::from_millis(300), "{call:?}");
    }
    assert!(outcome.remote() < outcome.calls.len(), "at 1 Mbit/s it is better on the device");
}

#[test]
fn the_oracle_of_energy_spends_the_least() {
    let spent = |policy| played(Objective::Energy, policy).spent().expect("all of it is known");
    let oracle = spent(Policy::Oracle);
    for policy in [Policy::Local, Policy::Remote, Policy::Maui] {
        assert!(spent(policy) >= oracle, "{policy:?}");
    }
}

#[test]
fn always_local_never_touches_the_link() {
    let outcome = played(Objective::Time, Policy::Local);
    assert_eq!((outcome.remote(), outcome.sent, outcome.upkeep.as_microjoules()), (0, ByteCount::ZERO, 0));
    assert_eq!(outcome.time(), Duration::from_millis(300) * outcome.calls.len() as u32);
}

#[test]
fn maui_probes_when_it_hears_nothing_for_a_minute() {
    // A method so short that nothing is offloaded.
    let mut trial = trial(Objective::Time);
    trial.method.own.fixed = Duration::from_millis(1);
    let outcome = trial.play(Policy::Maui);
    assert_eq!(outcome.remote(), 0);
    // At the start, and once a minute within the ten that it lasts.
    assert_eq!(outcome.sent, ByteCount::from_bytes(10_000) * 10);
}

#[test]
fn the_median_way_is_that_of_the_link_in_the_middle() {
    let up = ByteCount::from_bytes(100_000);
    let way =
        median_way(&Path::new(square()), Timestamp::ZERO + seconds(39), seconds(1), up, ByteCount::ZERO);
    let way = way.expect("everything arrives");
    assert!(way > Duration::from_millis(59) && way < Duration::from_millis(61), "{way:?}");
}
