//! Calls on threads other than the one that a program or a server's call began on.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{self, Wake, Waker};

use outboard::{Context, device, remoteable};
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

/// What a method left behind when it had ended.
static LEFT_BEHIND: Mutex<Option<Context>> = Mutex::new(None);

/// Keeps a context for good, as a thread that never ends would.
#[remoteable]
fn leaves_its_context_behind() -> u32 {
    *LEFT_BEHIND.lock().unwrap() = Some(outboard::context());
    1
}

#[device]
fn name_of_thread() -> Option<String> {
    std::thread::current().name().map(str::to_owned)
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

#[test]
fn a_context_that_outlives_its_call_occupies_no_core_and_reaches_no_device() {
    let edge = Edge::with_workers(1);
    assert_eq!((leaves_its_context_behind(), doubled(2)), (1, 4));
    assert_eq!(edge.remote_calls("threads::doubled"), 1, "the only core was free again");
    let left_behind = LEFT_BEHIND.lock().unwrap().take().unwrap();
    let late = std::thread::spawn(move || {
        let _entered = left_behind.enter();
        name_of_thread()
    });
    assert!(late.join().is_err(), "it was unwound, and did not run here");
}

#[remoteable]
async fn doubled_later(number: u32) -> u32 {
    tokio::task::yield_now().await;
    number * 2
}

/// A task of an executor that goes away: woken, it is dropped.
struct Doomed {
    task: Mutex<Pin<Box<dyn Future<Output = u32> + Send>>>,
    woken: Sender<()>,
}

impl Wake for Doomed {
    fn wake(self: Arc<Self>) {
        *self.task.lock().unwrap() = Box::pin(std::future::pending());
        let _ = self.woken.send(());
    }
}

#[test]
fn a_call_may_be_dropped_by_what_wakes_it() {
    let edge = Edge::start();
    let (woken, heard) = channel();
    let polled = || {
        let task = Mutex::new(Box::pin(doubled_later(4)) as Pin<Box<dyn Future<Output = u32> + Send>>);
        let doomed = Arc::new(Doomed { task, woken: woken.clone() });
        let waker = Waker::from(Arc::clone(&doomed));
        doomed.task.lock().unwrap().as_mut().poll(&mut task::Context::from_waker(&waker))
    };
    // A reply may be there at once, on a busy machine.
    while polled().is_ready() {}
    heard.recv().unwrap();
    assert_eq!(doubled(2), 4, "nobody waits for a lock");
    assert_eq!(edge.remote_calls("threads::doubled"), 1);
}
