//! The device's side at run time: the engine behind a lock, and everything around it that is not pure.
//!
//! Calling threads come in here to decide, depart and settle; the driver's thread comes in with frames and time. Both
//! hold the lock for a few microseconds, drain the engine's outputs before they leave, and wait for nothing inside.

mod asking;
mod beliefs;
mod in_flight;
mod paths;
mod words;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use outboard_client_proxy::{Cargo, Decision, Engine, LocalReason, Notice, Offer, Output, Report, Request};
use outboard_core::{ByteCount, MethodId, Plan, ServerIndex, Timestamp};
use outboard_profiler::Snapshot;
use outboard_transport::{SendError, ServerAddress};
use outboard_wire::Limits;
use outboard_wire::codec::EncodeError;
use outboard_wire::frame::{AnswerFrame, Attempt, SlotImage};

use crate::clock::{self, Clock};
use crate::context::{self, InEngine};
use crate::driver::Work;
use crate::hedge::Hedges;
use crate::mailbox::Mailbox;
use crate::method::Method;
use crate::offer;
use crate::once::Part;
use crate::outside::{Outside, Way};
use crate::registry::{self, Tenancy};
use crate::stack::Batch;
pub(crate) use asking::Asking;
pub(crate) use beliefs::{Beliefs, Seat, SessionNumber};
pub(crate) use in_flight::{InFlight, Rerun};
pub(crate) use words::server_settings;
use words::{method_info, word_of};

/// A device: one app's engine and its way out.
pub(crate) struct Device {
    core: Mutex<Core>,
    /// Links that there ever were.
    linked: AtomicU64,
    clock: Clock,
    tenancy: Tenancy,
    /// Deepest nesting that is decoded of a reply.
    depth: u16,
    /// Most bytes that a slot of a reply may have.
    most: ByteCount,
    /// What the servers have.
    pub(crate) beliefs: Beliefs,
    pub(crate) outside: Outside,
    pub(crate) hedges: Hedges,
}

/// What the driver does for the engine.
#[derive(Debug)]
pub(crate) enum Command {
    /// Connect to a server.
    Connect(ServerIndex, Box<ServerAddress>),
    /// Stop.
    Stop,
}

/// Tells the links to one server apart: what comes late of one that was given up is not of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkNumber(u64);

impl LinkNumber {
    /// Of a stage, which numbers its links itself.
    pub(crate) fn staged(number: u64) -> Self {
        Self(number)
    }
}

struct Core {
    engine: Engine,
    /// How many of the registry's methods the engine knows.
    known: usize,
    links: Vec<Option<(LinkNumber, Way)>>,
    mailboxes: BTreeMap<Attempt, Arc<Mailbox>>,
    /// What the driver's timer is set to.
    armed: Option<Timestamp>,
    /// Tasks to be woken when the lock is free.
    wakers: Vec<Waker>,
}

impl Device {
    pub(crate) fn new(
        engine: Engine,
        servers: usize,
        clock: Clock,
        tenancy: Tenancy,
        (limits, bases): (Limits, ByteCount),
        outside: Outside,
        hedges: Hedges,
    ) -> Arc<Self> {
        let links = (0..servers).map(|_| None).collect();
        let core =
            Core { engine, known: 0, links, mailboxes: BTreeMap::new(), armed: None, wakers: Vec::new() };
        let device = Arc::new(Self {
            core: Mutex::new(core),
            linked: AtomicU64::new(0),
            clock,
            tenancy,
            depth: limits.depth,
            most: ByteCount::from_bytes(limits.frame_bytes.into()),
            beliefs: Beliefs::new(beliefs::bounds(bases)),
            outside,
            hedges,
        });
        device.with(|_, _| ());
        device
    }

    pub(crate) fn depth(&self) -> u16 {
        self.depth
    }

    pub(crate) fn most(&self) -> ByteCount {
        self.most
    }

    /// The process belongs to others from now on.
    pub(crate) fn leave(&self) {
        self.tenancy.leave();
    }

    /// When the driver's timer is to go off; it is taken as set to that.
    pub(crate) fn arm(&self) -> Option<Instant> {
        let mut core = self.lock();
        core.armed = core.engine.timeout();
        core.armed.map(|at| self.clock.at(at))
    }

    /// When the engine wants to be woken.
    pub(crate) fn timeout(&self) -> Option<Timestamp> {
        self.lock().engine.timeout()
    }

