//! What goes between the engine and its driver.

use std::fmt;

use outboard_core::Timestamp;
use outboard_wire::frame::{AnswerFrame, Attempt, CallFrame, ServerCost, SlotImage};
use outboard_wire::{Lane, Lost};

/// One connection. The driver gives the numbers, and never the same one twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(pub u64);

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.0)
    }
}

/// What the engine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Send a frame. When it cannot be sent, the connection is lost: [`Engine::handle_lost`](crate::Engine::handle_lost).
    Transmit {
        /// To whom.
        connection: Connection,
        /// On which lane.
        lane: Lane,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Queue this call. One that is `within` another goes to the worker that waits for that one's call-back.
    Run {
        /// Whose call.
        connection: Connection,
        /// The call.
        call: CallFrame,
        /// When it came: the start of its [`queued`](ServerCost::queued) time.
        arrived: Timestamp,
    },
    /// Nobody wants this attempt any more, and the device knows. Take it out of the queue; if it runs, let it unwind at
    /// its next call-back, which will be refused, and end it as always.
    Fence {
        /// Whose attempt.
        connection: Connection,
        /// Which.
        attempt: Attempt,
    },
    /// A call-back was answered: hand it to the worker that waits.
    Answer {
        /// Whose attempt called back.
        connection: Connection,
        /// The answer.
        frame: AnswerFrame,
    },
    /// A session is over: as if each of these attempts had been fenced. Those that run go on until they end, and count
    /// until then.
    Gone {
        /// Whose session.
        connection: Connection,
        /// Its attempts.
        attempts: Vec<Attempt>,
    },
    /// Close the connection once what was transmitted has left. Nothing follows for it.
    Close {
        /// Which.
        connection: Connection,
        /// Why.
        reason: Lost,
    },
    /// The drain is over, all connections are closed: the server may exit. Nothing follows but the closing of connections
    /// that are made even later.
    Drained,
}

/// A method returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The attempt that returned.
    pub attempt: Attempt,
    /// The encoded result.
    pub result: SlotImage,
    /// The exclusive slots as they are now, in the order of the signature.
    pub exclusive: Vec<SlotImage>,
    /// How many calls that may run once only its root has made by now.
    pub onces: u32,
    /// What it cost.
    pub cost: ServerCost,
}
