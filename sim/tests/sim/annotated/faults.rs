//! Servers that die, fall silent or are cut off, and come back.

use outboard::{CallError, Hedge, Shared};
use outboard_core::Timestamp;
use outboard_sim::{Fault, MethodCost};

use super::*;

#[remoteable(once)]
fn order(number: u64, book: &Shared<Vec<u64>>) -> Result<u64, CallError> {
    book.lock().push(number);
    Ok(number)
}

#[remoteable(remote_only)]
fn translate(words: Vec<String>) -> Result<usize, CallError> {
    Ok(words.iter().map(String::len).sum())
}

fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO + ms(millis)
}

fn with_faults(faults: &[(u64, Fault)]) -> Simulation {
    let server =
        ServerModel::of_speed(10.0).with_faults(faults.iter().map(|(at_ms, fault)| (at(*at_ms), *fault)));
    Simulation::new()
        .device("raspberry-pi-4b")
        .expect("built in")
        .server(server, link(ms(5), 100))
        .cost(method!(Sorter::sort), ms(400))
        .cost(method!(Sorter::check), ms(100))
        .cost(method!(Sorter::show), ms(2))
        .other_costs(ms(50))
}

#[test]
fn a_server_that_dies_and_comes_back_loses_nothing_and_delays_each_call_by_its_bound() {
    let faults: Vec<_> =
        (1..5).flat_map(|n| [(n * 3_000, Fault::Killed), (n * 3_000 + 1_500, Fault::Started)]).collect();
    let outcome = with_faults(&faults).run(sorting).expect("it runs");
    assert_eq!(outcome.value, sorting());
    assert!(outcome.counts(method!(Sorter::sort)).1 > 5, "{outcome}");
    // ε is 1.05 where energy is saved, and the method takes 502 ms here.
    let worst = outcome.worst().expect("there are calls");
    assert!(worst.took <= ms(502) * 205 / 100 + ms(10), "{worst}\n{outcome}");
}

#[test]
fn a_server_that_falls_silent_costs_its_callers_their_bound_once() {
    let outcome = with_faults(&[(3_000, Fault::Silent)]).run(sorting).expect("it runs");
    assert_eq!(outcome.value, sorting());
    let in_vain = outcome.outer_calls().filter(|call| call.in_vain).count();
    assert!((1..=3).contains(&in_vain), "{outcome}");
    let last = outcome.outer_calls().last().expect("there are calls");
    assert!(last.server.is_none() && last.took == ms(502), "{outcome}");
}

#[test]
fn a_link_that_breaks_is_made_again() {
    let outcome =
        with_faults(&[(3_000, Fault::Severed), (6_000, Fault::Severed)]).run(sorting).expect("it runs");
    assert_eq!(outcome.value, sorting());
    let late: Vec<_> = outcome.outer_calls().filter(|call| call.began > at(7_000)).collect();
    assert!(late.iter().filter(|call| call.server.is_some()).count() > 3, "{outcome}");
}

#[test]
fn what_may_run_only_once_does_however_the_link_breaks() {
    let orders = || {
        let book = Shared::new(Vec::new());
        let placed: Vec<_> = (0..40)
            .map(|number| {
                pass(ms(200));
                order(number, &book)
            })
            .collect();
        (book.lock().clone(), placed)
    };
    let breaks: Vec<_> = (1..20).map(|n| (n * 417, Fault::Severed)).collect();
    let (book, placed) = with_faults(&breaks).run(orders).expect("it runs").value;
    let known: Vec<u64> = placed.into_iter().filter_map(Result::ok).collect();
    assert!(known.len() > 30, "{known:?}");
    assert_eq!(book, known, "each order that is known to be placed was placed once, in turn");
}

#[test]
fn what_only_a_server_can_run_says_so_when_none_is_there() {
    let translating = || {
        (0..20)
            .map(|_| {
                pass(ms(500));
                translate(vec!["guten".to_owned(), "tag".to_owned()])
            })
            .collect::<Vec<_>>()
    };
    let outcome = with_faults(&[(5_000, Fault::Killed)]).run(translating).expect("it runs");
    assert!(outcome.value[..8].iter().all(|answer| matches!(answer, Ok(8))), "{outcome}");
    assert!(outcome.value[19].is_err(), "{outcome}");
}

