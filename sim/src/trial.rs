//! One workload under several policies: how good decisions are.

mod maui;
mod plain;

use std::time::Duration;

use outboard_client_proxy::Settings;
use outboard_core::{ByteCount, InstanceId, Objective, Timestamp};
use outboard_wire::Lane;
use outboard_wire::frame::AppIdentity;

use crate::app::{MethodModel, ModelApp};
use crate::device::DeviceModel;
use crate::outcome::Outcome;
use crate::path::Path;
use crate::replay::Replay;
use crate::script::Script;
use crate::server::ServerModel;

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Policy {
    /// The engine that ships, with its sessions, its frames, and all that it does besides.
    Outboard,
    /// Nobody: the program as it is without Outboard.
    Local,
    /// Nobody: every call goes to the server, however long it takes.
    Remote,
    /// MAUI's (MobiSys 2010, section 5): a probe of 10 kB after a minute without traffic times round trip and bandwidth
    /// in one, every offload refreshes a sliding mean of it, and a call goes where the prediction is lower.
    Maui,
    /// An oracle: for each call the cheaper place, tried out on copies of link and radio, with all that is still to come.
    Oracle,
}

/// Calls of one method, of one device to one server.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The method, which calls no other.
    pub method: MethodModel,
    /// Its calls.
    pub script: Script,
    /// The device.
    pub device: DeviceModel,
    /// The server. Only [`Policy::Outboard`] meets its faults, and its cores.
    pub server: ServerModel,
    /// The way to it.
    pub path: Path,
    /// What is to be small: [`Objective::Time`], or energy.
    pub objective: Objective,
    /// The clock runs at least until then.
    pub until: Timestamp,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Outboard, Self::Local, Self::Remote, Self::Maui, Self::Oracle];

    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outboard => "outboard",
            Self::Local => "always-local",
            Self::Remote => "always-remote",
            Self::Maui => "maui",
            Self::Oracle => "oracle",
        }
    }
}

impl Trial {
    /// Plays the calls under a policy.
    pub fn play(&self, policy: Policy) -> Outcome {
        match policy {
            Policy::Outboard => self.play_with(self.settings()),
            _ => plain::play(self, policy),
        }
    }

    /// Plays the calls under the engine that ships, with those settings.
    pub fn play_with(&self, settings: Settings) -> Outcome {
        let mut app = ModelApp::new();
        app.add(self.method.clone());
        let servers = vec![(self.server.clone(), self.path.clone())];
        Replay::new(app, self.script.clone(), self.device.clone(), servers, settings).run(self.until)
    }

    /// The settings that [`play`](Self::play) gives the engine: defaults, and the objective.
    pub fn settings(&self) -> Settings {
        let app = AppIdentity { name: "trial".to_owned(), ..AppIdentity::default() };
        let mut settings = Settings::new(app, InstanceId(1));
        settings.objective = self.objective;
        settings
    }

    /// Whether it is about energy.
    fn counts_energy(&self) -> bool {
        !matches!(self.objective, Objective::Time)
    }
}

/// The time that exchanges of that size take in the middle, without a server's own: tried every `step` from the start until
/// then, each on a link where nothing else is under way. `None` where none arrives.
pub fn median_way(
    path: &Path,
    until: Timestamp,
    step: Duration,
    up: ByteCount,
    down: ByteCount,
) -> Option<Duration> {
    let starts = std::iter::successors(Some(Timestamp::ZERO), |at| Some(*at + step));
    let starts = starts.take_while(|at| *at < until);
    let mut ways: Vec<Duration> = starts
        .map(|start| {
            let mut path = path.clone();
            let there = path.up(start, up, Lane::Bulk)?;
            let back = path.down(there, down, Lane::Bulk)?;
            Some(back.arrives - start)
        })
        .map(|way| way.unwrap_or(Duration::MAX))
        .collect();
    ways.sort_unstable();
    ways.get(ways.len() / 2).copied().filter(|way| *way < Duration::MAX)
}
