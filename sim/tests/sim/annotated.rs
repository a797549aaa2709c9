//! An app's own annotated code in virtual time.

mod faults;
mod futures;

use std::time::Duration;

use outboard::{Policy, State, method, remoteable};
use outboard_core::{Bandwidth, Energy};
use outboard_sim::{Battery, Cost, Link, ServerModel, Simulated, Simulation, SimulationError, pass};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn link(round_trip: Duration, megabits: u64) -> Link {
    let rate = Bandwidth::from_megabits_per_second(megabits);
    Link::constant(round_trip, rate, rate)
}

#[remoteable(work = below)]
fn primes(below: u64) -> usize {
    (2..below).filter(|n| (2..*n).take_while(|by| by * by <= *n).all(|by| n % by != 0)).count()
}

#[derive(State, Default, Debug, PartialEq)]
struct Sorter {
    words: Vec<String>,
    shown: u32,
}

#[remoteable]
impl Sorter {
    fn sort(&mut self) -> usize {
        self.words.sort();
        self.show(self.words.len());
        self.check()
    }

    fn check(&self) -> usize {
        self.words.windows(2).filter(|pair| pair[0] <= pair[1]).count()
    }

    #[outboard::device]
    fn show(&mut self, words: usize) {
        self.shown += words as u32;
    }
}

fn simulation(way: Link) -> Simulation {
    Simulation::new()
        .device("raspberry-pi-4b")
        .expect("built in")
        .server(ServerModel::of_speed(10.0), way)
        .cost(method!(primes), Cost::per_unit(Duration::from_micros(100)))
        .cost(method!(Sorter::sort), ms(400))
        .cost(method!(Sorter::check), ms(100))
        .cost(method!(Sorter::show), ms(2))
}

/// Sorts again and again, with pauses.
fn sorting() -> (Sorter, Vec<usize>) {
    let mut sorter =
        Sorter { words: (0..200).map(|n| format!("word {}", n * 7919 % 1_000)).collect(), shown: 0 };
    let mut checked = Vec::new();
    for round in 0..20 {
        sorter.words.rotate_left(round % 5);
        checked.push(sorter.sort());
        pass(ms(500));
    }
    (sorter, checked)
}

#[test]
fn on_the_device_a_method_takes_what_was_declared() {
    let outcome = simulation(link(ms(5), 100)).policy(Policy::Device).run(|| primes(1_000)).expect("it runs");
    assert_eq!(outcome.value, 168);
    assert_eq!(outcome.elapsed, ms(100));
    assert_eq!(outcome.counts(method!(primes)), (1, 0));
}

#[test]
fn a_server_nearby_is_used_and_what_the_program_computes_is_the_same() {
    let local = sorting();
    let outcome = simulation(link(ms(5), 100)).run(sorting).expect("it runs");
    assert_eq!(outcome.value, local);
    let device = simulation(link(ms(5), 100)).policy(Policy::Device).run(sorting).expect("it runs");
    assert_eq!(device.value, local);
    assert_eq!(device.elapsed, (ms(400) + ms(100) + ms(2) + ms(500)) * 20);
    let (here, there) = outcome.counts(method!(Sorter::sort));
    assert!(there > 10 && here >= 1, "{outcome}");
    assert!(outcome.elapsed < device.elapsed * 3 / 4, "{outcome}");
    assert!(outcome.energy.zip(device.energy).is_some_and(|(less, more)| less < more), "{outcome}");
}

#[test]
fn a_server_far_away_is_left_alone() {
    let outcome = simulation(link(ms(3_000), 1)).run(sorting).expect("it runs");
    assert_eq!(outcome.counts(method!(Sorter::sort)).1, 0, "{outcome}");
}

#[test]
fn a_run_is_the_same_every_time() {
    let run = || simulation(link(ms(20), 20)).run(sorting).expect("it runs");
    let first: Simulated<_> = run();
    for _ in 0..3 {
        assert_eq!(run(), first);
    }
}

#[test]
fn what_nobody_priced_is_named() {
    let unpriced = Simulation::new().run(|| primes(10));
    let error = unpriced.expect_err("nobody said what it takes");
    assert!(matches!(&error, SimulationError::NoCost(_)));
    assert!(error.to_string().contains("::primes` takes"), "{error}");
}

#[test]
fn regret_is_what_an_oracle_would_have_saved() {
    let near = simulation(link(ms(5), 100)).run(sorting).expect("it runs");
    // The first calls run here, to be timed; all others go where the oracle sends them.
    assert!(near.regret_time().is_some_and(|regret| (1.05..4.0).contains(&regret)), "{near}");
    let far = simulation(link(ms(3_000), 1)).run(sorting).expect("it runs");
    assert_eq!(far.regret_time(), Some(1.0), "{far}");
    // Greetings and pings are no call's, and fall into calls all the same.
    assert!(far.regret_energy().is_some_and(|regret| (1.0..1.02).contains(&regret)), "{far}");
    // What would have been agrees with what was, where a call did go.
    let device = simulation(link(ms(5), 100)).policy(Policy::Device).run(sorting).expect("it runs");
    let would = device.outer_calls().last().and_then(|call| call.there).expect("its size is known");
    let was = near.outer_calls().last().expect("there are calls").took;
    assert!(would.time.abs_diff(was) < ms(5), "{would:?} {was:?}");
}

#[test]
fn a_battery_lasts_longer_with_a_server_nearby() {
    let full = Energy::from_millijoules(200_000);
    let run = |policy| {
        let simulation = simulation(link(ms(5), 100)).policy(policy).battery(Battery::new(full));
        simulation.run(sorting).expect("it runs")
    };
    let (plan, device) = (run(Policy::Plan), run(Policy::Device));
    for outcome in [&plan, &device] {
        assert_eq!(outcome.left.zip(outcome.energy).map(|(left, spent)| left + spent), Some(full));
    }
    assert!(plan.left > device.left, "{plan}{device}");
    let empty = simulation(link(ms(5), 100)).battery(Battery::new(Energy::from_millijoules(10)));
    assert_eq!(empty.run(sorting).expect("it runs").left, Some(Energy::ZERO));
}
