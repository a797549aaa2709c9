//! Calls made by call-backs: the server's thread that waits for the call-back runs them.

use std::cell::Cell;
use std::sync::{Arc, Barrier};

use outboard::{State, device, remoteable};
use outboard_tests::{Edge, Stop};

thread_local! {
    static MARK: Cell<u32> = const { Cell::new(0) };
    /// Where the call-backs of this thread meet those of others.
    static MEETING: Cell<Option<Arc<Barrier>>> = const { Cell::new(None) };
}

fn thread() -> String {
    format!("{:?}", std::thread::current().id())
}

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

/// Calls the device, which calls back in, `depth` times. The threads of the server's calls.
#[remoteable]
fn descend(depth: u32) -> Vec<String> {
    let mut threads = if depth == 0 { Vec::new() } else { descend_on_device(depth - 1) };
    threads.push(thread());
    threads
}

#[device]
fn descend_on_device(depth: u32) -> Vec<String> {
    descend(depth)
}

#[remoteable]
fn marks(mark: u32) -> (u32, u32) {
    MARK.set(mark);
    let seen_within = asks_for_mark();
    (seen_within, MARK.get())
}

#[device]
fn asks_for_mark() -> u32 {
    MARK.set(1000);
    let mark = mark_there();
    assert_eq!(MARK.replace(0), 1000, "the device's own is another one");
    mark
}

#[remoteable]
fn mark_there() -> u32 {
    MARK.replace(MARK.get() + 1)
}

#[derive(State, Debug, Default, PartialEq)]
struct Sheet {
    rows: Vec<u32>,
    view: View,
}

#[derive(State, Debug, Default, PartialEq)]
struct View {
    shown: u32,
    #[serde(skip)]
    window: Option<u64>,
}

#[remoteable]
impl Sheet {
    /// Remote, device, remote, device, on one object.
    fn fill(&mut self, rows: u32) -> u32 {
        (0..rows).map(|row| self.add(row)).sum()
    }

    #[outboard::device]
    fn add(&mut self, row: u32) -> u32 {
        assert_eq!(self.view.window, Some(7), "the device's own field is there");
        self.rows.push(row);
        self.total() + self.view.shown
    }

    fn total(&mut self) -> u32 {
        let total = self.rows.iter().sum();
        self.view.show(total);
        self.rows.push(total);
        total
    }

    /// Panics on the server, at every depth.
    fn falter(&mut self, depth: u32) -> u32 {
        self.rows.push(depth);
        let below = if depth == 0 { 0 } else { self.go_on(depth - 1) };
        assert!(!is_on_server(), "faltered");
        below + 1
    }

    #[outboard::device]
    fn go_on(&mut self, depth: u32) -> u32 {
        self.falter(depth)
    }
}

#[device]
impl View {
    fn show(&mut self, total: u32) {
        assert_eq!(self.window, Some(7), "the device's own field is there");
        self.shown = total;
    }
}

fn sheet() -> Sheet {
    Sheet { rows: Vec::new(), view: View { shown: 0, window: Some(7) } }
}

#[remoteable]
async fn descend_later(depth: u32) -> u32 {
    tokio::task::yield_now().await;
    let below = if depth == 0 { 0 } else { descend_now(depth - 1) };
    tokio::task::yield_now().await;
    below + 1
}

/// Waits for an async call on a thread that an async call occupies: it must not need a runtime.
#[device]
fn descend_now(depth: u32) -> u32 {
    block_on(descend_later(depth))
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[remoteable]
fn meets() -> (u32, bool) {
    meets_on_device()
}

#[device]
fn meets_on_device() -> (u32, bool) {
    let meeting = MEETING.take().expect("the device's thread has one");
    // All devices are in their call-backs now, and all that the server runs waits for them.
    meeting.wait();
    let is_there = answers_within();
    MEETING.set(Some(meeting));
    (1, is_there)
}

#[remoteable]
fn answers_within() -> bool {
    is_on_server()
}

/// Whether its thread also runs what the device calls after it gave a call up.
#[remoteable]
fn outlasts_what_is_given_up() -> bool {
    gives_a_call_up() == thread()
}

#[device]
fn gives_a_call_up() -> String {
    {
        let begun = std::pin::pin!(descend_later(0));
        let _ = begun.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    }
    descend(0).remove(0)
}

#[test]
fn a_call_made_by_a_call_back_runs_on_the_thread_that_waits_for_it() {
    let edge = Edge::start();
    let threads = descend(6);
    assert_eq!(threads.len(), 7);
    assert!(threads.iter().all(|thread| *thread == threads[0]), "{threads:?}");
    assert_ne!(threads[0], thread());
    assert_eq!(edge.remote_calls("within::descend"), 7);
}

#[test]
fn thread_locals_are_those_of_one_logical_thread() {
    let edge = Edge::start();
    assert_eq!(marks(7), (7, 8));
    assert_eq!((edge.remote_calls("marks"), edge.remote_calls("mark_there")), (1, 1));
}

#[test]
fn calls_too_deep_for_the_server_run_on_the_device() {
    let edge = Edge::start();
    let threads = descend(40);
    assert_eq!(threads.len(), 41);
    let remote = edge.remote_calls("within::descend");
    assert!((2..=17).contains(&remote), "{remote}");
    assert_eq!(threads.iter().filter(|name| **name != thread()).count() as u64, remote);
    assert_eq!(descend(0).len(), 1, "and the server goes on");
}

#[test]
fn one_object_goes_to_and_fro_as_in_a_local_program() {
    let run = || {
        let mut sheet = sheet();
        (sheet.fill(4), sheet)
    };
    let here = {
        let _alone = Edge::alone();
        run()
    };
    let edge = Edge::start();
    assert_eq!(run(), here);
    assert_eq!((edge.remote_calls("Sheet::fill"), edge.remote_calls("Sheet::total")), (1, 4));
}

#[test]
fn an_inner_call_that_fails_runs_on_the_device_and_the_outer_ones_with_it() {
    let edge = Edge::start();
    let mut sheet = sheet();
    assert_eq!(sheet.falter(3), 4);
    assert_eq!(sheet.rows, [3, 2, 1, 0]);
    assert_eq!(edge.remote_calls("falter"), 0);
}

#[test]
fn async_calls_nest_within_async_calls() {
    let edge = Edge::start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(descend_later(3)), 4);
    assert_eq!(block_on(descend_later(3)), 4);
    assert_eq!(edge.remote_calls("descend_later"), 8);
}

#[test]
fn one_core_serves_many_devices_that_all_keep_it_waiting() {
    const DEVICES: usize = 6;
    let server = Stop::server_with(|config| config.workers = 1);
    let meeting = Arc::new(Barrier::new(DEVICES));
    let device = || {
        let edge = Edge::at(server.address());
        MEETING.set(Some(Arc::clone(&meeting)));
        let results: Vec<_> = (0..3).map(|_| meets()).collect();
        (results, edge.remote_calls("meets"), edge.remote_calls("answers_within"))
    };
    std::thread::scope(|scope| {
        let devices: Vec<_> = (0..DEVICES).map(|_| scope.spawn(device)).collect();
        for device in devices {
            assert_eq!(device.join().unwrap(), (vec![(1, true); 3], 3, 3));
        }
    });
}

#[test]
fn a_call_within_that_is_dropped_leaves_the_wait_to_the_next() {
    let edge = Edge::start();
    assert!((0..20).all(|_| outlasts_what_is_given_up()));
    assert_eq!(edge.remote_calls("outlasts_what_is_given_up"), 20);
}
