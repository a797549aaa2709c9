//! The slots of a call as a server is told of them: by what it has, as far as is known.

use std::sync::Arc;

use outboard_client_proxy::{Cargo, Offer};
use outboard_core::ServerIndex;
use outboard_wire::Objects;
use outboard_wire::codec::{DecodeError, EncodeError};
use outboard_wire::delta::{self, Unresolved};
use outboard_wire::frame::{AnswerImage, Attempt, Image, Part, ReplyFrame, SlotImage, Version};

use crate::carried::Carried;
use crate::device::{Device, Seat, SessionNumber};
use crate::method::Method;
use crate::support::{Allowance, Object, Outgoing, Slots};

/// The slots of a call as a server is told of them.
pub(super) struct Told {
    device: Arc<Device>,
    method: &'static Method,
    server: ServerIndex,
    session: SessionNumber,
    seats: Vec<Seat>,
    images: Vec<Image>,
    slots: Vec<SlotImage>,
    result_base: Option<(Version, Image)>,
}

/// A reply with all that it tells, to be learned once it is committed.
pub(super) struct Resolved {
    pub(super) answer: AnswerImage,
    result: (Version, Image),
    exclusive: Vec<(Version, Image)>,
}

impl Told {
    /// Encodes the slots of a call, and tells them by what the server is believed to have.
    pub(super) fn new(
        method: &'static Method,
        device: &Arc<Device>,
        offer: &Offer,
        slots: &dyn Slots,
    ) -> Result<(Self, Vec<Outgoing>, Objects), EncodeError> {
        let server = offer.server;
        let session = device.beliefs.session(server);
        let seat = |slot: usize, object| Seat { method: method.id(), slot: slot as u16, object };
        let base = |slot: usize, object: Object| device.beliefs.base(server, &seat(slot, object));
        let (outgoing, objects) = super::encode(slots, Allowance::new(&base, offer.budget, offer.most))?;
        let told = |slot: &Outgoing| {
            let base = slot.base.as_ref().map(|(version, image)| (*version, image));
            delta::tell(&slot.image, base, Some(offer.goodput))
        };
        let told = Self {
            device: Arc::clone(device),
            method,
            server,
            session,
            seats: outgoing.iter().enumerate().map(|(slot, outgoing)| seat(slot, outgoing.object)).collect(),
            images: outgoing.iter().map(|slot| slot.image.clone()).collect(),
            slots: outgoing.iter().map(told).collect(),
            result_base: device.beliefs.result(server, method.id()),
        };
        Ok((told, outgoing, objects))
    }

    /// What is sent.
    pub(super) fn cargo(&self) -> Cargo {
        Cargo {
            slots: self.slots.clone(),
            result_base: self.result_base.as_ref().map(|(version, _)| *version),
            forget: self.device.beliefs.needless(self.server),
        }
    }

    /// The server has forgotten what the slots were told by: they are told from nothing.
    pub(super) fn tell_whole(&mut self, offer: &Offer) {
        for base in self.slots.iter().filter_map(SlotImage::base) {
            self.device.beliefs.doubt((self.server, self.session), base);
        }
        let whole = |image| delta::tell(image, None, Some(offer.goodput));
        self.slots = self.images.iter().map(whole).collect();
    }

    /// What both ends know of the slots from now on.
    pub(super) fn carried(&self, attempt: Attempt, offer: &Offer) -> Carried {
        Carried::new(attempt, &self.slots, self.images.iter().cloned(), Some(offer.goodput))
    }

    /// A reply with everything whole.
    pub(super) fn resolve(
        &self,
        attempt: Attempt,
        carried: &Carried,
        reply: ReplyFrame,
    ) -> Result<Resolved, DecodeError> {
        let known = |version| {
            let result = self.result_base.as_ref().filter(|(base, _)| *base == version);
            carried.find(version).or_else(|| result.map(|(_, image)| image.clone()))
        };
        let resolve = |told: SlotImage, part| {
            let version = told.version(Version { attempt, part });
            Ok((version, delta::resolve(told, known, self.device.most())?))
        };
        let refused = |error: Unresolved| DecodeError::Refused(error.to_string());
        let result = resolve(reply.result, Part::Result).map_err(refused)?;
        let too_many = reply.exclusive.len() > self.method.exclusive().count();
        if too_many {
            return Err(DecodeError::Refused("more exclusive slots came back than went".to_owned()));
        }
        let exclusive = self.method.exclusive().zip(reply.exclusive);
        let exclusive: Result<Vec<_>, _> =
            exclusive.map(|(slot, told)| resolve(told, Part::Returned(slot as u16))).collect();
        let exclusive = exclusive.map_err(refused)?;
        let whole = exclusive.iter().map(|(_, image)| SlotImage::Whole(image.clone()));
        let answer = AnswerImage { result: result.1.clone(), exclusive: whole.collect() };
        Ok(Resolved { answer, result, exclusive })
    }

    /// The reply was committed: the server has what it told, and what it left as it was.
    pub(super) fn learn(&self, carried: &Carried, resolved: Resolved) {
        let place = (self.server, self.session);
        let beliefs = &self.device.beliefs;
        let mut exclusive = self.method.exclusive().zip(resolved.exclusive).peekable();
        for (slot, seat) in self.seats.iter().enumerate() {
            match exclusive.next_if(|(position, _)| *position == slot) {
                Some((_, (version, image))) => beliefs.learn(place, seat, version, &image),
                None => {
                    if let Some((version, image)) = carried.slot(slot) {
                        beliefs.learn(place, seat, version, image);
                    }
                }
            }
        }
        let (version, image) = resolved.result;
        beliefs.learn_result(place, self.method.id(), version, &image);
    }

    /// The attempt came to nothing: what the server keeps of it is of no use.
    pub(super) fn waste(&self, attempt: Attempt) {
        let kept =
            |slot: &usize| self.images.get(*slot).is_some_and(|image| image.0.len() >= delta::SMALLEST);
        let sent = (0..self.images.len()).filter(kept).map(|slot| Part::Sent(slot as u16));
        let returned = self.method.exclusive().filter(kept).map(|slot| Part::Returned(slot as u16));
        for part in sent.chain(returned).chain([Part::Result]) {
            self.device.beliefs.doubt((self.server, self.session), Version { attempt, part });
        }
    }
}
