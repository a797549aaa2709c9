//! By which of its addresses a device reaches its servers.
//!
//! A device that moves to another network has another address there. The system sends by the new one at once where it can,
//! and servers follow; elsewhere the socket has to be another one too. In either case what was learned of the path is of
//! the old one. Asking the system costs a few microseconds and no packet, so it is done whenever the engine's time has
//! come anyway: an idle device is not woken for it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use outboard_core::ServerIndex;
use outboard_transport::Connector;

use crate::device::{Device, LinkNumber};

/// The system is not asked more often than that.
const SELDOM: Duration = Duration::from_secs(1);

/// The address that each link had when the system was asked last.
#[derive(Debug, Default)]
pub(super) struct Ways {
    known: BTreeMap<ServerIndex, (LinkNumber, IpAddr)>,
    asked: Option<Instant>,
}

impl Ways {
    /// Looks whether the device has moved, and moves its links along.
    pub(super) fn look(&mut self, now: Instant, device: &Device, connector: &Connector) {
        if self.asked.is_some_and(|asked| now.saturating_duration_since(asked) < SELDOM) {
            return;
        }
        self.asked = Some(now);
        let links = device.links();
        self.known.retain(|server, _| links.iter().any(|(known, ..)| known == server));
        let moved: Vec<ServerIndex> = links
            .into_iter()
            .filter(|(server, link, way)| {
                way.quic().is_some_and(|way| self.has_moved(*server, *link, way.way_out()))
            })
            .map(|(server, ..)| server)
            .collect();
        if moved.is_empty() {
            return;
        }
        match connector.take_another_socket() {
            Ok(()) => tracing::debug!("this device has another address now"),
            // The old socket may do as well; if it does not, the links end and are made anew.
            Err(error) => tracing::warn!(%error, "this device has another address now, and no socket for it"),
        }
        for server in moved {
            device.with(|engine, now| engine.path_changed(now, server));
        }
    }

    /// Whether a link's way is another one than before. A link without a way keeps the one that it had: when the network
    /// comes back, it may be the same.
    fn has_moved(&mut self, server: ServerIndex, link: LinkNumber, way: Option<IpAddr>) -> bool {
        let Some(way) = way else { return false };
        let before = self.known.insert(server, (link, way));
        before.is_some_and(|(same, before)| same == link && before != way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_moves_when_its_address_is_another_one_than_before() {
        let mut ways = Ways::default();
        let [home, cafe] = [1, 2].map(|last| Some(IpAddr::from([192, 0, 2, last])));
        let (server, link) = (ServerIndex(0), LinkNumber::staged(1));
        assert!(!ways.has_moved(server, link, home), "that is where it began");
        assert!(!ways.has_moved(server, link, home));
        assert!(!ways.has_moved(server, link, None), "between two networks there is nowhere to go");
        assert!(!ways.has_moved(server, link, home));
        assert!(!ways.has_moved(server, link, None));
        assert!(ways.has_moved(server, link, cafe));
        assert!(!ways.has_moved(server, link, cafe));
        assert!(!ways.has_moved(server, LinkNumber::staged(2), home), "another link began there");
        assert!(!ways.has_moved(ServerIndex(1), link, cafe), "and so did one to another server");
    }
}
