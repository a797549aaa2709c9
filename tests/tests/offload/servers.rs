//! Several servers: what one does not run the next one runs, within the same call; and what the caller sees when they go.

use std::sync::atomic::{AtomicU32, Ordering};

use outboard::{CallError, Policy, remoteable};
use outboard_tests::{Edge, Stop};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A device with a server of its own and these, all attached.
fn edge(further: &[Stop]) -> Edge {
    let builder = |builder: outboard::Builder| {
        further
            .iter()
            .fold(builder.policy(Policy::Server), |builder, server| builder.server(server.address()))
    };
    let edge = Edge::with(builder);
    while !edge.runtime().report().servers.iter().all(|server| server.attached) {
        std::thread::yield_now();
    }
    edge
}

fn replied(edge: &Edge) -> Vec<u64> {
    edge.runtime().report().servers.iter().map(|server| server.replied).collect()
}

fn attempts(edge: &Edge, method: &str) -> u64 {
    let report = edge.runtime().report();
    report.methods.iter().find(|found| found.name.ends_with(method)).expect("it was called").attempts
}

fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

/// A number that cannot be read for the first so many times: a call with it is not run there.
#[derive(Serialize)]
struct Fussy<const KIND: usize>(u32);

static UNREADABLE: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

impl<'de, const KIND: usize> Deserialize<'de> for Fussy<KIND> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(input)?;
        let left = |left: u32| left.checked_sub(1);
        match UNREADABLE[KIND].fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Err(D::Error::custom("not yet")),
            Err(_) => Ok(Self(number)),
        }
    }
}

#[remoteable]
fn reads(number: &Fussy<0>, seen: &mut Vec<u32>) -> bool {
    seen.push(number.0);
    is_on_server()
}

#[test]
fn what_two_servers_do_not_run_the_third_one_does() {
    let further = [Stop::server(), Stop::server()];
    let edge = edge(&further);
    UNREADABLE[0].store(2, Ordering::Relaxed);
    let mut seen = vec![1];
    assert!(reads(&Fussy(2), &mut seen));
    assert_eq!((seen, attempts(&edge, "::reads"), replied(&edge)), (vec![1, 2], 3, vec![0, 0, 1]));
}

#[remoteable]
async fn reads_later(number: &Fussy<1>, seen: &mut Vec<u32>) -> bool {
    seen.push(number.0);
    is_on_server()
}

#[test]
fn an_async_call_goes_on_to_the_next_server_too() {
    let further = [Stop::server()];
    let edge = edge(&further);
    UNREADABLE[1].store(1, Ordering::Relaxed);
    let mut seen = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(reads_later(&Fussy(3), &mut seen)));
    assert_eq!((seen, attempts(&edge, "::reads_later"), replied(&edge)), (vec![3], 2, vec![0, 1]));
}

#[remoteable]
fn reads_anywhere(number: &Fussy<2>) -> (u32, bool) {
    (number.0, is_on_server())
}

#[test]
fn what_no_server_runs_the_device_does_after_asking_each_once() {
    let further = [Stop::server()];
    let edge = edge(&further);
    UNREADABLE[2].store(2, Ordering::Relaxed);
    assert_eq!(reads_anywhere(&Fussy(4)), (4, false));
    assert_eq!(attempts(&edge, "::reads_anywhere"), 2);
    assert_eq!(UNREADABLE[2].load(Ordering::Relaxed), 0);
}

static BOUGHT: AtomicU32 = AtomicU32::new(0);

#[remoteable(once)]
fn buy(number: &Fussy<3>) -> Result<u32, CallError> {
    Ok(number.0 + BOUGHT.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn what_may_run_only_once_goes_on_as_well_since_it_did_not_run() {
    let further = [Stop::server()];
    let edge = edge(&further);
    UNREADABLE[3].store(1, Ordering::Relaxed);
    assert_eq!(buy(&Fussy(10)), Ok(10));
    assert_eq!((BOUGHT.load(Ordering::Relaxed), replied(&edge)), (1, vec![0, 1]));
}

#[remoteable]
fn doubled(number: u32) -> (u32, bool) {
    (number * 2, is_on_server())
}

#[remoteable(remote_only)]
fn only_there(number: u32) -> Result<u32, CallError> {
    Ok(number + 1)
}

#[remoteable(remote_only)]
async fn only_there_later(number: u32) -> Result<u32, CallError> {
    Ok(number + 1)
}

#[remoteable(fallback = roughly)]
fn exactly(number: u32) -> u32 {
    number + if is_on_server() { 100 } else { 1000 }
}

fn roughly(number: u32) -> u32 {
    number
}

#[remoteable(fallback = roughly_later)]
async fn exactly_later(number: u32) -> u32 {
    number + if is_on_server() { 100 } else { 1000 }
}

async fn roughly_later(number: u32) -> u32 {
    number
}

#[test]
fn a_server_that_goes_leaves_the_calls_to_the_next_one_and_the_last_one_to_the_device() {
    let second = Stop::server();
    let mut edge = edge(std::slice::from_ref(&second));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let all = || {
        let later = runtime.block_on(async { (only_there_later(3).await, exactly_later(4).await) });
        (doubled(1), only_there(2), later.0, exactly(3), later.1)
    };
    let with_server = ((2, true), Ok(3), Ok(4), 103, 104);
    assert_eq!(all(), with_server);
    assert_eq!(replied(&edge), [5, 0]);
    edge.stop_server();
    assert_eq!(all(), with_server);
    assert_eq!(replied(&edge), [5, 5]);
    drop(second);
    let (doubled, only_there, only_there_later, exactly, exactly_later) = all();
    assert_eq!((doubled, exactly, exactly_later), ((2, false), 3, 4), "the fallback, not the body");
    for error in [only_there.unwrap_err(), only_there_later.unwrap_err()] {
        assert!(matches!(error, CallError::NoServer { .. }), "{error:?}");
    }
    let third = Stop::server();
    edge.runtime().attach(third.address().parse().unwrap());
    assert!(edge.runtime().wait_attached(std::time::Duration::from_secs(30)));
    assert_eq!(all(), with_server, "and all is as before");
}