    /// Does something with the engine, and carries out what it then wants.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        let mut core = self.lock();
        let now = self.clock.now();
        core.learn_methods(now);
        let result = act(&mut core.engine, now);
        self.drain(&mut core);
        result
    }

    /// Where a call runs; and, if that is here, whether its slots are to be encoded all the same, to know their size.
    pub(crate) fn decide(&self, request: &Request) -> (Decision, bool) {
        let mut core = self.lock();
        let now = self.clock.now();
        core.learn_methods(now);
        let decision = core.engine.decide(now, request);
        let sized = matches!(decision, Decision::Local(_)) && core.engine.wants_size(now, request.method);
        self.drain(&mut core);
        (decision, sized)
    }

    /// Why a call runs where it was decided to.
    pub(crate) fn explain(&self, request: &Request, decision: &Decision) -> String {
        let core = self.lock();
        core.engine.explain(self.clock.now(), request, decision)
    }

    /// The size of a call's slots; `returning` is the part of those that come back.
    pub(crate) fn sized(&self, request: &Request, size: ByteCount, returning: ByteCount) {
        self.with(|engine, now| engine.sized(now, request, size, returning));
    }

    /// The slots of a call could not be encoded.
    pub(crate) fn not_encoded(
        &self,
        method: &'static Method,
        offer: &Offer,
        error: &EncodeError,
    ) -> LocalReason {
        self.with(|engine, now| match error {
            EncodeError::OverBudget { .. } => engine.over_budget(now, offer),
            EncodeError::Locked => engine.locked(offer),
            error => {
                tracing::warn!(method = method.descriptor().title(), %error, "a slot cannot be encoded");
                engine.unencodable(now, offer)
            }
        })
    }

    /// Sends a call, if the offer stands with its slots as they are.
    pub(crate) fn depart(
        self: &Arc<Self>,
        method: &'static Method,
        mut offer: Offer,
        cargo: Cargo,
        part: Option<&Part>,
    ) -> Result<InFlight, LocalReason> {
        let size = cargo.slots.iter().map(SlotImage::size).sum();
        let mut core = self.lock();
        let now = self.clock.now();
        if part.is_some_and(|part| !part.may_go_to(offer.server, core.engine.instance(offer.server))) {
            return Err(LocalReason::NotAttached);
        }
        core.engine.confirm(now, &mut offer, size)?;
        let attempt = core.engine.attempt(now, &offer, cargo)?;
        let sent_to = core.engine.whereabouts(attempt);
        let mailbox = Arc::new(Mailbox::default());
        // Before the outputs: what becomes of the attempt may be among them.
        core.mailboxes.insert(attempt, Arc::clone(&mailbox));
        self.drain(&mut core);
        drop(core);
        let bound = offer.bound.and_then(|bound| clock::now().checked_add(bound));
        tracing::debug!(method = method.descriptor().title(), %attempt, ?bound, "departed");
        Ok(InFlight::new(Arc::clone(self), method, attempt, mailbox, bound).sent_to(sent_to))
    }

    /// Answers a call-back.
    pub(crate) fn answer(&self, answer: AnswerFrame) {
        if let Err(error) = self.with(|engine, now| engine.answer(now, answer)) {
            tracing::debug!(%error, "an answer was not sent");
        }
    }

    /// The method of this process with an id.
    pub(crate) fn method(&self, id: MethodId) -> Option<&'static Method> {
        registry::method_at(self.lock().engine.method_index(id)?)
    }

    /// A server that can be used from now on.
    pub(crate) fn attach(&self, address: ServerAddress) {
        let mut core = self.lock();
        let Some(system) = self.outside.system() else { return };
        let settings = server_settings(&address);
        system.addresses.lock().unwrap_or_else(PoisonError::into_inner).push(address);
        core.links.push(None);
        core.learn_methods(self.clock.now());
        core.engine.add_server(self.clock.now(), settings);
        self.drain(&mut core);
        let _ = system.work.send(Work::Measure);
    }

    pub(crate) fn report(&self) -> Report {
        merge(self, crate::stack::take_batch());
        self.with(|engine, now| engine.report(now))
    }

    /// What was learned in this run, what this thread has counted included.
    pub(crate) fn snapshot(&self, device: &str) -> Snapshot {
        merge(self, crate::stack::take_batch());
        self.with(|engine, _| engine.snapshot(device))
    }

    pub(crate) fn plan(&self, plan: Plan) {
        self.with(|engine, now| engine.plan(now, plan));
    }

    /// The connection to a server is there.
    pub(crate) fn link_up(
        &self,
        server: ServerIndex,
        way: Way,
        round_trip: std::time::Duration,
    ) -> LinkNumber {
        let number = LinkNumber(self.linked.fetch_add(1, Ordering::Relaxed));
        self.link_up_as(number, server, way, round_trip);
        number
    }

    /// The same with a number that the caller gives.
    pub(crate) fn link_up_as(
        &self,
        number: LinkNumber,
        server: ServerIndex,
        way: Way,
        round_trip: std::time::Duration,
    ) {
        let mut core = self.lock();
        if let Some(link) = core.links.get_mut(server.position()) {
            *link = Some((number, way));
        }
        self.beliefs.reset(server);
        core.learn_methods(self.clock.now());
        core.engine.link_up(self.clock.now(), server, Some(round_trip));
        self.drain(&mut core);
    }

    /// The links that are there.
    pub(crate) fn links(&self) -> Vec<(ServerIndex, LinkNumber, Way)> {
        let core = self.lock();
        let links = (0..).zip(&core.links);
        links
            .filter_map(|(server, link)| link.clone().map(|(number, way)| (ServerIndex(server), number, way)))
            .collect()
    }

    /// A frame came from a server.
    pub(crate) fn received(&self, server: ServerIndex, link: LinkNumber, frame: &[u8]) {
        let mut core = self.lock();
        if core.is_current(server, link) {
            let now = self.clock.now();
            // First: with the reply the call that made a queue is over for the engine, and its queue is not yet.
            core.look_at_path(now, server);
            core.engine.handle_frame(now, server, frame);
            self.drain(&mut core);
        }
    }

    /// The connection to a server broke.
    pub(crate) fn link_lost(&self, server: ServerIndex, link: LinkNumber) {
        let mut core = self.lock();
        if core.is_current(server, link) {
            core.links[server.position()] = None;
            self.beliefs.reset(server);
            core.engine.link_lost(self.clock.now(), server);
            self.drain(&mut core);
            self.outside.sessions_changed();
        }
    }

    /// Carries the engine's outputs out. None of it waits.
    fn drain(&self, core: &mut Core) {
        while let Some(output) = core.engine.poll() {
            match output {
                Output::Connect { server } => self.outside.connect(server),
                Output::Transmit { server, lane, bytes } => {
                    let sent = match &core.links[server.position()] {
                        Some((_, link)) => link.send(lane, bytes),
                        None => continue,
                    };
                    if let Err(error @ (SendError::Full { .. } | SendError::TooLarge { .. })) = sent {
                        // The session counts on what it sent: without this frame it is over, and its end closes the link.
                        tracing::warn!(%error, "a frame was not sent; the session ends");
                        core.engine.link_lost(self.clock.now(), server);
                    }
                }
                Output::Disconnect { server, reason } => {
                    self.beliefs.reset(server);
                    if let Some((_, link)) = core.links[server.position()].take() {
                        self.outside.close(link, reason);
                    }
                    self.outside.sessions_changed();
                }
                Output::Deliver { attempt, event } => {
                    let waker = core.mailboxes.get(&attempt).and_then(|mailbox| mailbox.deliver(event));
                    core.wakers.extend(waker);
                }
                Output::Replan(problem) => self.outside.solve(problem),
                Output::Word { method, word } => self.tenancy.publish(method, word_of(word)),
                Output::Notice(notice) => {
                    if matches!(notice, Notice::Attached { .. }) {
                        self.outside.sessions_changed();
                    }
                    log(&notice);
                }
                _ => {}
            }
        }
        // Waking the driver costs a call several microseconds: only for a timer that is to go off earlier. One that is
        // to go off later is set again when it does.
        let due = core.engine.timeout();
        if due.is_some_and(|due| core.armed.is_none_or(|armed| due < armed)) {
            core.armed = due;
            self.outside.rearm();
        }
    }

    fn lock(&self) -> Held<'_> {
        // The engine keeps its own invariants; a panic elsewhere under the lock must not stop every call.
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        Held(Some((core, context::enter_engine())))
    }
}

