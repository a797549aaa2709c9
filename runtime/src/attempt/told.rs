//! The slots of a call as a server is told of them: by what it has, as far as is known.

use std::sync::Arc;

use outboard_client_proxy::{Cargo, Offer};
use outboard_core::{ByteCount, ServerIndex};
use outboard_wire::codec::{DecodeError, EncodeError};
use outboard_wire::delta::{self, Unresolved};
use outboard_wire::frame::{AnswerImage, Attempt, Image, Part, ReplyFrame, SlotImage, Version};
use outboard_wire::{Objects, Stamp};

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
        let unchanged = |version, object: Object, stamp: &Stamp| {
            device.beliefs.is_unchanged(server, version, object.type_id(), stamp)
        };
        let (outgoing, objects) =
            super::encode(slots, Allowance::new(&base, &unchanged, offer.budget, offer.most))?;
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

    /// How much that is.
    pub(super) fn size(&self) -> ByteCount {
        self.slots.iter().map(SlotImage::size).sum()
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
        let mut left = self.device.most();
        let mut resolve = |told: SlotImage, part| {
            let version = told.version(Version { attempt, part });
            let image = delta::resolve(told, known, left)?;
            left = left.saturating_sub(image.size());
            Ok((version, image))
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
        let told = self.method.exclusive().zip(&exclusive).map(|(slot, (version, image))| {
            let sent = carried.slot(slot).map(|(version, _)| version);
            match sent == Some(*version) && slot < self.method.descriptor().slots.len() {
                // As it went: there is nothing to decode.
                true => SlotImage::Same(*version),
                false => SlotImage::Whole(image.clone()),
            }
        });
        let answer = AnswerImage { result: result.1.clone(), exclusive: told.collect() };
        Ok(Resolved { answer, result, exclusive })
    }

    /// The reply was committed: the server has what it told, and what it left as it was.
    pub(super) fn learn(&self, carried: &Carried, resolved: Resolved, slots: &dyn Slots) {
        let mut stamps = Vec::new();
        // A slot names shared objects by their numbers in the call, which mean others in another one: no stamp stands for it.
        let descriptor = self.method.descriptor();
        let shares = self.images.len() > descriptor.slots.len()
            || resolved.exclusive.len() > descriptor.exclusive_slots();
        if !shares {
            slots.stamps(&mut stamps);
        }
        let place = (self.server, self.session);
        let beliefs = &self.device.beliefs;
        let mut exclusive = self.method.exclusive().zip(resolved.exclusive).peekable();
        for (slot, seat) in self.seats.iter().enumerate() {
            let returned = exclusive.next_if(|(position, _)| *position == slot).map(|(_, returned)| returned);
            let sent = || carried.slot(slot).map(|(version, image)| (version, image.clone()));
            if let Some((version, image)) = returned.or_else(sent) {
                beliefs.learn(place, seat, version, &image);
                if let Some(stamp) = stamps.get_mut(slot).and_then(Option::take) {
                    beliefs.stamp(place, version, seat.object.type_id(), stamp);
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
