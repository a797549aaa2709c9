//! Carrying out a call that may run once only, within one that may run again.
//!
//! Such a call runs through its own shim on encoded slots, so that its reply is at hand: it is kept before it lands in the
//! caller's slots. A second run comes to the same place, finds the reply there, and lands that.

use std::panic::resume_unwind;
use std::sync::Arc;

use outboard_client_proxy::{AttemptEvent, Offer, Question};
use outboard_core::{ByteCount, MethodId};
use outboard_server_proxy::InnerCall;
use outboard_server_proxy::kept::{Begin, Outcome, Returned};
use outboard_wire::Objects;
use outboard_wire::frame::{AnswerImage, ArgumentsHash, Failure, Inner, NotRun, ServerCost, SlotImage};

use super::back::lend;
use super::{Ended, Go, Plan, Undone, encode, land, nowhere, plan};
use crate::call_back::CallBack;
use crate::context::{self, Ground};
use crate::device::{Asking, Device};
use crate::error::CallError;
use crate::method::Method;
use crate::once::{self, Chain, Counter, Part, Search};
use crate::server_call::{ServerCall, Unwound};
use crate::shim::{Given, Incoming, ShimError, ShimFrame};
use crate::support::{Allowance, Codec, Outgoing, Slots};
use crate::{offer, registry};

/// How it is carried out.
pub(crate) enum Step {
    /// On the server that runs the outer call.
    OnServer(Arc<ServerCall>, Arc<Counter>),
    /// On the device, in a call-back of the outer call.
    InCallBack(Arc<CallBack>, Part),
    /// On the device, in a second run: it is looked for first.
    Again(Part),
}

/// How far it was carried out.
pub(super) enum Settled<T> {
    Done(Result<T, Ended>),
    /// It has not run, and leaves as a call of its own.
    Leaves(Arc<Device>, Offer),
}

