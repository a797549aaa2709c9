//! Plans that a device has made by its server.

use outboard_tests::process::{DeviceProcess, ServerProcess};

use crate::APP;

/// A device that ran a method before its server was there, so that it asks for a plan once it is.
fn planned(server: &mut ServerProcess, planning: &str) -> DeviceProcess {
    server.kill();
    let mut device = DeviceProcess::start(APP, |command| {
        command.env("OUTBOARD_SERVER", server.address()).env("OUTBOARD_POLICY", "server");
        command.env("OUTBOARD_PLANNING", planning);
    });
    // Long enough that it is told of at once.
    let _ = device.call_here("churn 20000000");
    server.start_again();
    device.attaches();
    device
}

#[test]
fn a_server_makes_the_plans_of_a_device_that_wants_it_to() {
    let mut server = ServerProcess::start(APP);
    let mut device = planned(&mut server, "server");
    device.logs("a server made the plan");
    assert_eq!(device.call_until_on(server.id(), "add 2 3"), "5");
    let log = device.end();
    let refused = log.iter().find(|line| line.contains(" WARN ") && line.contains("outboard::plan"));
    assert_eq!(refused, None, "both ends know the method");
}

#[test]
fn a_device_that_plans_by_itself_does_not_ask() {
    let mut server = ServerProcess::start(APP);
    let mut device = planned(&mut server, "device");
    assert_eq!(device.call_until_on(server.id(), "add 2 3"), "5");
    let log = device.end();
    assert!(!log.iter().any(|line| line.contains("outboard::plan")), "{log:?}");
}
