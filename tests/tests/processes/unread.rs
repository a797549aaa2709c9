//! A device that does not read what its server has for it.

use outboard_tests::process::{DeviceProcess, Gate, ServerProcess, Signal};

use crate::APP;

/// Replies of that size, and so many of them: seven times what a server keeps for one device. Memory of that size goes
/// back to the system at once when it is free.
const SIZE: u64 = 45_000_000;
const CALLS: usize = 20;

#[test]
fn replies_that_nobody_reads_are_kept_within_bounds_and_hold_nobody_up() {
    let mut server = ServerProcess::start_with_workers(APP, CALLS + 1);
    let mut idle = DeviceProcess::attached(APP, server.address());
    let mut busy = DeviceProcess::attached(APP, server.address());
    let gate = Gate::open();
    let fill = format!("fill {SIZE} {}", gate.address());
    let calls: Vec<_> = (0..CALLS).map(|_| idle.begin_beside(&fill)).collect();
    let there: Vec<_> = (0..CALLS).map(|_| gate.visitor()).collect();
    assert!(there.iter().all(|visitor| visitor.process == server.id()));
    idle.signal(Signal::STOP);
    // One after the other, so that what the methods themselves hold does not count.
    for visitor in there {
        visitor.let_go();
        server.logs("outboard_runtime::serve::work");
        assert_eq!(busy.call("add 2 3").process, server.id(), "others are served as before");
        server.logs("outboard_runtime::serve::work");
    }
    if let Some(peak) = server.peak_memory() {
        assert!(peak < SIZE * CALLS as u64 / 2, "{peak} bytes for replies that nobody reads");
    }
    idle.signal(Signal::CONT);
    let _open = gate.stand_open();
    // Some replies arrive perhaps; the other calls run on the device.
    let outcomes: Vec<_> = calls.into_iter().map(|call| idle.outcome(call)).collect();
    assert!(outcomes.iter().all(|outcome| outcome.value == SIZE.to_string()));
    assert!(outcomes.iter().any(|outcome| outcome.process == idle.id()), "the server did not keep them all");
    assert_eq!(idle.call_until_on(server.id(), "add 2 3"), "5");
    drop((idle.end(), busy.end()));
}
