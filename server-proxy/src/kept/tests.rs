use std::collections::BTreeSet;

use outboard_core::{Epoch, MethodId};
use outboard_wire::frame::ArgumentsHash;
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::ZERO;

fn kept(calls: usize, bytes: u64) -> Kept {
    Kept::new(Bounds { calls, bytes: ByteCount::from_bytes(bytes), ..Bounds::default() })
}

fn phone(kept: &mut Kept) -> Owner {
    kept.attach(InstanceId(1), "token")
}

fn inner(sequence: u32) -> Option<Inner> {
    Some(Inner { sequence, method: MethodId(1), arguments: ArgumentsHash(7) })
}

fn asker(connection: u64) -> Asker {
    (Connection(connection), Attempt { call: CallId(99), epoch: Epoch::FIRST })
}

fn returned(bytes: usize) -> Outcome {
    Ok(Returned { result: vec![1; bytes].into(), exclusive: vec![], cost: ServerCost::default() })
}

fn begin(kept: &mut Kept, owner: Owner, call: u64, inner: Option<Inner>) -> OnceId {
    match begin_at(kept, NOW, owner, call, inner) {
        Begin::Now(id) => id,
        other => panic!("{other:?}"),
    }
}

fn begin_at(kept: &mut Kept, now: Timestamp, owner: Owner, call: u64, inner: Option<Inner>) -> Begin {
    match inner {
        None => kept.begin(now, owner, CallId(call)),
        Some(inner) => kept.begin_inner(now, owner, CallId(call), inner, true),
    }
}

fn ask(kept: &mut Kept, owner: Owner, call: u64, inner: Option<Inner>) -> Answer {
    kept.ask(NOW, owner, CallId(call), inner, asker(1))
}

#[test]
fn what_ended_is_told_to_its_device_alone() {
    let mut kept = kept(9, 1000);
    let owner = phone(&mut kept);
    let id = begin(&mut kept, owner, 5, None);
    assert_eq!(kept.end(NOW, id, returned(3)), []);
    kept.detach(owner);
    assert_eq!(phone(&mut kept), owner, "it is back");
    assert_eq!(ask(&mut kept, owner, 5, None), Answer::Ended(returned(3)));
    // Another token is another owner, who finds nothing, and shuts nothing out.
    let other = kept.attach(InstanceId(1), "another token");
    assert_eq!(ask(&mut kept, other, 5, None), Answer::NeverStarted);
    assert_eq!(ask(&mut kept, owner, 5, None), Answer::Ended(returned(3)));
}

#[test]
fn who_asks_about_what_runs_is_told_when_it_ends() {
    let mut kept = kept(9, 1000);
    let owner = phone(&mut kept);
    let id = begin(&mut kept, owner, 5, inner(2));
    assert_eq!(kept.ask(NOW, owner, CallId(5), inner(2), asker(1)), Answer::Wait);
    // The first session was lost too.
    assert_eq!(kept.ask(NOW, owner, CallId(5), inner(2), asker(2)), Answer::Wait);
    assert_eq!(kept.end(NOW, id, returned(1)), [asker(2)]);
    assert_eq!(kept.end(NOW, id, returned(2)), [], "it has ended");
    assert_eq!(ask(&mut kept, owner, 5, inner(2)), Answer::Ended(returned(1)));
}

#[test]
fn what_was_said_never_to_start_does_not() {
    let mut kept = kept(9, 1000);
    let owner = phone(&mut kept);
    for inner in [None, inner(0)] {
        assert_eq!(ask(&mut kept, owner, 5, inner), Answer::NeverStarted);
        assert!(!matches!(begin_at(&mut kept, NOW, owner, 5, inner), Begin::Now(_)));
    }
}

#[test]
fn another_call_at_the_same_place_is_not_taken_for_this_one() {
    let mut kept = kept(9, 1000);
    let owner = phone(&mut kept);
    let id = begin(&mut kept, owner, 5, inner(0));
    kept.end(NOW, id, returned(1));
    let other = inner(0).map(|inner| Inner { arguments: ArgumentsHash(8), ..inner });
    assert_eq!(ask(&mut kept, owner, 5, other), Answer::Forgotten);
    assert_eq!(begin_at(&mut kept, NOW, owner, 5, other), Begin::Refused(NotRun::Fenced));
    assert_eq!(
        begin_at(&mut kept, NOW, owner, 5, inner(0)),
        Begin::Ended(returned(1)),
        "found by a second run"
    );
}

#[test]
fn what_had_to_be_dropped_is_forgotten_and_not_not_run() {
    let mut kept = kept(2, 1000);
    let owner = phone(&mut kept);
    for call in 1..=3 {
        let id = begin(&mut kept, owner, call, None);
        kept.end(NOW, id, returned(1));
    }
    assert_eq!(ask(&mut kept, owner, 1, None), Answer::Forgotten);
    assert_eq!(ask(&mut kept, owner, 3, None), Answer::Ended(returned(1)));
    assert_eq!(ask(&mut kept, owner, 4, None), Answer::NeverStarted);
    // What does not fit at all.
    let id = begin(&mut kept, owner, 5, None);
    kept.end(NOW, id, returned(1001));
    assert_eq!(ask(&mut kept, owner, 5, None), Answer::Forgotten);
    assert_eq!(kept.size(), (0, ByteCount::ZERO));
}

