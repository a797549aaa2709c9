//! What became of calls that may run once only, kept for devices that lost their session before they were told.
//!
//! A record belongs to a run of an app and to the token that it came with: nobody else can ask for it. It outlives
//! sessions. Memory is bounded in bytes, records and time; what had to be dropped is *forgotten*, which is never mixed up
//! with *not run*: calls are numbered in the order in which they are made, so that one number per device says below which
//! of them something may be missing.
//!
//! The keeper owns records and who waits for them. Its user owns time, and makes sure that a call which is answered with
//! [`Answer::NeverStarted`] cannot start any more: what is in flight of older sessions is let go first.

mod owners;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use outboard_core::{ByteCount, CallId, InstanceId, Timestamp};
use outboard_wire::frame::{Attempt, Failure, Image, Inner, NotRun, ServerCost};

use crate::Connection;
pub use owners::Owner;
use owners::Owners;

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// Most bytes of results and slots. Default 64 MiB.
    pub bytes: ByteCount,
    /// Most calls. Default 4096.
    pub calls: usize,
    /// Longest time from a call's end. A device asks as soon as it is back, or when its own run comes to the same place.
    /// Default 10 min.
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: ByteCount::from_bytes(64 << 20), calls: 4096, time: Duration::from_secs(600) }
    }
}

/// Names a call of a device that may run once only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OnceId {
    pub(crate) owner: Owner,
    pub(crate) call: CallId,
    /// One that the call made on the server, not the call itself.
    pub(crate) sequence: Option<u32>,
}

/// How a call ended.
pub type Outcome = Result<Returned, Failure>;

/// What a call gave back: all of it, since it is told in another session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The encoded result.
    pub result: Image,
    /// The exclusive slots as they were afterwards, in the order of the signature.
    pub exclusive: Vec<Image>,
    /// What it cost.
    pub cost: ServerCost,
}

/// Whether a call may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// It may, and has.
    Now(OnceId),
    /// It ended before, in a run of the same code that was given up since: this came of it.
    Ended(Outcome),
    /// It must not: another one was here, or there is no room to remember it.
    Refused(NotRun),
}

/// What is known of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It ended.
    Ended(Outcome),
    /// It runs; [`Kept::end`] names who asked.
    Wait,
    /// It never started, and never will.
    NeverStarted,
    /// It may have run, and nobody knows.
    Forgotten,
}

/// Who asks.
pub type Asker = (Connection, Attempt);

/// All that is kept.
#[derive(Debug)]
pub struct Kept {
    bounds: Bounds,
    owners: Owners,
    records: BTreeMap<OnceId, Record>,
    /// The records of calls that have ended, in the order in which they did.
    ended: BTreeMap<u64, (Timestamp, OnceId)>,
    ends: u64,
    bytes: ByteCount,
}

#[derive(Debug)]
struct Record {
    /// What was called, and with what; `None` for a call that is named by its own id.
    inner: Option<Inner>,
    state: State,
}

#[derive(Debug)]
enum State {
    Running { waiting: Vec<Asker> },
    Ended { bytes: ByteCount, outcome: Outcome },
}

impl Kept {
    /// Nothing so far.
    pub fn new(bounds: Bounds) -> Self {
        let (owners, records, ended) = (Owners::default(), BTreeMap::new(), BTreeMap::new());
        Self { bounds, owners, records, ended, ends: 0, bytes: ByteCount::ZERO }
    }

    /// A device attaches with this token.
    pub fn attach(&mut self, device: InstanceId, token: &str) -> Owner {
        self.owners.attach(device, token)
    }

    /// A session of this owner is over.
    pub fn detach(&mut self, owner: Owner) {
        self.owners.detach(owner);
        self.drop_if_bare(owner);
    }

    /// A call is about to run that is named by its own id. A device gives each only once.
    pub fn begin(&mut self, now: Timestamp, owner: Owner, call: CallId) -> Begin {
        self.begin_any(now, owner, call, None)
    }

    /// A call of a root is about to run. `again` says that the root may have been here before, in a run that was given up:
    /// then the call must not begin where it could have been forgotten.
    pub fn begin_inner(
        &mut self,
        now: Timestamp,
        owner: Owner,
        root: CallId,
        inner: Inner,
        again: bool,
    ) -> Begin {
        self.expire(now);
        let id = OnceId { owner, call: root, sequence: Some(inner.sequence) };
        if again && !self.records.contains_key(&id) && !self.owners.knows(owner, root) {
            return Begin::Refused(NotRun::Fenced);
        }
        self.begin_any(now, owner, root, Some(inner))
    }

