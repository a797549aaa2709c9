//! The machine itself.

mod admission;
mod drain;
mod events;
mod once;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use outboard_core::{InstanceId, MethodId, SessionId, Timestamp};
use outboard_wire::Lost;
use outboard_wire::frame::{Attempt, BackFrame, FailedFrame, Failure, Load, MethodEntry, NotRun, ReplyFrame};
use outboard_wire::server::{NotCalledBack, Session, Table};

use crate::calls::{Calls, Stage};
use crate::kept::{self, Kept};
use crate::{Connection, Door, Output, Reply, SessionStatus, Settings, Status};
use drain::Drain;
pub use once::InnerCall;

/// The server's side of all its sessions.
///
/// Connections and attempts that it does not know, because they have ended meanwhile, are no errors anywhere.
pub struct Engine {
    settings: Settings,
    door: Box<dyn Door>,
    methods: BTreeMap<MethodId, MethodEntry>,
    /// Of `methods`, made when the first device after a change greets.
    table: Option<Table>,
    peers: BTreeMap<Connection, Peer>,
    /// How many sessions there ever were: ids do not repeat.
    opened: u64,
    calls: Calls,
    /// What became of calls that may run once only.
    kept: Kept,
    drain: Option<Drain>,
    outputs: VecDeque<Output>,
}

/// The other end of a connection.
#[derive(Debug)]
struct Peer {
    session: Session,
    since: Timestamp,
    attached: Option<Attached>,
}

/// A device.
#[derive(Clone, Copy, Debug)]
struct Attached {
    session: SessionId,
    device: InstanceId,
    owner: kept::Owner,
    since: Timestamp,
    /// How many methods it may call.
    methods: usize,
}

impl Engine {
    /// A server without connections, with the methods that are registered so far.
    pub fn new(
        settings: Settings,
        door: impl Door + 'static,
        methods: impl IntoIterator<Item = MethodEntry>,
    ) -> Self {
        Self {
            kept: Kept::new(settings.kept),
            settings,
            door: Box::new(door),
            methods: methods.into_iter().map(|entry| (entry.id, entry)).collect(),
            table: None,
            peers: BTreeMap::new(),
            opened: 0,
            calls: Calls::default(),
            drain: None,
            outputs: VecDeque::new(),
        }
    }

    /// A method registered late. Devices that attach from now on may call it.
    pub fn register(&mut self, entry: MethodEntry) {
        self.methods.insert(entry.id, entry);
        self.table = None;
    }

    /// A device has connected.
    pub fn connected(&mut self, now: Timestamp, connection: Connection) {
        self.handle_lost(now, connection);
        if self.is_drained() {
            self.outputs.push_back(Output::Close { connection, reason: Lost::Drained });
            return;
        }
        self.make_room_for_a_stranger(now);
        let session = Session::new(now, self.settings.limits, self.settings.timing);
        self.peers.insert(connection, Peer { session, since: now, attached: None });
    }

    /// A frame came.
    pub fn handle_frame(&mut self, now: Timestamp, connection: Connection, bytes: &[u8]) {
        self.drive(now, connection, |session| session.handle_frame(now, bytes));
    }

    /// A connection broke, or a frame could not be sent on it.
    pub fn handle_lost(&mut self, now: Timestamp, connection: Connection) {
        self.drive(now, connection, |session| session.handle_lost(now));
    }

