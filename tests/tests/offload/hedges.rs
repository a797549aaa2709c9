//! Calls that the device runs beside the server: the first whole result is the call's, and nothing of the other is seen.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

use outboard::{CallError, Hedge, MethodReport, Policy, State, remoteable};
use outboard_tests::Edge;
use serde::{Deserialize, Serialize};

const SERVER: &str = "outboard-worker";
const HEDGE: &str = "outboard-hedge";

fn place() -> String {
    std::thread::current().name().unwrap_or("a thread").to_owned()
}

/// Holds a run up until the test lets it go on.
struct Gate(Mutex<bool>, Condvar);

/// Opens a gate at the latest when the test ends.
struct Opens(&'static Gate);

impl Gate {
    const fn closed() -> Self {
        Self(Mutex::new(false), Condvar::new())
    }

    fn wait(&self) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.1.wait_while(open, |open| !*open));
    }

    fn opens(&'static self) -> Opens {
        Opens(self)
    }
}

impl Drop for Opens {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}

fn edge() -> Edge {
    Edge::with(|builder| builder.policy(Policy::Server).hedge(Hedge::Always))
}

fn report(edge: &Edge, method: &str) -> MethodReport {
    let report = edge.runtime().report();
    report.methods.into_iter().find(|found| found.name.ends_with(method)).expect("it was called")
}

/// Calls the server and waits for its reply: what it sent before has come too.
#[remoteable(hedge = never)]
fn echo(number: u32) -> u32 {
    number
}

static STUCK_THERE: Gate = Gate::closed();

#[remoteable]
fn stuck_there(numbers: &mut Vec<u32>) -> String {
    if place() == SERVER {
        STUCK_THERE.wait();
        numbers.push(100);
    }
    numbers.push(1);
    place()
}

#[test]
fn the_device_commits_where_it_is_first_and_the_servers_reply_is_void() {
    let edge = edge();
    let opens = STUCK_THERE.opens();
    let mut numbers = vec![7];
    assert_eq!(stuck_there(&mut numbers), HEDGE);
    assert_eq!(numbers, [7, 1]);
    drop(opens);
    assert_eq!(echo(1), 1);
    assert_eq!(numbers, [7, 1]);
    let method = report(&edge, "::stuck_there");
    assert_eq!((method.hedges, method.hedges_won, method.hedges_lost), (1, 1, 0));
    assert_eq!((method.local_calls, method.remote_calls), (1, 0));
}

static STUCK_HERE: Gate = Gate::closed();

#[remoteable]
fn stuck_here(numbers: &mut Vec<u32>) -> String {
    if place() == HEDGE {
        STUCK_HERE.wait();
        numbers.push(100);
    }
    numbers.push(1);
    place()
}

#[test]
fn the_server_commits_where_it_is_first_and_the_devices_run_is_counted_and_void() {
    let edge = edge();
    let opens = STUCK_HERE.opens();
    let mut numbers = vec![7];
    assert_eq!(stuck_here(&mut numbers), SERVER);
    assert_eq!(numbers, [7, 1]);
    let method = report(&edge, "::stuck_here");
    assert_eq!((method.hedges, method.hedges_won, method.hedges_lost), (1, 0, 1));
    assert_eq!(method.local_calls, 0, "it still runs");
    drop(opens);
    while report(&edge, "::stuck_here").local_calls == 0 {
        std::thread::yield_now();
    }
    assert_eq!(numbers, [7, 1]);
}

static NEVER_IN_TIME: Gate = Gate::closed();

#[remoteable(hedge = late, deadline = "2s")]
fn never_in_time(numbers: &mut Vec<u32>) -> String {
    if place() == SERVER {
        NEVER_IN_TIME.wait();
    }
    numbers.push(1);
    place()
}

#[test]
fn a_late_call_is_run_here_beside_the_server() {
    let edge = Edge::start();
    let _opens = NEVER_IN_TIME.opens();
    let mut numbers = Vec::new();
    assert_eq!(never_in_time(&mut numbers), HEDGE);
    assert_eq!(numbers, [1]);
    let method = report(&edge, "::never_in_time");
    assert_eq!((method.hedges_won, method.late, method.attempts), (1, 1, 1));
}

static BOTH_LATE: Gate = Gate::closed();

#[remoteable(hedge = late, deadline = "2s")]
fn late_and_first(numbers: &mut Vec<u32>) -> String {
    match place().as_str() {
        SERVER => BOTH_LATE.wait(),
        HEDGE => {
            drop(BOTH_LATE.opens());
            HEDGE_IS_LATER.wait();
        }
        _ => {}
    }
    numbers.push(1);
    place()
}

static HEDGE_IS_LATER: Gate = Gate::closed();

#[test]
fn a_late_reply_that_is_first_all_the_same_is_the_calls_and_is_learned_from() {
    let edge = Edge::start();
    let _opens = HEDGE_IS_LATER.opens();
    let mut numbers = Vec::new();
    assert_eq!(late_and_first(&mut numbers), SERVER);
    assert_eq!(numbers, [1]);
    let method = report(&edge, "::late_and_first");
    assert_eq!((method.hedges_lost, method.late, method.remote_calls), (1, 1, 1));
}