#[test]
fn a_second_server_takes_what_the_first_cannot() {
    let first = ServerModel::of_speed(10.0).with_faults([(at(4_000), Fault::Killed)]);
    let outcome = Simulation::new()
        .server(first, link(ms(5), 100))
        .server(ServerModel::of_speed(5.0), link(ms(15), 100))
        .other_costs(ms(200))
        .run(sorting)
        .expect("it runs");
    let by =
        |server: u16| outcome.outer_calls().filter(|call| call.server.is_some_and(|s| s.0 == server)).count();
    assert!(by(0) > 1 && by(1) > 3, "{outcome}");
}

#[test]
fn a_hedged_call_is_as_fast_as_the_faster_place() {
    let hedged = |silent: bool| {
        let server = ServerModel::of_speed(4.0);
        let server = if silent { server.with_faults([(at(8_000), Fault::Silent)]) } else { server };
        Simulation::new()
            .server(server, link(ms(5), 100))
            .hedge(Hedge::Always)
            .cost(method!(primes), |work| Duration::from_micros(work as u64 * 100))
            .run(|| {
                (0..20)
                    .map(|_| {
                        pass(ms(1_000));
                        primes(1_000)
                    })
                    .sum::<usize>()
            })
            .expect("it runs")
    };
    let (well, badly) = (hedged(false), hedged(true));
    assert_eq!((well.value, badly.value), (168 * 20, 168 * 20));
    let took = |outcome: &Simulated<usize>| outcome.outer_calls().last().map(|call| call.took);
    assert!(took(&well).is_some_and(|took| took < ms(40)), "{well}");
    assert!(badly.worst().is_some_and(|worst| worst.took <= ms(101)), "{badly}");
}

#[test]
fn a_cost_is_shown_by_what_a_unit_takes() {
    let cost: MethodCost = outboard_sim::IntoCost::into_cost(ms(3));
    assert_eq!(format!("{cost:?}"), "MethodCost(3ms for one unit of work)");
}

#[derive(State, Default)]
struct Job {
    parts: Vec<u8>,
}

#[remoteable]
impl Job {
    fn whole(&mut self) -> usize {
        let sum = (0..20).map(|_| self.part()).sum();
        show_sum(sum);
        sum
    }

    fn part(&self) -> usize {
        self.parts.len()
    }
}

#[outboard::device]
fn show_sum(_: usize) {}

#[test]
fn a_call_that_calls_the_device_back_keeps_its_bound_when_the_server_falls_silent() {
    let server = ServerModel::of_speed(10.0).with_faults([(at(15_000), Fault::Silent)]);
    let outcome = Simulation::new()
        .server(server, link(ms(5), 100))
        .cost(method!(Job::whole), ms(1))
        .cost(method!(Job::part), ms(50))
        .cost(method!(show_sum), ms(1))
        .run(|| {
            let mut job = Job { parts: vec![7; 100_000] };
            for round in 0..40 {
                job.parts[0] = round;
                job.whole();
                pass(ms(500));
            }
        })
        .expect("it runs");
    assert!(outcome.counts(method!(Job::whole)).1 > 5, "{outcome}");
    assert!(outcome.outer_calls().any(|call| call.in_vain), "{outcome}");
    // 1,002 ms here, and ε is 0.4 where time is saved.
    assert!(outcome.worst().is_some_and(|worst| worst.took <= ms(1_002 + 401 + 10)), "{outcome}");
}

#[test]
fn what_a_call_takes_here_is_told_right_however_it_came_about() {
    for hedge in [Hedge::Never, Hedge::Late] {
        for fault in [Fault::Silent, Fault::Killed] {
            let server = ServerModel::of_speed(10.0).with_faults([(at(3_050), fault)]);
            let outcome = Simulation::new()
                .server(server, link(ms(5), 100))
                .hedge(hedge)
                .cost(method!(primes), |work| Duration::from_micros(work as u64 * 1_000))
                .run(|| {
                    for _ in 0..40 {
                        primes(1_000);
                        pass(ms(10));
                    }
                })
                .expect("it runs");
            assert!(outcome.outer_calls().any(|call| call.in_vain), "{outcome}");
            for call in outcome.outer_calls() {
                let here = call.here.map(|here| here.time);
                assert_eq!(here, Some(ms(1_000)), "{hedge:?} {fault:?} {call}");
            }
        }
    }
}
