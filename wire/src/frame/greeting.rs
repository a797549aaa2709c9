//! How a session begins: who attaches, with what, and what the server makes of it.

use outboard_core::{BodyHash, InstanceId, MethodId, SchemaHash, SessionId};
use serde::{Deserialize, Serialize};

use super::bounded;
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

/// Who attaches, with what, and what it can do.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol versions that the device speaks.
    pub protocol: ProtocolRange,
    /// The app, its version and its build.
    pub app: AppIdentity,
    /// The access token of the server's address.
    #[serde(deserialize_with = "bounded::text")]
    pub token: String,
    /// This run of the app.
    pub device: InstanceId,
    /// What the device accepts.
    pub limits: Limits,
    /// The methods that the device may want to run remotely, and those it offers for call-backs.
    pub methods: Vec<MethodEntry>,
}

impl std::fmt::Debug for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token opens the server to whoever reads it, and frames are logged.
        f.debug_struct("Hello")
            .field("protocol", &self.protocol)
            .field("app", &self.app)
            .field("device", &self.device)
            .field("limits", &self.limits)
            .field("methods", &self.methods.len())
            .finish_non_exhaustive()
    }
}

/// What makes two builds the same app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppIdentity {
    /// The app's package name.
    #[serde(deserialize_with = "bounded::text")]
    pub name: String,
    /// Its version.
    #[serde(deserialize_with = "bounded::text")]
    pub version: String,
    /// `OUTBOARD_BUILD_ID` at compile time; empty when not set.
    #[serde(deserialize_with = "bounded::text")]
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
    /// The version that both will speak. The session fills it in.
    pub protocol: u16,
    /// This session.
    pub session: SessionId,
    /// This run of the server: another number after a restart.
    pub server: InstanceId,
    /// What the server accepts. The session fills it in.
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
    Malformed(#[serde(deserialize_with = "bounded::text")] String),
}

impl Refusal {
    /// Cuts its texts to what a device takes.
    pub(crate) fn clip(mut self) -> Self {
        match &mut self {
            Self::Malformed(text) => bounded::clip(text),
            Self::App(app) | Self::Version(app) => {
                [&mut app.name, &mut app.version, &mut app.build].into_iter().for_each(bounded::clip);
            }
            Self::Protocol(_) | Self::Token | Self::Busy => {}
        }
        self
    }
}
