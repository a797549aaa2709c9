//! What the server keeps of the state that passed, so that it need not be sent again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use outboard_core::{Bandwidth, ByteCount};
use outboard_server_proxy::Connection;
use outboard_wire::bases::{Bases, Bounds};
use outboard_wire::delta::{self, SMALLEST, Unresolved};
use outboard_wire::frame::{Attempt, Image, NotRun, Part, SlotImage, Version};

use crate::carried::Carried;
use crate::method::Method;
use crate::shim::Given;

/// The versions of all sessions, within bounds.
pub(super) struct Versions {
    store: Mutex<Bases<Connection, Version>>,
    /// Most bytes that the slots of a call may have together.
    most: ByteCount,
}

/// What a call says of versions, besides its slots.
pub(super) struct Terms {
    pub(super) result_base: Option<Version>,
    pub(super) reply_rate: Option<Bandwidth>,
    pub(super) forget: Vec<Version>,
}

impl Versions {
    pub(super) fn new(bounds: Bounds, most: ByteCount) -> Self {
        Self { store: Mutex::new(Bases::new(bounds)), most }
    }

    /// The slots of a call as they are, which are kept.
    pub(super) fn arrive(
        &self,
        connection: Connection,
        attempt: Attempt,
        slots: Vec<SlotImage>,
        terms: &Terms,
    ) -> Result<Carried, NotRun> {
        let mut images = Vec::with_capacity(slots.len());
        let mut left = self.most;
        for slot in &slots {
            // The lock is not held while bytes are copied.
            let find = |version| self.lock().find(connection, version);
            let image = delta::resolve(slot.clone(), find, left).map_err(|error| match error {
                Unresolved::BaseMissing(_) => NotRun::BaseMissing,
                error => NotRun::Slots(error.to_string()),
            })?;
            left = left.saturating_sub(image.size());
            images.push(image);
        }
        let carried = Carried::new(attempt, &slots, images, terms.reply_rate);
        let mut store = self.lock();
        for version in &terms.forget {
            store.forget(connection, *version);
        }
        for (position, slot) in slots.iter().enumerate() {
            if let Some((version, image)) = carried.slot(position)
                && !matches!(slot, SlotImage::Same(_))
            {
                keep(&mut store, connection, version, image);
            }
        }
        Ok(carried)
    }

    /// The result and the exclusive slots as the device is told of them, which are kept in the place of what the call
    /// carried.
    pub(super) fn leave(
        &self,
        connection: Connection,
        attempt: Attempt,
        method: &Method,
        carried: &Carried,
        given: Given,
        terms: &Terms,
    ) -> (SlotImage, Vec<SlotImage>) {
        let base = terms.result_base.and_then(|base| Some((base, self.lock().find(connection, base)?)));
        let base = base.as_ref().map(|(version, image)| (*version, image));
        // The reply of a call that may run only once is kept, and asked for again where no bases are.
        let once = method.descriptor().once;
        let result = match once {
            true => SlotImage::Whole(given.result.clone()),
            false => delta::tell(&given.result, base, terms.reply_rate),
        };
        let name = |part| Version { attempt, part };
        let mut kept = vec![(result.version(name(Part::Result)), given.result)];
        let mut exclusive = Vec::with_capacity(given.exclusive.len());
        for (slot, image) in method.exclusive().zip(given.exclusive) {
            let told = if once { SlotImage::Whole(image.clone()) } else { carried.tell(slot, &image) };
            kept.push((told.version(name(Part::Returned(slot as u16))), image));
            exclusive.push(told);
        }
        let mut store = self.lock();
        for (version, image) in kept {
            if let Part::Returned(slot) = version.part
                && version.attempt == attempt
            {
                store.forget(connection, name(Part::Sent(slot)));
            }
            if store.find(connection, version).is_none() {
                keep(&mut store, connection, version, &image);
            }
        }
        (result, exclusive)
    }

    /// A session is over.
    pub(super) fn forget_all(&self, connection: Connection) {
        self.lock().forget_all(connection);
    }

    fn lock(&self) -> MutexGuard<'_, Bases<Connection, Version>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(store: &mut Bases<Connection, Version>, connection: Connection, version: Version, image: &Image) {
    if image.0.len() >= SMALLEST {
        store.keep(connection, version, image.clone());
    }
}

#[cfg(test)]
mod tests {
    use outboard_core::{CallId, Epoch};
    use outboard_wire::delta::Delta;

    use super::*;

    #[test]
    fn slots_that_unpack_to_more_than_a_frame_together_are_refused() {
        let most = ByteCount::from_bytes(1 << 20);
        let versions = Versions::new(Bounds { each: most, total: most }, most);
        let terms = Terms { result_base: None, reply_rate: None, forget: Vec::new() };
        let half = Delta::pack(&[], &vec![0; 1 << 19]).expect("zeros are packed");
        let arrive = |slots: usize, call| {
            let attempt = Attempt { call: CallId(call), epoch: Epoch::FIRST };
            let slots = vec![SlotImage::Delta(None, half.clone()); slots];
            versions.arrive(Connection(1), attempt, slots, &terms).map(|carried| carried.images().count())
        };
        assert_eq!(arrive(2, 1).ok(), Some(2));
        assert!(matches!(arrive(3, 2), Err(NotRun::Slots(_))));
    }
}
