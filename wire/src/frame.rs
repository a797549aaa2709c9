//! What the two ends say to each other.
//!
//! A frame is one message. Frames of a session may overtake each other (large ones travel on streams of their own),
//! so every frame names the call and the attempt it belongs to, and both session machines accept any order.

mod back;
mod bounded;
mod call;
mod encoding;
mod greeting;
mod image;
mod once;
mod probe;
mod slot;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use back::{AnswerFrame, AnswerImage, BackFrame, BackSlot};
pub use call::{AskFrame, Attempt, CallFrame, FailedFrame, Failure, NotRun, ReplyFrame, Serial, ServerCost};
pub use encoding::{Frame, FrameError, VERSION, decode_frame, encode_frame};
pub use greeting::{
    AppIdentity, Capacity, Hello, Load, MethodEntry, MethodStatus, PROTOCOL, ProtocolRange, Refusal, Welcome,
};
pub use image::Image;
pub use once::{ArgumentsHash, Inner, Root};
pub use probe::{ProbeFrame, ProbedFrame};
pub use slot::{Part, SlotImage, Version};

/// A frame from the device to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToServer {
    /// The first frame of a session.
    Hello(Hello),
    /// Run a method.
    Call(Serial, CallFrame),
    /// Say what became of a call that may run once only, and whose end was not heard.
    Ask(Serial, AskFrame),
    /// The device gave an attempt up: do not start it, and let it go if it runs.
    Fence(Serial, Attempt),
    /// The answer to a call-back.
    Answer(AnswerFrame),
    /// Are you there? Answered with a `Pong` of the same number.
    Ping(u64),
    /// The device leaves; nothing it started matters any more.
    Goodbye,
    /// How long does the path take for so many bytes? Answered with a `Probed` of the same number.
    Probe(ProbeFrame),
}

/// A frame from the server to the device.
///
/// Every `Call` and every `Ask` is answered by exactly one `Reply` or `Failed`, fenced or not: it gives the device its
/// place among the calls under way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToDevice {
    /// The session is open.
    Welcome(Welcome),
    /// There will be no session.
    Refused(Refusal),
    /// A method returned.
    Reply(ReplyFrame),
    /// A method was not started, or will have no reply.
    Failed(FailedFrame),
    /// Remote code calls a method of the device.
    Back(BackFrame),
    /// The answer to a `Ping`.
    Pong(u64, Load),
    /// The server is going away: running calls finish, new ones are not started.
    Draining,
    /// The answer to a `Probe`.
    Probed(ProbedFrame),
}
