//! Calls that may run only once, on servers that live on when their session is lost, and on such that do not.

use outboard_tests::link::EmulatedLink;
use outboard_tests::process::{DeviceProcess, Gate, ServerProcess};

use crate::APP;

#[test]
fn a_reply_that_was_lost_with_its_session_is_fetched_in_the_next() {
    let server = ServerProcess::start(APP);
    let link = EmulatedLink::to(server.address());
    let mut device = DeviceProcess::attached(APP, link.address());
    let gate = Gate::open();
    let call = device.begin(&format!("pay 5 {}", gate.address()));
    let there = gate.visitor();
    link.black_hole();
    there.let_go();
    device.logs("cannot be used now");
    link.mend();
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("5", server.id()));
    assert_eq!(gate.uninvited(), 0, "it ran once");
    drop(device.end());
}

#[test]
fn a_call_that_runs_on_when_its_session_is_lost_is_waited_for_in_the_next() {
    let server = ServerProcess::start(APP);
    let link = EmulatedLink::to(server.address());
    let mut device = DeviceProcess::attached(APP, link.address());
    let gate = Gate::open();
    let call = device.begin(&format!("pay 5 {}", gate.address()));
    let there = gate.visitor();
    link.black_hole();
    device.logs("cannot be used now");
    link.mend();
    device.attaches();
    there.let_go();
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("5", server.id()));
    assert_eq!(gate.uninvited(), 0, "it ran once");
    drop(device.end());
}

#[test]
fn a_run_on_the_device_finds_what_the_server_paid_for_it() {
    let server = ServerProcess::start(APP);
    let link = EmulatedLink::to(server.address());
    let mut device = DeviceProcess::attached(APP, link.address());
    let gate = Gate::open();
    let call = device.begin(&format!("buy 5 {}", gate.address()));
    gate.visitor().let_go();
    // It has paid, and is lost before it returns.
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    link.black_hole();
    device.logs("cannot be used now");
    link.mend();
    let here = gate.visitor();
    assert_eq!(here.process, device.id(), "it runs again, and has not paid again");
    here.let_go();
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("5", server.id()));
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
}

#[test]
fn a_run_on_the_device_does_not_pay_again_when_the_server_that_may_have_is_another_now() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("buy 5 {}", gate.address()));
    gate.visitor().let_go();
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.kill();
    server.start_again();
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    here.let_go();
    let outcome = device.outcome(call);
    assert!(outcome.value.starts_with("MaybeRan"), "{outcome:?}");
    assert_eq!(gate.uninvited(), 0, "it was paid once");
    drop(device.end());
}
