//! Calls that nobody waits for any more: what has not started never does, and what waits is unwound.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use outboard::{device, remoteable};
use outboard_tests::{Edge, Stop};

/// Tests that share a static wait for each other.
static TURN: Mutex<()> = Mutex::new(());
static TRACES: AtomicU32 = AtomicU32::new(0);
/// Whether the device has begun to wait: what comes before might be answered in its first poll.
static WAITS: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
static UNWOUND: Mutex<Option<Sender<&'static str>>> = Mutex::new(None);

thread_local! {
    /// Whether a call on this thread was unwound.
    static SEEN: Cell<bool> = const { Cell::new(false) };
}

static OCCUPIED: Mutex<Option<Sender<()>>> = Mutex::new(None);

/// Keeps the server's only core until the device gives it up: a method notices when it calls another one.
#[remoteable]
async fn occupies() {
    OCCUPIED.lock().unwrap().take().unwrap().send(()).unwrap();
    loop {
        is_there();
        std::thread::yield_now();
    }
}

#[remoteable]
async fn leaves_a_trace(state: &[u8]) -> usize {
    TRACES.fetch_add(u32::from(is_on_server()), Ordering::Relaxed);
    state.len()
}

#[remoteable]
fn is_there() -> bool {
    is_on_server()
}

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

/// Tells that the method it is in was unwound.
struct Unwinding(&'static str);

impl Drop for Unwinding {
    fn drop(&mut self) {
        SEEN.set(true);
        if let Some(told) = &*UNWOUND.lock().unwrap() {
            let _ = told.send(self.0);
        }
    }
}

#[remoteable]
async fn waits_for_the_device(name: u32) -> u32 {
    let unwinding = Unwinding(if name == 0 { "alone" } else { "within" });
    let waits = WAITS.0.lock().unwrap();
    drop(WAITS.1.wait_while(waits, |waits| is_on_server() && !*waits).unwrap());
    let answer = asked();
    std::mem::forget(unwinding);
    answer
}

#[device]
fn asked() -> u32 {
    1
}

/// Whether what it began within was unwound by the time its own call-back was answered.
#[remoteable]
fn outlasts() -> (u32, bool) {
    (begins_and_drops(), SEEN.replace(false))
}

/// Begins a call within, which calls back, and drops it then.
#[device]
fn begins_and_drops() -> u32 {
    drop(Begun::new(waits_for_the_device(1)).until_woken());
    2
}

/// A call that is polled by hand.
struct Begun<F> {
    call: Pin<Box<F>>,
    waker: Waker,
    woken: Receiver<()>,
}

struct Woken(Sender<()>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

impl<F: Future> Begun<F> {
    /// Polls it for the first time: it departs.
    fn new(call: F) -> Self {
        let (sender, woken) = channel();
        let mut begun = Self { call: Box::pin(call), waker: Arc::new(Woken(sender)).into(), woken };
        assert!(begun.poll().is_pending(), "the server takes it");
        begun
    }

    fn poll(&mut self) -> Poll<F::Output> {
        self.call.as_mut().poll(&mut Context::from_waker(&self.waker))
    }

    /// Something has come of it, which it has not seen.
    fn until_woken(self) -> Self {
        *WAITS.0.lock().unwrap() = true;
        WAITS.1.notify_all();
        self.woken.recv().unwrap();
        self
    }
}

fn told() -> Receiver<&'static str> {
    let (sender, receiver) = channel();
    *UNWOUND.lock().unwrap() = Some(sender);
    *WAITS.0.lock().unwrap() = false;
    receiver
}

#[test]
fn calls_that_wait_for_a_core_and_are_dropped_never_run() {
    let edge = Edge::with_workers(1);
    // Together more than may wait at once: those of one round have freed their places when the next one comes. They are
    // small, and so keep their order.
    for _ in 0..3 {
        let (sender, occupied) = channel();
        *OCCUPIED.lock().unwrap() = Some(sender);
        let occupant = Begun::new(occupies());
        occupied.recv().unwrap();
        (0..20).for_each(|_| drop(Begun::new(leaves_a_trace(&[7; 1000]))));
        drop(occupant);
        assert!(is_there(), "the server takes other calls");
    }
    assert_eq!(TRACES.load(Ordering::Relaxed), 0);
    assert_eq!(edge.remote_calls("cancelling::is_there"), 3);
}

#[test]
fn a_method_that_waits_for_its_call_back_is_unwound_when_the_call_is_dropped() {
    let _turn = TURN.lock();
    let told = told();
    let edge = Edge::start();
    drop(Begun::new(waits_for_the_device(0)).until_woken());
    assert_eq!(told.recv(), Ok("alone"));
    assert!(is_there());
    assert_eq!(edge.remote_calls("waits_for_the_device"), 0);
}

#[test]
fn a_method_that_waits_for_its_call_back_is_unwound_when_the_device_is_gone() {
    let _turn = TURN.lock();
    let told = told();
    let server = Stop::server();
    let edge = Edge::at(server.address());
    let mut call = Begun::new(waits_for_the_device(0)).until_woken();
    drop(edge);
    assert_eq!(told.recv(), Ok("alone"));
    let _alone = Edge::alone();
    assert!(matches!(call.poll(), Poll::Ready(1)), "it runs here");
}

#[test]
fn a_call_within_is_unwound_alone_and_the_outer_one_goes_on() {
    let _turn = TURN.lock();
    let told = told();
    let edge = Edge::start();
    assert_eq!(outlasts(), (2, true), "before the outer one went on, on the same thread");
    assert_eq!(told.recv(), Ok("within"));
    assert_eq!((edge.remote_calls("outlasts"), edge.remote_calls("waits_for_the_device")), (1, 0));
}
