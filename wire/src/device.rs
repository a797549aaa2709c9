//! The device's end of a session.
//!
//! One [`Session`] is one connection: it greets, sends calls, fences those given up, keeps the connection alive, and
//! says honestly what became of every attempt.
//!
//! **The session owns** the greeting, the numbering of attempts, fencing, the limits of the other end, heartbeats and
//! the decision that a server is lost. **The driver owns** the clock, the connection and the threads: after every
//! call of a method it drains [`Session::poll`], and it calls [`Session::handle_timeout`] at [`Session::timeout`].
//!
//! An attempt ends in one of three ways, each an event of its own:
//!
//! | the attempt | event |
//! |---|---|
//! | never started | [`Event::Failed`] with a failure that [`never_started`](crate::frame::Failure::never_started), or an error of [`Session::call`] |
//! | replied | [`Event::Replied`]; [`Event::Failed`] when it ran but has no reply to commit |
//! | unknown | [`Event::Lost`] names it, or the driver itself fenced it |

mod attempts;
mod probe;
mod pulse;
mod session;

use std::time::Duration;

use outboard_core::{ByteCount, MethodId};

use crate::frame::{
    Attempt, BackFrame, FailedFrame, FrameError, Load, MethodStatus, Refusal, ReplyFrame, Welcome,
};
use crate::session::Lost;

pub use session::Session;

/// What the device's session wants done.
pub type Output = crate::session::Output<Event>;

/// What happened on the device's end of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The session is open.
    Attached(Welcome),
    /// There will be no session; `Lost` follows.
    Refused(Refusal),
    /// An attempt returned. Nothing more comes of it.
    Replied(ReplyFrame),
    /// An attempt ended without a reply. Nothing more comes of it.
    Failed(FailedFrame),
    /// An attempt calls a method of the device; [`Session::answer`] it.
    Back(BackFrame),
    /// The server is going away: attempts under way finish, new ones are refused.
    Draining,
    /// How busy the server is, outside of replies.
    Load(Load),
    /// How long a ping and its pong took.
    RoundTrip(Duration),
    /// A probe was answered, and nothing else was sent meanwhile.
    Probed(Probed),
    /// The session is over.
    Lost {
        /// Why.
        reason: Lost,
        /// The attempts that end *unknown* with it.
        unknown: Vec<Attempt>,
    },
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Padding to the server.
    pub up: ByteCount,
    /// Padding from the server.
    pub down: ByteCount,
    /// From the probe to its answer.
    pub elapsed: Duration,
}

/// Why a call was not sent: the attempt ends *not run*.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// The session is not open yet, or over.
    #[error("no session with the server is open")]
    NotAttached,
    /// The server is going away.
    #[error("the server is draining")]
    Draining,
    /// As many calls are under way as the server takes.
    #[error("{0} calls are under way, which is all that the server takes")]
    Full(u32),
    /// The server did not accept the method.
    #[error("the server did not accept method {0}: {1:?}")]
    Method(MethodId, MethodStatus),
    /// The method is not in the table that the session began with.
    #[error("method {0} is not in the table that the session began with")]
    Unlisted(MethodId),
    /// An attempt of this number is under way.
    #[error("attempt {0} is already under way: give each attempt an epoch of its own")]
    Repeated(Attempt),
    /// The frame cannot be sent to this server.
    #[error("{0}")]
    Frame(#[from] FrameError),
}

/// Why an answer was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnswered {
    /// The attempt has ended or was fenced, or nothing was asked: nobody waits for the answer.
    #[error("nobody waits for an answer of attempt {0}")]
    NotAsked(Attempt),
    /// The answer is larger than the server takes; the attempt will fail.
    #[error("an answer is over the server's limit of {limit}")]
    TooLarge {
        /// The server's limit.
        limit: ByteCount,
    },
}
