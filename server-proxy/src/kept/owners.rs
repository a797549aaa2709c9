//! Whose calls they are.

use std::collections::BTreeMap;
use std::fmt;

use outboard_core::{CallId, InstanceId};

/// A run of an app, together with the token that it attached with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner(u64);

/// All that have a session, or something kept.
#[derive(Default)]
pub(super) struct Owners {
    names: BTreeMap<(InstanceId, String), Owner>,
    table: BTreeMap<Owner, Known>,
    next: u64,
    /// Whether an owner of whose calls some are forgotten was dropped. It may be one that comes back.
    lost: bool,
}

struct Known {
    name: (InstanceId, String),
    sessions: usize,
    /// All calls from this one on that began are remembered. `None`: not one is known to be.
    from: Option<CallId>,
}

impl Owners {
    pub(super) fn attach(&mut self, device: InstanceId, token: &str) -> Owner {
        let name = (device, token.to_owned());
        let from = (!self.lost).then_some(CallId(0));
        let owner = *self.names.entry(name.clone()).or_insert_with(|| {
            self.next += 1;
            Owner(self.next)
        });
        self.table.entry(owner).or_insert(Known { name, sessions: 0, from }).sessions += 1;
        owner
    }

    pub(super) fn detach(&mut self, owner: Owner) {
        if let Some(known) = self.table.get_mut(&owner) {
            known.sessions = known.sessions.saturating_sub(1);
        }
    }

    /// A call begins. Whether the owner is there at all.
    pub(super) fn began(&mut self, owner: Owner, call: CallId) -> bool {
        let Some(known) = self.table.get_mut(&owner) else { return false };
        // What the device calls in a session that is open now comes after all that it called in earlier ones.
        known.from.get_or_insert(call);
        true
    }

    /// Something is no longer remembered of a call.
    pub(super) fn forget(&mut self, owner: Owner, call: CallId) {
        if let Some(known) = self.table.get_mut(&owner) {
            let from = CallId(call.0.saturating_add(1));
            known.from = known.from.map(|known| known.max(from));
        }
    }

    /// Whether this call would be remembered if it had begun.
    pub(super) fn knows(&self, owner: Owner, call: CallId) -> bool {
        self.table.get(&owner).and_then(|known| known.from).is_some_and(|from| call >= from)
    }

    pub(super) fn drop_if_away(&mut self, owner: Owner) {
        if let Some(known) = self.table.get(&owner).filter(|known| known.sessions == 0) {
            self.lost |= known.from != Some(CallId(0));
            self.names.remove(&known.name);
            self.table.remove(&owner);
        }
    }
}

impl fmt::Debug for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names contain tokens.
        f.debug_struct("Owners")
            .field("known", &self.table.len())
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}
