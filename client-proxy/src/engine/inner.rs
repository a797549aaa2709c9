//! What became of a call that may run once only and that remote code made, within a call that is being run again.
//!
//! The run here comes to the same place and asks: that very run of the server, over the session that is open or over the
//! next one. The attempt that made the call was fenced before, so that nothing more begins there.

use std::collections::BTreeMap;

use outboard_core::{CallId, Epoch, InstanceId, ServerIndex, Timestamp};
use outboard_wire::Lost;
use outboard_wire::frame::{AskFrame, Attempt, Inner};

use super::Engine;
use super::unknown::PATIENCE;
use crate::output::AttemptEvent;
use crate::server::Link;

/// Names a call that may run once only, within one that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Where the call within which it was made had been sent.
    pub server: ServerIndex,
    /// That run of the server: another one knows nothing.
    pub instance: InstanceId,
    /// The root that counts it.
    pub root: CallId,
    /// Which of the root's it is.
    pub inner: Inner,
}

/// The questions that are open.
#[derive(Debug, Default)]
pub(super) struct Open(BTreeMap<Attempt, Asking>);

#[derive(Debug)]
struct Asking {
    question: Question,
    until: Timestamp,
    /// Whether it is on its way in the session that is open.
    sent: bool,
}

impl Open {
    /// A question has been answered. Whether it was one of these.
    pub(super) fn answered(&mut self, attempt: Attempt) -> bool {
        self.0.remove(&attempt).is_some()
    }

    /// When the next one has been open for long enough.
    pub(super) fn patience(&self) -> Option<Timestamp> {
        self.0.values().map(|asking| asking.until).min()
    }

    pub(super) fn any_to(&self, position: usize) -> bool {
        self.0.values().any(|asking| asking.question.server.position() == position)
    }
}

impl Engine {
    /// Asks. The answer is delivered to the attempt that is given back: the reply that was; the failure that was, of which
    /// one that [never started](outboard_wire::frame::Failure::never_started) says that the call never will either; or
    /// *lost*, when nobody can be asked in time. [`abandon`](Self::abandon) takes the question back.
    pub fn ask_inner(&mut self, now: Timestamp, question: Question) -> Attempt {
        let attempt = Attempt { call: CallId(self.next_call), epoch: Epoch::FIRST };
        self.next_call += 1;
        self.inner.0.insert(attempt, Asking { question, until: now + PATIENCE, sent: false });
        self.ask_inner_now(now, question.server.position());
        attempt
    }

    /// The server and the run of it that an attempt was sent to.
    pub fn whereabouts(&self, attempt: Attempt) -> Option<(ServerIndex, InstanceId)> {
        let under_way = self.under_way.get(&attempt)?;
        Some((under_way.offer.server, under_way.instance?))
    }

    /// The run of a server that it was attached to last.
    pub fn instance(&self, server: ServerIndex) -> Option<InstanceId> {
        self.servers.get(server.position())?.instance
    }

    /// Sends what is open to a server, if it can be asked.
    pub(super) fn ask_inner_now(&mut self, now: Timestamp, position: usize) {
        let open = self
            .inner
            .0
            .iter()
            .filter(|(_, asking)| !asking.sent && asking.question.server.position() == position);
        let open: Vec<_> = open.map(|(attempt, asking)| (*attempt, asking.question)).collect();
        for (attempt, question) in open {
            let Some(server) = self.servers.get_mut(position) else {
                self.nobody_knows(attempt, Lost::Connection);
                continue;
            };
            match &server.link {
                Link::Closed => {
                    self.nobody_knows(attempt, Lost::WeLeft);
                    continue;
                }
                // The last welcome is of an earlier session while a greeting is under way.
                Link::Up(_) if server.attached_at.is_some() => {}
                Link::Up(_) | Link::Connecting { .. } | Link::Down { .. } => continue,
            }
            let frame = AskFrame { attempt, about: question.root, inner: Some(question.inner) };
            let knows = server.instance == Some(question.instance);
            let session = server.session_mut().filter(|_| knows);
            if session.is_none_or(|session| session.ask(now, frame).is_err()) {
                // Another run of the server, or one that takes no questions.
                self.nobody_knows(attempt, Lost::Connection);
                continue;
            }
            if let Some(asking) = self.inner.0.get_mut(&attempt) {
                asking.sent = true;
            }
        }
        self.pump(now, position);
    }

    /// The session is over. Whether this was a question, which waits for the next session.
    pub(super) fn inner_lost(&mut self, attempt: Attempt, reason: &Lost) -> bool {
        let Some(asking) = self.inner.0.get_mut(&attempt) else { return false };
        asking.sent = false;
        if *reason == Lost::WeLeft {
            self.nobody_knows(attempt, Lost::WeLeft);
        }
        true
    }

    /// Takes a question back. Whether it was one.
    pub(super) fn withdraw_inner(&mut self, now: Timestamp, attempt: Attempt) -> bool {
        let Some(asking) = self.inner.0.remove(&attempt) else { return false };
        self.fence_inner(now, attempt, &asking);
        true
    }

    /// Answers the questions that were open for long enough.
    pub(super) fn lose_inner_patience(&mut self, now: Timestamp) {
        let over = self.inner.0.iter().filter(|(_, asking)| asking.until <= now);
        let over: Vec<_> = over.map(|(attempt, _)| *attempt).collect();
        for attempt in over {
            if let Some(asking) = self.inner.0.remove(&attempt) {
                self.fence_inner(now, attempt, &asking);
                self.deliver(attempt, AttemptEvent::Lost(Lost::Silence));
            }
        }
    }

    /// Answers all questions: the app leaves.
    pub(super) fn stop_asking_inner(&mut self) {
        let all: Vec<_> = self.inner.0.keys().copied().collect();
        all.into_iter().for_each(|attempt| self.nobody_knows(attempt, Lost::WeLeft));
    }

    fn nobody_knows(&mut self, attempt: Attempt, reason: Lost) {
        self.inner.0.remove(&attempt);
        self.deliver(attempt, AttemptEvent::Lost(reason));
    }

    fn fence_inner(&mut self, now: Timestamp, attempt: Attempt, asking: &Asking) {
        let position = asking.question.server.position();
        if let Some(session) = self.servers.get_mut(position).and_then(|server| server.session_mut()) {
            session.fence(now, attempt);
            self.pump(now, position);
        }
    }
}