#[test]
fn time_forgets_the_device_too_and_does_not_take_it_for_a_new_one() {
    let mut kept = kept(9, 1000);
    let owner = phone(&mut kept);
    let id = begin(&mut kept, owner, 5, None);
    kept.end(NOW, id, returned(1));
    kept.detach(owner);
    let due = kept.timeout().expect("something is kept");
    kept.expire(due);
    assert_eq!((kept.size(), kept.timeout()), ((0, ByteCount::ZERO), None));
    let owner = phone(&mut kept);
    assert_eq!(kept.ask(due, owner, CallId(5), None, asker(1)), Answer::Forgotten);
    // From its next call on everything is known again.
    begin(&mut kept, owner, 8, None);
    assert_eq!(kept.ask(due, owner, CallId(9), None, asker(1)), Answer::NeverStarted);
    assert_eq!(kept.ask(due, owner, CallId(7), None, asker(1)), Answer::Forgotten);
}

#[test]
fn where_two_threads_may_have_counted_alike_nothing_is_said_not_to_have_run() {
    let mut kept = kept(9, 1000);
    let owner = phone(&mut kept);
    let id = begin(&mut kept, owner, 5, inner(0));
    kept.doubt(owner, CallId(5));
    kept.end(NOW, id, returned(1));
    assert_eq!(ask(&mut kept, owner, 5, inner(0)), Answer::Ended(returned(1)));
    assert_eq!(ask(&mut kept, owner, 5, inner(1)), Answer::Forgotten);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin { device: u128, call: u64, inner: Option<u32> },
    End { which: usize, bytes: usize },
    Ask { device: u128, call: u64, inner: Option<u32> },
    Leave { device: u128 },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let name = || (0..3u128, 0..6u64, prop::option::of(0..2u32));
    prop_oneof![
        4 => name().prop_map(|(device, call, inner)| Step::Begin { device, call, inner }),
        3 => (any::<usize>(), 0..60usize).prop_map(|(which, bytes)| Step::End { which, bytes }),
        4 => name().prop_map(|(device, call, inner)| Step::Ask { device, call, inner }),
        1 => (0..3u128).prop_map(|device| Step::Leave { device }),
        1 => (0..400u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

proptest! {
    /// Whatever is dropped and whoever comes back: a call that began is never said not to have, one that is said not to
    /// have never does, none begins twice, and the bounds hold.
    #[test]
    fn at_most_once(steps in prop::collection::vec(step(), 0..200)) {
        let mut kept = kept(6, 100);
        let mut now = NOW;
        let mut began = BTreeSet::new();
        let mut refused = BTreeSet::new();
        let mut running = Vec::new();
        let mut calls = [6u64; 3];
        let mut sessions: [Option<Owner>; 3] = [None; 3];
        for step in steps {
            match step {
                Step::Begin { device, call, inner: sequence } => {
                    // Numbers only grow from session to session, as the device gives them.
                    let call = call + calls[device as usize];
                    let session = &mut sessions[device as usize];
                    let owner = *session.get_or_insert_with(|| kept.attach(InstanceId(device), "token"));
                    let name = (device, call, sequence);
                    // A device gives each id once, and its sessions let nothing through that it has asked about.
                    if sequence.is_none() && (began.contains(&name) || refused.contains(&name)) {
                        continue;
                    }
                    match begin_at(&mut kept, now, owner, call, sequence.and_then(inner)) {
                        Begin::Now(id) => {
                            prop_assert!(!refused.contains(&name), "{name:?} was not to start");
                            prop_assert!(began.insert(name) , "{name:?} began twice");
                            running.push(id);
                        }
                        Begin::Ended(_) => prop_assert!(began.contains(&name) || refused.contains(&name)),
                        Begin::Refused(_) => {}
                    }
                }
                Step::End { which, bytes } => {
                    if !running.is_empty() {
                        let id = running.swap_remove(which % running.len());
                        kept.end(now, id, returned(bytes));
                    }
                }
                Step::Ask { device, call, inner: sequence } => {
                    // Of the last session, or of this one.
                    let call = 2 * call + calls[device as usize] - 6;
                    let session = &mut sessions[device as usize];
                    let owner = *session.get_or_insert_with(|| kept.attach(InstanceId(device), "token"));
                    let name = (device, call, sequence);
                    match kept.ask(now, owner, CallId(call), sequence.and_then(inner), asker(1)) {
                        Answer::NeverStarted => {
                            prop_assert!(!began.contains(&name), "{name:?} began");
                            refused.insert(name);
                        }
                        Answer::Ended(Ok(_)) | Answer::Wait => prop_assert!(began.contains(&name)),
                        Answer::Ended(Err(_)) | Answer::Forgotten => {}
                    }
                }
                Step::Leave { device } => {
                    calls[device as usize] += 6;
                    if let Some(owner) = sessions[device as usize].take() {
                        kept.detach(owner);
                    }
                }
                Step::Pass { seconds } => {
                    now += Duration::from_secs(seconds);
                    kept.expire(now);
                }
            }
            let (records, bytes) = kept.size();
            prop_assert!(records <= 6 + running.len() && bytes <= ByteCount::from_bytes(100));
        }
    }
}
