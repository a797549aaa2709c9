//! One server of a world: its process while it lives, and the way to it.

use std::fmt;

use outboard_core::{InstanceId, Timestamp};
use outboard_server_proxy::{Connection, Engine, Grants, Settings};
use outboard_wire::frame::{AppIdentity, Capacity, MethodEntry};

use crate::path::Path;
use crate::server::ServerModel;

pub(super) const TOKEN: &str = "sim";

pub(super) struct Host {
    pub(super) model: ServerModel,
    pub(super) path: Path,
    /// The process; `None` while there is none.
    pub(super) engine: Option<Engine>,
    pub(super) silent: bool,
    /// The device's connection, or its last one; numbers are never used twice.
    pub(super) connection: u64,
    /// Whether the device waits for that connection to be made.
    pub(super) connecting: bool,
    /// The connection that this run of the server knows.
    pub(super) accepted: Option<u64>,
    /// When what the server sent last arrives.
    pub(super) said: Timestamp,
    app: AppIdentity,
    methods: Vec<MethodEntry>,
    device_speed: u64,
    runs: u128,
    /// The first connection that this run of the server can have.
    first: u64,
}

impl Host {
    pub(super) fn new(model: ServerModel, path: Path, device_speed: u64, app: &AppIdentity) -> Self {
        let mut host = Self {
            model,
            path,
            engine: None,
            silent: false,
            connection: 0,
            connecting: false,
            accepted: None,
            said: Timestamp::ZERO,
            app: app.clone(),
            methods: Vec::new(),
            device_speed,
            runs: 0,
            first: 0,
        };
        host.start();
        host
    }

    /// Another run of the server's process.
    pub(super) fn start(&mut self) {
        self.runs += 1;
        let speed = self.model.claimed_speed(self.device_speed);
        let capacity = Capacity { cores: self.model.cores, speed };
        let settings = Settings::new(self.app.clone(), InstanceId(self.runs), capacity);
        let door = |token: &str| (token == TOKEN).then_some(Grants::Everything);
        self.engine = Some(Engine::new(settings, door, self.methods.iter().cloned()));
        self.accepted = None;
        self.first = self.connection + 1;
    }

    pub(super) fn register(&mut self, entry: &MethodEntry) {
        self.methods.push(entry.clone());
        if let Some(engine) = &mut self.engine {
            engine.register(entry.clone());
        }
    }

    pub(super) fn is_current(&self, connection: u64) -> bool {
        self.connection == connection
    }

    /// The process, if it has that connection.
    pub(super) fn process(&mut self, connection: Connection) -> Option<&mut Engine> {
        let known = self.accepted == Some(connection.0);
        self.engine.as_mut().filter(|_| known)
    }

    /// The process, if it is the run of the server that had that connection once.
    pub(super) fn run_of(&mut self, connection: Connection) -> Option<&mut Engine> {
        self.engine.as_mut().filter(|_| connection.0 >= self.first)
    }

    pub(super) fn timeout(&self) -> Option<Timestamp> {
        self.engine.as_ref().and_then(Engine::timeout)
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp) {
        if let Some(engine) = &mut self.engine {
            engine.handle_timeout(now);
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("model", &self.model)
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
