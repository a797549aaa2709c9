//! Devices that sleep in the middle of a call, and wake up in another world.

use outboard_tests::link::EmulatedLink;
use outboard_tests::process::{DeviceProcess, Gate, ServerProcess, Signal};

use crate::APP;

/// A device that falls asleep in the middle of that call. Nothing reaches it meanwhile, and when it wakes up, its server is
/// another one that knows nothing of it.
struct Sleeper {
    device: DeviceProcess,
    call: outboard_tests::process::Pending,
    gate: Gate,
    server: ServerProcess,
    _link: EmulatedLink,
}

impl Sleeper {
    fn wakes_up_in_mid(call: &str) -> Self {
        let mut server = ServerProcess::start(APP);
        let link = EmulatedLink::to(server.address());
        let mut device = DeviceProcess::attached(APP, link.address());
        let gate = Gate::open();
        let call = device.begin(&format!("{call} {}", gate.address()));
        let there = gate.visitor();
        assert_eq!(there.process, server.id());
        device.signal(Signal::STOP);
        link.black_hole();
        there.let_go();
        server.kill();
        server.start_again();
        link.mend();
        device.signal(Signal::CONT);
        Self { device, call, gate, server, _link: link }
    }
}

#[test]
fn a_device_that_slept_longer_than_its_server_remembers_runs_the_call_itself_and_comes_back() {
    let Sleeper { mut device, call, gate, server, _link } = Sleeper::wakes_up_in_mid("post 7");
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    device.attaches();
    here.let_go();
    assert_eq!(device.outcome(call).value, "7");
    assert_eq!(device.call("add 2 3").process, server.id());
    assert_eq!(
        device.call_here("ledger"),
        r#"Ledger { entries: [7], balance: 7, screen: "drawn by the device" }"#
    );
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
}

#[test]
fn a_once_call_in_which_its_device_slept_too_long_may_have_run_and_does_not_run_again() {
    let Sleeper { mut device, call, gate, server, _link } = Sleeper::wakes_up_in_mid("pay 7");
    let outcome = device.outcome(call);
    assert!(outcome.value.starts_with("MaybeRan"), "{outcome:?}");
    assert_eq!(gate.uninvited(), 0);
    assert_eq!(device.call_until_on(server.id(), "add 2 3"), "5");
    drop(device.end());
}

#[test]
fn a_reply_waits_for_a_device_that_sleeps_for_a_while() {
    let server = ServerProcess::start(APP);
    let link = EmulatedLink::to(server.address());
    let mut device = DeviceProcess::attached(APP, link.address());
    let gate = Gate::open();
    let call = device.begin(&format!("pay 7 {}", gate.address()));
    let there = gate.visitor();
    device.signal(Signal::STOP);
    link.black_hole();
    let before = link.seen();
    there.let_go();
    link.wait_until(|seen| seen.lost > before.lost);
    link.mend();
    device.signal(Signal::CONT);
    let outcome = device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("7", server.id()));
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
}
