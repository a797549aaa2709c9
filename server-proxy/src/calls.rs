//! The calls that wait or run, over all sessions.

use std::collections::BTreeMap;

use outboard_core::{ByteCount, CallId, Epoch};
use outboard_wire::frame::{Attempt, CallFrame, Load, SlotImage};

use crate::Connection;
use crate::kept::OnceId;

/// Every call that was given to the driver and has not ended.
///
/// A call that was started stays here until the driver ends it, even when its session is over: it holds a worker.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    table: BTreeMap<(Connection, Attempt), Call>,
    queued: usize,
    running: usize,
    bytes: ByteCount,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) stage: Stage,
    /// Whether somebody still waits for its reply.
    pub(crate) wanted: bool,
    within: Option<Attempt>,
    /// The name of a call that may run once only, once it runs.
    pub(crate) once: Option<OnceId>,
    /// How many calls it is within.
    pub(crate) depth: u16,
    bytes: ByteCount,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for a worker.
    Queued,
    /// A worker runs it.
    Running,
    /// Its worker waits for so many call-backs, at least one.
    Waiting(u32),
}

impl Call {
    fn new(frame: &CallFrame, depth: u16) -> Self {
        let (stage, wanted, within) = (Stage::Queued, true, frame.within);
        Self { stage, wanted, within, once: None, depth, bytes: argument_bytes(frame) }
    }
}

impl Calls {
    pub(crate) fn load(&self) -> Load {
        let count = |calls| u32::try_from(calls).unwrap_or(u32::MAX);
        Load { running: count(self.running), queued: count(self.queued) }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes of arguments that they hold.
    pub(crate) fn bytes(&self) -> ByteCount {
        self.bytes
    }

    pub(crate) fn get(&self, connection: Connection, attempt: Attempt) -> Option<&Call> {
        self.table.get(&(connection, attempt))
    }

    pub(crate) fn of(&self, connection: Connection) -> impl Iterator<Item = (Attempt, &Call)> {
        const FIRST: Attempt = Attempt { call: CallId(0), epoch: Epoch(0) };
        const LAST: Attempt = Attempt { call: CallId(u64::MAX), epoch: Epoch(u32::MAX) };
        let range = (connection, FIRST)..=(connection, LAST);
        self.table.range(range).map(|(&(_, attempt), call)| (attempt, call))
    }

    /// All of them, session by session.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Connection, &Call)> {
        self.table.iter().map(|(&(connection, _), call)| (connection, call))
    }

    pub(crate) fn queue(&mut self, connection: Connection, frame: &CallFrame, depth: u16) {
        self.insert(connection, frame.attempt, Call::new(frame, depth));
    }

    pub(crate) fn insert(&mut self, connection: Connection, attempt: Attempt, call: Call) {
        self.remove(connection, attempt);
        self.count(call.stage, 1);
        self.bytes += call.bytes;
        self.table.insert((connection, attempt), call);
    }

    pub(crate) fn remove(&mut self, connection: Connection, attempt: Attempt) -> Option<Call> {
        let call = self.table.remove(&(connection, attempt))?;
        self.count(call.stage, -1);
        self.bytes = self.bytes - call.bytes;
        Some(call)
    }

    /// Takes a call out that waits for a worker.
    pub(crate) fn remove_queued(&mut self, connection: Connection, attempt: Attempt) -> Option<Call> {
        self.get(connection, attempt).filter(|call| call.stage == Stage::Queued)?;
        self.remove(connection, attempt)
    }

    pub(crate) fn set_stage(&mut self, connection: Connection, attempt: Attempt, stage: Stage) {
        if let Some(call) = self.table.get_mut(&(connection, attempt)) {
            let before = std::mem::replace(&mut call.stage, stage);
            self.count(before, -1);
            self.count(stage, 1);
        }
    }

    /// It runs, and may do so only once.
    pub(crate) fn set_once(&mut self, connection: Connection, attempt: Attempt, id: OnceId) {
        if let Some(call) = self.table.get_mut(&(connection, attempt)) {
            call.once = Some(id);
        }
    }

    /// Nobody waits for it any more. Its worker goes on.
    pub(crate) fn let_go(&mut self, connection: Connection, attempt: Attempt) {
        if let Some(call) = self.table.get_mut(&(connection, attempt)) {
            call.wanted = false;
        }
    }

    /// The calls that wait for the worker of `outer`.
    pub(crate) fn queued_within(&self, connection: Connection, outer: Attempt) -> Vec<Attempt> {
        self.of(connection)
            .filter(|(_, call)| call.stage == Stage::Queued && call.within == Some(outer))
            .map(|(attempt, _)| attempt)
            .collect()
    }

    /// The calls that wait for a worker.
    pub(crate) fn queued(&self) -> Vec<(Connection, Attempt)> {
        let queued = self.table.iter().filter(|(_, call)| call.stage == Stage::Queued);
        queued.map(|(&key, _)| key).collect()
    }

    fn count(&mut self, stage: Stage, by: isize) {
        let counter = match stage {
            Stage::Queued => &mut self.queued,
            Stage::Running => &mut self.running,
            Stage::Waiting(_) => return,
        };
        *counter = counter.checked_add_signed(by).expect("what leaves a stage has entered it");
    }
}

/// What a call makes the server hold until it ends.
pub(crate) fn argument_bytes(frame: &CallFrame) -> ByteCount {
    let slots: ByteCount = frame.slots.iter().map(SlotImage::resolved_size).sum();
    slots + ByteCount::from_bytes(size_of_val(frame.on_device.as_slice()) as u64)
}
