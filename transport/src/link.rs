//! One connection between a device and a server, as frames.

mod assembly;
mod inbox;
mod outbox;
mod stream;

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use outboard_core::ByteCount;
use quinn::{Connection, RecvStream};
use tokio::task::coop::cooperative;

use crate::config::TransportConfig;
use crate::congestion::Closing;
use crate::error::{CloseReason, LinkError};

use inbox::Inbox;
pub(crate) use stream::OutStream;

pub use outbox::{LinkSender, SendError};

/// The first bytes on the small lane, from the device. They let the server know of the lane before the first frame.
pub(crate) const OPENING: [u8; 4] = *b"OUT1";

/// A frame as it stands on the small lane.
pub(crate) fn framed(frame: &[u8]) -> Vec<u8> {
    let size = u32::try_from(frame.len()).expect("a frame of the small lane is small");
    [&assembly::header(size)[..], frame].concat()
}

/// One connection between a device and a server, as frames. Dropping it closes it.
pub struct Link {
    inbox: Inbox,
    sender: LinkSender,
    ended: Option<LinkError>,
    resumed: bool,
}

/// What a link's path and traffic look like now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStats {
    /// The smoothed round-trip time (RFC 9002, section 5.3).
    pub round_trip: Duration,
    /// The shortest round-trip time seen.
    pub shortest_round_trip: Duration,
    /// Bytes sent in UDP datagrams, encryption and headers of QUIC included, those of UDP and IP not.
    pub sent: ByteCount,
    /// Bytes received, counted alike.
    pub received: ByteCount,
    /// Packets sent on this path.
    pub sent_packets: u64,
    /// Packets of those that were lost on the way there.
    pub lost_packets: u64,
    /// Bytes that may be under way at once, as congestion control has it.
    pub congestion_window: ByteCount,
    /// How often that window was cut because the path carried no more.
    pub congestion_events: u64,
    /// How often large packets, and only they, stopped coming through.
    pub black_holes: u64,
    /// The largest datagram that the path carries, as far as it is known.
    pub path_mtu: ByteCount,
}

impl LinkStats {
    fn of(connection: &Connection) -> Self {
        let stats = connection.stats();
        Self {
            round_trip: stats.path.rtt,
            shortest_round_trip: stats.path.min_rtt,
            sent: ByteCount::from_bytes(stats.udp_tx.bytes),
            received: ByteCount::from_bytes(stats.udp_rx.bytes),
            sent_packets: stats.path.sent_packets,
            lost_packets: stats.path.lost_packets,
            congestion_window: ByteCount::from_bytes(stats.path.cwnd),
            congestion_events: stats.path.congestion_events,
            black_holes: stats.path.black_holes_detected,
            path_mtu: ByteCount::from_bytes(stats.path.current_mtu.into()),
        }
    }
}

impl Link {
    pub(crate) fn new(
        connection: Connection,
        closing: Closing,
        send: OutStream,
        receive: RecvStream,
        settings: &TransportConfig,
    ) -> Self {
        let inbox = Inbox::new(connection.clone(), receive, settings);
        let sender = LinkSender::start(connection, closing, send, settings);
        Self { inbox, sender, ended: None, resumed: false }
    }

    /// Says how its handshake went.
    pub(crate) fn resumed(mut self, resumed: bool) -> Self {
        self.resumed = resumed;
        self
    }

    /// Whether this end resumed the handshake of an earlier link. A server does not ask.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// A handle that sends, from any thread.
    pub fn sender(&self) -> LinkSender {
        self.sender.clone()
    }

    /// The next frame of either lane, whole. What arrived before the peer closed the link comes before the error;
    /// after an error, always the same one.
    ///
    /// Cancel-safe: a future dropped before it is ready has taken nothing.
    ///
    /// # Errors
    /// When the link has ended, on purpose or not. A peer that breaks the protocol ends it.
    pub async fn recv(&mut self) -> Result<Vec<u8>, LinkError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        // quinn's streams know nothing of tokio's budget: without it, a peer that never stops sending would keep the
        // task from ever giving way.
        let received = cooperative(poll_fn(|cx| self.inbox.poll_frame(cx))).await;
        received.map_err(|error| {
            if let LinkError::Violation(violation) = &error {
                self.sender.outbox().close(CloseReason::Violation, &violation.to_string(), error.clone());
            }
            // Where this end had closed the link, the cause that it gave is the one to tell.
            let error = self.sender.ended().unwrap_or(error);
            self.ended.insert(error).clone()
        })
    }

    /// Closes the link at once, telling the peer why. What has not reached the peer's application by then may be lost,
    /// so only the end that received last closes, and the other waits for it.
    pub fn close(&self, reason: CloseReason, detail: &str) {
        self.sender.close(reason, detail);
    }

    /// Why the link has ended, if it has.
    pub fn ended(&self) -> Option<LinkError> {
        self.sender.ended()
    }

    /// The smoothed round-trip time.
    pub fn rtt(&self) -> Duration {
        self.connection().rtt()
    }

    /// What the path and the traffic look like now.
    pub fn stats(&self) -> LinkStats {
        self.sender.stats()
    }

    /// Where the peer is now; a device may move from network to network.
    pub fn peer(&self) -> SocketAddr {
        self.connection().remote_address()
    }

    fn connection(&self) -> &Connection {
        &self.sender.outbox().connection
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("peer", &self.peer())
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.close(CloseReason::Dropped, "");
    }
}
