//! A call on its way to a server and back.

use std::any::Any;
use std::sync::Arc;

use outboard_client_proxy::{AbandonReason, AttemptEvent, Hedge, Offer};
use outboard_wire::Objects;
use outboard_wire::frame::{AnswerFrame, Failure, Image, NotRun};

use super::back::NotServed;
use super::commit::NotLanded;
use super::hedge::Hedged;
use super::next;
use super::told::Told;
use super::{Ended, is_away, land, stay};
use crate::call_back::Away;
use crate::carried::Carried;
use crate::device::{Device, InFlight};
use crate::error::CallError;
use crate::mailbox::Mail;
use crate::method::Method;
use crate::once::{self, Chain, Part, Root};
use crate::stage;
use crate::support::{Codec, Outgoing, Slots};
use crate::{clock, context, registry};

/// A call on its way to a server and back.
pub(super) struct Trip<'a> {
    pub(super) method: &'static Method,
    pub(super) device: &'a Arc<Device>,
    offer: Offer,
    pub(super) flight: InFlight,
    told: Told,
    /// What call-backs and the reply are told by.
    pub(super) carried: Carried,
    /// What the reply tells is known.
    learned: bool,
    /// It was sent whole after the server had forgotten something.
    resent: bool,
    /// What was sent of the slots that call-backs may run on.
    pub(super) sent: Vec<Option<Image>>,
    /// The panic of a call-back, which unwinds the method on the server too.
    pub(super) panicked: Option<Box<dyn Any + Send>>,
    pub(super) hedged: Hedged,
    /// The shared objects that went with it.
    pub(super) objects: Objects,
    /// What counts the calls in it that may run only once; `None` for a call that may itself.
    pub(super) root: Option<Arc<Root>>,
    /// How many there were before it.
    onces: u32,
    /// The call that it is a part of, if it is one.
    part: Option<Part>,
    /// The call-back that made it counts on when it is back.
    _away: Option<Away>,
}

impl<'a> Trip<'a> {
    /// Encodes the slots and sends them.
    pub(super) fn depart(
        method: &'static Method,
        device: &'a Arc<Device>,
        mut offer: Offer,
        slots: &mut dyn Slots,
    ) -> Result<Self, Ended> {
        let part =
            once::part().filter(|part| !method.descriptor().once && Arc::ptr_eq(&part.root.device, device));
        let away = match context::call_back().filter(|_| part.is_some() && registry::has_once()) {
            None => None,
            Some(back) => Some(back.leave().ok_or_else(|| {
                stay(method, true, "another thread of its call-back counts what may run only once")
            })?),
        };
        offer.request.root = part.as_ref().map(Part::told);
        let (told, outgoing, objects) = Told::new(method, device, &offer, slots).map_err(|error| {
            let reason = device.not_encoded(method, &offer, &error);
            stay(method, is_away(reason), reason)
        })?;
        let keep = |slot: &Outgoing| slot.place.is_some().then(|| slot.image.clone());
        let sent = outgoing.iter().map(keep).collect();
        let hedged = Hedged::of(offer.hedge, &outgoing);
        let flight = device.depart(method, offer, told.cargo(), part.as_ref()).map_err(|reason| Ended {
            next: next::server(method, device, &offer),
            ..stay(method, is_away(reason), reason)
        })?;
        let carried = told.carried(flight.attempt(), &offer);
        let onces = part.as_ref().map_or(0, |part| part.told().onces);
        let root =
            (!method.descriptor().once).then(|| part.clone().map_or_else(|| flight.root(), |part| part.root));
        let mut trip = Self {
            method,
            device,
            offer,
            flight,
            told,
            carried,
            learned: false,
            resent: false,
            sent,
            panicked: None,
            hedged,
            objects,
            part,
            root,
            onces,
            _away: away,
        };
        if offer.hedge == Hedge::Always {
            trip.start_hedge(false);
        }
        Ok(trip)
    }

    /// The server has forgotten what the slots were told by: sends them whole, in what is left of the call's time.
    fn resend(&mut self) -> Result<(), Ended> {
        self.resent = true;
        self.offer.request.tried = self.offer.request.tried.once_more(&self.offer);
        self.told.tell_whole(&self.offer);
        let armed = self.flight.is_armed();
        self.flight = self
            .device
            .depart(self.method, self.offer, self.told.cargo(), self.part.as_ref())
            .map_err(|reason| Ended {
                next: next::server(self.method, self.device, &self.offer),
                ..stay(self.method, is_away(reason), reason)
            })?;
        if armed {
            self.flight.arm();
        }
        self.carried = self.told.carried(self.flight.attempt(), &self.offer);
        if self.root.is_some() && self.part.is_none() {
            self.root = Some(self.flight.root());
        }
        Ok(())
    }

    pub(super) fn span(&self) -> tracing::Span {
        tracing::debug_span!("attempt", id = %self.flight.attempt())
    }

