//! A server that is asked to stop.

use outboard_tests::process::{DeviceProcess, Gate, ServerProcess, Signal};

use crate::{APP, attempts};

/// A running call gets its reply, new ones run on the device, and the server ends well.
fn is_drained_by(signal: Signal) {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let running = device.begin_beside(&format!("post 7 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.signal(signal);
    server.logs("the server drains");
    for _ in 0..20 {
        assert_eq!(device.call_here("add 2 3"), "5");
    }
    there.let_go();
    let outcome = device.outcome(running);
    assert_eq!((outcome.value.as_str(), outcome.process), ("7", server.id()), "it was not cut off");
    let status = server.ended();
    assert_eq!(status.code(), Some(0), "{status}");
    assert_eq!(device.call_here("add 2 3"), "5");
    assert_eq!(gate.uninvited(), 0);

    server.start_again();
    device.attaches();
    assert_eq!(device.call("add 2 3").process, server.id(), "it is used again");
    drop(device.end());
}

#[test]
fn sigterm_drains_a_server() {
    is_drained_by(Signal::TERM);
}

#[test]
fn ctrl_c_drains_a_server() {
    is_drained_by(Signal::INT);
}

#[test]
fn a_call_that_does_not_end_holds_a_draining_server_up_for_a_while_only() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("post 7 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.signal(Signal::TERM);
    // The method still waits there when the server has ended.
    let status = server.ended();
    assert_eq!(status.code(), Some(0), "{status}");
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    here.let_go();
    assert_eq!(device.outcome(call).value, "7");
    assert_eq!(
        device.call_here("ledger"),
        r#"Ledger { entries: [7], balance: 7, screen: "drawn by the device" }"#
    );
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
}

#[test]
fn a_server_without_devices_stops_at_once() {
    let mut server = ServerProcess::start(APP);
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_device_that_has_nothing_under_way_leaves_a_server_that_drains() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    assert_eq!(device.call("add 2 3").process, server.id());
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0));
    let told = device.logs("the server cannot be used now");
    assert!(told.contains("went away in good order"), "{told}");
    assert_eq!(device.call_here("add 2 3"), "5");
    assert_eq!(attempts(&device.end()), 1);
}
