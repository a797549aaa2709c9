//! A call that leaves this thread: to a server, or from a server back to the device.
//!
//! Both ways share one path: the slots are encoded, something carries them away and brings a reply, and the reply is
//! staged, then committed. What can be decided without knowing the types of the slots is decided here; the rest is
//! behind [`Slots`] and [`Codec`].

mod back;
mod commit;
mod hedge;
mod next;
mod once;
mod told;
mod trip;

use std::sync::Arc;
use std::time::Instant;

use outboard_client_proxy::{Decision, LocalReason, Offer, Request};
use outboard_core::ByteCount;

use crate::device::{Device, Rerun};
use crate::error::CallError;
use crate::method::{Kind, Method, Passing};
use crate::once::Chain;
use crate::server_call::ServerCall;
use crate::support::{Allowance, Codec, Slots};
use crate::{clock, context, registry, stack, stage};

use commit::{encode, land};
pub(crate) use hedge::HedgeRan;
use once::Settled;
use trip::Trip;

/// Most bytes that are encoded only to know how many there are.
const MOST_SIZED: ByteCount = ByteCount::from_bytes(16 << 20);

/// Where a call goes, in short.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "what leaves is boxed right away, and what stays must not be")]
pub(crate) enum Go {
    /// It runs here, and nobody watches.
    Bare,
    /// It runs here.
    Here {
        /// Its fallback does, that is.
        wants_fallback: bool,
    },
    /// It goes elsewhere first.
    There(Plan),
}

/// How a call leaves.
pub(crate) enum Plan {
    /// To a server.
    Server(Arc<Device>, Offer),
    /// Back to the device, from within a server's call.
    Device(Arc<ServerCall>),
    /// It does not: its slots are only encoded, for somebody to know how large they are.
    Sized(Sizing),
    /// It may run only once, within a call that may run again.
    Once(once::Step),
    /// It cannot: the device cannot run it, and no server can now.
    Nowhere(String),
}

/// A call that runs here, and whose slots are encoded to know their size.
pub(crate) struct Sizing {
    device: Arc<Device>,
    request: Request,
    /// Why it runs here.
    reason: LocalReason,
    /// The device is told, and not only the stage that the call is on.
    told: bool,
}

/// A call that left and has no result.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The method's fallback is to stand in.
    pub(crate) wants_fallback: bool,
    /// What the caller is told, if the call must not run here.
    pub(crate) error: Option<CallError>,
    /// It did not run, and another server may run it.
    pub(crate) next: Option<Box<Offer>>,
    /// What the run here will say about the attempt.
    pub(crate) rerun: Option<Rerun>,
    /// The chain that the run here is in, where that is another one than its caller's.
    pub(crate) chain: Option<Option<Chain>>,
}

/// Decides where a call goes.
pub(crate) fn plan(method: &'static Method, work: Option<f64>) -> Go {
    let descriptor = method.descriptor();
    if context::is_in_engine() {
        return Go::Bare;
    }
    let index = registry::register(method);
    if let Some(call) = context::server_call() {
        call.gate();
        let own = context::take_bypass(method);
        let back = descriptor.kind == Kind::Device || call.is_on_device(method.id());
        if back && !own {
            return Go::There(Plan::Device(call));
        }
        return once::on_server(method, &call).unwrap_or(Go::Bare);
    }
    if let Some(hedging) = context::hedging() {
        hedging.gate(descriptor);
        return Go::Here { wants_fallback: false };
    }
    let Some(device) = context::device() else {
        if context::is_serving() {
            // A thread that a server's method spawned, most likely. What is not the device's business runs.
            // What may run only once would not be found again by a second run of that method.
            if descriptor.kind == Kind::Device || descriptor.once {
                stray(method);
            }
            return Go::Bare;
        }
        return match descriptor.remote_only {
            true => Go::There(Plan::Nowhere("no runtime was started".to_owned())),
            false => Go::Bare,
        };
    };
    let back = context::call_back();
    if let Some(back) = &back {
        back.gate();
    }
    if descriptor.kind == Kind::Device {
        return Go::Here { wants_fallback: false };
    }
    if let Some(go) = once::on_device(method, back.as_ref()) {
        return go;
    }
    let within = back.and_then(|back| back.attempt(&device));
    let request = Request { caller: stack::current(), work, within, ..Request::new(index) };
    let (decision, sized) = device.decide(&request);
    stage::explained(|| device.explain(&request, &decision));
    match decision {
        Decision::Remote(offer) => Go::There(Plan::Server(device, offer)),
        Decision::Local(reason) if sized || stage::wants_size() => {
            Go::There(Plan::Sized(Sizing { device, request, reason, told: sized }))
        }
        Decision::Local(reason) => Go::Here { wants_fallback: descriptor.fallback && is_away(reason) },
        Decision::Refused(reason) => Go::There(Plan::Nowhere(reason.to_string())),
    }
}