    /// Takes one step; `Some` ends the call's stay elsewhere.
    pub(super) fn handle<C: Codec>(
        &mut self,
        mail: Mail,
        slots: &mut dyn Slots,
        codec: C,
    ) -> Option<Result<C::Owned, Ended>> {
        let event = match mail {
            Mail::Event(event) => event,
            Mail::Hedged(ran) => return self.hedge_ended(ran, slots, codec),
            Mail::BoundPassed if self.flight.put_off() => return None,
            Mail::BoundPassed if self.hedges_at_bound() => return None,
            Mail::BoundPassed => {
                self.flight.abandon(AbandonReason::Late);
                return Some(Err(self.again(self.unknown("it did not answer in time".to_owned()))));
            }
        };
        match event {
            AttemptEvent::Back(_) if !self.serves_call_backs() => None,
            AttemptEvent::Back(back) => {
                let (sequence, began) = (back.sequence, clock::now());
                let served = self.serve(back, slots);
                // A deadline is one for the whole call.
                if self.method.descriptor().deadline.is_none() {
                    self.flight.served(clock::now() - began);
                }
                let outcome = match served {
                    Ok(answer) => Ok(answer),
                    Err(NotServed::Failed(reason)) => Err(reason),
                    Err(NotServed::Late) => {
                        self.flight.abandon(AbandonReason::Late);
                        return Some(Err(
                            self.again(self.unknown("its call-back did not end in time".to_owned()))
                        ));
                    }
                };
                self.device.answer(AnswerFrame {
                    attempt: self.flight.attempt(),
                    sequence,
                    outcome,
                    onces: self.root.as_ref().map_or(0, |root| root.count()),
                });
                None
            }
            AttemptEvent::Replied(reply) => {
                let onces = reply.onces;
                let resolved = self.told.resolve(self.flight.attempt(), &self.carried, reply);
                let landed = resolved.map_err(NotLanded::from).and_then(|resolved| {
                    let (answer, objects) = (resolved.answer.clone(), self.objects.clone());
                    land(self.method, answer, slots, objects, codec, self.device.depth())
                        .map(|result| (result, resolved))
                });
                match landed {
                    Ok((result, resolved)) => {
                        if let Some(root) = &self.root {
                            root.counted(onces);
                        }
                        self.flight.committed();
                        stage::landed(self.offer.server, self.told.size());
                        self.told.learn(&self.carried, resolved, slots);
                        self.learned = true;
                        Some(Ok(result))
                    }
                    Err(error) => {
                        let ended = self.ran(error.to_string());
                        self.flight.abandon(error.into_reason());
                        self.end(self.again(ended))
                    }
                }
            }
            AttemptEvent::Failed(Failure::NotRun(NotRun::BaseMissing))
                if !self.resent && !self.is_hedged() =>
            {
                self.flight.ended();
                match self.resend() {
                    Ok(()) => None,
                    Err(ended) => self.end(ended),
                }
            }
            AttemptEvent::Failed(failure) => {
                self.flight.ended();
                let never_started = failure.never_started();
                let ended = self.failed(failure);
                let ended = if never_started { ended } else { self.again(ended) };
                self.end(ended)
            }
            AttemptEvent::Lost(lost) => {
                self.flight.ended();
                self.end(self.again(self.unknown(lost.to_string())))
            }
        }
    }

    /// It may have run: what runs here instead finds again what may run only once.
    pub(super) fn again(&self, ended: Ended) -> Ended {
        let Some(root) = self.root.as_ref().filter(|_| ended.error.is_none()) else { return ended };
        root.count_from(self.onces);
        let part = Part { root: Arc::clone(root), again: true };
        Ended { chain: Some(Some(Chain::Device(part))), ..ended }
    }

    /// The attempt ended without a reply.
    fn failed(&mut self, failure: Failure) -> Ended {
        let descriptor = self.method.descriptor();
        if failure.never_started() {
            let away = matches!(failure, Failure::NotRun(NotRun::Busy | NotRun::Draining | NotRun::TooLate));
            let next = next::server(self.method, self.device, &self.offer);
            return Ended { next, ..stay(self.method, away, failure) };
        }
        // It ran there, and nothing can run here instead.
        let is_all = descriptor.once || descriptor.remote_only && !descriptor.fallback;
        match failure {
            Failure::Panicked(text) if is_all => std::panic::resume_unwind(Box::new(text)),
            Failure::Unencodable(text) if is_all => remote(text),
            failure @ (Failure::CallBack(_) | Failure::SharedSlotChanged(_)) if is_all => {
                // The panic of a call-back has unwound the method too, as it would have here.
                if let Some(panic) = self.panicked.take() {
                    std::panic::resume_unwind(panic);
                }
                remote(format!("`{}` ran on the server, and {failure}", descriptor.title()))
            }
            failure @ (Failure::Fenced | Failure::Forgotten) if is_all => self.unknown(failure.to_string()),
            // How the run here goes tells whether a panic on the server was the method's own.
            failure => Ended { rerun: Some(self.flight.rerun()), ..self.ran(failure.to_string()) },
        }
    }

    /// Whether the method ran is unknown.
    pub(super) fn unknown(&self, reason: String) -> Ended {
        let descriptor = self.method.descriptor();
        let method = descriptor.title().to_owned();
        if descriptor.once {
            return Ended { error: Some(CallError::MaybeRan { method, reason }), ..Ended::default() };
        }
        if descriptor.fallback {
            return Ended { wants_fallback: true, ..Ended::default() };
        }
        let error = descriptor.remote_only.then_some(CallError::NoAnswer { method, reason });
        Ended { error, ..Ended::default() }
    }

    /// The method ran, at least in part, and there is nothing to commit.
    fn ran(&self, reason: String) -> Ended {
        let descriptor = self.method.descriptor();
        let is_all = descriptor.once || descriptor.remote_only && !descriptor.fallback;
        match is_all {
            true => remote(format!("`{}` ran on the server, and {reason}", descriptor.title())),
            false => Ended { wants_fallback: descriptor.remote_only, ..Ended::default() },
        }
    }
}

impl Drop for Trip<'_> {
    fn drop(&mut self) {
        if !self.learned {
            self.told.waste(self.flight.attempt());
        }
    }
}

/// What the caller of a method is told that ran, and must not or cannot run here.
fn remote(text: String) -> Ended {
    Ended { error: Some(CallError::Remote(text)), ..Ended::default() }
}
