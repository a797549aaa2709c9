//! The server's end of a session.
//!
//! One [`Session`] is one connection: it takes the greeting, tells what to run, lets go what the device gave up, and
//! sends replies and call-backs. Who may attach is not its business: it hands the greeting out as an event.
//!
//! **The session owns** protocol versions, the numbering of attempts, fencing, the limits of the other end, and the
//! decision that a device is gone. **The driver owns** who may attach, the queue and the workers: it calls
//! [`Session::start`] when a worker takes a call, ends every call with [`Session::reply`] or [`Session::fail`], drains
//! [`Session::poll`] after every call of a method, and calls [`Session::handle_timeout`] at [`Session::timeout`].
//!
//! Every call of a device gets exactly one end, [`Reply`](crate::frame::ToDevice::Reply) or
//! [`Failed`](crate::frame::ToDevice::Failed), also when it was fenced: the end gives the device its place back.

mod attempts;
mod session;
mod table;

use outboard_core::ByteCount;

use crate::frame::{AnswerFrame, AskFrame, Attempt, CallFrame, Hello};
use crate::session::Lost;

pub use session::Session;
pub use table::Table;

/// What the server's session wants done.
pub type Output = crate::session::Output<Event>;

/// What happened on the server's end of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A device wants to attach, in a protocol version that both speak: [`Session::accept`] or [`Session::refuse`].
    Hello(Hello),
    /// Run this, or end it with [`Session::fail`].
    Call(CallFrame),
    /// Say what became of this call: end the frame's attempt with the reply or the failure that was.
    Ask(AskFrame),
    /// Nobody wants this attempt any more: it was given up, or its time was up. Take it out of the queue; if it runs,
    /// let it unwind at its next call-back. If it had started, end it as always when it has ended.
    Fence(Attempt),
    /// A call-back was answered.
    Answer(AnswerFrame),
    /// The session is over.
    Gone {
        /// Why.
        reason: Lost,
        /// The attempts that nobody wants any more, started ones included.
        abandoned: Vec<Attempt>,
    },
}

/// Why a call-back was not made. The method unwinds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCalledBack {
    /// The device gave the attempt up, or the session is over.
    #[error("the device gave attempt {0} up")]
    Fenced(Attempt),
    /// As many call-backs of the attempt are under way as the device takes.
    #[error("attempt {0} has as many call-backs under way as the device takes")]
    Full(Attempt),
    /// A call-back of this number was made before.
    #[error("call-back {1} of attempt {0} was made before: count them")]
    Repeated(Attempt, u32),
    /// The slots are larger than the device takes.
    #[error("a call-back is over the device's limit of {limit}")]
    TooLarge {
        /// The device's limit.
        limit: ByteCount,
    },
}
