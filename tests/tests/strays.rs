//! What may run only once, on a thread of a server's method that belongs to no call. In a program of its own: which call
//! the thread works for cannot be known, so that every call which runs meanwhile fails.

use std::sync::atomic::{AtomicU32, Ordering};

use outboard::{CallError, remoteable};
use outboard_tests::Edge;

static PAID: AtomicU32 = AtomicU32::new(0);

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

#[remoteable(once)]
fn pay(amount: u32) -> Result<u32, CallError> {
    Ok(PAID.fetch_add(amount, Ordering::SeqCst) + amount)
}

#[remoteable]
fn pays_on_a_thread() -> Result<u32, CallError> {
    if is_on_server() {
        // It forgets the context, and the failure of the thread.
        let _ = std::thread::spawn(|| pay(5)).join();
        return Ok(0);
    }
    pay(5)
}

#[test]
fn it_does_not_run_there_and_the_call_runs_on_the_device() {
    let edge = Edge::start();
    assert_eq!(pays_on_a_thread(), Ok(5));
    assert_eq!(PAID.load(Ordering::SeqCst), 5);
    assert_eq!(edge.remote_calls("pays_on_a_thread"), 0);
}
