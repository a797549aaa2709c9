//! A server that is killed, that comes back, or that never was.

use outboard_tests::process::{DeviceProcess, Gate, ServerProcess, Signal};

use crate::{APP, attempts};

/// Nobody listens there, and nobody but the machine's administrator could.
const NOWHERE: &str =
    "outboard://127.0.0.1:1#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn a_call_whose_server_is_killed_completes_here_and_later_ones_do_not_wait() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let first = device.begin(&format!("post 5 {}", gate.address()));
    gate.visitor().let_go();
    let first = device.outcome(first);
    assert_eq!((first.value.as_str(), first.process), ("5", server.id()));

    let second = device.begin(&format!("post-soon 7 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id(), "half of the state has changed there");
    server.kill();
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    here.let_go();
    assert_eq!(device.outcome(second).value, "12");
    assert_eq!(
        device.call_here("ledger"),
        r#"Ledger { entries: [5, 7], balance: 12, screen: "drawn by the device" }"#
    );
    for _ in 0..20 {
        assert_eq!(device.call_here("add-soon 2 3"), "5");
    }
    assert_eq!(gate.uninvited(), 0);
    // Had the server been heard just before it died, one more call has found out that it is dead.
    let sent = attempts(&device.end());
    assert!((2..=3).contains(&sent), "{sent}");
}

#[test]
fn what_a_call_back_changed_goes_with_the_call_that_made_it() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("announce 7 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.kill();
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    here.let_go();
    assert_eq!(device.outcome(call).value, "7");
    // The state is that of one run; what the call-back did to the device's own part may happen again, and does.
    assert_eq!(
        device.call_here("ledger"),
        r#"Ledger { entries: [7, 7], balance: 7, screen: "drawn by the device, shown, shown" }"#
    );
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
}

#[test]
fn a_device_that_is_killed_in_mid_call_leaves_the_server_to_the_others() {
    let mut server = ServerProcess::start(APP);
    let mut doomed = DeviceProcess::attached(APP, server.address());
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let _cut_off = doomed.begin(&format!("post 5 {}", gate.address()));
    let first = gate.visitor();
    let call = device.begin_beside(&format!("post 7 {}", gate.address()));
    let second = gate.visitor();
    assert_eq!((first.process, second.process), (server.id(), server.id()));
    drop(doomed);
    first.let_go();
    assert_eq!(device.call("add 2 3").process, server.id());
    second.let_go();
    assert_eq!(device.outcome(call).value, "7", "each device has a state of its own");
    drop(device.end());
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_server_that_is_started_again_is_used_again() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("post 7 {}", gate.address()));
    let there = gate.visitor();
    let before = there.process;
    assert_eq!(before, server.id());
    server.kill();
    server.start_again();
    assert_ne!(server.id(), before);
    // Nothing bounds this call but the session: the new run of the server does not know it.
    let here = gate.visitor();
    assert_eq!(here.process, device.id());
    device.attaches();
    here.let_go();
    assert_eq!(device.outcome(call).value, "7");
    let again = device.begin(&format!("post 8 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    there.let_go();
    assert_eq!(device.outcome(again).value, "15");
    assert_eq!(
        device.call_here("ledger"),
        r#"Ledger { entries: [7, 8], balance: 15, screen: "drawn by the device" }"#
    );
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
}

#[test]
fn a_once_call_whose_server_is_killed_may_have_run_and_does_not_run_again() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("pay-soon 5 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.kill();
    let outcome = device.outcome(call);
    assert!(outcome.value.starts_with("MaybeRan"), "{outcome:?}");
    assert_eq!(gate.uninvited(), 0, "it ran once, as far as it got");
    drop(device.end());
}

#[test]
fn a_once_call_does_not_run_again_on_a_server_that_was_started_again() {
    let mut server = ServerProcess::start(APP);
    let mut device = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let call = device.begin(&format!("pay 5 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id());
    server.kill();
    server.start_again();
    // The new run of the server is asked, and does not know.
    let outcome = device.outcome(call);
    assert!(outcome.value.starts_with("MaybeRan"), "{outcome:?}");
    let again = device.begin(&format!("pay 6 {}", gate.address()));
    let there = gate.visitor();
    assert_eq!(there.process, server.id(), "another call is another matter");
    there.let_go();
    assert_eq!(device.outcome(again).value, "6");
    assert_eq!(gate.uninvited(), 0);
    drop(device.end());
}

#[test]
fn without_anybody_at_the_address_every_call_runs_here_at_once() {
    let mut device = DeviceProcess::start(APP, |command| {
        command.env("OUTBOARD_SERVER", NOWHERE).env("OUTBOARD_POLICY", "server");
    });
    let gate = Gate::open();
    let post = device.begin(&format!("post 5 {}", gate.address()));
    gate.visitor().let_go();
    assert_eq!(device.outcome(post).process, device.id());
    let pay = device.begin(&format!("pay 5 {}", gate.address()));
    gate.visitor().let_go();
    assert_eq!(device.outcome(pay).value, "5", "what did not run elsewhere may run here");
    assert_eq!(device.call_here("add 2 3"), "5");
    let told = device.logs("the server cannot be used now");
    assert!(told.contains("127.0.0.1:1") && told.contains("check that `serve` runs there"), "{told}");
    assert_eq!(device.call_here("add-soon 2 3"), "5");
    assert_eq!(gate.uninvited(), 0);
    assert_eq!(attempts(&device.end()), 0);
}

#[test]
fn when_all_is_well_nothing_is_told() {
    let server = ServerProcess::start(APP);
    let mut device = DeviceProcess::start(APP, |command| {
        command.env("OUTBOARD_SERVER", server.address()).env("OUTBOARD_POLICY", "server");
        command.env_remove("OUTBOARD_LOG");
    });
    assert_eq!(device.call_until_on(server.id(), "add 2 3"), "5");
    assert_eq!(device.end(), Vec::<String>::new(), "warnings are for trouble");
}

#[test]
fn without_a_configured_server_the_program_simply_runs() {
    let mut device = DeviceProcess::start(APP, |_| ());
    assert_eq!(device.call_here("add 2 3"), "5");
    assert_eq!(
        device.call_here("ledger"),
        r#"Ledger { entries: [], balance: 0, screen: "drawn by the device" }"#
    );
    let told = device.end().into_iter().filter(|line| !line.contains("profile saved"));
    assert_eq!(told.collect::<Vec<_>>(), Vec::<String>::new(), "there is nothing else to tell");
}
