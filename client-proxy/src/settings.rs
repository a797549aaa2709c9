//! What the engine is told at its start.

use std::time::Duration;

use outboard_core::{InstanceId, Objective};
use outboard_profiler::{EnergyModel, Risk};
use outboard_wire::Limits;
use outboard_wire::frame::AppIdentity;

use crate::hedge::Hedge;

/// How the engine decides, and whom it may talk to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// This app, as servers compare it with theirs.
    pub app: AppIdentity,
    /// This run of the app.
    pub device: InstanceId,
    /// What this device accepts from a server.
    pub limits: Limits,
    /// The servers, in order of preference. None: everything runs here.
    pub servers: Vec<ServerSettings>,
    /// Who decides where calls run. Default: the plan.
    pub policy: Policy,
    /// What a plan minimises. Default: energy, within 1.05 × the all-local time. Without a complete device profile
    /// energies are unknown, and time is minimised instead.
    pub objective: Objective,
    /// Which figure of what is uncertain a plan counts. Default: the median.
    pub risk: Risk,
    /// ε: a call is offloaded only where the 95th percentile of its remote time is at most this many times its local
    /// time, and it is given up by then. `None`: 0.4 where the objective is time, 1.05 where it is energy.
    pub slowdown: Option<f64>,
    /// The share of what calls cost, by the objective, that may be lost on tries: calls that are expected to pay on a
    /// server, and may not. What such calls save may be lost too. 0: never try. Default 0.02.
    pub exploration: f64,
    /// The share of recent time that looks at the way to a server may take, which are made where they are expected to
    /// save more than they cost; besides, they are at least 10 s apart and carry at most 64 KiB each way. 0: never look.
    /// Default 0.01.
    pub probing: f64,
    /// When the device runs a call too that is under way. Default: when it is late.
    pub hedge: Hedge,
    /// What the device spends.
    pub energy: EnergyModel,
    /// Steps per second of the reference loop on this device; `None` until it was timed, and then
    /// [`Engine::device_speed`](crate::Engine::device_speed) tells.
    pub device_speed: Option<u64>,
    /// Shortest time between two plans that only figures asked for, not a new method or server. Default 2 s.
    pub replan_interval: Duration,
    /// What the spread of retries is drawn from.
    pub seed: u64,
}

/// Who decides where calls run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// The plan, the figures and the bound.
    #[default]
    Plan,
    /// Nobody: everything that can runs on the device. A baseline.
    Device,
    /// Nobody: everything that can goes to a server, however long it takes there. A baseline, and for tests; only a
    /// lost session or a deadline ends an attempt.
    Server,
}

/// A server, as the engine knows it. How to reach it is the driver's knowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// What people call it: the address without its token.
    pub name: String,
    /// The access token of its address.
    pub token: String,
}

impl Settings {
    /// Defaults for everything that has one.
    pub fn new(app: AppIdentity, device: InstanceId) -> Self {
        Self {
            app,
            device,
            limits: Limits::default(),
            servers: Vec::new(),
            policy: Policy::default(),
            objective: Objective::default(),
            risk: Risk::default(),
            slowdown: None,
            exploration: 0.02,
            probing: 0.01,
            hedge: Hedge::default(),
            energy: EnergyModel::default(),
            device_speed: None,
            replan_interval: Duration::from_secs(2),
            seed: 0,
        }
    }

    /// The objective that the device's known figures allow.
    pub(crate) fn feasible_objective(&self) -> Objective {
        if self.energy.is_complete() { self.objective } else { Objective::Time }
    }

    /// ε of a method that does not state its own.
    pub(crate) fn default_slowdown(&self) -> f64 {
        let by_objective = if self.feasible_objective().is_time() { 0.4 } else { 1.05 };
        self.slowdown.filter(|slowdown| slowdown.is_finite() && *slowdown >= 0.0).unwrap_or(by_objective)
    }
}
