//! Calls on threads other than the one that a program or a server's call began on.

use std::cell::RefCell;
use std::sync::mpsc::{Sender, channel};

use outboard::remoteable;
use outboard_tests::Edge;

thread_local! {
    static LAST: RefCell<Option<Farewell>> = const { RefCell::new(None) };
}

/// Calls an annotated method when its thread's locals are dropped.
struct Farewell(Sender<u32>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let _ = self.0.send(doubled(21));
    }
}

#[remoteable]
fn doubled(number: u32) -> u32 {
    number * 2
}

#[test]
fn a_thread_that_ends_may_still_call() {
    let edge = Edge::start();
    let context = outboard::context();
    let (sender, receiver) = channel();
    let thread = std::thread::spawn(move || {
        // First, so that the locals of the runtime are dropped before it.
        LAST.set(Some(Farewell(sender)));
        let _entered = context.enter();
        doubled(4)
    });
    assert_eq!((thread.join().unwrap(), receiver.recv()), (8, Ok(42)));
    assert_eq!(edge.remote_calls("threads::doubled"), 1);
}
