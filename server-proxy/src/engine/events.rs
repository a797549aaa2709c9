//! What the sessions say, and what the engine makes of it.

use outboard_core::Timestamp;
use outboard_wire::frame::{Attempt, CallFrame, FailedFrame, Failure, NotRun};
use outboard_wire::server::{Event, Session};
use outboard_wire::{Lost, server};

use super::Engine;
use crate::calls::{Stage, argument_bytes};
use crate::{Connection, Output};

impl Engine {
    /// Does something with a session that knows the current load, and takes care of what comes of it. `None` when there
    /// is no such session.
    pub(super) fn drive<T>(
        &mut self,
        now: Timestamp,
        connection: Connection,
        act: impl FnOnce(&mut Session) -> T,
    ) -> Option<T> {
        let load = self.load();
        let session = &mut self.peers.get_mut(&connection)?.session;
        session.set_load(load);
        let result = act(session);
        self.pump(now, connection);
        Some(result)
    }

    /// Takes care of everything that a session has said.
    pub(super) fn pump(&mut self, now: Timestamp, connection: Connection) {
        while let Some(output) = self.peers.get_mut(&connection).and_then(|peer| peer.session.poll()) {
            match output {
                server::Output::Transmit { lane, bytes } => {
                    self.outputs.push_back(Output::Transmit { connection, lane, bytes });
                }
                server::Output::Event(event) => self.happened(now, connection, event),
                server::Output::Close(reason) => {
                    self.peers.remove(&connection);
                    self.outputs.push_back(Output::Close { connection, reason });
                }
            }
        }
        self.settle(now);
    }

    fn happened(&mut self, now: Timestamp, connection: Connection, event: Event) {
        match event {
            Event::Hello(hello) => self.greeted(now, connection, &hello),
            Event::Call(call) => self.called(now, connection, call),
            Event::Ask(ask) => self.asked(now, connection, &ask),
            Event::Fence(attempt) => self.fenced(now, connection, attempt),
            Event::Answer(frame) => self.outputs.push_back(Output::Answer { connection, frame }),
            Event::Gone { reason, abandoned } => self.gone(connection, &reason, abandoned),
            unknown => tracing::error!(?unknown, "the engine does not know what a session said"),
        }
    }

    fn called(&mut self, now: Timestamp, connection: Connection, call: CallFrame) {
        match self.place(connection, &call) {
            Ok(depth) => {
                self.calls.queue(connection, &call, depth);
                self.outputs.push_back(Output::Run { connection, call, arrived: now });
            }
            Err(why) => {
                tracing::debug!(%connection, attempt = %call.attempt, %why, "a call is not run");
                self.failed(now, connection, call.attempt, Failure::NotRun(why));
            }
        }
    }

    /// How many calls the call is within, or why there is no room for it.
    fn place(&self, connection: Connection, call: &CallFrame) -> Result<u16, NotRun> {
        let depth = match call.within {
            None => 0,
            Some(outer) => match self.calls.get(connection, outer) {
                Some(outer) if outer.wanted && matches!(outer.stage, Stage::Waiting(_)) => {
                    outer.depth.saturating_add(1)
                }
                // No worker waits that could run it: the call-back that made it was answered without it.
                _ => return Err(NotRun::Fenced),
            },
        };
        let settings = &self.settings;
        let is_full = self.calls.len() >= settings.calls
            || self.calls.of(connection).count() >= settings.session_calls
            || self.calls.bytes() + argument_bytes(call) > settings.argument_bytes
            || depth > settings.depth;
        if is_full { Err(NotRun::Busy) } else { Ok(depth) }
    }

    /// The session has told the device already when the attempt waited for a worker.
    fn fenced(&mut self, now: Timestamp, connection: Connection, attempt: Attempt) {
        if self.calls.remove_queued(connection, attempt).is_none() {
            self.calls.let_go(connection, attempt);
        }
        self.outputs.push_back(Output::Fence { connection, attempt });
        self.withdraw_within(now, connection, attempt);
    }

    fn gone(&mut self, connection: Connection, reason: &Lost, attempts: Vec<Attempt>) {
        for &attempt in &attempts {
            if self.calls.remove_queued(connection, attempt).is_none() {
                self.calls.let_go(connection, attempt);
            }
        }
        let attached = self.peers.get_mut(&connection).and_then(|peer| peer.attached.take());
        if let Some(attached) = attached {
            let (session, device) = (attached.session, attached.device);
            self.kept.detach(attached.owner);
            tracing::info!(%connection, %session, %device, %reason, abandoned = attempts.len(), "a device has left");
            self.outputs.push_back(Output::Gone { connection, attempts });
        }
    }

    /// Ends the calls that wait for the worker of `outer`, which does not wait for call-backs any more.
    pub(super) fn withdraw_within(&mut self, now: Timestamp, connection: Connection, outer: Attempt) {
        for attempt in self.calls.queued_within(connection, outer) {
            self.withdraw(now, connection, attempt, NotRun::Fenced);
        }
    }

    /// Ends a call that waits for a worker. The caller pumps.
    pub(super) fn withdraw(&mut self, now: Timestamp, connection: Connection, attempt: Attempt, why: NotRun) {
        if self.calls.remove_queued(connection, attempt).is_some() {
            self.failed(now, connection, attempt, Failure::NotRun(why));
            self.outputs.push_back(Output::Fence { connection, attempt });
        }
    }

    pub(super) fn failed(
        &mut self,
        now: Timestamp,
        connection: Connection,
        attempt: Attempt,
        failure: Failure,
    ) {
        let load = self.load();
        if let Some(peer) = self.peers.get_mut(&connection) {
            peer.session.fail(now, FailedFrame { attempt, failure, load });
        }
    }
}
