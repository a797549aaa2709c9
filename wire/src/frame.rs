//! What the two ends say to each other.
//!
//! A frame is one message. Frames of a session may overtake each other (large ones travel on streams of their own),
//! so every frame names the call and the attempt it belongs to, and both session machines accept any order.

use std::time::Duration;

use outboard_core::{BodyHash, ByteCount, CallId, Epoch, InstanceId, MethodId, SchemaHash, SessionId};
use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// The protocol versions that this build speaks.
pub const PROTOCOL: ProtocolRange = ProtocolRange { oldest: 1, newest: 1 };

/// A range of protocol versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolRange {
    /// The oldest version spoken.
    pub oldest: u16,
    /// The newest version spoken.
    pub newest: u16,
}

impl ProtocolRange {
    /// The newest version that both ends speak.
    pub fn agree(self, other: Self) -> Option<u16> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}

/// A frame from the device to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToServer {
    /// The first frame of a session.
    Hello(Hello),
    /// Run a method.
    Call(CallFrame),
    /// The device gave an attempt up: do not start it, and let it go if it runs.
    Fence(Attempt),
    /// The answer to a call-back.
    Answer(AnswerFrame),
    /// Are you there? Answered with a `Pong` of the same number.
    Ping(u64),
    /// The device leaves; nothing it started matters any more.
    Goodbye,
}

/// A frame from the server to the device.
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
}

/// One attempt of one call: what a fence cuts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attempt {
    /// The call.
    pub call: CallId,
    /// Which attempt of it.
    pub epoch: Epoch,
}

/// Who attaches, with what, and what it can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol versions that the device speaks.
    pub protocol: ProtocolRange,
    /// The app, its version and its build.
    pub app: AppIdentity,
    /// The access token of the server's address.
    pub token: String,
    /// This run of the app.
    pub device: InstanceId,
    /// What the device accepts.
    pub limits: Limits,
    /// The methods that the device may want to run remotely, and those it offers for call-backs.
    pub methods: Vec<MethodEntry>,
}

/// What makes two builds the same app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppIdentity {
    /// The app's package name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `OUTBOARD_BUILD_ID` at compile time; empty when not set.
    pub build: String,
}

/// A method as one build has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodEntry {
    /// The method.
    pub id: MethodId,
    /// Its body.
    pub body: BodyHash,
    /// Its slots and result.
    pub schema: SchemaHash,
    /// Whether another body is accepted (`compatible`).
    pub compatible: bool,
}

/// What the server makes of a method of the device's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MethodStatus {
    /// It can be called.
    Accepted,
    /// The server's build does not have it.
    Absent,
    /// The server has another body, and one side does not accept that.
    BodyDiffers,
    /// The server encodes its slots or its result in another way.
    SchemaDiffers,
    /// The token does not allow it.
    NotAllowed,
}

/// The server's side of an open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version that both will speak.
    pub protocol: u16,
    /// This session.
    pub session: SessionId,
    /// This run of the server: another number after a restart.
    pub server: InstanceId,
    /// What the server accepts.
    pub limits: Limits,
    /// One status for each entry of the device's table, in its order.
    pub methods: Vec<MethodStatus>,
    /// What the server's processors do.
    pub capacity: Capacity,
    /// How busy it is now.
    pub load: Load,
}

/// What a server's processors do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// How many calls run at once.
    pub cores: u16,
    /// Steps per second of the reference loop on one idle core: the ratio of two such figures is the speed ratio of two
    /// machines. Zero when not measured.
    pub speed: u64,
}

