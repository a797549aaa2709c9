//! A question for a call that may run once only, as the run that asks holds it.

use std::sync::Arc;

use outboard_client_proxy::{AbandonReason, AttemptEvent, Question};
use outboard_wire::frame::Attempt;

use super::Device;
use crate::mailbox::{Mail, Mailbox};

/// A question that was put to a server. Dropped before its answer, it is taken back.
pub(crate) struct Asking {
    device: Arc<Device>,
    attempt: Attempt,
    mailbox: Arc<Mailbox>,
}

impl Device {
    /// Asks what became of a call. The engine answers in its own time where nobody else does.
    pub(crate) fn ask(self: &Arc<Self>, question: Question) -> Asking {
        let mailbox = Arc::new(Mailbox::default());
        let mut core = self.lock();
        let attempt = core.engine.ask_inner(self.clock.now(), question);
        // Before the outputs: the answer may be among them.
        core.mailboxes.insert(attempt, Arc::clone(&mailbox));
        self.drain(&mut core);
        drop(core);
        Asking { device: Arc::clone(self), attempt, mailbox }
    }
}

impl Asking {
    /// Blocks until there is an answer.
    pub(crate) fn wait(&self) -> Option<AttemptEvent> {
        event(self.mailbox.wait(None))
    }

    /// Waits until there is an answer.
    pub(crate) async fn next(&self) -> Option<AttemptEvent> {
        event(self.mailbox.next().await)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.device.with(|engine, now| engine.abandon(now, self.attempt, AbandonReason::Cancelled));
        self.device.lock().mailboxes.remove(&self.attempt);
    }
}

fn event(mail: Mail) -> Option<AttemptEvent> {
    match mail {
        Mail::Event(event) => Some(event),
        Mail::BoundPassed | Mail::Hedged(_) => None,
    }
}
