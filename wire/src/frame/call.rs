//! Calls, what ends them, and what became of one that ended unknown.

use std::time::Duration;

use outboard_core::{Bandwidth, CallId, Epoch, MethodId};
use serde::{Deserialize, Serialize};

use super::{Inner, Load, Root, SlotImage, Version, bounded};

/// One attempt of one call: what a fence cuts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attempt {
    /// The call.
    pub call: CallId,
    /// Which attempt of it.
    pub epoch: Epoch,
}

impl std::fmt::Display for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.call, self.epoch)
    }
}

/// Counts the attempts of a session in the order in which they are sent, from zero, without gaps.
///
/// It is what tells a fence that overtook its call from one that crossed the reply, with memory for no more attempts
/// than may be under way. The device's session gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Serial(pub u64);

/// Run a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFrame {
    /// The attempt that this frame starts.
    pub attempt: Attempt,
    /// What to run.
    pub method: MethodId,
    /// The attempt whose call-back makes this call: it runs on the server thread that waits for that call-back.
    pub within: Option<Attempt>,
    /// The call that this one is a part of, if it is not a root itself. Meaningless for a method that may run once only.
    pub root: Option<Root>,
    /// Time left for the call, from its arrival; the server does not start it later.
    pub time_left: Option<Duration>,
    /// Methods that the server calls back for instead of running them itself.
    pub on_device: Vec<MethodId>,
    /// The slots, in the order of the signature.
    #[serde(deserialize_with = "bounded::slots")]
    pub slots: Vec<SlotImage>,
    /// An earlier result that the device still has: the new one may be told by it.
    pub result_base: Option<Version>,
    /// The rate at which the device receives, as far as it knows: what compressing the reply is worth.
    pub reply_rate: Option<Bandwidth>,
    /// Versions that the device will not refer to any more.
    #[serde(deserialize_with = "bounded::versions")]
    pub forget: Vec<Version>,
}

impl CallFrame {
    /// A call of its own, without more than it needs.
    pub fn new(attempt: Attempt, method: MethodId, slots: Vec<SlotImage>) -> Self {
        Self {
            attempt,
            method,
            within: None,
            root: None,
            time_left: None,
            on_device: Vec::new(),
            slots,
            result_base: None,
            reply_rate: None,
            forget: Vec::new(),
        }
    }
}

/// Ask what became of a call that may run once only, and whose end was not heard: its session was lost, or the call that
/// made it was given up.
///
/// It is an attempt of its own, answered as a call is: by the reply that was kept; by the failure that was; by
/// [`NotRun::Fenced`] when the call had not started, in which case it never will; by [`Failure::Forgotten`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskFrame {
    /// The attempt that this frame starts.
    pub attempt: Attempt,
    /// The call asked for. Its id is unique in the run of the app, whatever session it was made in.
    pub about: CallId,
    /// Not the call itself, but this one of the calls that may run once only and that it made on the server.
    pub inner: Option<Inner>,
}

/// A method returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyFrame {
    /// The attempt that returned.
    pub attempt: Attempt,
    /// The encoded result.
    pub result: SlotImage,
    /// The exclusive slots as they are now, in the order of the signature.
    #[serde(deserialize_with = "bounded::slots")]
    pub exclusive: Vec<SlotImage>,
    /// How many calls that may run once only its root has made by now.
    pub onces: u32,
    /// What it cost on the server.
    pub cost: ServerCost,
    /// How busy the server is now.
    pub load: Load,
}

/// What a call cost on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCost {
    /// From the whole frame's arrival to the method's start.
    pub queued: Duration,
    /// From the method's start to its return, call-backs included.
    pub ran: Duration,
    /// The part of `ran` spent waiting for call-backs.
    pub called_back: Duration,
}

/// An attempt that ends without a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedFrame {
    /// The attempt.
    pub attempt: Attempt,
    /// Why.
    pub failure: Failure,
    /// How busy the server is now.
    pub load: Load,
}

/// Why an attempt ends without a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The method never started, and never will: nothing happened.
    #[error("not run: {0}")]
    NotRun(NotRun),
    /// The method panicked.
    #[error("panicked on the server: {0}")]
    Panicked(#[serde(deserialize_with = "bounded::text")] String),
    /// The method ran, and changed what a shared slot encodes to.
    #[error("changed shared slot {0} on the server")]
    SharedSlotChanged(u16),
    /// The method ran, and its result or a slot could not be encoded.
    #[error("the reply could not be encoded: {0}")]
    Unencodable(#[serde(deserialize_with = "bounded::text")] String),
    /// A call-back failed on the way, or a device method was called outside the call's context.
    #[error("a call-back failed: {0}")]
    CallBack(#[serde(deserialize_with = "bounded::text")] String),
    /// The method started before the device gave the attempt up: what it did is not known.
    #[error("the device gave it up while it ran")]
    Fenced,
    /// The method was unwound where it was about to do what only the device may do. It would again.
    #[error("has to run on the device: {0}")]
    NeedsDevice(#[serde(deserialize_with = "bounded::text")] String),
    /// The server cannot say what became of the call that was asked for.
    #[error("the server does not remember the call")]
    Forgotten,
}

impl Failure {
    /// Whether it is certain that the method did not start.
    pub const fn never_started(&self) -> bool {
        matches!(self, Self::NotRun(_))
    }

    /// Cuts its text to what a device takes: a panic message can have any length.
    pub(crate) fn clip(mut self) -> Self {
        match &mut self {
            Self::Panicked(text)
            | Self::Unencodable(text)
            | Self::CallBack(text)
            | Self::NeedsDevice(text)
            | Self::NotRun(NotRun::Slots(text)) => bounded::clip(text),
            _ => {}
        }
        self
    }
}

/// Why a call was not started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum NotRun {
    /// Too many calls wait.
    #[error("the server is busy")]
    Busy,
    /// The server is going away.
    #[error("the server is draining")]
    Draining,
    /// Its time was up before it could start.
    #[error("its time was up before it could start")]
    TooLate,
    /// The device gave it up first, or gave up the attempt within which it was made.
    #[error("the device gave it up")]
    Fenced,
    /// The server has no such method for this session.
    #[error("the server does not offer the method")]
    Method,
    /// A slot was told by a version that the server does not have any more. Told whole, the call may run.
    #[error("the server has forgotten the version that a slot is told by")]
    BaseMissing,
    /// A slot could not be decoded.
    #[error("a slot could not be decoded: {0}")]
    Slots(#[serde(deserialize_with = "bounded::text")] String),
}
