//! An app's own annotated code in virtual time.

mod account;
mod costs;
mod outcome;
mod scene;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use outboard_client_proxy::{Hedge, Policy, Settings};
use outboard_core::{InstanceId, Objective};
use outboard_profiler::{DeviceProfile, ProfileError};
use outboard_runtime::Method;
use outboard_runtime::stage::{self, Cast, ServerRole, StageError};
use outboard_wire::frame::{AppIdentity, Capacity};

use crate::battery::Battery;
use crate::device::DeviceModel;
use crate::link::Link;
use crate::path::Path;
use crate::server::ServerModel;

use account::Account;
pub use costs::{IntoCost, MethodCost};
pub use outcome::{Call, Figures, Simulated};
use scene::Surroundings;

/// What an app's code meets while it runs in virtual time: a device, its servers, and the links between them.
///
/// The code itself really runs, annotated methods and all, through the same runtime and engines as in production: slots are
/// encoded, frames cross the simulated link, the server's end decodes them and runs the method, replies are
/// committed. What is simulated is time and energy: a method takes what its declared [`cost`](Self::cost) says, a frame
/// what the link and the radio make of it.
///
/// ```
/// use std::time::Duration;
///
/// use outboard_sim::{Link, ServerModel, Simulation};
/// # use outboard_core::Bandwidth;
/// # mod app {
/// #     pub fn run() -> u64 { 42 }
/// # }
/// let link = Link::constant(Duration::from_millis(8), Bandwidth::from_megabits_per_second(50), Bandwidth::from_megabits_per_second(50));
/// let outcome = Simulation::new().server(ServerModel::of_speed(8.0), link).run(app::run)?;
/// assert_eq!(outcome.value, 42);
/// # Ok::<(), outboard_sim::SimulationError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Simulation {
    device: DeviceModel,
    battery: Option<Battery>,
    servers: Vec<(ServerModel, Route)>,
    costs: costs::Costs,
    policy: Policy,
    objective: Objective,
    slowdown: Option<f64>,
    exploration: f64,
    hedge: Hedge,
    seed: u64,
}

/// The route to a server.
#[derive(Clone, Debug)]
pub enum Route {
    /// A link by the device's own radio.
    Link(Link),
    /// A link by another radio, or by none.
    Path(Box<Path>),
}

impl From<Link> for Route {
    fn from(link: Link) -> Self {
        Self::Link(link)
    }
}

impl From<Path> for Route {
    fn from(path: Path) -> Self {
        Self::Path(Box::new(path))
    }
}

/// Why a simulation gave no outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// There is no such device profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The device or a server could not be set up.
    #[error("the simulation could not be set up: {0}")]
    SetUp(#[from] StageError),
    /// Methods ran of which nobody said what they take.
    #[error("nobody said what {} takes: declare it with `cost`, or all others with `other_costs`", .0.join(", "))]
    NoCost(Vec<String>),
}

impl Simulation {
    /// A device of which no energy is known, without a server.
    pub fn new() -> Self {
        let defaults = Settings::new(AppIdentity::default(), InstanceId(0));
        Self {
            device: DeviceModel::default(),
            battery: None,
            servers: Vec::new(),
            costs: costs::Costs::default(),
            policy: defaults.policy,
            objective: defaults.objective,
            slowdown: None,
            exploration: defaults.exploration,
            hedge: defaults.hedge,
            seed: 1,
        }
    }

    /// The device, by the name of a profile that comes with Outboard: `raspberry-pi-4b`, say.
    ///
    /// # Errors
    /// A name that none of them has; the error lists them.
    pub fn device(self, name: &str) -> Result<Self, ProfileError> {
        Ok(self.device_profile(&DeviceProfile::built_in(name)?))
    }

    /// The device, by its profile.
    pub fn device_profile(self, profile: &DeviceProfile) -> Self {
        Self { device: DeviceModel::new(profile), ..self }
    }

    /// What the device draws from: a battery, which other consumers may drain too, as a recorded power says. When it is
    /// empty the run goes on all the same, and the outcome says so.
    pub fn battery(self, battery: Battery) -> Self {
        Self { battery: Some(battery), ..self }
    }