static DROPPED: Mutex<Option<mpsc::Sender<String>>> = Mutex::new(None);

static HAS_BEGUN: Gate = Gate::closed();

struct Tells;

impl Drop for Tells {
    fn drop(&mut self) {
        let sender = DROPPED.lock().unwrap().take();
        sender.expect("there is one hedge").send(place()).expect("the test listens");
    }
}

#[remoteable]
async fn waits_for_ever_here(number: u32) -> u32 {
    match place().as_str() {
        HEDGE => {
            let _tells = Tells;
            drop(HAS_BEGUN.opens());
            std::future::pending::<()>().await;
        }
        // Were the server faster than that, there would be nothing to drop.
        SERVER => HAS_BEGUN.wait(),
        _ => {}
    }
    number + 1
}

#[test]
fn an_async_run_that_lost_is_dropped() {
    let edge = edge();
    let (sender, dropped) = mpsc::channel();
    *DROPPED.lock().unwrap() = Some(sender);
    assert_eq!(block_on(waits_for_ever_here(1)), 2);
    assert_eq!(dropped.recv().as_deref(), Ok(HEDGE));
    assert_eq!(report(&edge, "::waits_for_ever_here").hedges_lost, 1);
}

static STUCK_LATER: Gate = Gate::closed();

#[remoteable]
async fn stuck_there_later(numbers: &mut Vec<u32>) -> String {
    tokio::task::yield_now().await;
    if place() == SERVER {
        STUCK_LATER.wait();
    }
    numbers.push(1);
    place()
}

#[test]
fn an_async_call_takes_the_devices_result_where_that_is_first() {
    let edge = edge();
    let _opens = STUCK_LATER.opens();
    let mut numbers = Vec::new();
    assert_eq!(block_on(stuck_there_later(&mut numbers)), HEDGE);
    assert_eq!(numbers, [1]);
    assert_eq!(report(&edge, "::stuck_there_later").hedges_won, 1);
}

static NOTED: AtomicU32 = AtomicU32::new(0);

#[outboard::device]
fn note() {
    assert_ne!(place(), HEDGE);
    NOTED.fetch_add(1, Ordering::Relaxed);
}

#[remoteable]
fn calls_back(number: u32) -> (u32, String) {
    // What a program swallows must not make it go on without its device method.
    let noted = catch_unwind(note).is_ok();
    (number + u32::from(noted), place())
}

#[test]
fn a_hedge_never_runs_a_device_method() {
    let edge = edge();
    for number in 1..=20 {
        assert_eq!(calls_back(number), (number + 1, SERVER.to_owned()));
        assert_eq!(NOTED.load(Ordering::Relaxed), number);
    }
    assert_eq!(report(&edge, "::calls_back").hedges_won, 0);
}

static PAID: AtomicU32 = AtomicU32::new(0);

#[remoteable(once)]
fn pay() -> Result<u32, CallError> {
    assert_ne!(place(), HEDGE);
    Ok(PAID.fetch_add(1, Ordering::Relaxed) + 1)
}

#[remoteable]
fn pays_within(number: u32) -> Result<u32, CallError> {
    Ok(number + pay()?)
}

#[test]
fn a_hedge_never_runs_what_may_run_only_once() {
    let _edge = edge();
    assert_eq!((pays_within(10), pays_within(20)), (Ok(11), Ok(22)));
    assert_eq!(PAID.load(Ordering::Relaxed), 2);
}

#[remoteable]
fn panics_half_way(numbers: &mut Vec<u32>) {
    numbers.push(1);
    assert!(numbers.is_empty(), "half way");
    numbers.push(2);
}

#[test]
fn a_panic_is_that_of_a_run_in_place_with_the_state_it_leaves() {
    let _edge = edge();
    let mut numbers = Vec::new();
    let panic = catch_unwind(AssertUnwindSafe(|| panics_half_way(&mut numbers))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"half way"));
    assert_eq!(numbers, [1]);
}

/// Breaks the rule that what is only borrowed stays as it is; serde lets it travel all the same.
#[derive(Serialize, Deserialize)]
struct Counter(Cell<u32>);

#[remoteable]
fn counts(counter: &Counter) -> u32 {
    counter.0.set(counter.0.get() + 1);
    counter.0.get()
}

#[test]
fn a_change_of_what_is_only_borrowed_is_not_lost_with_the_copy() {
    let _edge = edge();
    let counter = Counter(Cell::new(0));
    assert_eq!((counts(&counter), counts(&counter), counter.0.get()), (1, 2, 2));
}

#[derive(State)]
struct Screen {
    lines: u32,
    #[serde(skip)]
    text: String,
}

#[remoteable]
impl Screen {
    fn scroll(&mut self) -> u32 {
        self.lines += 1;
        self.lines
    }
}

#[test]
fn what_the_device_keeps_for_itself_is_not_copied() {
    let edge = edge();
    let mut screen = Screen { lines: 0, text: "here".into() };
    assert_eq!((screen.scroll(), screen.text.as_str()), (1, "here"));
    let method = report(&edge, "::scroll");
    assert_eq!((method.hedges, method.remote_calls), (0, 1));
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts").block_on(future)
}
