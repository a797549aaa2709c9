//! A server that stops without a word, and goes on later.

use outboard_tests::process::{DeviceProcess, Gate, ServerProcess, Signal};

use crate::{APP, attempts};

#[test]
fn a_call_whose_server_stalls_is_given_up_at_its_bound_and_completes_here() {
    let server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("post-soon 7 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.signal(Signal::STOP);
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    here.let_go();
    assert_eq!(device.outcome(call).value, "7");
    for _ in 0..20 {
        assert_eq!(device.call_here("add-soon 2 3"), "5");
    }
    // Its method goes on too, and what comes of it counts for nothing.
    server.signal(Signal::CONT);
    there.let_go();
    assert_eq!(device.call_until_on(server.id(), "add-soon 2 3"), "5");
    assert_eq!(
        device.call_here("ledger"),
        r#"Ledger { entries: [7], balance: 7, screen: "drawn by the device" }"#
    );
    assert_eq!(gate.uninvited(), 0);
    let sent = attempts(&device.end());
    assert!((2..10).contains(&sent), "not every one of the twenty calls tried it again: {sent}");
}

#[test]
fn a_server_that_stalls_between_two_calls_delays_one_of_them_by_its_bound() {
    let server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    assert_eq!(device.call_until_on(server.id(), "add-soon 2 3"), "5");
    server.signal(Signal::STOP);
    for _ in 0..20 {
        assert_eq!(device.call_here("add-soon 2 3"), "5");
    }
    server.signal(Signal::CONT);
    assert_eq!(device.call_until_on(server.id(), "add-soon 4 3"), "7");
    let log = device.end();
    let late = log.iter().filter(|line| line.contains("given up") && line.contains("Hedged")).count();
    let sent = attempts(&log);
    assert!(late >= 1 && sent > late && sent < 10, "{late} of {sent}: {log:?}");
}

#[test]
fn whatever_a_plan_decides_a_stalled_server_changes_no_result_and_holds_no_call_up() {
    let server = ServerProcess::start(APP);
    let mut device = DeviceProcess::start(APP, |command| {
        // A device twenty times as slow as the server, and nothing against trying. Whether and when the plan believes
        // that it pays depends on what the machine does besides.
        command.env("OUTBOARD_SERVER", server.address()).env("EDGE_APP_SLOWNESS", "20");
        command.env("OUTBOARD_SLOWDOWN", "1").env("OUTBOARD_EXPLORATION", "1");
    });
    device.attaches();
    let value = device.call("churn 100000").value;
    for stalls in [false, true, false] {
        if stalls {
            server.signal(Signal::STOP);
        }
        for _ in 0..30 {
            let outcome = device.call("churn 100000");
            assert_eq!(outcome.value, value);
            assert!(!stalls || outcome.process == device.id(), "{outcome:?}");
        }
        server.signal(Signal::CONT);
    }
    // The bounds of the calls ended them, or the runs here that followed these, and not the end of the session.
    for line in device.end() {
        let by_bound = line.contains("Late") || line.contains("Hedged");
        assert!(!line.contains("given up") || by_bound, "{line}");
    }
}

#[test]
fn a_session_that_hears_nothing_any_more_ends_and_its_calls_with_it() {
    let server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    // Nothing bounds this call but the session.
    let call = device.begin(&format!("post 7 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.signal(Signal::STOP);
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    here.let_go();
    assert_eq!(device.outcome(call).value, "7");
    let told = device.logs("the server cannot be used now");
    assert!(told.contains("nothing was heard"), "{told}");
    assert_eq!(device.call_here("add 2 3"), "5");
    server.signal(Signal::CONT);
    device.attaches();
    assert_eq!(device.call("add 2 3").process, server.id());
    drop(device.end());
}
