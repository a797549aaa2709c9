//! Running a call on a thread of the server.

use std::sync::{Arc, Weak};

use outboard_server_proxy::kept::{Begin, OnceId, Outcome};
use outboard_server_proxy::{Connection, InnerCall, Reply};
use outboard_wire::frame::{Attempt, BackFrame, Failure, NotRun, ServerCost};

use super::Shared;
use super::queued::Queued;
use super::versions::Terms;
use crate::context::Ground;
use crate::once::Counter;
use crate::server_call::{self, ServerCall};
use crate::shim::{Incoming, ShimFrame};

impl Shared {
    /// Gives a call a thread of its own.
    pub(super) fn run(self: &Arc<Self>, connection: Connection, attempt: Attempt, queued: Arc<Queued>) {
        if let Err(error) = self.executor.run(self.job(connection, attempt, queued)) {
            tracing::error!(%error, "no thread for a call");
            self.lock().queued.remove(&(connection, attempt));
            self.fail(connection, attempt, Failure::NotRun(NotRun::Busy));
        }
    }

    /// What a thread does for a call.
    pub(super) fn job(
        self: &Arc<Self>,
        connection: Connection,
        attempt: Attempt,
        queued: Arc<Queued>,
    ) -> Box<dyn FnOnce() + Send> {
        let host = Arc::clone(self);
        Box::new(move || host.work(connection, attempt, &queued))
    }

    /// Runs a call, on this thread.
    fn work(self: &Arc<Self>, connection: Connection, attempt: Attempt, queued: &Queued) {
        // Waits for a core; the device may let go of the call meanwhile, and knows then what became of it.
        let Some(permit) = self.executor.permits.acquire_unless(|| queued.is_let_go()) else { return };
        let Some((call, arrived)) = queued.take() else { return };
        let method = {
            let mut core = self.lock();
            core.queued.remove(&(connection, attempt));
            core.methods.get(&call.method).copied()
        };
        let Some(method) = method else {
            return self.fail(connection, attempt, Failure::NotRun(NotRun::Method));
        };
        let span = tracing::debug_span!("call", %connection, %attempt, method = method.descriptor().title());
        let _entered = span.enter();
        let session = Box::new(Way { shared: Arc::downgrade(self), connection });
        let terms = Terms { result_base: call.result_base, reply_rate: call.reply_rate, forget: call.forget };
        let carried = match self.versions.arrive(connection, attempt, call.slots, &terms) {
            Ok(carried) => Arc::new(carried),
            Err(why) => return self.fail(connection, attempt, Failure::NotRun(why)),
        };
        let incoming = carried.images().map(|image| Incoming { image, lent: None }).collect();
        let counter = (!method.descriptor().once).then(|| Counter::new(attempt.call, call.root));
        let server_call =
            ServerCall::new(attempt, counter, call.on_device, Arc::clone(&carried), session, permit);
        let checked = {
            let mut core = self.lock();
            core.calls.insert((connection, attempt), Arc::downgrade(&server_call));
            core.is_checked(method)
        };
        let queued = self.clock.now().since(arrived);
        let frame =
            ShimFrame::new(method, incoming, self.depth, Ground::Server(Arc::clone(&server_call)), checked);
        let executed = frame.execute();
        let ran = server_call.ran();
        self.lock().calls.remove(&(connection, attempt));
        // The core is free before the reply goes out: the next call need not wait for it.
        server_call.end();
        match executed {
            Ok(given) => {
                tracing::debug!(?ran, "returned");
                let cost = ServerCost { queued, ran: ran.ran, called_back: ran.called_back };
                let (result, exclusive) =
                    self.versions.leave(connection, attempt, method, &carried, given, &terms);
                let onces = server_call.counter.as_ref().map_or(0, |counter| counter.count());
                let reply = Reply { attempt, result, exclusive, onces, cost };
                self.with(|engine, now| engine.reply(now, connection, reply));
            }
            Err(error) => {
                tracing::debug!(%error, "ended without a reply");
                self.fail(connection, attempt, error.into_failure());
            }
        }
    }
}

/// The way of one call to its session.
struct Way {
    shared: Weak<Shared>,
    connection: Connection,
}

impl server_call::Session for Way {
    fn start(&self, attempt: Attempt, once: bool) -> Result<(), NotRun> {
        let host = self.shared.upgrade().ok_or(NotRun::Draining)?;
        host.with(|engine, now| match once {
            true => engine.start_once(now, self.connection, attempt),
            false => engine.start(now, self.connection, attempt),
        })
    }

    fn begin_once(&self, attempt: Attempt, call: InnerCall) -> Begin {
        let Some(host) = self.shared.upgrade() else { return Begin::Refused(NotRun::Draining) };
        host.with(|engine, now| engine.begin_inner(now, self.connection, attempt, call))
    }

    fn end_once(&self, id: OnceId, outcome: Outcome) {
        if let Some(host) = self.shared.upgrade() {
            host.with(|engine, now| engine.end_inner(now, id, outcome));
        }
    }

    fn call_back(&self, back: BackFrame) -> Result<(), String> {
        let host = self.shared.upgrade().ok_or("the server has stopped")?;
        host.with(|engine, now| engine.called_back(now, self.connection, back))
            .map_err(|error| error.to_string())
    }

    fn resumed(&self, attempt: Attempt) {
        if let Some(host) = self.shared.upgrade() {
            host.with(|engine, now| engine.resumed(now, self.connection, attempt));
        }
    }
}
