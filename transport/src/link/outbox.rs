//! Frames to the peer.
//!
//! A small frame goes from the calling thread straight into quinn's buffer; a task of the link takes over only when the
//! peer holds back. Frames that are sent before the network task runs leave together. Bulk frames are queued, each for a
//! stream of its own, and count until the peer has acknowledged them.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use outboard_core::ByteCount;
use outboard_wire::Lane;
use quinn::{Connection, WriteError};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use super::LinkStats;
use super::assembly::{HEADER, header};
use super::stream::OutStream;
use crate::config::TransportConfig;
use crate::congestion::Closing;
use crate::error::{CloseReason, LinkError, Violation, shortened};

/// What a queued frame costs besides its bytes, generously: without it, a queue bounded in bytes would hold any number
/// of empty frames.
const FRAME_OVERHEAD: u64 = 1 << 10;
/// Frames up to this size are copied behind their header, which is cheaper than a second piece in quinn's buffer.
const COPIED: usize = 4 << 10;
/// The small lane goes before every bulk stream.
const SMALL_PRIORITY: i32 = 1;
/// Each bulk stream goes before those that came later: the first frame arrives first, instead of all of them late.
const FIRST_BULK_PRIORITY: i32 = 0;

/// Sends frames on a link, from any thread and without ever waiting.
#[derive(Clone, Debug)]
pub struct LinkSender(Arc<Outbox>);

/// A frame was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The lane's queue is full: the peer takes frames more slowly than they are sent.
    #[error("{queued} wait for the peer already: send again when it has taken some")]
    Full {
        /// How much waits.
        queued: ByteCount,
    },
    /// The frame is above the limit.
    #[error("the frame has {size} bytes, above the limit of {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: u32,
    },
    /// The link has ended.
    #[error("the link has ended: {0}")]
    Ended(#[from] LinkError),
}

/// What the sending handles, the link and its tasks share.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) connection: Connection,
    closing: Closing,
    frame_bytes: u32,
    queue: u64,
    small: Mutex<Small>,
    small_waits: Notify,
    bulk: mpsc::UnboundedSender<Bulk>,
    bulk_queued: Arc<AtomicU64>,
    /// The first cause that quinn does not know: it would only say that the link was closed here.
    cause: OnceLock<LinkError>,
}

#[derive(Debug)]
struct Small {
    stream: OutStream,
    /// What quinn did not take, in order.
    backlog: VecDeque<Bytes>,
    queued: u64,
}

#[derive(Debug)]
struct Bulk {
    frame: Bytes,
    share: Share,
}

/// A frame's share of the bulk queue, given back when dropped.
#[derive(Debug)]
struct Share {
    queued: Arc<AtomicU64>,
    size: u64,
}

impl LinkSender {
    /// Starts the link's sending tasks.
    pub(crate) fn start(
        connection: Connection,
        closing: Closing,
        small: OutStream,
        settings: &TransportConfig,
    ) -> Self {
        // Only a finished or reset stream refuses a priority, and this one is new.
        let _ = small.set_priority(SMALL_PRIORITY);
        let (bulk, bulk_frames) = mpsc::unbounded_channel();
        let outbox = Arc::new(Outbox {
            connection,
            closing,
            frame_bytes: settings.frame_bytes,
            queue: settings.queue.as_bytes(),
            small: Mutex::new(Small { stream: small, backlog: VecDeque::new(), queued: 0 }),
            small_waits: Notify::new(),
            bulk,
            bulk_queued: Arc::new(AtomicU64::new(0)),
            cause: OnceLock::new(),
        });
        tokio::spawn(drive(Arc::clone(&outbox), bulk_frames));
        Self(outbox)
    }

