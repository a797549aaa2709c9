//! Call-backs that fail, and replies that cannot be read, of methods that must not run again.

use std::sync::atomic::{AtomicU32, Ordering};

use outboard::{CallError, device, remoteable};
use outboard_tests::Edge;
use serde::{Deserialize, Deserializer, Serialize};

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

/// Can be read on one side only.
#[derive(Serialize)]
struct OneWay<const TO_SERVER: bool>(u32);

impl<'de, const TO_SERVER: bool> Deserialize<'de> for OneWay<TO_SERVER> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        match is_on_server() == TO_SERVER {
            true => Ok(Self(number)),
            false => Err(serde::de::Error::custom("not on this side")),
        }
    }
}

static ORDERED: AtomicU32 = AtomicU32::new(0);
static FETCHED: AtomicU32 = AtomicU32::new(0);
static ASKED: AtomicU32 = AtomicU32::new(0);

#[device]
fn refuse(number: u32) -> u32 {
    std::panic::panic_any(number)
}

#[remoteable(once)]
fn orders() -> Result<u32, CallError> {
    ORDERED.fetch_add(1, Ordering::Relaxed);
    Ok(refuse(7))
}

#[remoteable(once)]
fn orders_whatever_happens() -> Result<u32, CallError> {
    Ok(std::panic::catch_unwind(|| refuse(8)).unwrap_or(0))
}

#[remoteable(once)]
fn fetches() -> Result<OneWay<true>, CallError> {
    FETCHED.fetch_add(1, Ordering::Relaxed);
    Ok(OneWay(1))
}

#[remoteable(remote_only)]
fn fetches_there() -> Result<OneWay<true>, CallError> {
    Ok(OneWay(1))
}

#[device]
fn ask() -> OneWay<false> {
    OneWay(3)
}

#[remoteable(once)]
fn asks() -> Result<u32, CallError> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    Ok(ask().0)
}

#[remoteable]
fn asks_again() -> u32 {
    ask().0
}

fn panic_of<T>(call: impl FnOnce() -> T + std::panic::UnwindSafe) -> u32 {
    *std::panic::catch_unwind(call).map(drop).unwrap_err().downcast().unwrap()
}

#[test]
fn the_panic_of_a_call_back_is_that_of_a_method_that_runs_once() {
    let _edge = Edge::start();
    assert_eq!(panic_of(orders), 7);
    assert_eq!(ORDERED.load(Ordering::Relaxed), 1);
    // What the method made of it there is lost with the attempt.
    assert_eq!(panic_of(orders_whatever_happens), 8);
}

#[test]
fn a_reply_that_cannot_be_read_leaves_no_doubt_that_the_method_ran() {
    let _edge = Edge::start();
    let texts = [fetches().map(|one| one.0), fetches_there().map(|one| one.0)].map(|result| match result {
        Err(CallError::Remote(text)) => text,
        other => panic!("{other:?}"),
    });
    assert_eq!(FETCHED.load(Ordering::Relaxed), 1);
    assert!(texts.iter().all(|text| text.contains("ran on the server")), "{texts:?}");
}

#[test]
fn an_answer_that_cannot_be_read_leaves_no_doubt_that_the_method_ran() {
    let edge = Edge::start();
    let Err(CallError::Remote(text)) = asks() else { panic!("it was unwound there") };
    assert!(text.contains("ran on the server, and a call-back failed"), "{text}");
    assert_eq!(ASKED.load(Ordering::Relaxed), 1);
    assert_eq!(asks_again(), 3, "what may run again runs here");
    assert_eq!(edge.remote_calls("asks_again"), 0);
}
