//! What the operator decides.

use std::time::Duration;

use crate::kept;
use outboard_core::{ByteCount, InstanceId};
use outboard_wire::frame::{AppIdentity, Capacity};
use outboard_wire::{Limits, Timing};

/// How much a server takes on, and for how long.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The app that is served: only devices that run the same one, of the same version and build, attach.
    pub app: AppIdentity,
    /// This run of the server. Another number after every start, so that devices notice a restart.
    pub instance: InstanceId,
    /// What the processors do, as devices are told. `cores` is information only: the driver has the permits.
    pub capacity: Capacity,
    /// What one session may make the server hold. Default: that of [`Limits`].
    pub limits: Limits,
    /// How long a fresh connection has to greet, and how long a device with calls under way may be silent. Default: those
    /// of [`Timing`], 10 s and 45 s; its other fields are the device's.
    pub timing: Timing,
    /// Most sessions at once; devices over it are refused as [`Busy`] and try again later, unless one of the sessions is
    /// of a device that seems to have vanished. Default 64.
    ///
    /// [`Busy`]: outboard_wire::frame::Refusal::Busy
    pub sessions: usize,
    /// Most connections at once that have not greeted; over it the one that has been silent longest is closed, so that
    /// a flood of silent connections does not keep those out that greet. Default 64.
    pub strangers: usize,
    /// Most calls that wait or run, over all sessions: methods that still run for lost sessions and call-backs that are
    /// waited for count too, as each holds a thread. Calls over it are *not run*, and run on their device. Default 256.
    pub calls: usize,
    /// The same for one session, so that one device leaves room for the others. Default 32.
    pub session_calls: usize,
    /// Most bytes of arguments of the calls that wait or run, over all sessions; calls over it are *not run*. Less than
    /// the largest frame keeps the largest calls on their devices for good. Default 512 MiB.
    pub argument_bytes: ByteCount,
    /// Most calls within calls: each one runs on top of the stack of the one that it is within. Calls over it are *not
    /// run*, and run on their device. Default 16.
    pub depth: u16,
    /// Longest time from the start of a drain to its end: methods that still run then are not waited for, and end
    /// *unknown* on their device. Default 10 s.
    pub drain: Duration,
    /// When a server drains and nothing runs: longest time for which it waits for devices to leave by themselves, which
    /// takes one round trip. Calls that were on their way meanwhile get an honest *not run*; with less, they end
    /// *unknown*. Default 1 s.
    pub farewell: Duration,
    /// What is kept of calls that may run once only, for devices that lost their session before they were told. Less makes
    /// more of them end as *may have run*. Default: that of [`kept::Bounds`].
    pub kept: kept::Bounds,
}

impl Settings {
    /// The defaults, for this run of this app on this machine.
    pub fn new(app: AppIdentity, instance: InstanceId, capacity: Capacity) -> Self {
        Self {
            app,
            instance,
            capacity,
            limits: Limits::default(),
            timing: Timing::default(),
            sessions: 64,
            strangers: 64,
            calls: 256,
            session_calls: 32,
            argument_bytes: ByteCount::from_bytes(512 << 20),
            depth: 16,
            drain: Duration::from_secs(10),
            farewell: Duration::from_secs(1),
            kept: kept::Bounds::default(),
        }
    }
}
