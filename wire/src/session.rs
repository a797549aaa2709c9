//! What both session machines share: lanes, timing, outputs, and the ways in which a session ends.

mod arrivals;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::frame::{Attempt, FrameError};

pub(crate) use arrivals::{Arrivals, Unexpected};

/// How a frame travels: bulk state must not block small calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// On the one ordered stream of small frames.
    Small,
    /// On a stream of its own.
    Bulk,
}

impl Lane {
    /// Frames of so many bytes, and larger ones, go alone: about what a first window of packets carries.
    const BULK_FROM: u64 = 16 << 10;

    /// The lane for this frame.
    pub const fn of(frame: &[u8]) -> Self {
        Self::of_size(frame.len() as u64)
    }

    /// The lane for a frame of so many bytes.
    pub const fn of_size(bytes: u64) -> Self {
        if bytes < Self::BULK_FROM { Self::Small } else { Self::Bulk }
    }
}

/// What a session machine wants done. The driver drains them with `poll` after every input, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output<E> {
    /// Send a frame.
    Transmit {
        /// On which lane.
        lane: Lane,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Something happened.
    Event(E),
    /// The session is over: close the connection once what was transmitted has left. Nothing follows.
    Close(Lost),
}

/// When a session asks whether the other end is there, and when it takes it for lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// Longest time from the connection to the open session. Default 10 s.
    pub greeting: Duration,
    /// An idle device that has heard nothing for so long pings: its radio is woken as often. Shorter finds a dead server
    /// before a call does; calls are bounded anyway. Default 15 s, and no more than a third of what both ends' [`Limits`]
    /// allow.
    ///
    /// [`Limits`]: crate::Limits
    pub heartbeat: Duration,
    /// A device with calls under way that has heard nothing for so long pings. Default 1 s.
    pub busy_heartbeat: Duration,
    /// Nothing heard for so long after a ping: the server is taken for lost. Shorter finds a dead server earlier;
    /// longer rides out a radio that hands over. Calls have bounds of their own and do not wait for this. Default 4 s.
    pub silence: Duration,
    /// A server that has heard nothing for so long of a device with calls under way, which pings often, takes it for lost,
    /// however silent it may be between calls. Default 45 s.
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            busy_heartbeat: Duration::from_secs(1),
            silence: Duration::from_secs(4),
            patience: Duration::from_secs(45),
        }
    }
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// The connection broke.
    #[error("the connection was lost")]
    Connection,
    /// Nothing was heard for too long.
    #[error("nothing was heard from the other end for too long")]
    Silence,
    /// The other end broke the protocol.
    #[error("the other end broke the protocol: {0}")]
    Violation(#[from] Violation),
    /// The greeting was refused.
    #[error("the session was refused")]
    Refused,
    /// The server drained, and nothing is under way any more.
    #[error("the server went away in good order")]
    Drained,
    /// The other end left.
    #[error("the other end left")]
    TheyLeft,
    /// This end left.
    #[error("this end left")]
    WeLeft,
}

/// How a peer broke the protocol. It is a bug of the peer, or an attack: the session ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A frame could not be read.
    #[error("{0}")]
    Frame(#[from] FrameError),
    /// A frame that has no place before the session is open.
    #[error("it spoke before the session was open")]
    Early,
    /// A second greeting.
    #[error("it greeted twice")]
    GreetedTwice,
    /// A welcome in a protocol version that was not offered.
    #[error("it chose protocol version {0}, which was not offered")]
    Protocol(u16),
    /// A welcome whose statuses do not fit the table.
    #[error("it gave {found} statuses for {expected} methods")]
    Statuses {
        /// How many methods the table has.
        expected: usize,
        /// How many statuses came.
        found: usize,
    },
    /// Limits below what a session needs.
    #[error("its limits leave no room for a session")]
    Limits,
    /// More calls under way than it was allowed.
    #[error("it has more calls under way than it was allowed")]
    TooManyCalls,
    /// The same number, or the same attempt, twice.
    #[error("it used attempt {0}, or its number, twice")]
    CallRepeated(Attempt),
    /// More call-backs under way than it was allowed.
    #[error("attempt {0} has more call-backs under way than it was allowed")]
    TooManyBacks(Attempt),
    /// The same call-back twice.
    #[error("it used call-back {1} of attempt {0} twice")]
    BackRepeated(Attempt, u32),
    /// An answer to no question.
    #[error("it answered call-back {1} of attempt {0}, which was not made")]
    AnswerUnasked(Attempt, u32),
    /// An answer to no probe, or one with more padding than was wanted.
    #[error("it answered probe {0}, which was not sent, or at greater length than was wanted")]
    ProbeAnswer(u64),
    /// A pong to no ping.
    #[error("it answered ping {0}, which was not sent")]
    PongUnasked(u64),
    /// An attempt "not run" that had called back.
    #[error("it says that attempt {0} never started, but that attempt had called back")]
    RanAfterAll(Attempt),
}
