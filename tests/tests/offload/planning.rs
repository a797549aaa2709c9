//! Plans that are made on the server, by a call like any other.

use outboard::{MethodReport, Planning, Policy, remoteable};
use outboard_tests::link::EmulatedLink;
use outboard_tests::{Edge, Stop};

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

/// What the report says of the making of plans.
fn planning(edge: &Edge) -> MethodReport {
    let report = edge.runtime().report();
    let found = report.methods.into_iter().find(|method| method.name == "outboard::plan");
    found.expect("a device that plans on servers knows the method")
}

/// Asking for the report again and again, until it says so.
fn until(edge: &Edge, holds: impl Fn(&MethodReport) -> bool) -> MethodReport {
    loop {
        let planning = planning(edge);
        if holds(&planning) {
            return planning;
        }
        std::thread::yield_now();
    }
}

#[remoteable]
fn sum(numbers: &[u64]) -> (u64, bool) {
    (numbers.iter().sum(), is_on_server())
}

#[outboard::device]
fn noticed() {}

#[test]
fn the_plan_comes_from_the_server_and_is_a_plan_of_the_app() {
    let edge = Edge::with(|builder| builder.policy(Policy::Server).planning(Planning::Server));
    assert_eq!(sum(&[1, 2]), (3, true));
    // The first run of a method, which the device has to plan for.
    noticed();
    let planning = until(&edge, |planning| planning.remote_calls > 0);
    assert_eq!(planning.failed, 0);
    while edge.runtime().report().plan.is_none() {
        std::thread::yield_now();
    }
    assert_eq!(sum(&[3, 4]), (7, true), "calls go on as ever");
}

#[remoteable]
fn product(numbers: &[u64]) -> (u64, bool) {
    (numbers.iter().product(), is_on_server())
}

#[outboard::device]
fn noticed_here() {}

#[test]
fn without_being_asked_the_server_makes_none() {
    let edge = Edge::with(|builder| builder.policy(Policy::Server));
    assert_eq!(product(&[2, 3]), (6, true));
    noticed_here();
    while edge.runtime().report().plan.is_none() {
        std::thread::yield_now();
    }
    // Servers of this process offer it; this device has never called it.
    let planning = planning(&edge);
    assert_eq!((planning.local_calls, planning.attempts), (0, 0));
}

#[remoteable]
fn longest(words: &[String]) -> (usize, bool) {
    (words.iter().map(String::len).max().unwrap_or_default(), is_on_server())
}

#[outboard::device]
fn noticed_before() {}

#[outboard::device]
fn noticed_after() {}

#[test]
fn a_server_that_goes_in_the_middle_leaves_the_plan_to_the_device() {
    let server = Stop::server();
    let link = EmulatedLink::to(server.address());
    let edge = Edge::at_with(link.address(), |builder| builder.planning(Planning::Server));
    assert_eq!(longest(&["a".to_owned()]), (1, true));
    noticed_before();
    until(&edge, |planning| planning.remote_calls > 0);
    link.black_hole();
    noticed_after();
    let planning = until(&edge, |planning| planning.local_calls > 0);
    assert!(planning.attempts > planning.remote_calls, "it was on its way: {planning:?}");
}

#[outboard::device]
fn noticed_at_first() {}

#[outboard::device]
fn noticed_at_last() {}

#[test]
fn a_runtime_ends_while_its_plan_is_on_the_way() {
    let server = Stop::server();
    let link = EmulatedLink::to(server.address());
    let edge = Edge::at_with(link.address(), |builder| builder.planning(Planning::Server));
    assert_eq!(longest(&["ab".to_owned()]), (2, true));
    noticed_at_first();
    until(&edge, |planning| planning.remote_calls > 0);
    link.black_hole();
    noticed_at_last();
    until(&edge, |planning| planning.attempts > planning.remote_calls);
    drop(edge);
    let edge = Edge::alone();
    assert_eq!(longest(&["abc".to_owned()]), (3, false));
    drop(edge);
}
