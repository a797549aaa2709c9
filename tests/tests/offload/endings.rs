//! How calls end when something goes wrong, row by row.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use outboard::{CallError, remoteable};
use outboard_tests::Edge;
use serde::{Deserialize, Serialize};

static LOCAL_RUNS: AtomicU32 = AtomicU32::new(0);

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

#[remoteable]
fn panics_everywhere(text: &str) -> u32 {
    panic!("{text} is not acceptable");
}

#[remoteable]
fn keeps_what_it_borrows(_number: &u32) -> bool {
    is_on_server()
}

/// Breaks the rule that what is only borrowed stays as it is; serde lets it travel all the same.
#[derive(Serialize, Deserialize)]
struct Counter(Cell<u32>);

#[remoteable]
fn counts(step: u32, counter: &Counter) -> u32 {
    counter.0.set(counter.0.get() + step);
    counter.0.get()
}

#[remoteable(once)]
fn once(fails: bool) -> Result<bool, CallError> {
    assert!(!fails, "once and for all");
    Ok(is_on_server())
}

/// Its author never meant it to travel.
#[derive(serde::Deserialize)]
struct Touchy(u32);

impl serde::Serialize for Touchy {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("do not touch {}", self.0);
    }
}

#[remoteable]
fn looks_at(touchy: &Touchy) -> u32 {
    touchy.0
}

#[derive(Debug, PartialEq)]
struct Untold(String);

impl std::fmt::Display for Untold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<CallError> for Untold {
    fn from(error: CallError) -> Self {
        Self(format!("call: {error}"))
    }
}

#[remoteable]
fn error_stays(number: u32) -> Result<u32, Untold> {
    if !is_on_server() {
        LOCAL_RUNS.fetch_add(1, Ordering::Relaxed);
    }
    Err(Untold(format!("no {number}")))
}

#[remoteable(once)]
fn once_error_stays(number: u32) -> Result<u32, Untold> {
    Err(Untold(format!("no {number}")))
}

#[remoteable(remote_only)]
fn remote_only(number: u32) -> Result<u32, CallError> {
    assert!(is_on_server(), "the device cannot run it");
    Ok(number + 1)
}

#[remoteable(remote_only)]
fn remote_only_error_stays(number: u32) -> Result<u32, Untold> {
    Err(Untold(format!("no {number}")))
}

#[remoteable(remote_only, fallback = cheap)]
fn expensive(number: u32) -> u32 {
    assert!(is_on_server(), "the device cannot run it");
    number * 100
}

fn cheap(number: u32) -> u32 {
    number * 10
}

fn panic_of(call: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(call).unwrap_err();
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
}

#[test]
fn the_native_panic_is_the_answer() {
    let _edge = Edge::start();
    assert_eq!(panic_of(|| assert_eq!(panics_everywhere("tea"), 0)), "tea is not acceptable");
}

#[test]
fn a_once_method_that_panicked_there_panics_here_and_does_not_run_again() {
    let edge = Edge::start();
    assert_eq!(once(false), Ok(true));
    assert_eq!(panic_of(|| drop(once(true))), "once and for all");
    assert_eq!(edge.remote_calls("::once"), 1);
}

#[test]
fn an_error_that_cannot_travel_is_made_here_or_travels_as_its_text() {
    let _edge = Edge::start();
    assert_eq!(error_stays(3), Err(Untold("no 3".into())));
    assert_eq!(LOCAL_RUNS.load(Ordering::Relaxed), 1);
    assert_eq!(once_error_stays(4), Err(Untold("call: no 4".into())));
    assert_eq!(remote_only_error_stays(5), Err(Untold("call: no 5".into())));
}

#[test]
fn a_method_that_only_a_server_can_run_says_so_without_one() {
    let alone = Edge::alone();
    let error = remote_only(1).unwrap_err();
    assert_eq!(expensive(2), 20, "the fallback stands in");
    drop(alone);
    assert!(
        matches!(&error, CallError::NoServer { method, .. } if method.ends_with("remote_only")),
        "{error:?}"
    );
    let mut edge = Edge::start();
    assert_eq!((remote_only(1), expensive(2)), (Ok(2), 200));
    edge.stop_server();
    let error = remote_only(1).unwrap_err();
    assert!(matches!(error, CallError::NoServer { .. }), "{error:?}");
    assert_eq!(expensive(2), 20);
}

#[test]
fn a_borrowed_slot_that_stays_as_it_is_is_no_trouble() {
    let edge = Edge::start();
    for _ in 0..20 {
        assert!(keeps_what_it_borrows(&5));
    }
    assert_eq!(edge.remote_calls("keeps_what_it_borrows"), 20);
}

#[test]
fn a_method_that_changes_what_it_borrows_runs_here_and_stays_here() {
    let edge = Edge::start();
    let counter = Counter(Cell::new(1));
    assert_eq!((counts(2, &counter), counts(3, &counter)), (3, 6));
    assert_eq!((counter.0.get(), edge.remote_calls("counts")), (6, 0));
    let report = edge.runtime().report();
    let method = report.methods.iter().find(|method| method.name.ends_with("endings::counts")).unwrap();
    assert_eq!(method.attempts, 1, "{}", method.why);
    assert!(method.why.contains("`counter`"), "{}", method.why);
}

#[test]
fn an_argument_that_panics_when_it_is_encoded_stays_here() {
    let edge = Edge::start();
    assert_eq!((looks_at(&Touchy(1)), looks_at(&Touchy(2))), (1, 2));
    assert_eq!(edge.remote_calls("looks_at"), 0);
}
