//! Links that lose a third of what is sent, and take long for the rest.

use std::time::Duration;

use outboard_tests::link::{Conditions, EmulatedLink};
use outboard_tests::process::{DeviceProcess, Gate, ServerProcess};

use crate::APP;

/// 30 % loss each way and a round trip of 200 ms, with some that come twice or change places.
const BAD: Conditions = Conditions {
    delay: Duration::from_millis(100),
    jitter: Duration::from_millis(10),
    loss: 0.3,
    repeated: 0.05,
    rate: None,
    queue: 0,
};

/// Twenty calls of which half change the state that the next ones see.
fn program() -> impl Iterator<Item = String> {
    (0..10).flat_map(|round| [format!("book {round}"), format!("add-soon {round} 3")])
}

#[test]
fn a_program_comes_to_its_end_with_the_results_that_it_has_alone() {
    let mut alone = DeviceProcess::start(APP, |_| ());
    let server = ServerProcess::start(APP);
    for seed in [1, 2] {
        let link = EmulatedLink::seeded(server.address(), seed);
        link.conditions(BAD);
        let mut device = DeviceProcess::attached(APP, link.address());
        for call in program() {
            let outcome = device.call(&call);
            if seed == 1 {
                assert_eq!(outcome.value, alone.call_here(&call), "`{call}`");
            }
        }
        assert_eq!(
            device.call_here("ledger"),
            r#"Ledger { entries: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], balance: 45, screen: "drawn by the device" }"#
        );
        // Where the link kept every call of the program here, it lets one through in the end.
        assert_eq!(device.call_until_on(server.id(), "add-soon 2 3"), "5");
        assert!(link.seen().lost > 0, "{link:?}");
        drop(device.end());
    }
    drop(alone.end());
}

#[test]
fn what_may_run_only_once_runs_once() {
    let server = ServerProcess::start(APP);
    let link = EmulatedLink::to(server.address());
    link.conditions(BAD);
    let mut device = DeviceProcess::attached(APP, link.address());
    let gate = Gate::open();
    let address = gate.address().to_owned();
    let gate = gate.stand_open();
    for amount in 1..=5 {
        let before = gate.passed();
        let outcome = device.call(&format!("pay {amount} {address}"));
        let ran = gate.passed() - before;
        match outcome.value.parse::<u64>() {
            Ok(value) => assert_eq!((value, ran), (amount, 1), "{device:?}"),
            // The session was lost in the middle, and nobody knows whether it ran.
            Err(_) => {
                assert!(outcome.value.starts_with("MaybeRan") && ran <= 1, "{outcome:?}, {ran}: {device:?}")
            }
        }
    }
    drop(device.end());
}
