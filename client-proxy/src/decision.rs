//! What the engine answers when a call asks where to run.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Energy, MethodIndex, ServerIndex, Timestamp};
use outboard_wire::frame::{Attempt, MethodStatus, Root};

use crate::hedge::Hedge;

/// A call that asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// The method.
    pub method: MethodIndex,
    /// The annotated method that calls it, `None` for other code.
    pub caller: Option<MethodIndex>,
    /// The method's `work` for these arguments.
    pub work: Option<f64>,
    /// The attempt whose call-back makes this call: its server's waiting thread has to run it.
    pub within: Option<Attempt>,
    /// The call that this one is a part of, if it is not one by itself: calls within it that may run once only are
    /// counted there.
    pub root: Option<Root>,
    /// Servers that the call was sent to and that did not run it.
    pub tried: Tried,
}

/// The servers that a call was sent to in vain, and since when it is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tried {
    servers: u64,
    since: Option<Timestamp>,
}

impl Request {
    /// A call from code that is not annotated.
    pub fn new(method: MethodIndex) -> Self {
        Self { method, caller: None, work: None, within: None, root: None, tried: Tried::default() }
    }
}

impl Tried {
    /// Servers that are told apart. Further ones are not tried second.
    const KNOWN: u16 = 64;

    /// One more server did not run it. The call has been on its way since it was first asked about.
    #[must_use]
    pub fn and(self, offer: &Offer) -> Self {
        let server = if offer.server.0 < Self::KNOWN { 1 << offer.server.0 } else { 0 };
        Self { servers: self.servers | server, since: self.since.or(Some(offer.asked)) }
    }

    /// The same server is asked again, in another way.
    #[must_use]
    pub fn once_more(self, offer: &Offer) -> Self {
        Self { since: self.since.or(Some(offer.asked)), ..self }
    }

    /// Whether a server was tried.
    pub fn contains(self, server: ServerIndex) -> bool {
        match server.0 {
            known @ 0..Self::KNOWN => self.servers & 1 << known != 0,
            _ => self.since.is_some(),
        }
    }

    /// When the call was first asked about, if it is asked about again.
    pub(crate) fn since(self) -> Option<Timestamp> {
        self.since
    }
}

/// Where a call runs.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for each call that leaves")]
pub enum Decision {
    /// On the device.
    Local(LocalReason),
    /// On a server, if its encoded slots keep to the offer.
    Remote(Offer),
    /// Nowhere: the device cannot run it, and no server can now. A `fallback` stands in.
    Refused(LocalReason),
}

/// A call may try a server, on these terms.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Offer {
    /// Which server.
    pub server: ServerIndex,
    /// What the call asked.
    pub request: Request,
    /// Give the attempt up this long after it was sent. `None`: only when the session is lost (a `remote_only` or
    /// `once` method without a deadline).
    pub bound: Option<Duration>,
    /// Most bytes worth sending.
    pub budget: ByteCount,
    /// Most bytes that the server takes at once.
    pub most: ByteCount,
    /// The rate at which the server receives, as believed: what telling less is worth.
    pub goodput: Bandwidth,
    /// How long the remote call usually takes.
    pub predicted: Duration,
    /// The part of that which is taken as certain: waking the radio, and waiting for what was sent before.
    pub delay: Duration,
    /// How uncertain the other parts are: the standard deviation of the logarithm of their sum.
    pub deviation: f64,
    /// How long a local run usually takes; `None` for a method that never ran here.
    pub local: Option<Duration>,
    /// A local and a remote run's energy, as predicted; `None` where the device's figures are unknown.
    pub energy: Option<(Energy, Energy)>,
    /// Whether it is tried in order to learn.
    pub exploring: bool,
    /// When the device runs it too.
    pub hedge: Hedge,
    /// When the call asked.
    pub asked: Timestamp,
}

/// Why a call runs on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalReason {
    /// It is a `#[device]` method.
    #[error("it is a device method")]
    DeviceMethod,
    /// Its arguments or its state cannot travel.
    #[error("something in its arguments, state or result cannot travel")]
    CannotTravel,
    /// It was taken back to the device after it misbehaved on a server.
    #[error("it was taken back to the device")]
    TakenBack,
    /// The policy keeps everything on the device.
    #[error("the policy keeps everything on the device")]
    Policy,
    /// No server is configured.
    #[error("no server is configured")]
    NoServer,
    /// No session with a server is open.
    #[error("no server is attached")]
    NotAttached,
    /// A session is open, and the server does not offer the method.
    #[error("the server does not offer it: {}", status(*.0))]
    NotOffered(MethodStatus),
    /// It was registered after the session began; the next session will list it.
    #[error("it was registered after the session began")]
    Unlisted,
    /// The server answered a call too late and has not been heard since.
    #[error("the server has fallen silent")]
    Silent,
    /// The server is going away.
    #[error("the server is draining")]
    Draining,
    /// The server has as much to do as it takes.
    #[error("the server is busy")]
    Busy,
    /// It never ran here, so there is nothing to compare with.
    #[error("its first run is on the device")]
    FirstRun,
    /// There is no plan yet, or none that knows it.
    #[error("there is no plan for it yet")]
    NoPlan,
    /// The plan keeps it on the device.
    #[error("the plan keeps it on the device")]
    Planned,
    /// The plan sends it along with its caller, which runs here: alone it is not worth it.
    #[error("its caller runs on the device, and alone it is not worth sending")]
    NotAlone,
    /// It is worth it right after the radio was used; using the radio for it now takes more energy than it saves.
    #[error("the radio has been silent, and using it now takes more energy than the call saves")]
    RadioSilent,
    /// Its remote time, at worst, is past what is accepted.
    #[error("a server might take too long")]
    TooSlow,
    /// Worth a try, but the time for trying is spent for now.
    #[error("the time for trying things out is spent")]
    TriedEnough,
    /// Its state is too large to be sent in time, or at all.
    #[error("its arguments and state are too large to send in time")]
    TooLarge,
    /// Its arguments or its state cannot be encoded as they are.
    #[error("something in its arguments or state cannot be encoded; the log says what")]
    Unencodable,
    /// A shared object is locked by other code of the app.
    #[error("a shared object that it uses was locked")]
    Locked,
    /// Its last attempts came too late.
    #[error("its last attempts came too late")]
    Late,
    /// Its last attempt failed.
    #[error("its last attempt failed")]
    Failing,
    /// It was sent to every server that could take it, and none ran it.
    #[error("no server that could take it ran it")]
    Tried,
    /// The method was never registered.
    #[error("it is not registered")]
    Unknown,
}

/// How an attempt is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbandonReason {
    /// Its bound, or its deadline, has passed.
    Late,
    /// The device was done first, with a run that took so long.
    Hedged(Duration),
    /// The caller's future was dropped.
    Cancelled,
    /// The reply could not be decoded; nothing was committed.
    Undecodable(String),
    /// A shared object that went with the call was changed or locked on the device; nothing was committed.
    Conflict(String),
    /// A call-back could not be carried out.
    CallBack(String),
    /// The method broke a rule that the device noticed.
    Rule(String),
}

fn status(status: MethodStatus) -> &'static str {
    match status {
        MethodStatus::Accepted => "it does",
        MethodStatus::Absent => "its build does not have it (or the linker dropped it: register it by hand)",
        MethodStatus::BodyDiffers => "its body differs (run the same build, or mark it `compatible`)",
        MethodStatus::SchemaDiffers => "its slots have another shape there (run the same build)",
        MethodStatus::NotAllowed => "the access token does not allow it",
    }
}
