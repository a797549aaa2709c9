//! What the servers have, as far as the device can know: versions of its objects and of results.
//!
//! A version is believed to be there once a reply was committed that was built on it. Only the server knows whether it
//! still is; where it is not, it says so, and the call is sent whole. So nothing here has to be right, only bounded.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use outboard_core::{ByteCount, MethodId, ServerIndex};
use outboard_wire::Stamp;
use outboard_wire::bases::{Bases, Bounds};
use outboard_wire::delta::SMALLEST;
use outboard_wire::frame::{Image, Version};

use crate::support::Object;

/// A slot of a method, for which a base is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) method: MethodId,
    pub(crate) slot: u16,
    pub(crate) object: Object,
}

/// Which session with a server something was learned in. Another one knows nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionNumber(u64);

/// What the servers have, as far as the device can know.
pub(crate) struct Beliefs(Mutex<Inner>);

struct Inner {
    store: Bases<ServerIndex, Version>,
    names: BTreeMap<(ServerIndex, Name), Version>,
    /// What stood for the contents of a version, in an object of that type. Both last, so they are never out of date.
    stamps: BTreeMap<(ServerIndex, Version), (TypeId, Stamp)>,
    /// Objects and results that have a version. Without any, the version is let go.
    owners: BTreeMap<(ServerIndex, Version), Vec<Name>>,
    sessions: BTreeMap<ServerIndex, SessionNumber>,
    /// What servers are still to be told that they need not keep.
    needless: BTreeMap<ServerIndex, Vec<Version>>,
}

impl Seat {
    fn owner(&self) -> Name {
        match self.object.is_known() {
            true => Name::Object(self.object),
            false => Name::Slot(self.method, self.slot),
        }
    }
}

/// How a version is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Object(Object),
    /// The newest in that slot of that method: objects move, and arguments are made anew for each call.
    Slot(MethodId, u16),
    /// The newest of that type.
    Type(TypeId),
    /// The newest result of that method.
    Result(MethodId),
}

/// Objects that share one version: an object that moved, mostly, and where it was before.
const OWNERS: usize = 4;
/// A server with more to forget forgets by itself.
const NEEDLESS: usize = 1024;
/// As many as a call may name.
const AT_ONCE: usize = 64;

