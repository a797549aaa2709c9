//! Frames from the peer.
//!
//! Reading happens where [`Link::recv`](super::Link::recv) is polled, without a task of its own: one wake-up less per
//! frame, and a reader that stops reading holds the peer back by QUIC's windows instead of filling a queue.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use quinn::{Connection, ConnectionError, ReadError, RecvStream};

use super::assembly::Assembly;
use crate::config::TransportConfig;
use crate::error::{LinkError, Violation};

/// Small frames in a row after which a bulk frame goes first, so that a flood of them holds no bulk frame back forever.
const SMALL_IN_A_ROW: u32 = 64;
/// Bytes of one bulk frame that are read before the small lane is looked at again.
const BULK_AT_A_TIME: usize = 1 << 20;
/// Most bytes asked for at once: more than a window's worth of packets seldom waits.
const CHUNK: usize = 256 << 10;

/// What the peer sends, as frames.
pub(crate) struct Inbox {
    connection: Connection,
    small: SmallLane,
    bulk: BulkLane,
    small_in_a_row: u32,
}

/// Why nothing comes (any more) from a lane or a stream.
enum Stop {
    /// The connection has ended, and the lane with it.
    Lost,
    /// The peer broke the protocol.
    Violation(Violation),
}

struct SmallLane {
    stream: RecvStream,
    input: Bytes,
    assembly: Assembly,
}

struct BulkLane {
    limit: u32,
    most: usize,
    /// Bytes of frames that may still be announced.
    budget: u64,
    /// The next stream that the peer opens. Kept between polls, because dropping it would lose the wake-up.
    next: Option<NextStream>,
    streams: Vec<BulkStream>,
}

type NextStream = Pin<Box<dyn Future<Output = Result<RecvStream, ConnectionError>> + Send + Sync>>;

struct BulkStream {
    stream: RecvStream,
    assembly: Assembly,
    progress: Progress,
}

/// How far a bulk stream's frame has come.
enum Progress {
    /// Its length is not known yet.
    Announcing,
    /// Its length is known, but frames before it use the budget up.
    Waiting(u32),
    /// It is being assembled, and counted.
    Arriving(u32),
    /// It is whole; the stream must now end.
    Whole(Vec<u8>),
}

/// What became of a bulk stream.
enum BulkEnd {
    Frame(Vec<u8>),
    /// The peer took the frame back.
    Abandoned,
}

impl Inbox {
    pub(crate) fn new(connection: Connection, small: RecvStream, settings: &TransportConfig) -> Self {
        Self {
            small: SmallLane {
                stream: small,
                input: Bytes::new(),
                assembly: Assembly::new(settings.frame_bytes),
            },
            bulk: BulkLane {
                limit: settings.frame_bytes,
                most: usize::from(settings.bulk_streams),
                budget: settings.unfinished.as_bytes(),
                next: None,
                streams: Vec::new(),
            },
            connection,
            small_in_a_row: 0,
        }
    }

    /// The next whole frame of either lane. What arrived before the link ended is delivered first.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, LinkError>> {
        let mut small_lost = false;
        let bulk_first = self.small_in_a_row >= SMALL_IN_A_ROW;
        if !bulk_first {
            match self.small.poll_frame(cx) {
                Poll::Ready(Ok(frame)) => {
                    self.small_in_a_row += 1;
                    return Poll::Ready(Ok(frame));
                }
                Poll::Ready(Err(Stop::Violation(violation))) => return Poll::Ready(Err(violation.into())),
                Poll::Ready(Err(Stop::Lost)) => small_lost = true,
                Poll::Pending => {}
            }
        }
        self.small_in_a_row = 0;
        match self.bulk.poll_frame(cx, &self.connection) {
            Poll::Ready(Ok(frame)) => return Poll::Ready(Ok(frame)),
            Poll::Ready(Err(Stop::Violation(violation))) => return Poll::Ready(Err(violation.into())),
            Poll::Ready(Err(Stop::Lost)) if small_lost => return Poll::Ready(Err(self.lost())),
            Poll::Ready(Err(Stop::Lost)) | Poll::Pending => {}
        }
        if bulk_first {
            // The small lane has its turn at once, with the count started anew.
            return self.poll_frame(cx);
        }
        Poll::Pending
    }

    fn lost(&self) -> LinkError {
        // Every read has failed because of it, so there is a reason; `Stopped` would be quinn's fault.
        self.connection.close_reason().map_or(LinkError::Stopped, LinkError::from)
    }
}