/// The core, locked. Present until the guard is dropped.
struct Held<'a>(Option<(MutexGuard<'a, Core>, InEngine)>);

impl Deref for Held<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.0.as_ref().expect("the core is there until the guard is dropped").0
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        &mut self.0.as_mut().expect("the core is there until the guard is dropped").0
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let wakers = std::mem::take(&mut self.wakers);
        self.0 = None;
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Core {
    fn is_current(&self, server: ServerIndex, link: LinkNumber) -> bool {
        let current = self.links.get(server.position()).and_then(Option::as_ref);
        current.is_some_and(|(number, _)| *number == link)
    }

    /// Tells the engine of methods that were registered since the last time, in the registry's order.
    fn learn_methods(&mut self, now: Timestamp) {
        if registry::count() == self.known {
            return;
        }
        for method in registry::methods_from(self.known) {
            let offered = offer::of(method);
            let index = self.engine.register(now, method_info(method, &offered));
            debug_assert_eq!(index.position(), self.known, "engine and registry count alike");
            self.known += 1;
        }
    }
}

/// A thread hands over what it counted, to the runtime that its calls belong to.
pub(crate) fn hand_over(batch: Batch) {
    if let Some(device) = context::device() {
        merge(&device, batch);
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Device")
    }
}

fn merge(device: &Device, batch: Batch) {
    let calls = batch.into_local_calls();
    if !calls.is_empty() {
        device.with(|engine, now| engine.merge(now, &calls));
    }
}

/// Tells people. Here, since the log names the module that speaks.
fn log(notice: &Notice) {
    match notice {
        Notice::Attached { server } => tracing::info!(server, "attached"),
        Notice::Trouble { server, reason } => tracing::warn!(server, reason, "the server cannot be used now"),
        Notice::Silent { server } => tracing::warn!(server, "the server has fallen silent"),
        Notice::Heard { server } => tracing::info!(server, "the server is heard again"),
        Notice::TakenBack { method, reason } => {
            tracing::warn!(method, reason, "taken back to the device");
        }
        Notice::NotOffered { server, method, reason } => {
            tracing::warn!(server, method, reason, "runs on the device");
        }
        notice => tracing::warn!(?notice, "notice"),
    }
}

#[cfg(test)]
mod tests;