/// Carries a call out, elsewhere.
pub(crate) fn run<C: Codec>(
    method: &'static Method,
    plan: Plan,
    slots: &mut dyn Slots,
    codec: C,
) -> Result<C::Owned, Ended> {
    let (device, offer) = match plan {
        Plan::Server(device, offer) => (device, offer),
        Plan::Device(call) => return call_back(method, &call, slots, codec),
        Plan::Sized(sizing) => return Err(size(method, &sizing, slots)),
        Plan::Once(step) => match once::settle(method, step, slots, codec) {
            Settled::Done(done) => return done,
            Settled::Leaves(device, offer) => (device, offer),
        },
        Plan::Nowhere(reason) => return Err(nowhere(method, reason)),
    };
    let _away = Away::new();
    let _span = span(method).entered();
    let slots = Undone(slots);
    let mut next = offer;
    loop {
        let done = match Trip::depart(method, &device, next, slots.0) {
            Ok(trip) => make(trip, slots.0, codec),
            Err(ended) => Err(ended),
        };
        match done {
            Err(Ended { next: Some(offer), .. }) => next = *offer,
            done => return done,
        }
    }
}

/// Waits for what becomes of an attempt.
fn make<C: Codec>(mut trip: Trip<'_>, slots: &mut dyn Slots, codec: C) -> Result<C::Owned, Ended> {
    let _span = trip.span().entered();
    loop {
        let mail = trip.flight.wait();
        if let Some(done) = trip.handle(mail, slots, codec) {
            return done;
        }
    }
}

/// Carries an async call out, elsewhere.
pub(crate) async fn run_async<S: Slots, C: Codec>(
    method: &'static Method,
    plan: Plan,
    slots: &mut S,
    codec: C,
) -> Result<C::Owned, Ended> {
    let (device, offer) = match plan {
        Plan::Server(device, offer) => (device, offer),
        Plan::Device(call) => return call_back(method, &call, slots, codec),
        Plan::Sized(sizing) => return Err(size(method, &sizing, slots)),
        Plan::Once(step) => match once::settle_async(method, step, slots, codec).await {
            Settled::Done(done) => return done,
            Settled::Leaves(device, offer) => (device, offer),
        },
        Plan::Nowhere(reason) => return Err(nowhere(method, reason)),
    };
    let _away = Away::new();
    let slots = Undone(slots);
    let call = span(method);
    let mut next = offer;
    loop {
        let done = match call.in_scope(|| Trip::depart(method, &device, next, slots.0)) {
            Ok(trip) => {
                let attempt = call.in_scope(|| trip.span());
                make_async(trip, attempt, slots.0, codec).await
            }
            Err(ended) => Err(ended),
        };
        match done {
            Err(Ended { next: Some(offer), .. }) => next = *offer,
            done => return done,
        }
    }
}

/// Waits for what becomes of an attempt.
async fn make_async<S: Slots, C: Codec>(
    mut trip: Trip<'_>,
    attempt: tracing::Span,
    slots: &mut S,
    codec: C,
) -> Result<C::Owned, Ended> {
    trip.flight.arm();
    loop {
        let mail = trip.flight.next().await;
        if let Some(done) = attempt.in_scope(|| trip.handle(mail, slots, codec)) {
            return done;
        }
    }
}