    fn begin_any(&mut self, now: Timestamp, owner: Owner, call: CallId, inner: Option<Inner>) -> Begin {
        self.expire(now);
        let id = OnceId { owner, call, sequence: inner.map(|inner| inner.sequence) };
        if let Some(record) = self.records.get(&id) {
            return match &record.state {
                State::Ended { outcome, .. } if inner.is_some() && record.inner == inner => {
                    Begin::Ended(outcome.clone())
                }
                _ => Begin::Refused(NotRun::Fenced),
            };
        }
        self.make_room(self.bounds.calls.saturating_sub(1), self.bounds.bytes);
        if self.records.len() >= self.bounds.calls || !self.owners.began(owner, call) {
            return Begin::Refused(NotRun::Busy);
        }
        self.records.insert(id, Record { inner, state: State::Running { waiting: Vec::new() } });
        Begin::Now(id)
    }

    /// A call has ended. Who waits for what came of it.
    pub fn end(&mut self, now: Timestamp, id: OnceId, outcome: Outcome) -> Vec<Asker> {
        let Some(record) = self.records.get_mut(&id) else { return Vec::new() };
        let State::Running { waiting } = &mut record.state else { return Vec::new() };
        let waiting = std::mem::take(waiting);
        let bytes = size(&outcome);
        record.state = State::Ended { bytes, outcome };
        self.ended.insert(self.ends, (now, id));
        self.ends += 1;
        self.bytes += bytes;
        self.make_room(self.bounds.calls, self.bounds.bytes);
        waiting
    }

    /// What became of a call, and of no other one that was at its place.
    pub fn ask(
        &mut self,
        now: Timestamp,
        owner: Owner,
        call: CallId,
        inner: Option<Inner>,
        asker: Asker,
    ) -> Answer {
        self.expire(now);
        let id = OnceId { owner, call, sequence: inner.map(|inner| inner.sequence) };
        let Some(record) = self.records.get_mut(&id) else {
            if !self.owners.knows(owner, call) {
                return Answer::Forgotten;
            }
            self.never(now, id, inner);
            return Answer::NeverStarted;
        };
        if record.inner != inner {
            return Answer::Forgotten;
        }
        match &mut record.state {
            State::Ended { outcome, .. } => Answer::Ended(outcome.clone()),
            State::Running { waiting } => {
                // Sessions before the asking one are over, and with them their questions.
                waiting.retain(|(connection, _)| *connection == asker.0);
                waiting.push(asker);
                Answer::Wait
            }
        }
    }

    /// Whatever is not remembered of the calls up to this one may have run.
    pub fn doubt(&mut self, owner: Owner, call: CallId) {
        self.owners.forget(owner, call);
    }

    /// Drops what is too old. Coming early or late does no harm.
    pub fn expire(&mut self, now: Timestamp) {
        while let Some((_, &(since, _))) = self.ended.first_key_value()
            && since + self.bounds.time <= now
        {
            self.drop_oldest();
        }
    }

    /// When the next one is too old.
    pub fn timeout(&self) -> Option<Timestamp> {
        self.ended.first_key_value().map(|(_, (since, _))| *since + self.bounds.time)
    }

    /// How many calls are remembered, and how many bytes of them.
    pub fn size(&self) -> (usize, ByteCount) {
        (self.records.len(), self.bytes)
    }

    /// Remembers that a call must not start: its frame may still be on its way.
    fn never(&mut self, now: Timestamp, id: OnceId, inner: Option<Inner>) {
        let record = Record { inner, state: State::Running { waiting: Vec::new() } };
        self.records.insert(id, record);
        self.end(now, id, Err(Failure::NotRun(NotRun::Fenced)));
    }

    fn make_room(&mut self, calls: usize, bytes: ByteCount) {
        while (self.records.len() > calls || self.bytes > bytes) && !self.ended.is_empty() {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((_, (_, id))) = self.ended.pop_first() else { return };
        if let Some(Record { state: State::Ended { bytes, .. }, .. }) = self.records.remove(&id) {
            self.bytes = self.bytes - bytes;
        }
        self.owners.forget(id.owner, id.call);
        self.drop_if_bare(id.owner);
    }

    /// Nothing has to be known of a device that is away and of which nothing is kept.
    fn drop_if_bare(&mut self, owner: Owner) {
        let first = OnceId { owner, call: CallId(0), sequence: None };
        let bare = self.records.range(first..).next().is_none_or(|(id, _)| id.owner != owner);
        if bare {
            self.owners.drop_if_away(owner);
        }
    }
}

fn size(outcome: &Outcome) -> ByteCount {
    match outcome {
        Ok(returned) => {
            returned.exclusive.iter().map(Image::size).fold(returned.result.size(), |sum, size| sum + size)
        }
        // Texts of peers are cut on their way only.
        Err(Failure::Panicked(text) | Failure::Unencodable(text) | Failure::CallBack(text)) => {
            ByteCount::from_bytes(text.len() as u64)
        }
        Err(_) => ByteCount::ZERO,
    }
}
