//! Calls that may run only once, within calls that may run again.
//!
//! Remote code never runs a `once` method itself: it calls the device back for it. So the device knows every one that
//! an abandoned attempt made, and the local run that follows finds them again, in their order.

use std::collections::BTreeMap;

use super::super::program::{Flow, Passing, Program};
use super::super::value::{Object, Reference};
use super::{Around, Device};

/// The `once` calls of the thread, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Log {
    records: Vec<Record>,
    /// Where the next one is read; at the end, the next one is new.
    next: usize,
    /// What was told of calls instead of their own end, and the place after them.
    told: BTreeMap<usize, (Flow, usize)>,
}

#[derive(Debug)]
struct Record {
    method: usize,
    /// What came of it: how it ended, its exclusive slots, and the place after the calls that it made itself.
    outcome: Option<(Flow, Vec<Object>, usize)>,
}

/// A call that is under way.
#[derive(Debug)]
pub(super) struct Entry {
    record: usize,
    method: usize,
    arguments: Vec<Reference>,
}

impl Log {
    /// The next `once` call of the thread comes here.
    pub(super) fn place(&self) -> usize {
        self.next
    }

    /// What follows happened before.
    pub(super) fn read_from(&mut self, place: usize) {
        self.next = place;
    }

    /// The calls that ended otherwise than they did themselves.
    pub(super) fn told(&self) -> BTreeMap<usize, (Flow, usize)> {
        self.told.clone()
    }

    /// Notes a new call.
    pub(super) fn begin(&mut self, method: usize, arguments: Vec<Reference>) -> Entry {
        assert_eq!(self.next, self.records.len(), "what has happened is replayed");
        self.records.push(Record { method, outcome: None });
        self.next = self.records.len();
        Entry { record: self.next - 1, method, arguments }
    }
}

impl Device {
    /// The call was made before, by an attempt that was abandoned since: what came of it comes of it again.
    pub(super) fn replay(
        &mut self,
        around: &mut Around<'_>,
        method: usize,
        arguments: &[Reference],
    ) -> Option<Flow> {
        let record = self.onces.records.get(self.onces.next)?;
        assert_eq!(record.method, method, "a run after an abandoned attempt does what the attempt did");
        let (flow, objects, next) =
            record.outcome.clone().expect("what an abandoned attempt called has ended");
        self.onces.next = next;
        around.report.found_again += 1;
        let slots = arguments.iter().zip(&around.program.methods[method].slots);
        let exclusive = slots.filter(|(_, slot)| slot.passing == Passing::Exclusive);
        for ((argument, _), mut object) in exclusive.zip(objects) {
            self.heap.at_mut(argument).exchange(&mut object);
        }
        Some(flow)
    }

    /// A new call has ended.
    pub(super) fn record(&mut self, program: &Program, entry: Entry, flow: Flow) {
        let slots = entry.arguments.iter().zip(&program.methods[entry.method].slots);
        let exclusive = slots.filter(|(_, slot)| slot.passing == Passing::Exclusive);
        let objects = exclusive.map(|(argument, _)| self.heap.at(argument).clone()).collect();
        self.onces.records[entry.record].outcome = Some((flow, objects, self.onces.next));
    }
    /// A new call has ended with this instead of its own end, and left nothing behind.
    pub(super) fn record_instead(&mut self, program: &Program, entry: Entry, flow: Flow) {
        self.onces.told.insert(entry.record, (flow, self.onces.next));
        self.record(program, entry, flow);
    }
}