    /// A server, and the route to it: a [`Link`], which the device is on by its own radio, or a [`Path`] with another one or
    /// none. Called again, it adds a server that is used where those before it are not.
    pub fn server(mut self, server: ServerModel, route: impl Into<Route>) -> Self {
        self.servers.push((server, route.into()));
        self
    }

    /// What a method takes on the device, without the annotated methods that it calls: a time, a
    /// [`Cost`](crate::Cost) for each unit of its `work`, or a function of its `work`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use outboard_sim::{Cost, Simulation};
    /// #[outboard::remoteable(work = below)]
    /// fn primes(below: u64) -> usize {
    /// #   0
    ///     // …
    /// }
    ///
    /// let simulation = Simulation::new().cost(outboard::method!(primes), Cost::per_unit(Duration::from_micros(3)));
    /// ```
    pub fn cost(mut self, method: &'static Method, cost: impl IntoCost) -> Self {
        self.costs.set(method.descriptor().title(), cost.into_cost());
        self
    }

    /// What every method takes that has no cost of its own. Without this it is an error if such a method runs.
    pub fn other_costs(mut self, cost: impl IntoCost) -> Self {
        self.costs.set_others(cost.into_cost());
        self
    }

    /// Who decides where calls run; the baselines are for comparison. Default: the plan.
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// What to save. Default: energy, within 1.05 × the time on the device; time, where the device's power is not known.
    pub fn objective(self, objective: Objective) -> Self {
        Self { objective, ..self }
    }

    /// ε: how much of its local time a call may lose when things go wrong. Default: by the objective.
    pub fn slowdown(self, slowdown: f64) -> Self {
        Self { slowdown: Some(slowdown), ..self }
    }

    /// The share of what calls cost that may be lost on tries. Default 0.02.
    pub fn exploration(self, share: f64) -> Self {
        Self { exploration: share, ..self }
    }

    /// When the device runs a call too that is under way. Default: when it is late.
    pub fn hedge(self, hedge: Hedge) -> Self {
        Self { hedge, ..self }
    }

    /// What everything random is drawn from. Default 1.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Runs an app's code. The same simulation of the same code gives the same outcome, on every machine.
    ///
    /// The code may call annotated methods from this one thread only. Its threads and async tasks are not simulated; an
    /// async method is waited for with [`block_on`](crate::block_on).
    ///
    /// # Errors
    /// When a method ran of which nobody said what it takes.
    ///
    /// # Panics
    /// When the code panics, or waits for what can never happen.
    pub fn run<T: Send>(&self, app: impl FnOnce() -> T + Send) -> Result<Simulated<T>, SimulationError> {
        let mut settings = Settings::new(AppIdentity::default(), InstanceId(0));
        settings.policy = self.policy;
        settings.objective = self.objective;
        settings.slowdown = self.slowdown;
        settings.exploration = self.exploration;
        settings.hedge = self.hedge;
        settings.energy = self.device.energy.clone();
        settings.device_speed = Some(self.device.steps_per_second);
        settings.seed = self.seed;
        let role = |(place, (server, _)): (usize, &(ServerModel, Route))| ServerRole {
            name: format!("server {place}"),
            capacity: Capacity {
                cores: server.cores,
                speed: server.claimed_speed(self.device.steps_per_second),
            },
        };
        let mut cast = Cast::new(settings, self.servers.iter().enumerate().map(role).collect());
        cast.cores = self.device.cores.into();
        let account = Arc::new(Mutex::new(Account::new(self)));
        let scene = Surroundings::new(self, Arc::clone(&account));
        let performed = stage::perform(cast, Box::new(scene), app)?;
        let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
        if !account.unpriced.is_empty() {
            let methods = std::mem::take(&mut account.unpriced);
            return Err(SimulationError::NoCost(
                methods.into_iter().map(|name| format!("`{name}`")).collect(),
            ));
        }
        Ok(account.outcome(performed))
    }
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

/// Lets virtual time pass, as code does that is not annotated: it computes, or waits for something else.
///
/// Outside of a [`Simulation`] it does nothing, so that code can be run by itself too.
pub fn pass(time: Duration) {
    stage::spend(time);
}

/// Polls a future to its end, with virtual time passing while it waits.
///
/// # Panics
/// Outside of a [`Simulation`].
pub fn block_on<F: Future>(future: F) -> F::Output {
    stage::block_on(future).expect("`block_on` is for code that a `Simulation` runs")
}
