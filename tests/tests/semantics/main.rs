//! What a call means, as a program.
//!
//! Random programs over mutable state run plainly, and on a device and a server while connections break, either end
//! crashes, bounds pass and callers cancel; results, panics and every state that the program can see must be equal, and
//! what may run once only must. Both sessions, the server's engine with what it keeps, deltas and the stores of their
//! bases, and shared objects are the real ones. What the runtime does with threads (commit, undo, fall back, look for
//! what ran once) is modelled here as SEMANTICS.md says.
//!
//! A failure prints a seed; `OUTBOARD_SEMANTICS_SEED=<seed> cargo test -p outboard-tests --test semantics replay` runs
//! it again. `OUTBOARD_SEMANTICS_RUNS` sets how many programs are run.

mod interpreter;

use interpreter::{Defect, Report, Weather, check, simplest, transcript};

fn run_many(seeds: std::ops::Range<u64>, weather: Weather) -> Report {
    let run =
        |seed| check(seed, weather, None).unwrap_or_else(|| panic!("{}", simplest(seed, weather, None)));
    seeds.map(run).fold(Report::default(), |total, report| total + report)
}

fn runs(otherwise: u64) -> u64 {
    std::env::var("OUTBOARD_SEMANTICS_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn programs_mean_the_same_whatever_fails() {
    let report = run_many(0..runs(10_000), Weather::Foul);
    for (name, count) in report.named() {
        assert!(count > 20, "`{name}` happened {count} times: the programs do not try enough\n{report:#?}");
    }
}

#[test]
fn programs_mean_the_same_when_nothing_fails() {
    let report = run_many(0..runs(1_000), Weather::Fair);
    assert!(report.replied > 500 && report.backs > 100, "{report:#?}");
}

/// Runs each program as often as its run has turns, with one crash before another turn each time. Gives how many runs
/// there were.
fn crash_at_every_turn(
    seeds: std::ops::Range<u64>,
    at: fn(usize) -> Weather,
    crashed: fn(&Report) -> u64,
) -> u64 {
    let mut runs = 0;
    for seed in seeds {
        for turn in 0.. {
            let report = run_many(seed..seed + 1, at(turn));
            if crashed(&report) == 0 {
                break;
            }
            runs += 1;
        }
    }
    runs
}

#[test]
fn a_server_may_crash_before_every_turn() {
    let runs = crash_at_every_turn(0..25, Weather::ServerCrash, |report| report.crashes);
    assert!(runs > 1_000, "there were only {runs} crashes");
}

#[test]
fn a_device_may_crash_before_every_turn() {
    let runs = crash_at_every_turn(0..25, Weather::DeviceCrash, |report| report.device_crashes);
    assert!(runs > 1_000, "there were only {runs} crashes");
}

/// Finds a planted defect, and tells it by a program that a person can follow.
fn assert_is_found(defect: Defect) {
    let found = (0..3_000).find(|&seed| check(seed, Weather::Foul, Some(defect)).is_none());
    let seed = found.unwrap_or_else(|| panic!("{defect:?} was not found"));
    let simple = simplest(seed, Weather::Foul, Some(defect));
    assert!(simple.statements() <= 20, "{simple} is not simple");
}

#[test]
fn a_commit_before_the_whole_reply_is_found() {
    assert_is_found(Defect::CommitsInPieces);
}

#[test]
fn a_reply_of_a_fenced_attempt_that_is_taken_is_found() {
    assert_is_found(Defect::TakesFencedReplies);
}

#[test]
fn call_backs_of_an_abandoned_attempt_that_are_not_undone_are_found() {
    assert_is_found(Defect::ForgetsUndo);
}

#[test]
fn skipped_fields_that_are_not_kept_are_found() {
    assert_is_found(Defect::ReplacesSkipped);
}

#[test]
fn once_calls_that_a_second_run_makes_again_are_found() {
    assert_is_found(Defect::ForgetsOnces);
}

#[test]
fn what_became_of_another_call_that_is_taken_is_found() {
    assert_is_found(Defect::TakesAnotherOnce);
}

#[test]
fn shared_values_that_are_moved_are_found() {
    assert_is_found(Defect::MovesShared);
}

#[test]
fn a_delta_that_is_applied_to_another_version_is_found() {
    assert_is_found(Defect::AppliesToAnotherBase);
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in 0..50 {
        assert_eq!(transcript(seed), transcript(seed), "seed {seed}");
    }
}

#[test]
fn replay() {
    let seed = std::env::var("OUTBOARD_SEMANTICS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    run_many(seed..seed + 1, Weather::Foul);
    run_many(seed..seed + 1, Weather::Fair);
}