/// What is known before anybody was asked.
enum Known {
    Outcome(Result<AnswerImage, Failure>),
    Doubt(&'static str),
    Ask(Asking),
}

/// What a call on a server does that is within a chain; `None`: what calls on a server do.
pub(super) fn on_server(method: &'static Method, call: &Arc<ServerCall>) -> Option<Go> {
    let counter = match once::current().filter(|_| method.descriptor().once)? {
        Chain::Server(counter) => counter,
        Chain::Task => call.refuse_once(method.descriptor().title()),
        Chain::Device(_) => return None,
    };
    if offer::of(method).obstacle.is_some() {
        call.refuse_once(method.descriptor().title());
    }
    Some(Go::There(Plan::Once(Step::OnServer(Arc::clone(call), counter))))
}

/// The same on the device.
pub(super) fn on_device(method: &'static Method, back: Option<&Arc<CallBack>>) -> Option<Go> {
    let part = once::part()?;
    let descriptor = method.descriptor();
    if !descriptor.once {
        // What it calls may have been called before, and is counted here; on a server it would be counted anew.
        let stays = part.again && !descriptor.remote_only && registry::has_once();
        return stays.then_some(Go::Here { wants_fallback: false });
    }
    match back.filter(|_| !part.again) {
        Some(back) if offer::of(method).obstacle.is_some() => back.refuse_once(descriptor.title()),
        Some(back) => Some(Go::There(Plan::Once(Step::InCallBack(Arc::clone(back), part)))),
        None => Some(Go::There(Plan::Once(Step::Again(part)))),
    }
}

/// Carries it out.
pub(super) fn settle<C: Codec>(
    method: &'static Method,
    step: Step,
    slots: &mut dyn Slots,
    codec: C,
) -> Settled<C::Owned> {
    match step {
        Step::OnServer(call, counter) => Settled::Done(run_on_server(method, &call, &counter, slots, codec)),
        Step::InCallBack(back, part) => {
            let sent = Sent::of(method, slots, || part.root.take());
            if !back.counts_alone() {
                part.root.log().tear(sent.inner.sequence);
            }
            Settled::Done(run_in_call_back(method, &back, &part, sent, slots, codec))
        }
        Step::Again(part) => {
            let sent = Sent::of(method, slots, || part.root.take());
            let found = match look(method, &part, &sent) {
                Known::Ask(asking) => answer(asking.wait()),
                known => known.told(),
            };
            conclude(method, &part, sent, found, slots, codec)
        }
    }
}

/// Carries an async one out.
pub(super) async fn settle_async<S: Slots, C: Codec>(
    method: &'static Method,
    step: Step,
    slots: &mut S,
    codec: C,
) -> Settled<C::Owned> {
    let Step::Again(part) = step else { return settle(method, step, slots, codec) };
    let sent = Sent::of(method, slots, || part.root.take());
    let found = match look(method, &part, &sent) {
        Known::Ask(asking) => answer(asking.next().await),
        known => known.told(),
    };
    conclude(method, &part, sent, found, slots, codec)
}

/// The slots of a call, and its name.
struct Sent {
    inner: Inner,
    outgoing: Result<Vec<Outgoing>, String>,
    /// The shared objects among them.
    objects: Objects,
}

impl Sent {
    fn of(method: &'static Method, slots: &dyn Slots, sequence: impl FnOnce() -> u32) -> Self {
        let (outgoing, objects) = match encode(slots, Allowance::whole(ByteCount::from_bytes(u64::MAX))) {
            Ok((outgoing, objects)) => (Ok(outgoing), objects),
            Err(error) => (Err(error.to_string()), Objects::default()),
        };
        // What cannot be encoded never got as far as to be given a name elsewhere.
        let arguments = outgoing.iter().flatten().map(|slot| &slot.image);
        let (method, arguments): (MethodId, _) = (method.id(), ArgumentsHash::of(arguments));
        Self { inner: Inner { sequence: sequence(), method, arguments }, outgoing, objects }
    }
}

fn run_on_server<C: Codec>(
    method: &'static Method,
    call: &Arc<ServerCall>,
    counter: &Arc<Counter>,
    slots: &mut dyn Slots,
    codec: C,
) -> Result<C::Owned, Ended> {
    let title = method.descriptor().title();
    let Sent { inner, outgoing, objects } = Sent::of(method, slots, || counter.take());
    let outgoing = outgoing
        .unwrap_or_else(|error| call.fail(format!("a slot of `{title}` could not be encoded: {error}")));
    let named = InnerCall { root: counter.root, inner, again: counter.again, alone: counter.is_alone() };
    let id = match call.begin_once(named) {
        Begin::Now(id) => id,
        Begin::Ended(Err(Failure::NotRun(why))) | Begin::Refused(why) => {
            call.fail(format!("`{title}` was not begun: {why}"))
        }
        Begin::Ended(outcome) => {
            let found = outcome.map(|returned| AnswerImage {
                result: returned.result,
                exclusive: returned.exclusive.into_iter().map(Into::into).collect(),
            });
            return match found_again(method, found, slots, objects, codec) {
                Some(done) => done,
                None => Err(maybe_ran(method, "nobody knows what came of it")),
            };
        }
    };
    let slots = Undone(slots);
    let ran = in_place(method, outgoing, &objects, slots.0, Ground::OnceOnServer(Arc::clone(call)));
    call.end_once(id, kept(&ran));
    match ran {
        Ok(given) => landed(method, given, slots.0, objects, codec),
        Err(ShimError::Panicked(_, payload)) => {
            // First as it was before, as after every call that has no reply.
            drop(slots);
            resume_unwind(payload)
        }
        Err(ShimError::Unencodable(text)) => Err(remote(text)),
        Err(ShimError::CallBack(reason)) => resume_unwind(Box::new(Unwound::new(reason))),
        Err(error) => call.fail(error.to_string()),
    }
}

fn run_in_call_back<C: Codec>(
    method: &'static Method,
    back: &Arc<CallBack>,
    part: &Part,
    sent: Sent,
    slots: &mut dyn Slots,
    codec: C,
) -> Result<C::Owned, Ended> {
    let title = method.descriptor().title();
    let Sent { inner, outgoing, objects } = sent;
    let outgoing = outgoing.unwrap_or_else(|error| {
        back.refuse(format!("a slot of `{title}`, which may run only once, could not be encoded: {error}"))
    });
    part.root.log().begin(inner);
    let slots = Undone(slots);
    let ran = in_place(method, outgoing, &objects, slots.0, Ground::OnceOnDevice(Arc::clone(back)));
    match &ran {
        Err(ShimError::Slot { .. } | ShimError::NotRun(_)) => part.root.log().take_back(inner),
        Ok(given) => {
            let answer = given.clone().into_answer();
            part.root.log().end(inner, Ok(answer));
        }
        Err(error) => part.root.log().end(inner, Err(failure(error))),
    }
    match ran {
        Ok(given) => landed(method, given, slots.0, objects, codec),
        Err(ShimError::Panicked(_, payload)) => {
            drop(slots);
            resume_unwind(payload)
        }
        Err(ShimError::Unencodable(text)) => Err(remote(text)),
        Err(ShimError::CallBack(reason)) => resume_unwind(Box::new(Unwound::new(reason))),
        Err(error) => back.refuse(error.to_string()),
    }
}

/// Runs a method through its shim, on the caller's own objects where they carry what does not travel.
fn in_place(
    method: &'static Method,
    outgoing: Vec<Outgoing>,
    objects: &Objects,
    slots: &mut dyn Slots,
    ground: Ground,
) -> Result<Given, ShimError> {
    let depth = outboard_wire::Limits::default().depth;
    let mut lent = Vec::new();
    slots.lend(&mut lent);
    let mut incoming = Vec::with_capacity(outgoing.len());
    for (position, Outgoing { image, place, .. }) in outgoing.into_iter().enumerate() {
        let object = lent.get_mut(position).and_then(Option::take).filter(|_| place.is_some());
        let lent = match object {
            None => None,
            Some(object) => Some(lend(object, &image.0, objects, &[], depth).map_err(ShimError::CallBack)?),
        };
        incoming.push(Incoming { image, lent });
    }
    ShimFrame::new(method, incoming, depth, ground, false).execute()
}

/// Brings the reply of a call that ran here to its caller. What the method did stays done.
fn landed<C: Codec>(
    method: &'static Method,
    given: Given,
    slots: &mut dyn Slots,
    objects: Objects,
    codec: C,
) -> Result<C::Owned, Ended> {
    let answer = given.into_answer();
    land(method, answer, slots, objects, codec, outboard_wire::Limits::default().depth)
        .map_err(|error| remote(format!("`{}` ran, and {error}", method.descriptor().title())))
}

/// Looks for a call of an earlier run.
fn look(method: &'static Method, part: &Part, sent: &Sent) -> Known {
    if offer::of(method).obstacle.is_some() || sent.outgoing.is_err() {
        // No earlier run got further than here.
        return Known::Outcome(Err(Failure::NotRun(NotRun::Fenced)));
    }
    let found = part.root.log().find(sent.inner);
    match found {
        Search::Found(outcome) => Known::Outcome(outcome),
        Search::Doubt => Known::Doubt("the run before it was cut off here, or went another way"),
        Search::Missing => match part.root.sent_to {
            None => Known::Doubt("it is not known where the run before it was"),
            Some((server, instance)) => {
                let question = Question { server, instance, root: part.root.call, inner: sent.inner };
                Known::Ask(part.root.device.ask(question))
            }
        },
    }
}

impl Known {
    fn told(self) -> Result<Result<AnswerImage, Failure>, String> {
        match self {
            Self::Outcome(outcome) => Ok(outcome),
            Self::Doubt(reason) => Err(reason.to_owned()),
            Self::Ask(_) => Err("the question was not asked".to_owned()),
        }
    }
}

/// What a server says became of a call; an error says why nobody knows.
fn answer(event: Option<AttemptEvent>) -> Result<Result<AnswerImage, Failure>, String> {
    match event {
        Some(AttemptEvent::Replied(reply)) => match reply.result {
            SlotImage::Whole(result) => Ok(Ok(AnswerImage { result, exclusive: reply.exclusive })),
            _ => Err("its reply is told by what another session knew".to_owned()),
        },
        Some(AttemptEvent::Failed(failure)) => Ok(Err(failure)),
        Some(AttemptEvent::Lost(lost)) => Err(format!("the server that ran it cannot be asked: {lost}")),
        Some(AttemptEvent::Back(_)) | None => Err("the server that ran it gave no answer".to_owned()),
    }
}

fn conclude<C: Codec>(
    method: &'static Method,
    part: &Part,
    sent: Sent,
    found: Result<Result<AnswerImage, Failure>, String>,
    slots: &mut dyn Slots,
    codec: C,
) -> Settled<C::Owned> {
    let outcome = match found {
        Ok(outcome) => outcome,
        Err(reason) => return Settled::Done(Err(maybe_ran(method, reason))),
    };
    tracing::debug!(method = method.descriptor().title(), inner = ?sent.inner, ?outcome, "looked for");
    if let Some(done) = found_again(method, outcome, slots, sent.objects.clone(), codec) {
        return Settled::Done(done);
    }
    // It has not run, and never will elsewhere. In a call-back it may be looked for once more.
    if let Some(back) = context::call_back() {
        return Settled::Done(run_in_call_back(method, &back, part, sent, slots, codec));
    }
    let plain = once::enter(None);
    let go = if method.descriptor().remote_only { plan(method, None) } else { Go::Bare };
    drop(plain);
    match go {
        Go::There(Plan::Server(device, offer)) => Settled::Leaves(device, offer),
        Go::There(Plan::Nowhere(reason)) => Settled::Done(Err(nowhere(method, reason))),
        _ => Settled::Done(Err(Ended { chain: Some(None), ..Ended::default() })),
    }
}

/// What came of a call before comes of it again; `None` when it has not run.
fn found_again<C: Codec>(
    method: &'static Method,
    outcome: Result<AnswerImage, Failure>,
    slots: &mut dyn Slots,
    objects: Objects,
    codec: C,
) -> Option<Result<C::Owned, Ended>> {
    let depth = outboard_wire::Limits::default().depth;
    Some(match outcome {
        Ok(answer) => {
            land(method, answer, slots, objects, codec, depth).map_err(|error| maybe_ran(method, error))
        }
        Err(failure) if failure.never_started() => return None,
        Err(Failure::Panicked(text)) => resume_unwind(Box::new(text)),
        Err(Failure::Unencodable(text)) => Err(remote(text)),
        Err(failure) => Err(maybe_ran(method, failure)),
    })
}

/// What is kept of a run on the server.
fn kept(ran: &Result<Given, ShimError>) -> Outcome {
    let given = ran.as_ref().map_err(failure)?;
    let Given { result, exclusive } = given.clone();
    Ok(Returned { result, exclusive, cost: ServerCost::default() })
}

fn failure(error: &ShimError) -> Failure {
    match error {
        ShimError::Panicked(text, _) => Failure::Panicked(text.clone()),
        ShimError::Unencodable(text) => Failure::Unencodable(text.clone()),
        ShimError::Slot { .. } => Failure::NotRun(NotRun::Slots(error.to_string())),
        ShimError::NotRun(why) => Failure::NotRun(why.clone()),
        error => Failure::CallBack(error.to_string()),
    }
}

fn remote(text: String) -> Ended {
    Ended { error: Some(CallError::Remote(text)), ..Ended::default() }
}

fn maybe_ran(method: &'static Method, reason: impl ToString) -> Ended {
    let method = method.descriptor().title().to_owned();
    Ended { error: Some(CallError::MaybeRan { method, reason: reason.to_string() }), ..Ended::default() }
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OnServer(_, counter) => f.debug_tuple("OnServer").field(counter).finish(),
            Self::InCallBack(_, part) => f.debug_tuple("InCallBack").field(part).finish(),
            Self::Again(part) => f.debug_tuple("Again").field(part).finish(),
        }
    }
}