/// How busy a server is; on every reply and every pong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Calls that run.
    pub running: u32,
    /// Calls that wait for a core.
    pub queued: u32,
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The two ends share no protocol version.
    #[error("the server speaks protocol {}–{}, this device another: update the older of the two", .0.oldest, .0.newest)]
    Protocol(ProtocolRange),
    /// The token is not one of the server's.
    #[error("the access token is wrong: copy the address that the server prints at its start")]
    Token,
    /// The server runs another app.
    #[error("the server runs `{}`, not this app: start this app's own `serve` there", .0.name)]
    App(AppIdentity),
    /// The server runs another version or build of the app.
    #[error(
        "the server runs version `{}` build `{}` of this app: run the same build on both sides",
        .0.version, .0.build
    )]
    Version(AppIdentity),
    /// The server is full or going away.
    #[error("the server takes no new sessions now; it will be tried again")]
    Busy,
    /// The device's first frame was malformed or broke a limit.
    #[error("the server did not accept the greeting: {0}")]
    Malformed(String),
}

/// Run a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFrame {
    /// The attempt that this frame starts.
    pub attempt: Attempt,
    /// What to run.
    pub method: MethodId,
    /// Time left for the call, from its arrival; the server does not start it later.
    pub time_left: Option<Duration>,
    /// Methods that the server calls back for instead of running them itself.
    pub on_device: Vec<MethodId>,
    /// The slots, in the order of the signature.
    pub slots: Vec<SlotImage>,
}

/// The state of one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotImage {
    /// Its whole encoding.
    Whole(Image),
}

/// Encoded bytes. Travels at memory speed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Image(pub Vec<u8>);

/// A method returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyFrame {
    /// The attempt that returned.
    pub attempt: Attempt,
    /// The encoded result.
    pub result: Image,
    /// The exclusive slots as they are now, in the order of the signature.
    pub exclusive: Vec<SlotImage>,
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
    /// The method never started: nothing happened.
    #[error("not run: {0}")]
    NotRun(NotRun),
    /// The method panicked.
    #[error("panicked on the server: {0}")]
    Panicked(String),
    /// The method ran, and changed what a shared slot encodes to.
    #[error("changed shared slot {0} on the server")]
    SharedSlotChanged(u16),
    /// The method ran, and its result or a slot could not be encoded.
    #[error("the reply could not be encoded: {0}")]
    Unencodable(String),
    /// A call-back failed on the way, or a device method was called outside the call's context.
    #[error("a call-back failed: {0}")]
    CallBack(String),
}

impl Failure {
    /// Whether it is certain that the method did not start.
    pub const fn never_started(&self) -> bool {
        matches!(self, Self::NotRun(_))
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
    /// The device gave it up first.
    #[error("the device gave it up")]
    Fenced,
    /// The server has no such method for this session.
    #[error("the server does not offer the method")]
    Method,
    /// A slot could not be decoded.
    #[error("a slot could not be decoded: {0}")]
    Slots(String),
}

/// Remote code calls a method of the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackFrame {
    /// The attempt whose code calls.
    pub attempt: Attempt,
    /// Counts the call-backs of an attempt from zero.
    pub sequence: u32,
    /// What to run.
    pub method: MethodId,
    /// The slots, in the order of the signature.
    pub slots: Vec<BackSlot>,
}

/// A slot of a call-back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackSlot {
    /// A value of its own.
    Copy(Image),
    /// An exclusive slot of the outer call, or a fixed place within one: the method runs on the device's own object,
    /// brought to this version first.
    Place {
        /// Position of the outer slot in the outer signature.
        slot: u16,
        /// The way from the slot to the place, field by field.
        path: Vec<u16>,
        /// The place as the server has it.
        image: Image,
    },
}

/// The answer to a call-back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerFrame {
    /// The attempt whose code called.
    pub attempt: Attempt,
    /// Which of its call-backs.
    pub sequence: u32,
    /// What came of it.
    pub outcome: Result<AnswerImage, String>,
}

/// What a call-back gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerImage {
    /// The encoded result.
    pub result: Image,
    /// The exclusive slots of the call-back as they are now, in the order of its signature.
    pub exclusive: Vec<SlotImage>,
}

impl SlotImage {
    /// How many bytes of state it carries.
    pub fn size(&self) -> ByteCount {
        let Self::Whole(image) = self;
        ByteCount::from_bytes(image.0.len() as u64)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({} B)", self.0.len())
    }
}

impl Serialize for Image {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Bytes).map(Self)
    }
}
