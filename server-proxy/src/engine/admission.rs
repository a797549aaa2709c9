//! Who attaches.

use outboard_core::{InstanceId, SessionId, Timestamp};
use outboard_wire::Lost;
use outboard_wire::frame::{Hello, MethodStatus, Refusal, Welcome};
use outboard_wire::server::Table;

use super::{Attached, Engine};
use crate::{Connection, Grants};

impl Engine {
    /// A device wants to attach, in a protocol version that both speak.
    pub(super) fn greeted(&mut self, now: Timestamp, connection: Connection, hello: &Hello) {
        let admitted = self.judge(now, hello);
        match admitted {
            Ok(grants) => self.attach(now, connection, hello, &grants),
            Err(refusal) => {
                // What a device says of itself is quoted: it could contain line breaks.
                let (name, version, build) = (&hello.app.name, &hello.app.version, &hello.app.build);
                tracing::info!(%connection, device = %hello.device, ?name, ?version, ?build, %refusal, "a device was refused");
                if let Some(peer) = self.peers.get_mut(&connection) {
                    peer.session.refuse(now, refusal);
                }
            }
        }
    }

    /// Nothing about the server is told before the token is right.
    fn judge(&mut self, now: Timestamp, hello: &Hello) -> Result<Grants, Refusal> {
        let grants = self.door.admit(&hello.token).ok_or(Refusal::Token)?;
        let ours = &self.settings.app;
        if hello.app.name != ours.name {
            return Err(Refusal::App(ours.clone()));
        }
        if hello.app != *ours {
            return Err(Refusal::Version(ours.clone()));
        }
        if self.drain.is_some() || !self.has_room(now, hello.device) {
            return Err(Refusal::Busy);
        }
        Ok(grants)
    }

    /// Whether there is room for one more session. When there is none, an older session of the same run of the app
    /// gives way: a device that has lost its connection comes back long before its silence shows here. Or one of a device
    /// that has missed a ping; never one that is silent as agreed, which would come back and push out the next.
    fn has_room(&mut self, now: Timestamp, device: InstanceId) -> bool {
        if self.attached().count() < self.settings.sessions {
            return true;
        }
        let older = self.attached().filter(|(_, attached)| attached.device == device);
        let older = older.min_by_key(|(_, attached)| attached.session).map(|(connection, _)| connection);
        let Some(connection) = older.or_else(|| self.vanished(now)) else { return false };
        self.drive(now, connection, |session| session.close(now));
        self.attached().count() < self.settings.sessions
    }

    /// The device that has been silent for longest beyond what was agreed.
    fn vanished(&self, now: Timestamp) -> Option<Connection> {
        let missed = |connection: Connection| self.peers.get(&connection)?.session.missed_for(now);
        let silent = self.attached().filter_map(|(connection, _)| Some((missed(connection)?, connection)));
        silent.max().map(|(_, connection)| connection)
    }

    fn attach(&mut self, now: Timestamp, connection: Connection, hello: &Hello, grants: &Grants) {
        let table = self.table.get_or_insert_with(|| Table::from_iter(self.methods.values().cloned()));
        let methods = table.compare(&hello.methods, |method| grants.allow(method));
        let accepted = methods.iter().filter(|&&status| status == MethodStatus::Accepted).count();
        let load = self.calls.load();
        let Some(peer) = self.peers.get_mut(&connection) else { return };
        self.opened += 1;
        let (session, device) = (SessionId(self.opened), hello.device);
        let welcome = Welcome {
            // The session fills in what was negotiated.
            protocol: 0,
            limits: self.settings.limits,
            session,
            server: self.settings.instance,
            methods,
            capacity: self.settings.capacity,
            load,
        };
        peer.session.accept(now, welcome);
        if peer.session.is_open() {
            let owner = self.kept.attach(device, &hello.token);
            peer.attached = Some(Attached { session, device, owner, since: now, methods: accepted });
            tracing::info!(
                %connection, %session, %device, methods = hello.methods.len(), accepted, "a device has attached"
            );
        }
    }

    /// Closes the connection that has been silent longest, when as many are silent as may be.
    pub(super) fn make_room_for_a_stranger(&mut self, now: Timestamp) {
        let strangers = || self.peers.iter().filter(|(_, peer)| peer.attached.is_none());
        if strangers().count() < self.settings.strangers {
            return;
        }
        let oldest = strangers().min_by_key(|(connection, peer)| (peer.since, **connection));
        if let Some(connection) = oldest.map(|(&connection, _)| connection) {
            tracing::debug!(%connection, reason = %Lost::WeLeft, "a connection did not greet and made room");
            self.drive(now, connection, |session| session.close(now));
        }
    }

    pub(super) fn attached(&self) -> impl Iterator<Item = (Connection, &Attached)> {
        self.peers.iter().filter_map(|(&connection, peer)| Some((connection, peer.attached.as_ref()?)))
    }
}
