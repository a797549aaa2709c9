//! Devices that a server suddenly knows by another address, and devices that come back.

use std::process::Command;

use outboard_tests::link::{EmulatedLink, Old};
use outboard_tests::process::{DeviceProcess, Gate, ServerProcess};

use crate::{APP, attempts};

/// A device whose log says how its links began.
fn attached(server: &str) -> DeviceProcess {
    let mut device = DeviceProcess::start(APP, |command: &mut Command| {
        command.env("OUTBOARD_SERVER", server).env("OUTBOARD_POLICY", "server");
        command.env("OUTBOARD_LOG", "outboard_runtime=debug,outboard_transport=debug");
    });
    device.logs("resumed=false");
    device.attaches();
    device
}

/// A call survives that its device gets another address in the middle.
fn moves_in_mid_call(old: Old) {
    let server = ServerProcess::start(APP);
    let link = EmulatedLink::to(server.address());
    let mut device = attached(link.address());
    let gate = Gate::open();
    let call = device.begin(&format!("post 7 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    link.rebind(old);
    let before = link.seen();
    there.let_go();
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("7", server.id()));
    let next = device.call("add 2 3");
    assert_eq!((next.value.as_str(), next.process), ("5", server.id()));
    // The server has found the new address, and uses it.
    link.wait_until(|seen| seen.down_here > before.down_here);
    assert_eq!(gate.uninvited(), 0);
    let log = device.end();
    assert_eq!(attempts(&log), 2, "neither call was tried twice: {log:?}");
    let attached = log.iter().filter(|line| line.contains("device: attached")).count();
    assert_eq!(attached, 1, "it is the same session: {log:?}");
}

#[test]
fn a_nat_that_forgets_its_mapping_in_mid_call() {
    moves_in_mid_call(Old::Gone);
}

#[test]
fn a_route_that_changes_in_mid_call() {
    moves_in_mid_call(Old::Works);
}

#[test]
fn a_device_that_moves_again_and_again_between_calls() {
    let server = ServerProcess::start(APP);
    let link = EmulatedLink::to(server.address());
    let mut device = attached(link.address());
    for round in 0..10 {
        link.rebind(if round % 2 == 0 { Old::Gone } else { Old::Works });
        let outcome = device.call(&format!("add {round} 3"));
        assert_eq!((outcome.value, outcome.process), ((round + 3).to_string(), server.id()));
    }
    assert_eq!(attempts(&device.end()), 10);
}

#[test]
fn a_device_that_comes_back_resumes_and_is_attached_as_before() {
    let server = ServerProcess::start(APP);
    let link = EmulatedLink::to(server.address());
    let mut device = attached(link.address());
    let gate = Gate::open();
    assert_eq!(device.call("add 2 3").process, server.id());
    let call = device.begin(&format!("post 7 {}", gate.address()));
    let there = gate.visitor();
    link.black_hole();
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    here.let_go();
    assert_eq!(device.outcome(call).value, "7");
    device.logs("the server cannot be used now");
    link.mend();
    device.logs("connected");
    device.attaches();
    assert_eq!(device.call("add 2 3").process, server.id());
    there.let_go();
    let log = device.end();
    let linked: Vec<_> = log.iter().filter(|line| line.contains(" connected ")).collect();
    assert!(linked.len() == 2 && linked[1].contains("resumed=true"), "{linked:?}");
}

#[test]
fn a_server_that_was_started_again_does_not_resume_and_is_greeted_anew() {
    let mut server = ServerProcess::start(APP);
    let mut device = attached(server.address());
    assert_eq!(device.call("add 2 3").process, server.id());
    server.kill();
    server.start_again();
    // The first packet that the new run of the server does not know tells the device.
    while device.call("add 2 3").process != server.id() {}
    let log = device.end();
    assert!(log.iter().any(|line| line.contains("the handshake is not resumed")), "{log:?}");
    let linked: Vec<_> = log.iter().filter(|line| line.contains(" connected ")).collect();
    assert!(linked.iter().all(|line| line.contains("resumed=false")), "{linked:?}");
}
