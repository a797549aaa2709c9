//! Calls that may run once only: begun, ended, asked about.

use outboard_core::{CallId, Timestamp};
use outboard_wire::frame::{AskFrame, Attempt, Failure, Image, Inner, NotRun, ReplyFrame};

use super::Engine;
use crate::calls::Stage;
use crate::kept::{Answer, Asker, Begin, OnceId, Outcome, Owner, Returned};
use crate::{Connection, Reply};

/// A call that may run once only, within one that may run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InnerCall {
    /// Its root.
    pub root: CallId,
    /// Which one of the root's it is.
    pub inner: Inner,
    /// Whether an earlier run of the root may have been here: where the attempt is a part of another root.
    pub again: bool,
    /// Whether no call-back of the attempt is under way. Where one is, on another thread, both may count the same number,
    /// and nobody can say later what did not run.
    pub alone: bool,
}

impl Engine {
    /// A worker is about to run a method that may run once only: [`start`](Self::start), and what becomes of it is kept.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_once(
        &mut self,
        now: Timestamp,
        connection: Connection,
        attempt: Attempt,
    ) -> Result<(), NotRun> {
        self.start(now, connection, attempt)?;
        let owner = self.owner(connection).ok_or(NotRun::Fenced)?;
        match self.kept.begin(now, owner, attempt.call) {
            Begin::Now(id) => {
                self.calls.set_once(connection, attempt, id);
                Ok(())
            }
            Begin::Ended(_) => self.refuse(now, connection, attempt, NotRun::Fenced),
            Begin::Refused(why) => self.refuse(now, connection, attempt, why),
        }
    }

    /// The method of an attempt is about to call one that may run once only, the so-and-so-many-th of its root.
    ///
    /// After [`Begin::Now`] it is ended with [`end_inner`](Self::end_inner), whatever becomes of the attempt.
    pub fn begin_inner(
        &mut self,
        now: Timestamp,
        connection: Connection,
        attempt: Attempt,
        call: InnerCall,
    ) -> Begin {
        let runs = |stage| matches!(stage, Stage::Running | Stage::Waiting(_));
        let wanted = self.calls.get(connection, attempt).is_some_and(|call| call.wanted && runs(call.stage));
        let Some(owner) = self.owner(connection).filter(|_| wanted) else {
            return Begin::Refused(NotRun::Fenced);
        };
        if !call.alone {
            self.kept.doubt(owner, call.root);
        }
        self.kept.begin_inner(now, owner, call.root, call.inner, call.again)
    }

    /// It has ended.
    pub fn end_inner(&mut self, now: Timestamp, id: OnceId, outcome: Outcome) {
        self.keep(now, id, outcome);
    }

    /// A device asks what became of a call of an earlier session, or of this one.
    pub(super) fn asked(&mut self, now: Timestamp, connection: Connection, ask: &AskFrame) {
        let attempt = ask.attempt;
        let Some(owner) = self.owner(connection) else { return };
        // Before the answer: nothing of an older session may start any more.
        self.close_older(now, connection, owner);
        if ask.inner.is_none() {
            let queued = self
                .calls
                .of(connection)
                .filter(|(queued, call)| queued.call == ask.about && call.stage == Stage::Queued);
            let queued: Vec<Attempt> = queued.map(|(attempt, _)| attempt).collect();
            queued.into_iter().for_each(|attempt| self.withdraw(now, connection, attempt, NotRun::Fenced));
        }
        match self.kept.ask(now, owner, ask.about, ask.inner, (connection, attempt)) {
            Answer::Ended(outcome) => self.tell(now, (connection, attempt), outcome),
            Answer::Wait => {}
            Answer::NeverStarted => self.failed(now, connection, attempt, Failure::NotRun(NotRun::Fenced)),
            Answer::Forgotten => self.failed(now, connection, attempt, Failure::Forgotten),
        }
    }

    pub(super) fn keep_reply(&mut self, now: Timestamp, connection: Connection, reply: &Reply) {
        let Some(id) = self.calls.get(connection, reply.attempt).and_then(|call| call.once) else { return };
        let exclusive: Option<Vec<Image>> =
            reply.exclusive.iter().map(|image| image.whole().cloned()).collect();
        let outcome = match (reply.result.whole(), exclusive) {
            (Some(result), Some(exclusive)) => {
                Ok(Returned { result: result.clone(), exclusive, cost: reply.cost })
            }
            // What it is told by is known in this session only.
            _ => Err(Failure::Forgotten),
        };
        self.keep(now, id, outcome);
    }

    pub(super) fn keep_failure(
        &mut self,
        now: Timestamp,
        connection: Connection,
        attempt: Attempt,
        failure: &Failure,
    ) {
        if let Some(id) = self.calls.get(connection, attempt).and_then(|call| call.once) {
            self.keep(now, id, Err(failure.clone()));
        }
    }

    fn keep(&mut self, now: Timestamp, id: OnceId, outcome: Outcome) {
        for asker in self.kept.end(now, id, outcome.clone()) {
            self.tell(now, asker, outcome.clone());
        }
    }

    fn tell(&mut self, now: Timestamp, (connection, attempt): Asker, outcome: Outcome) {
        let load = self.load();
        match outcome {
            Err(failure) => self.failed(now, connection, attempt, failure),
            Ok(Returned { result, exclusive, cost }) => {
                let exclusive = exclusive.into_iter().map(Into::into).collect();
                let reply = ReplyFrame { attempt, result: result.into(), exclusive, onces: 0, cost, load };
                if let Some(peer) = self.peers.get_mut(&connection) {
                    peer.session.reply(now, reply);
                }
            }
        }
        self.pump(now, connection);
    }

    /// Ends a call that was started and must not run.
    fn refuse(
        &mut self,
        now: Timestamp,
        connection: Connection,
        attempt: Attempt,
        why: NotRun,
    ) -> Result<(), NotRun> {
        self.fail(now, connection, attempt, Failure::NotRun(why.clone()));
        Err(why)
    }

    fn owner(&self, connection: Connection) -> Option<Owner> {
        Some(self.peers.get(&connection)?.attached?.owner)
    }

    fn close_older(&mut self, now: Timestamp, connection: Connection, owner: Owner) {
        let Some(own) = self.peers.get(&connection).and_then(|peer| peer.attached) else { return };
        let older = self
            .attached()
            .filter(|(_, attached)| attached.owner == owner && attached.session < own.session)
            .map(|(connection, _)| connection);
        let older: Vec<Connection> = older.collect();
        older.into_iter().for_each(|connection| {
            self.drive(now, connection, |session| session.close(now));
        });
    }
}
