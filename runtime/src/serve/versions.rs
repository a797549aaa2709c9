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
    /// Most bytes that a slot may have.
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
        for slot in &slots {
            // The lock is not held while bytes are copied.
            let find = |version| self.lock().find(connection, version);
            let image = delta::resolve(slot.clone(), find, self.most).map_err(|error| match error {
                Unresolved::BaseMissing(_) => NotRun::BaseMissing,
                error => NotRun::Slots(error.to_string()),
            })?;
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
