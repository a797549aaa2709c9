//! What became of an attempt whose session was lost.
//!
//! A re-runnable method simply runs on the device. One that may run only once must not, so that very run of the server is
//! asked when it can be reached again: it keeps its replies for a while. Another run of the server knows nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use outboard_core::{InstanceId, ServerIndex, Timestamp};
use outboard_wire::Lost;
use outboard_wire::frame::{AskFrame, Attempt};

use super::Engine;
use super::attempt::Came;
use crate::output::AttemptEvent;

/// How long the server is waited for. Longer answers more calls; shorter lets the caller go on earlier.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Attempts that were asked about, under the numbers of the questions.
#[derive(Debug, Default)]
pub(super) struct Questions(BTreeMap<Attempt, Attempt>);

impl Questions {
    /// The attempt that an answer is about: its own, where it was not asked.
    pub(super) fn answered(&mut self, wire: Attempt) -> Attempt {
        self.0.remove(&wire).unwrap_or(wire)
    }

    /// The number under which an attempt was asked about, if it was. It is not any more.
    pub(super) fn forget(&mut self, about: Attempt) -> Option<Attempt> {
        let wire = self.0.iter().find(|(_, asked)| **asked == about).map(|(wire, _)| *wire)?;
        self.0.remove(&wire);
        Some(wire)
    }
}

impl Engine {
    /// The session is over, and what became of these attempts is unknown.
    pub(super) fn lost(&mut self, now: Timestamp, unknown: &[Attempt], reason: &Lost) {
        for wire in unknown {
            if self.inner_lost(*wire, reason) {
                continue;
            }
            let attempt = self.questions.answered(*wire);
            let Some(under_way) = self.under_way.get_mut(&attempt) else { continue };
            let info = &self.methods[under_way.offer.request.method.position()].info;
            if info.once && *reason != Lost::WeLeft {
                let until = under_way.asking.unwrap_or(now + PATIENCE);
                under_way.asking = Some(until);
                continue;
            }
            self.give_up(now, attempt, reason);
        }
    }

    /// Asks a server about the attempts that its last session left unknown.
    pub(super) fn ask(&mut self, now: Timestamp, server: ServerIndex, instance: InstanceId) {
        let open = self
            .under_way
            .iter()
            .filter(|(_, under_way)| under_way.asking.is_some() && under_way.offer.server == server);
        let open: Vec<_> = open.map(|(attempt, under_way)| (*attempt, under_way.instance)).collect();
        for (attempt, asked) in open {
            let number = self.next_epoch(attempt);
            let question = AskFrame { attempt: number, about: attempt.call, inner: None };
            let session = self.servers[server.position()].session_mut();
            let sent = session.filter(|_| asked == Some(instance)).map(|session| session.ask(now, question));
            match sent {
                Some(Ok(())) => {
                    self.questions.0.insert(number, attempt);
                }
                // Another run of the server, or one that takes no questions: nobody knows.
                _ => self.give_up(now, attempt, &Lost::Connection),
            }
        }
    }

    /// When the next unknown attempt has been waited for long enough.
    pub(super) fn patience(&self) -> Option<Timestamp> {
        self.under_way.values().filter_map(|under_way| under_way.asking).min()
    }

    /// Lets the callers of unknown attempts go on whose server did not come back in time.
    pub(super) fn lose_patience(&mut self, now: Timestamp) {
        if self.patience().is_none_or(|until| now < until) {
            return;
        }
        let over =
            self.under_way.iter().filter(|(_, under_way)| under_way.asking.is_some_and(|until| until <= now));
        let over: Vec<_> = over.map(|(attempt, _)| *attempt).collect();
        for attempt in over {
            if let Some(wire) = self.questions.forget(attempt) {
                let server = self.under_way[&attempt].offer.server.position();
                if let Some(session) = self.servers[server].session_mut() {
                    session.fence(now, wire);
                    self.pump(now, server);
                }
            }
            self.give_up(now, attempt, &Lost::Silence);
        }
    }

    /// Lets the callers of all unknown attempts go on: the app leaves.
    pub(super) fn stop_asking(&mut self, now: Timestamp) {
        let asking = self.under_way.iter().filter(|(_, under_way)| under_way.asking.is_some());
        let asking: Vec<_> = asking.map(|(attempt, _)| *attempt).collect();
        for attempt in asking {
            self.questions.forget(attempt);
            self.give_up(now, attempt, &Lost::WeLeft);
        }
    }

    fn give_up(&mut self, now: Timestamp, attempt: Attempt, reason: &Lost) {
        let Some(under_way) = self.under_way.remove(&attempt) else { return };
        self.methods[under_way.offer.request.method.position()].counts.failed += 1;
        self.settle(now, &under_way, Came::ToNothing(now.since(under_way.sent)));
        self.deliver(attempt, AttemptEvent::Lost(reason.clone()));
    }

    /// A number of the same call that was not used before.
    fn next_epoch(&self, attempt: Attempt) -> Attempt {
        let asked =
            self.questions.0.keys().filter(|wire| wire.call == attempt.call).map(|wire| wire.epoch).max();
        Attempt { epoch: asked.unwrap_or(attempt.epoch).next(), ..attempt }
    }
}