impl SmallLane {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, Stop>> {
        loop {
            match self.assembly.take(&mut self.input) {
                Ok(Some(frame)) => return Poll::Ready(Ok(frame)),
                Ok(None) => {}
                Err(violation) => return Poll::Ready(Err(Stop::Violation(violation))),
            }
            match poll_chunk(&mut self.stream, CHUNK, cx) {
                Poll::Ready(Ok(Some(bytes))) => self.input = bytes,
                Poll::Ready(Err(ReadError::ConnectionLost(_))) => return Poll::Ready(Err(Stop::Lost)),
                Poll::Ready(Ok(None) | Err(_)) => {
                    return Poll::Ready(Err(Stop::Violation(Violation::SmallLaneEnded)));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl BulkLane {
    fn poll_frame(&mut self, cx: &mut Context<'_>, connection: &Connection) -> Poll<Result<Vec<u8>, Stop>> {
        let mut lost = self.accept(cx, connection);
        // A stream that ends gives its part of the budget back, which may let an earlier one go on: hence by index,
        // from the start again after each end.
        let mut index = 0;
        let mut may_announce = true;
        while let Some(stream) = self.streams.get_mut(index) {
            match stream.poll(cx, &mut self.budget, may_announce) {
                Poll::Pending => {
                    // First come, first served: smaller frames behind a large one do not starve it.
                    may_announce &= !matches!(stream.progress, Progress::Waiting(_));
                    index += 1;
                    continue;
                }
                Poll::Ready(Ok(BulkEnd::Frame(frame))) => {
                    self.streams.remove(index);
                    return Poll::Ready(Ok(frame));
                }
                Poll::Ready(Ok(BulkEnd::Abandoned) | Err(Stop::Lost)) => {}
                Poll::Ready(Err(violation)) => return Poll::Ready(Err(violation)),
            }
            self.streams.remove(index);
            lost |= self.accept(cx, connection);
            index = 0;
            may_announce = true;
        }
        if lost && self.streams.is_empty() { Poll::Ready(Err(Stop::Lost)) } else { Poll::Pending }
    }

    /// Takes in the streams that the peer has opened, as far as there is room. Tells whether the connection is lost.
    fn accept(&mut self, cx: &mut Context<'_>, connection: &Connection) -> bool {
        while self.streams.len() < self.most {
            let next = self.next.get_or_insert_with(|| {
                let connection = connection.clone();
                Box::pin(async move { connection.accept_uni().await })
            });
            let Poll::Ready(accepted) = next.as_mut().poll(cx) else { return false };
            self.next = None;
            let Ok(stream) = accepted else { return true };
            let assembly = Assembly::new(self.limit);
            self.streams.push(BulkStream { stream, assembly, progress: Progress::Announcing });
        }
        false
    }
}

impl BulkStream {
    /// Goes on until the frame is whole and its stream has ended.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        budget: &mut u64,
        may_announce: bool,
    ) -> Poll<Result<BulkEnd, Stop>> {
        let mut read = 0;
        loop {
            if let Progress::Waiting(size) = self.progress {
                if !may_announce || u64::from(size) > *budget {
                    return Poll::Pending;
                }
                *budget -= u64::from(size);
                self.progress = Progress::Arriving(size);
                // An empty frame is whole without another byte.
                if let Err(violation) = self.go_on(&mut Bytes::new()) {
                    return Poll::Ready(Err(Stop::Violation(violation)));
                }
            }
            if read >= BULK_AT_A_TIME {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let most = match self.progress {
                Progress::Announcing => self.assembly.header_left(),
                _ => CHUNK,
            };
            let chunk = match poll_chunk(&mut self.stream, most, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(chunk) => chunk,
            };
            match chunk {
                Ok(Some(mut bytes)) => {
                    read += bytes.len();
                    if let Err(violation) = self.go_on(&mut bytes) {
                        return Poll::Ready(Err(Stop::Violation(violation)));
                    }
                }
                ended => return Poll::Ready(self.end(ended.err(), budget)),
            }
        }
    }

    fn go_on(&mut self, bytes: &mut Bytes) -> Result<(), Violation> {
        match self.progress {
            Progress::Announcing => {
                if let Some(size) = self.assembly.take_header(bytes)? {
                    self.progress = Progress::Waiting(size);
                }
            }
            Progress::Arriving(_) => {
                if let Some(frame) = self.assembly.take(bytes)? {
                    self.progress = Progress::Whole(frame);
                }
            }
            Progress::Waiting(_) | Progress::Whole(_) => {}
        }
        if bytes.is_empty() { Ok(()) } else { Err(Violation::TrailingBytes) }
    }

    /// The stream has ended, or failed with an error: only a whole frame whose stream was finished counts.
    fn end(&mut self, error: Option<ReadError>, budget: &mut u64) -> Result<BulkEnd, Stop> {
        let progress = std::mem::replace(&mut self.progress, Progress::Announcing);
        match &progress {
            Progress::Arriving(size) => *budget += u64::from(*size),
            Progress::Whole(frame) => *budget += frame.len() as u64,
            Progress::Announcing | Progress::Waiting(_) => {}
        }
        match (error, progress) {
            (None, Progress::Whole(frame)) => Ok(BulkEnd::Frame(frame)),
            (None, _) => Err(Stop::Violation(Violation::CutFrame)),
            (Some(ReadError::ConnectionLost(_)), _) => Err(Stop::Lost),
            (Some(_), _) => Ok(BulkEnd::Abandoned),
        }
    }
}

/// The next bytes of a stream, or `None` at its end.
fn poll_chunk(
    stream: &mut RecvStream,
    most: usize,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Bytes>, ReadError>> {
    // Reading a chunk is cancel-safe: nothing is lost with the future, and the stream keeps the waker.
    pin!(stream.read_chunk(most, true)).poll(cx).map(|read| read.map(|chunk| chunk.map(|chunk| chunk.bytes)))
}