impl Beliefs {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self(Mutex::new(Inner {
            store: Bases::new(bounds),
            names: BTreeMap::new(),
            stamps: BTreeMap::new(),
            owners: BTreeMap::new(),
            sessions: BTreeMap::new(),
            needless: BTreeMap::new(),
        }))
    }

    /// The session that is believed to be open.
    pub(crate) fn session(&self, server: ServerIndex) -> SessionNumber {
        self.lock().sessions.get(&server).copied().unwrap_or_default()
    }

    /// A session ended, or another one began.
    pub(crate) fn reset(&self, server: ServerIndex) {
        let mut inner = self.lock();
        inner.sessions.entry(server).or_default().0 += 1;
        inner.store.forget_all(server);
        inner.names.retain(|(of, _), _| *of != server);
        inner.stamps.retain(|(of, _), _| *of != server);
        inner.owners.retain(|(of, _), _| *of != server);
        inner.needless.remove(&server);
    }

    /// What a slot's state may be told by.
    pub(crate) fn base(&self, server: ServerIndex, seat: &Seat) -> Option<(Version, Image)> {
        let Seat { method, slot, object } = *seat;
        let mut inner = self.lock();
        [seat.owner(), Name::Slot(method, slot), Name::Type(object.type_id())]
            .into_iter()
            .find_map(|name| inner.find(server, name))
    }

    /// What a result may be told by.
    pub(crate) fn result(&self, server: ServerIndex, method: MethodId) -> Option<(Version, Image)> {
        self.lock().find(server, Name::Result(method))
    }

    /// The server has this version of a slot.
    pub(crate) fn learn(
        &self,
        (server, session): (ServerIndex, SessionNumber),
        seat: &Seat,
        version: Version,
        image: &Image,
    ) {
        let also = [Name::Slot(seat.method, seat.slot), Name::Type(seat.object.type_id())];
        self.lock().learn((server, session), seat.owner(), &also, (version, image));
    }

    /// What stands for the contents of a version that the server has, as long as they are those of the object.
    pub(crate) fn stamp(
        &self,
        (server, session): (ServerIndex, SessionNumber),
        version: Version,
        of: TypeId,
        stamp: Stamp,
    ) {
        let mut inner = self.lock();
        if inner.is_of(server, session) && inner.owners.contains_key(&(server, version)) {
            inner.stamps.insert((server, version), (of, stamp));
        }
    }

    /// Whether an object of that type with that stamp is what the version is.
    pub(crate) fn is_unchanged(
        &self,
        server: ServerIndex,
        version: Version,
        of: TypeId,
        stamp: &Stamp,
    ) -> bool {
        let inner = self.lock();
        let known = inner.stamps.get(&(server, version));
        known.is_some_and(|(known_of, known)| *known_of == of && known == stamp)
    }

    /// The server has this version of a method's result.
    pub(crate) fn learn_result(
        &self,
        (server, session): (ServerIndex, SessionNumber),
        method: MethodId,
        version: Version,
        image: &Image,
    ) {
        self.lock().learn((server, session), Name::Result(method), &[], (version, image));
    }

    /// The server turned out not to have a version, or it is of no use.
    pub(crate) fn doubt(&self, (server, session): (ServerIndex, SessionNumber), version: Version) {
        let mut inner = self.lock();
        if inner.is_of(server, session) {
            inner.drop_version(server, version);
        }
    }

    /// What the server may forget: told with the next call.
    pub(crate) fn needless(&self, server: ServerIndex) -> Vec<Version> {
        let mut inner = self.lock();
        let Some(versions) = inner.needless.get_mut(&server) else { return Vec::new() };
        versions.drain(..versions.len().min(AT_ONCE)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn is_of(&self, server: ServerIndex, session: SessionNumber) -> bool {
        self.sessions.get(&server).copied().unwrap_or_default() == session
    }

    fn find(&mut self, server: ServerIndex, name: Name) -> Option<(Version, Image)> {
        let version = *self.names.get(&(server, name))?;
        let image = self.store.find(server, version);
        if image.is_none() {
            self.names.remove(&(server, name));
        }
        Some((version, image?))
    }

    fn learn(
        &mut self,
        (server, session): (ServerIndex, SessionNumber),
        owner: Name,
        also: &[Name],
        (version, image): (Version, &Image),
    ) {
        if image.0.len() < SMALLEST || !self.is_of(server, session) {
            return;
        }
        let before = self.names.insert((server, owner), version);
        if let Some(before) = before.filter(|before| *before != version) {
            self.disown(server, owner, before);
        }
        for name in also {
            self.names.insert((server, *name), version);
        }
        let owners = self.owners.entry((server, version)).or_default();
        if !owners.contains(&owner) {
            if owners.len() == OWNERS {
                let oldest = owners.remove(0);
                self.names.remove(&(server, oldest));
            }
            owners.push(owner);
        }
        if self.store.find(server, version).is_none() {
            for (server, gone) in self.store.keep(server, version, image.clone()) {
                self.drop_version(server, gone);
            }
        }
    }

    /// A version is not that of an object any more.
    fn disown(&mut self, server: ServerIndex, owner: Name, version: Version) {
        let Some(owners) = self.owners.get_mut(&(server, version)) else { return };
        owners.retain(|name| *name != owner);
        if owners.is_empty() {
            self.drop_version(server, version);
        }
    }

    /// Lets a version go, here and, when it is told, there.
    fn drop_version(&mut self, server: ServerIndex, version: Version) {
        self.store.forget(server, version);
        self.stamps.remove(&(server, version));
        for owner in self.owners.remove(&(server, version)).unwrap_or_default() {
            if self.names.get(&(server, owner)) == Some(&version) {
                self.names.remove(&(server, owner));
            }
        }
        let needless = self.needless.entry(server).or_default();
        if needless.len() < NEEDLESS {
            needless.push(version);
        }
    }
}

/// Of the device as a whole: one server may use all of it.
pub(crate) const fn bounds(total: ByteCount) -> Bounds {
    Bounds { each: total, total }
}

#[cfg(test)]
mod tests;
