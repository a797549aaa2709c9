//! Runs of one method on one server.

use std::time::Duration;

use outboard_client_proxy::Settings;
use outboard_core::{Bandwidth, ByteCount, InstanceId, Objective, Timestamp};
use outboard_profiler::DeviceProfile;
use outboard_sim::{
    DeviceModel, Fault, Link, MethodModel, ModelApp, Outcome, Path, Replay, Script, ServerModel, Threads,
    Went,
};
use outboard_wire::frame::AppIdentity;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(seconds)
}

fn settings() -> Settings {
    let mut settings = Settings::new(AppIdentity::default(), InstanceId(1));
    settings.objective = Objective::Time;
    settings
}

fn run(local: Duration, server: ServerModel, seconds: u64, threads: Threads) -> Outcome {
    let mut app = ModelApp::new();
    let method = app.add(MethodModel::new("work", local, ByteCount::from_bytes(10_000)));
    let script = Script::every(ms(500), at(seconds), method).on(threads);
    let device = DeviceModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in"));
    let rate = Bandwidth::from_megabits_per_second(20);
    let link = Link::constant(ms(20), rate, rate);
    Replay::new(app, script, device, vec![(server, Path::new(link))], settings()).run(at(seconds))
}

#[test]
fn calls_worth_it_go_to_the_server() {
    let outcome = run(ms(400), ServerModel::default(), 60, Threads::One);
    let late = &outcome.calls[outcome.calls.len() / 2..];
    assert!(late.iter().all(|call| call.went == Went::Remote), "{outcome}");
    // 80 ms on the server, a round trip of 20 ms, and 2 × 10 kB at 20 Mbit/s.
    assert!(late.iter().all(|call| call.took > ms(107) && call.took < ms(112)), "{outcome}");
    let calls: Option<outboard_core::Energy> = outcome.calls.iter().map(|call| call.energy).sum();
    assert!(calls < outcome.energy, "{outcome}");
}

#[test]
fn a_run_repeats_to_the_bit() {
    let run = || run(ms(400), ServerModel::default(), 60, Threads::Each);
    assert_eq!(run(), run());
}

#[test]
fn calls_not_worth_it_stay() {
    let outcome = run(ms(30), ServerModel::default(), 60, Threads::One);
    // One try tells, and no more.
    assert!(outcome.remote() <= 1 && outcome.calls.iter().all(|call| call.took <= ms(36)), "{outcome}");
}

#[test]
fn a_server_that_is_killed_costs_its_calls_the_bound_and_no_more() {
    let faults = [(at(20), Fault::Killed), (at(40), Fault::Started)];
    let outcome = run(ms(400), ServerModel::default().with_faults(faults), 90, Threads::One);
    let fell_back =
        outcome.calls.iter().filter(|call| matches!(call.went, Went::FellBack(_) | Went::Hedged)).count();
    assert!((1..=3).contains(&fell_back), "{outcome}");
    assert!(outcome.worst().expect("there are calls").took <= ms(400 + 160), "{outcome}");
    assert_eq!(outcome.calls.last().map(|call| &call.went), Some(&Went::Remote), "{outcome}");
}