/// Encodes a call's slots to know their size.
fn size(method: &'static Method, sizing: &Sizing, slots: &dyn Slots) -> Ended {
    let (size, returning) = match encode(slots, Allowance::whole(MOST_SIZED)) {
        Err(_) => (MOST_SIZED, ByteCount::ZERO),
        Ok((outgoing, _)) => {
            let passings = method.descriptor().slots.iter().map(|slot| slot.passing);
            // Behind the slots come the shared objects, which may all come back.
            let passings = passings.chain([Passing::Exclusive]);
            let sizes = outgoing.iter().map(|slot| slot.image.size());
            let returning = passings.zip(sizes.clone()).filter(|(passing, _)| *passing == Passing::Exclusive);
            (sizes.sum(), returning.map(|(_, size)| size).sum())
        }
    };
    stage::sized(size, returning);
    if sizing.told {
        sizing.device.sized(&sizing.request, size, returning);
    }
    let fallback = method.descriptor().fallback && is_away(sizing.reason);
    Ended { wants_fallback: fallback, ..Ended::default() }
}

/// Runs a method on the device of the outer call, and waits.
fn call_back<C: Codec>(
    method: &'static Method,
    call: &Arc<ServerCall>,
    slots: &mut dyn Slots,
    codec: C,
) -> Result<C::Owned, Ended> {
    let whole = Allowance::whole(ByteCount::from_bytes(u64::MAX));
    let (outgoing, objects) = encode(slots, whole).unwrap_or_else(|error| {
        call.fail(format!("a slot of `{}` could not be encoded: {error}", method.descriptor().title()))
    });
    call.guard_objects(method, &objects);
    let answer = call.call_back(method.id(), outgoing);
    match land(method, answer, slots, objects, codec, outboard_wire::Limits::default().depth) {
        Ok(result) => Ok(result),
        Err(error) => call
            .fail(format!("the answer of `{}` could not be decoded: {error}", method.descriptor().title())),
    }
}

/// Takes back what call-backs did to the slots of a call, however it ends: given up, failed, its future dropped, or
/// unwound by user code. After a commit there is nothing to take back.
struct Undone<'a, S: Slots + ?Sized>(&'a mut S);

impl<S: Slots + ?Sized> Drop for Undone<'_, S> {
    fn drop(&mut self) {
        self.0.undo();
    }
}

/// Charges the time that a call spent elsewhere to its caller's callees.
struct Away(Instant);

impl Away {
    fn new() -> Self {
        Self(clock::now())
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        stack::offloaded(clock::now() - self.0);
    }
}
fn span(method: &'static Method) -> tracing::Span {
    tracing::debug_span!("call", method = method.descriptor().title())
}

/// A call that never ran elsewhere.
fn stay(method: &'static Method, away: bool, reason: impl ToString) -> Ended {
    let descriptor = method.descriptor();
    if descriptor.remote_only {
        return nowhere(method, reason.to_string());
    }
    Ended { wants_fallback: descriptor.fallback && away, ..Ended::default() }
}

/// A call that only a server can run, and none does.
fn nowhere(method: &'static Method, reason: String) -> Ended {
    let descriptor = method.descriptor();
    if descriptor.fallback {
        return Ended { wants_fallback: true, ..Ended::default() };
    }
    let error = CallError::NoServer { method: descriptor.title().to_owned(), reason };
    Ended { error: Some(error), ..Ended::default() }
}

/// Whether a reason to stay is that the server is away, or was late lately.
fn is_away(reason: LocalReason) -> bool {
    matches!(
        reason,
        LocalReason::NoServer
            | LocalReason::NotAttached
            | LocalReason::Silent
            | LocalReason::Draining
            | LocalReason::Busy
            | LocalReason::Late
    )
}

/// A device method on a server, or one that may run only once, on a thread that belongs to no call.
fn stray(method: &'static Method) -> ! {
    context::stray();
    let title = method.descriptor().title();
    tracing::error!(
        method = title,
        "a `#[device]` or `once` method was called on a thread that belongs to no call; carry `outboard::context()` over to it"
    );
    std::panic::resume_unwind(Box::new(crate::server_call::Unwound::new(format!(
        "`{title}` was called on a thread that belongs to no call"
    ))))
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(_, offer) => f.debug_tuple("Server").field(offer).finish(),
            Self::Device(call) => f.debug_tuple("Device").field(&call.attempt).finish(),
            Self::Sized(sizing) => f.debug_tuple("Sized").field(&sizing.request).finish(),
            Self::Once(step) => f.debug_tuple("Once").field(step).finish(),
            Self::Nowhere(reason) => f.debug_tuple("Nowhere").field(reason).finish(),
        }
    }
}
