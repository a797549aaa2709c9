//! A call on its way to a server and back.

use std::sync::Arc;

use outboard_client_proxy::{AbandonReason, AttemptEvent, Hedge, Offer};
use outboard_wire::Objects;
use outboard_wire::codec::DecodeError;
use outboard_wire::frame::{AnswerFrame, AnswerImage, Failure, Image, NotRun, SlotImage};

use super::back::NotServed;
use super::hedge::Hedged;
use super::next;
use super::{Ended, encode, is_away, land, stay};
use crate::device::{Device, InFlight};
use crate::error::CallError;
use crate::mailbox::Mail;
use crate::method::Method;
use crate::support::{Codec, Outgoing, Slots};

/// A call on its way to a server and back.
pub(super) struct Trip<'a> {
    pub(super) method: &'static Method,
    pub(super) device: &'a Arc<Device>,
    offer: Offer,
    pub(super) flight: InFlight,
    /// What was sent of the slots that call-backs may run on.
    pub(super) sent: Vec<Option<Image>>,
    /// The panic of a call-back, which unwinds the method on the server too.
    pub(super) panicked: Option<String>,
    pub(super) hedged: Hedged,
    /// The shared objects that went with it.
    pub(super) objects: Objects,
}

impl<'a> Trip<'a> {
    /// Encodes the slots and sends them.
    pub(super) fn depart(
        method: &'static Method,
        device: &'a Arc<Device>,
        offer: Offer,
        slots: &mut dyn Slots,
    ) -> Result<Self, Ended> {
        let (outgoing, objects) = encode(slots, offer.budget).map_err(|error| {
            let reason = device.not_encoded(method, &offer, &error);
            stay(method, is_away(reason), reason)
        })?;
        let keep = |slot: &Outgoing| slot.place.is_some().then(|| slot.image.clone());
        let sent = outgoing.iter().map(keep).collect();
        let hedged = Hedged::of(offer.hedge, &outgoing);
        let images = outgoing.into_iter().map(|slot| SlotImage::Whole(slot.image)).collect();
        let flight = device.depart(method, offer, images).map_err(|reason| Ended {
            next: next::server(method, device, &offer),
            ..stay(method, is_away(reason), reason)
        })?;
        let mut trip = Self { method, device, offer, flight, sent, panicked: None, hedged, objects };
        if offer.hedge == Hedge::Always {
            trip.start_hedge(false);
        }
        Ok(trip)
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
            Mail::BoundPassed if self.hedges_at_bound() => return None,
            Mail::BoundPassed => {
                self.flight.abandon(AbandonReason::Late);
                return Some(Err(self.unknown("it did not answer in time".to_owned())));
            }
        };
        match event {
            AttemptEvent::Back(_) if !self.serves_call_backs() => None,
            AttemptEvent::Back(back) => {
                let sequence = back.sequence;
                let outcome = match self.serve(back, slots) {
                    Ok(answer) => Ok(answer),
                    Err(NotServed::Failed(reason)) => Err(reason),
                    Err(NotServed::Late) => {
                        self.flight.abandon(AbandonReason::Late);
                        return Some(Err(self.unknown("its call-back did not end in time".to_owned())));
                    }
                };
                self.device.answer(AnswerFrame {
                    attempt: self.flight.attempt(),
                    sequence,
                    outcome,
                    onces: 0,
                });
                None
            }
            AttemptEvent::Replied(reply) => {
                let landed = match reply.result {
                    SlotImage::Whole(result) => {
                        let answer = AnswerImage { result, exclusive: reply.exclusive };
                        let objects = self.objects.clone();
                        land(self.method, answer, slots, objects, codec, self.device.depth())
                    }
                    _ => Err(DecodeError::Refused("the result is told by a version".to_owned()).into()),
                };
                match landed {
                    Ok(result) => {
                        self.flight.committed();
                        Some(Ok(result))
                    }
                    Err(error) => {
                        let ended = self.ran(error.to_string());
                        self.flight.abandon(error.into_reason());
                        self.end(ended)
                    }
                }
            }
            AttemptEvent::Failed(failure) => {
                self.flight.ended();
                let ended = self.failed(failure);
                self.end(ended)
            }
            AttemptEvent::Lost(lost) => {
                self.flight.ended();
                self.end(self.unknown(lost.to_string()))
            }
        }
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
            // The panic of a call-back has unwound the method too, as it would have here.
            Failure::CallBack(_) if is_all && self.panicked.is_some() => {
                std::panic::resume_unwind(Box::new(self.panicked.take().unwrap_or_default()))
            }
            Failure::Unencodable(text) if is_all => remote(text),
            failure @ (Failure::CallBack(_) | Failure::SharedSlotChanged(_)) if is_all => {
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

/// What the caller of a method is told that ran, and must not or cannot run here.
fn remote(text: String) -> Ended {
    Ended { error: Some(CallError::Remote(text)), ..Ended::default() }
}
