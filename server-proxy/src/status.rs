//! How a server stands, for people.

use std::fmt;

use outboard_core::{InstanceId, SessionId, Timestamp};
use outboard_wire::frame::{AppIdentity, Load};

use crate::calls::{Call, Stage};

/// How a server stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The app that is served: every device that is attached runs this version and build.
    pub app: AppIdentity,
    /// Calls that run, and calls that wait for a worker.
    pub load: Load,
    /// Calls whose worker waits for a call-back.
    pub waiting: usize,
    /// Calls that run or wait although nobody wants them any more.
    pub let_go: usize,
    /// Whether the server is going away.
    pub draining: bool,
    /// Who is attached, in the order in which they connected.
    pub sessions: Vec<SessionStatus>,
    /// Connections that have not greeted.
    pub strangers: usize,
}

/// How a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStatus {
    /// The session.
    pub session: SessionId,
    /// The run of the app that is attached.
    pub device: InstanceId,
    /// When it attached.
    pub since: Timestamp,
    /// How many methods it may call.
    pub methods: usize,
    /// Its calls that run.
    pub running: usize,
    /// Its calls whose worker waits for a call-back.
    pub waiting: usize,
    /// Its calls that wait for a worker.
    pub queued: usize,
}

impl Status {
    pub(crate) fn new(app: AppIdentity, load: Load) -> Self {
        let (waiting, let_go, strangers) = (0, 0, 0);
        Self { app, load, waiting, let_go, draining: false, sessions: Vec::new(), strangers }
    }
}

impl SessionStatus {
    pub(crate) fn new(session: SessionId, device: InstanceId, since: Timestamp) -> Self {
        Self { session, device, since, methods: 0, running: 0, waiting: 0, queued: 0 }
    }

    pub(crate) fn count(&mut self, call: &Call) {
        match call.stage {
            Stage::Queued => self.queued += 1,
            Stage::Running => self.running += 1,
            Stage::Waiting(_) => self.waiting += 1,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AppIdentity { name, version, build } = &self.app;
        write!(f, "{name} {version}")?;
        if !build.is_empty() {
            write!(f, " build {build}")?;
        }
        let (Load { running, queued }, waiting) = (self.load, self.waiting);
        write!(f, ": {running} running, {queued} queued, {waiting} waiting for their devices")?;
        if self.let_go > 0 {
            write!(f, ", {} of them given up", self.let_go)?;
        }
        if self.draining {
            f.write_str("; going away")?;
        }
        for session in &self.sessions {
            write!(f, "\n  {session}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, device, since, methods, running, waiting, queued } = self;
        write!(
            f,
            "{session}: device {device} since {since}, {methods} methods, \
             {running} running, {queued} queued, {waiting} waiting"
        )
    }
}
