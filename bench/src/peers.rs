//! Systems to compare with. Each file has a client and a server of one.

pub(crate) mod link;
pub(crate) mod outboard;
pub(crate) mod quic;
pub(crate) mod udp;

use crate::failure::Failure;
use crate::peer::end_with_parent;

/// What a peer's server process does.
type Serve = fn() -> Result<(), Failure>;

const SERVERS: [(&str, Serve); 3] =
    [(udp::NAME, udp::serve), (quic::NAME, quic::serve), (link::NAME, link::serve)];

/// Is the server of a peer, until standard input closes.
pub(crate) fn serve(peer: &str) -> Result<(), Failure> {
    end_with_parent();
    match SERVERS.iter().find(|(name, _)| *name == peer) {
        Some((_, serve)) => serve(),
        None => {
            let known = SERVERS.map(|(name, _)| name).join(", ");
            Err(Failure::UnknownPeer { name: peer.to_owned(), known })
        }
    }
}
