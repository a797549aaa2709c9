//! What the engine wants done.

use outboard_core::{MethodIndex, Problem, ServerIndex};
use outboard_wire::frame::{Attempt, BackFrame, Failure, ReplyFrame};
use outboard_wire::{Lane, Lost};

use crate::method::Word;

/// What the driver does next; drained with [`Engine::poll`](crate::Engine::poll) after every input, in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Connect to a server; [`link_up`](crate::Engine::link_up) or [`link_failed`](crate::Engine::link_failed) follows.
    Connect {
        /// Which one.
        server: ServerIndex,
    },
    /// Send a frame on the server's connection.
    Transmit {
        /// Whose connection.
        server: ServerIndex,
        /// On which lane.
        lane: Lane,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Close the server's connection once what was to be transmitted has left.
    Disconnect {
        /// Whose connection.
        server: ServerIndex,
        /// Why.
        reason: Lost,
    },
    /// Tell the call that waits for an attempt.
    Deliver {
        /// The attempt.
        attempt: Attempt,
        /// What became of it.
        event: AttemptEvent,
    },
    /// Solve a placement problem off the call path, then [`Engine::plan`](crate::Engine::plan).
    Replan(Problem),
    /// Change a method's word.
    Word {
        /// The method.
        method: MethodIndex,
        /// Its word from now on.
        word: Word,
    },
    /// Something the user should read in the log.
    Notice(Notice),
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptEvent {
    /// It returned: commit the reply whole, then [`Engine::committed`](crate::Engine::committed); or, where it cannot be
    /// decoded, [`Engine::abandon`](crate::Engine::abandon).
    Replied(ReplyFrame),
    /// It ended without a reply. Nothing more comes of it.
    Failed(Failure),
    /// The session was lost: whether it ran is unknown. Nothing more comes of it.
    Lost(Lost),
    /// Remote code calls a method of the device; [`Engine::answer`](crate::Engine::answer) it.
    Back(BackFrame),
}

impl AttemptEvent {
    /// Whether the attempt has ended with it.
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Back(_))
    }
}

/// Something the user should read in the log.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A session is open.
    Attached {
        /// With whom.
        server: String,
    },
    /// A server cannot be used for now; it is tried again by itself.
    Trouble {
        /// Which one.
        server: String,
        /// Why, and what to do where something can be done.
        reason: String,
    },
    /// An attempt came too late and nothing was heard of the server since it was sent: it gets no calls until it is.
    Silent {
        /// Which one.
        server: String,
    },
    /// A server that had fallen silent was heard again, and gets calls again.
    Heard {
        /// Which one.
        server: String,
    },
    /// A method stays on the device from now on.
    TakenBack {
        /// Its name.
        method: String,
        /// Why.
        reason: String,
    },
    /// A server does not offer a method.
    NotOffered {
        /// Which one.
        server: String,
        /// The method's name.
        method: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The profile's figures make no placement problem; the last plan stands.
    NoProblem {
        /// Why.
        reason: String,
    },
}