    /// Queues a frame and returns at once. Whether it arrives is for the session to know: a link that ends loses what
    /// the peer has not received.
    ///
    /// Frames of the small lane arrive in the order in which they were sent; bulk frames in any.
    ///
    /// # Errors
    /// When the lane's queue is full, the frame above the limit, or the link at its end. The frame is dropped then.
    pub fn send(&self, lane: Lane, frame: Vec<u8>) -> Result<(), SendError> {
        let limit = self.0.frame_bytes;
        let size = match u32::try_from(frame.len()) {
            Ok(size) if size <= limit => size,
            _ => return Err(SendError::TooLarge { size: frame.len(), limit }),
        };
        if let Some(error) = self.0.ended() {
            return Err(error.into());
        }
        match lane {
            Lane::Small => self.0.send_small(size, frame),
            Lane::Bulk => self.0.send_bulk(frame),
        }
    }

    /// Closes the link at once. See [`Link::close`](super::Link::close).
    pub fn close(&self, reason: CloseReason, detail: &str) {
        self.0.close(reason, detail, LinkError::ClosedHere);
    }

    /// Why the link has ended, if it has.
    pub fn ended(&self) -> Option<LinkError> {
        self.0.ended()
    }

    /// What the path and the traffic look like now. Takes the connection's lock for a moment.
    pub fn stats(&self) -> LinkStats {
        LinkStats::of(&self.0.connection)
    }

    /// The address by which the system would reach the peer now; absent where it could not. No packet is sent.
    pub fn way_out(&self) -> Option<IpAddr> {
        let peer = self.0.connection.remote_address();
        let any: IpAddr =
            if peer.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(peer).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.0
    }
}

impl Outbox {
    pub(crate) fn ended(&self) -> Option<LinkError> {
        let reason = self.connection.close_reason()?;
        Some(self.cause.get().cloned().unwrap_or_else(|| reason.into()))
    }

    /// Ends the link; the first cause stands.
    pub(crate) fn close(&self, reason: CloseReason, detail: &str, cause: LinkError) {
        if self.connection.close_reason().is_none() {
            let _ = self.cause.set(cause);
            self.closing.begin();
            self.connection.close(reason.code(), shortened(detail));
        }
    }

    fn send_small(&self, size: u32, frame: Vec<u8>) -> Result<(), SendError> {
        let cost = u64::from(size) + FRAME_OVERHEAD;
        let mut small = self.small();
        if small.backlog.is_empty() {
            small.stage(size, frame);
            let mut nobody = Context::from_waker(Waker::noop());
            match small.poll_write(&mut nobody) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Err(self.refused(error).into()),
                Poll::Pending => {
                    small.queued = cost;
                    // The task polls again, with a waker that wakes it.
                    self.small_waits.notify_one();
                }
            }
            return Ok(());
        }
        if small.queued + cost > self.queue {
            return Err(SendError::Full { queued: ByteCount::from_bytes(small.queued) });
        }
        small.queued += cost;
        small.stage(size, frame);
        Ok(())
    }

    fn send_bulk(&self, frame: Vec<u8>) -> Result<(), SendError> {
        let share = Share::take(&self.bulk_queued, frame.len() as u64 + FRAME_OVERHEAD, self.queue)?;
        self.bulk
            .send(Bulk { frame: Bytes::from(frame), share })
            // The task that receives ends with the link only.
            .map_err(|_| self.ended().unwrap_or(LinkError::ClosedHere).into())
    }

    fn small(&self) -> MutexGuard<'_, Small> {
        self.small.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream of ours failed: with the link, or because the peer does not want it.
    fn refused(&self, error: WriteError) -> LinkError {
        match error {
            WriteError::ConnectionLost(reason) => self.ended().unwrap_or_else(|| reason.into()),
            WriteError::Stopped(_) | WriteError::ClosedStream | WriteError::ZeroRttRejected => {
                self.peer_refuses()
            }
        }
    }

    fn peer_refuses(&self) -> LinkError {
        let cause = LinkError::from(Violation::FrameRefused);
        self.close(CloseReason::Violation, "a frame was turned away", cause.clone());
        self.ended().unwrap_or(cause)
    }
}

impl Small {
    fn stage(&mut self, size: u32, frame: Vec<u8>) {
        if frame.len() > COPIED {
            self.backlog.push_back(Bytes::copy_from_slice(&header(size)));
            self.backlog.push_back(Bytes::from(frame));
        } else {
            let mut whole = Vec::with_capacity(HEADER + frame.len());
            whole.extend_from_slice(&header(size));
            whole.extend_from_slice(&frame);
            self.backlog.push_back(Bytes::from(whole));
        }
    }

