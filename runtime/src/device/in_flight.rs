//! An attempt between its departure and its end, as the call that waits for it holds it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outboard_client_proxy::{AbandonReason, Rerun as Outcome};
use outboard_core::{InstanceId, ServerIndex};
use outboard_wire::frame::Attempt;

use super::Device;
use crate::clock;
use crate::mailbox::{Mail, Mailbox};
use crate::method::Method;
use crate::once::Root;
use crate::outside::Alarm;

/// An attempt that was sent. Dropped before its end, it is given up.
pub(crate) struct InFlight {
    device: Arc<Device>,
    method: &'static Method,
    attempt: Attempt,
    mailbox: Arc<Mailbox>,
    bound: Option<Instant>,
    alarm: Option<Alarm>,
    open: bool,
    /// The server that has it, and the run of it.
    sent_to: Option<(ServerIndex, InstanceId)>,
}

impl InFlight {
    pub(super) fn new(
        device: Arc<Device>,
        method: &'static Method,
        attempt: Attempt,
        mailbox: Arc<Mailbox>,
        bound: Option<Instant>,
    ) -> Self {
        Self { device, method, attempt, mailbox, bound, alarm: None, open: true, sent_to: None }
    }

    pub(super) fn sent_to(mut self, sent_to: Option<(ServerIndex, InstanceId)>) -> Self {
        self.sent_to = sent_to;
        self
    }

    /// The root that the call is, where it is not a part of another one.
    pub(crate) fn root(&self) -> Arc<Root> {
        Root::new(Arc::clone(&self.device), self.attempt.call, self.sent_to)
    }

    pub(crate) fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// When the attempt is given up.
    pub(crate) fn bound(&self) -> Option<Instant> {
        self.bound
    }

    /// Blocks until something becomes of the attempt.
    pub(crate) fn wait(&self) -> Mail {
        self.mailbox.wait(self.bound)
    }

    /// Sets the alarm that ends an async wait.
    pub(crate) fn arm(&mut self) {
        let Some(bound) = self.bound else { return };
        let mailbox = Arc::clone(&self.mailbox);
        self.alarm = Some(self.device.outside.alarm(bound, mailbox));
    }

    /// A call-back was served on the device for so long, which is no time of the server's.
    pub(crate) fn served(&mut self, time: Duration) {
        self.bound = self.bound.and_then(|bound| bound.checked_add(time));
        self.rearm();
    }

    /// The bound may have been put off since the alarm was set. Says whether it has not passed.
    pub(crate) fn put_off(&mut self) -> bool {
        let early = self.bound.is_some_and(|bound| clock::now() < bound);
        if early {
            self.rearm();
        }
        early
    }

    fn rearm(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            alarm.abort();
            self.arm();
        }
    }

    /// Whether an async wait would end by itself.
    pub(crate) fn is_armed(&self) -> bool {
        self.alarm.is_some()
    }

    /// Waits until something becomes of the attempt.
    pub(crate) async fn next(&self) -> Mail {
        self.mailbox.next().await
    }

    /// Gives the attempt up.
    pub(crate) fn abandon(&mut self, reason: AbandonReason) {
        if std::mem::take(&mut self.open) {
            tracing::debug!(attempt = %self.attempt, ?reason, "given up");
            self.device.with(|engine, now| engine.abandon(now, self.attempt, reason));
        }
    }

    /// Where what becomes of it is put.
    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Its bound has passed, and it goes on.
    pub(crate) fn unbound(&mut self) {
        self.bound = None;
    }

    /// The device was done first, after so long.
    pub(crate) fn hedge_won(&mut self, ran: Duration) {
        if self.open {
            return self.abandon(AbandonReason::Hedged(ran));
        }
        let Some(index) = self.method.index() else { return };
        self.device.with(|engine, _| engine.hedge_stood_in(index));
    }

    /// Its reply was committed.
    pub(crate) fn committed(&mut self) {
        self.open = false;
        self.device.with(|engine, now| engine.committed(now, self.attempt));
    }

    /// It ended without a reply.
    pub(crate) fn ended(&mut self) {
        self.open = false;
    }

    /// What follows the attempt on the device.
    pub(crate) fn rerun(&self) -> Rerun {
        Rerun { device: Arc::clone(&self.device), method: self.method, ended: false }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.abandon(AbandonReason::Cancelled);
        if let Some(alarm) = self.alarm.take() {
            alarm.abort();
        }
        self.device.lock().mailboxes.remove(&self.attempt);
    }
}

/// A run on the device that follows a failed attempt. Dropped without [`ended`](Rerun::ended), it was cancelled, which
/// says nothing.
pub(crate) struct Rerun {
    device: Arc<Device>,
    method: &'static Method,
    ended: bool,
}

impl Rerun {
    /// The run has ended: it returned, or is unwinding.
    pub(crate) fn ended(mut self) {
        self.ended = true;
        self.tell(if std::thread::panicking() { Outcome::Panicked } else { Outcome::Returned });
    }

    fn tell(&self, outcome: Outcome) {
        let Some(index) = self.method.index() else { return };
        self.device.with(|engine, now| engine.reran(now, index, outcome));
    }
}

impl Drop for Rerun {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(Outcome::Cancelled);
        }
    }
}

impl std::fmt::Debug for Rerun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rerun").field(&self.method.descriptor().title()).finish()
    }
}
