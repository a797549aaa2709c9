//! What callers see of methods that only a server runs, that have a fallback, or that are hedged: with a server, when it
//! goes, without it, and when it is back.

use outboard_tests::process::{DeviceProcess, Gate, ServerProcess, Visitor};

use crate::APP;

/// The runs of a hedged call: there, and here.
fn both(gate: &Gate, server: u32) -> (Visitor, Visitor) {
    let (first, second) = (gate.visitor(), gate.visitor());
    assert_ne!(first.process, second.process);
    if first.process == server { (first, second) } else { (second, first) }
}

#[test]
fn what_only_a_server_runs_says_so_while_there_is_none_and_runs_when_it_is_back() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("only-there 5 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.kill();
    let outcome = device.outcome(call).value;
    assert!(outcome.starts_with("NoAnswer"), "it may have run: {outcome}");
    let outcome = device.call_here(&format!("only-there 5 {}", gate.address()));
    assert!(outcome.starts_with("NoServer"), "it did not run: {outcome}");
    server.start_again();
    device.attaches();
    let call = device.begin(&format!("only-there 5 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    there.let_go();
    assert_eq!(device.outcome(call).value, "5");
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
}

#[test]
fn a_fallback_stands_in_while_the_server_is_away_and_no_longer() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("exactly 57 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.kill();
    assert_eq!(device.outcome(call).value, "50", "the server went in the middle");
    assert_eq!(device.call_here(&format!("exactly 57 {}", gate.address())), "50", "there is none");
    server.start_again();
    device.attaches();
    let call = device.begin(&format!("exactly 57 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    there.let_go();
    assert_eq!(device.outcome(call).value, "57");
    assert_eq!(gate.uninvited(), 0, "its body never ran here");
    drop(device.end());
}

#[test]
fn whichever_run_of_a_hedged_call_is_first_is_the_calls() {
    let server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("race 5 {}", gate.address()));
    let (there, here) = both(&gate, server.id());
    there.let_go();
    assert_eq!(device.outcome(call).process, server.id());
    here.let_go();
    let call = device.begin(&format!("race 7 {}", gate.address()));
    let (there, here) = both(&gate, server.id());
    here.let_go();
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("7", device.id()));
    there.let_go();
    assert_eq!(device.call("add 2 3").value, "5");
    drop(device.end());
}

#[test]
fn a_hedged_call_whose_server_is_killed_is_that_of_the_run_here() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("race 5 {}", gate.address()));
    let (_there, here) = both(&gate, server.id());
    server.kill();
    device.logs("the server cannot be used now");
    here.let_go();
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("5", device.id()));
    assert_eq!(gate.uninvited(), 0, "it did not run a third time");
    drop(device.end());
}

#[test]
fn a_hedge_never_shows_what_the_device_shows_for_the_server() {
    let server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("race-and-show {}", gate.address()));
    let (there, here) = both(&gate, server.id());
    here.let_go();
    device.logs("the device cannot run it beside the server");
    there.let_go();
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("1", server.id()));
    for shown in 2..=5 {
        let call = device.begin(&format!("race-and-show {}", gate.address()));
        gate.visitor().let_go();
        let outcome = device.outcome(call);
        assert_eq!((outcome.value, outcome.process), (shown.to_string(), server.id()));
    }
    assert_eq!(gate.uninvited(), 0, "what was void once is not tried again");
    drop(device.end());
}