    /// Moves the backlog into quinn's buffer; `Ready` when all of it is there.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        while !self.backlog.is_empty() {
            // Writing is cancel-safe: a future that is dropped while it waits has written nothing, and quinn keeps
            // the waker.
            let written = match pin!(self.stream.write_chunks(self.backlog.make_contiguous())).poll(cx) {
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            };
            self.backlog.drain(..written.chunks);
        }
        self.queued = 0;
        Poll::Ready(Ok(()))
    }
}

impl Share {
    fn take(queued: &Arc<AtomicU64>, size: u64, bound: u64) -> Result<Self, SendError> {
        let mut now = queued.load(Ordering::Relaxed);
        loop {
            // One frame always has room, or a bound of exactly the largest frame would never take it.
            if now > 0 && now + size > bound {
                return Err(SendError::Full { queued: ByteCount::from_bytes(now) });
            }
            match queued.compare_exchange_weak(now, now + size, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(Self { queued: Arc::clone(queued), size }),
                Err(other) => now = other,
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.queued.fetch_sub(self.size, Ordering::Relaxed);
    }
}

/// The link's sending tasks; they end with the connection, and reset what is half-written then.
async fn drive(outbox: Arc<Outbox>, bulk_frames: mpsc::UnboundedReceiver<Bulk>) {
    tokio::select! {
        _ = outbox.connection.closed() => {}
        () = drive_small(&outbox) => {}
        () = drive_bulk(&outbox, bulk_frames) => {}
    }
}

async fn drive_small(outbox: &Outbox) {
    loop {
        outbox.small_waits.notified().await;
        if let Err(error) = poll_fn(|cx| outbox.small().poll_write(cx)).await {
            outbox.refused(error);
            return;
        }
    }
}

async fn drive_bulk(outbox: &Arc<Outbox>, mut frames: mpsc::UnboundedReceiver<Bulk>) {
    let mut writing = JoinSet::new();
    let mut priority = FIRST_BULK_PRIORITY;
    while let Some(bulk) = frames.recv().await {
        // Waits until the peer has room for another frame.
        let Ok(stream) = outbox.connection.open_uni().await else { return };
        // Only a finished or reset stream refuses a priority, and this one is new.
        let _ = stream.set_priority(priority);
        // After two thousand million frames they share what there is.
        priority = priority.saturating_sub(1);
        writing.spawn(write_bulk(Arc::clone(outbox), OutStream::new(stream), bulk));
        while writing.try_join_next().is_some() {}
    }
}

async fn write_bulk(outbox: Arc<Outbox>, mut stream: OutStream, bulk: Bulk) {
    let Bulk { frame, share } = bulk;
    let size = u32::try_from(frame.len()).expect("`send` takes no frame above a limit of 32 bits");
    let mut pieces = [Bytes::copy_from_slice(&header(size)), frame];
    let end = match stream.write_all_chunks(&mut pieces).await {
        Ok(()) => stream.finish().await.map_err(WriteError::from),
        Err(error) => Err(error),
    };
    match end {
        Ok(None) => {}
        Ok(Some(_)) => drop(outbox.peer_refuses()),
        Err(error) => drop(outbox.refused(error)),
    }
    drop(share);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_takes_one_frame_of_any_size_and_then_keeps_its_bound() {
        let queued = Arc::new(AtomicU64::new(0));
        let first = Share::take(&queued, 150, 100).unwrap();
        let full = Share::take(&queued, 1, 100).unwrap_err();
        assert_eq!(full, SendError::Full { queued: ByteCount::from_bytes(150) });
        drop(first);
        let _second = Share::take(&queued, 60, 100).unwrap();
        let third = Share::take(&queued, 40, 100).unwrap();
        Share::take(&queued, 1, 100).unwrap_err();
        drop(third);
        assert_eq!(queued.load(Ordering::Relaxed), 60);
    }
}