    /// The time of [`Engine::timeout`] has come. Coming early or late does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let is_due = |peer: &Peer| peer.session.timeout().is_some_and(|due| due <= now);
        let due: Vec<Connection> =
            self.peers.iter().filter(|(_, peer)| is_due(peer)).map(|(&connection, _)| connection).collect();
        for connection in due {
            self.drive(now, connection, |session| session.handle_timeout(now));
        }
        self.kept.expire(now);
        self.settle(now);
    }

    /// When [`Engine::handle_timeout`] wants to be called; earlier after the next input, perhaps.
    pub fn timeout(&self) -> Option<Timestamp> {
        let sessions = self.peers.values().filter_map(|peer| peer.session.timeout());
        // Nobody comes back to a server that has drained.
        let kept = self.kept.timeout().filter(|_| !self.is_drained());
        sessions.chain(self.drain_timeout()).chain(kept).min()
    }

    /// A worker is about to run a method: the last check.
    ///
    /// # Errors
    /// The method must not run: the attempt was let go, its time is up, or the server drains. The device knows; there
    /// is nothing to end.
    pub fn start(&mut self, now: Timestamp, connection: Connection, attempt: Attempt) -> Result<(), NotRun> {
        let gone = if self.drain.is_some() { NotRun::Draining } else { NotRun::Fenced };
        // It is taken out meanwhile, so that a "too late" is sent with the load that is left.
        let Some(call) = self.calls.remove_queued(connection, attempt) else { return Err(gone) };
        let started = self.drive(now, connection, |session| session.start(now, attempt)).unwrap_or(Err(gone));
        if started.is_ok() {
            self.calls.insert(connection, attempt, call);
            self.calls.set_stage(connection, attempt, Stage::Running);
        }
        self.settle(now);
        started
    }

    /// A method calls back. Its worker waits, gives its permit back meanwhile, and says [`Engine::resumed`] after the
    /// answer.
    ///
    /// # Errors
    /// The call-back was not made; the method has to unwind.
    pub fn called_back(
        &mut self,
        now: Timestamp,
        connection: Connection,
        frame: BackFrame,
    ) -> Result<(), NotCalledBack> {
        let attempt = frame.attempt;
        let waits = match self.calls.get(connection, attempt).filter(|call| call.wanted) {
            Some(call) if call.stage == Stage::Running => 1,
            Some(call) if let Stage::Waiting(waits) = call.stage => waits.saturating_add(1),
            _ => return Err(NotCalledBack::Fenced(attempt)),
        };
        let fenced = Err(NotCalledBack::Fenced(attempt));
        let made = self.drive(now, connection, |session| session.back(now, frame)).unwrap_or(fenced);
        if made.is_ok() {
            self.calls.set_stage(connection, attempt, Stage::Waiting(waits));
        }
        made
    }

    /// A worker goes on: it has the answer to one of its call-backs, and a permit again. A worker that unwinds instead
    /// need not say so before it ends the attempt.
    pub fn resumed(&mut self, now: Timestamp, connection: Connection, attempt: Attempt) {
        let Some(Stage::Waiting(waits)) = self.calls.get(connection, attempt).map(|call| call.stage) else {
            return;
        };
        match waits.saturating_sub(1) {
            0 => {
                self.calls.set_stage(connection, attempt, Stage::Running);
                self.withdraw_within(now, connection, attempt);
                self.pump(now, connection);
            }
            waits => self.calls.set_stage(connection, attempt, Stage::Waiting(waits)),
        }
    }

    /// A method returned. Whether the reply goes out: not when the device gave the attempt up or is gone, and not when
    /// it is larger than the device takes, in which case the device is told so.
    pub fn reply(&mut self, now: Timestamp, connection: Connection, reply: Reply) -> bool {
        self.keep_reply(now, connection, &reply);
        self.end(now, connection, reply.attempt, |session, load| {
            let Reply { attempt, result, exclusive, onces, cost } = reply;
            session.reply(now, ReplyFrame { attempt, result, exclusive, onces, cost, load })
        })
    }

    /// A call ends without a reply. Whether the device wanted to know.
    pub fn fail(
        &mut self,
        now: Timestamp,
        connection: Connection,
        attempt: Attempt,
        failure: Failure,
    ) -> bool {
        self.keep_failure(now, connection, attempt, &failure);
        self.end(now, connection, attempt, |session, load| {
            session.fail(now, FailedFrame { attempt, failure, load })
        })
    }

    /// What to do next, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How busy the server is. A worker that waits for a call-back is neither running nor queued.
    pub fn load(&self) -> Load {
        self.calls.load()
    }

    /// How the server stands, for people.
    pub fn status(&self) -> Status {
        let sessions = self.peers.iter().filter_map(|(&connection, peer)| {
            let attached = peer.attached?;
            let mut status = SessionStatus::new(attached.session, attached.device, attached.since);
            status.methods = attached.methods;
            self.calls.of(connection).for_each(|(_, call)| status.count(call));
            Some(status)
        });
        let mut status = Status::new(self.settings.app.clone(), self.load());
        status.sessions = sessions.collect();
        status.strangers = self.peers.len() - status.sessions.len();
        status.draining = self.drain.is_some();
        for (_, call) in self.calls.iter() {
            status.waiting += usize::from(matches!(call.stage, Stage::Waiting(_)));
            status.let_go += usize::from(!call.wanted);
        }
        status
    }

    fn end(
        &mut self,
        now: Timestamp,
        connection: Connection,
        attempt: Attempt,
        tell: impl FnOnce(&mut Session, Load) -> bool,
    ) -> bool {
        if self.calls.remove(connection, attempt).is_none() {
            return false;
        }
        self.withdraw_within(now, connection, attempt);
        let load = self.load();
        let told = self.drive(now, connection, |session| tell(session, load)).unwrap_or(false);
        self.settle(now);
        told
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The door may hold secrets.
        f.debug_struct("Engine")
            .field("settings", &self.settings)
            .field("peers", &self.peers)
            .field("calls", &self.calls)
            .field("drain", &self.drain)
            .finish_non_exhaustive()
    }
}
