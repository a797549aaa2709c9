//! The device's side, as an app holds it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc as std_mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use outboard_client_proxy::{Engine, Hedge, Policy, Report, Settings};
use outboard_core::{ByteCount, Power};
use outboard_profiler::{DeviceProfile, EnergyModel, Quantile, Snapshot, Trust};
use outboard_transport::ServerAddress;
use tokio::sync::{Notify, mpsc};

use crate::clock::Clock;
use crate::config::{
    ConfigError, DeviceConfig, Objective, Planning, Risk, Set, Source, Values, parse_servers,
};
use crate::context::{self, Context, ContextGuard};
use crate::device::{self, Command, Device};
use crate::driver::{self, Work};
use crate::error::StartError;
use crate::hedge::Hedges;
use crate::identity::{instance, of_this_app};
use crate::keep::Keeper;
use crate::outside::{Outside, System};
use crate::planning::Planner;
use crate::registry::{Tenancy, Tenant};

/// A running device side: while it lives, annotated calls may run on a server.
///
/// Without one, annotated code simply runs. `outboard::main` starts one for the app; a program that wants its own
/// builds it:
///
/// ```
/// let runtime = outboard::Runtime::builder().start()?;
/// // … annotated calls …
/// println!("{}", runtime.report());
/// # Ok::<(), outboard::StartError>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    device: Arc<Device>,
    threads: Vec<JoinHandle<()>>,
    keeper: Option<Arc<Keeper>>,
}

/// What ran where, why, and what it cost, in the runtime that calls of this thread belong to; `None` without one.
#[must_use]
pub fn report() -> Option<Report> {
    context::device().map(|device| device.report())
}

/// Sets a [`Runtime`] up. What is set here outranks the environment and the file.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    values: Values,
    environment: bool,
    priors: Vec<String>,
    errors: Vec<Invalid>,
}

/// A value that a builder was given and cannot use; told at the start.
#[derive(Clone, Debug)]
struct Invalid {
    value: String,
    allowed: String,
}

impl Runtime {
    /// Sets a runtime up.
    pub fn builder() -> Builder {
        Builder { values: Values::default(), environment: true, priors: Vec::new(), errors: Vec::new() }
    }

    /// Adds a server while the runtime runs. It is used once it is connected.
    pub fn attach(&self, address: ServerAddress) {
        self.device.attach(address);
    }

    /// Waits until a session with some server is open, at most so long. Says whether one is.
    ///
    /// Nothing has to wait for this: calls run locally until then. Demonstrations and tests do.
    pub fn wait_attached(&self, at_most: Duration) -> bool {
        let device = Arc::clone(&self.device);
        let Some(system) = self.device.outside.system() else { return false };
        let attached = async move {
            loop {
                let Some(system) = device.outside.system() else { return };
                let changed = system.sessions.notified();
                tokio::pin!(changed);
                // Listening begins before the look, so that no change is missed in between.
                changed.as_mut().enable();
                if device.report().servers.iter().any(|server| server.attached) {
                    return;
                }
                changed.await;
            }
        };
        let (sender, receiver) = std_mpsc::channel();
        system.handle.spawn(async move {
            let opened = tokio::time::timeout(at_most, attached).await.is_ok();
            let _ = sender.send(opened);
        });
        receiver.recv().unwrap_or(false)
    }

    /// What ran where, why, and what it cost.
    #[must_use]
    pub fn report(&self) -> Report {
        self.device.report()
    }

    /// Makes this runtime the one of the current thread, until the guard is dropped. Needed only for runtimes that were
    /// started [isolated](Builder::start_isolated).
    #[must_use = "the runtime is left when the guard is dropped"]
    pub fn enter(&self) -> ContextGuard {
        Context::of_device(Arc::clone(&self.device)).enter()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.device.with(|engine, now| engine.shutdown(now));
        if let Some(system) = self.device.outside.system() {
            let _ = system.commands.send(Command::Stop);
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has been reported by its panic.
            let _ = thread.join();
        }
        if let Some(keeper) = &self.keeper {
            keeper.save(self.device.snapshot(keeper.device()));
        }
        // Calls under way and entered contexts keep the device for a while: the process is free for another all the same.
        context::unset_global(&self.device);
        self.device.leave();
    }
}

impl Builder {
    /// A server's address, as it prints it; may be called again for further ones, in order of preference.
    pub fn server(mut self, address: impl Into<String>) -> Self {
        let address = address.into();
        match parse_servers(std::slice::from_ref(&address), Source::Builder) {
            Ok(mut set) => {
                if let Some(before) = self.values.server.take() {
                    set.value.splice(0..0, before.value);
                }
                self.values.server = Some(set);
            }
            Err(ConfigError::Value { value, allowed, .. }) => self.errors.push(Invalid { value, allowed }),
            Err(error) => self.errors.push(Invalid { value: String::new(), allowed: error.to_string() }),
        }
        self
    }

    /// Who decides where calls run; the baselines are for comparison and for tests.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.values.policy = Some(set(policy));
        self
    }

    /// What to save.
    pub fn objective(mut self, objective: Objective) -> Self {
        self.values.objective = Some(set(objective));
        self
    }

    /// Which figure of what is uncertain plans count; see [`DeviceConfig::risk`].
    pub fn risk(mut self, risk: Risk) -> Self {
        self.values.risk = Some(set(risk));
        self
    }

    /// Where plans are made; see [`DeviceConfig::planning`].
    pub fn planning(mut self, planning: Planning) -> Self {
        self.values.planning = Some(set(planning));
        self
    }

    /// The slowdown ε that a call may suffer when things go wrong; see [`DeviceConfig::slowdown`].
    pub fn slowdown(mut self, slowdown: f64) -> Self {
        self.values.slowdown = Some(set(slowdown));
        self
    }

    /// The share of what calls cost that may be lost on tries; see [`DeviceConfig::exploration`].
    pub fn exploration(mut self, share: f64) -> Self {
        self.values.exploration = Some(set(share));
        self
    }

    /// When the device runs a call too that is under way; see [`DeviceConfig::hedge`].
    pub fn hedge(mut self, hedge: Hedge) -> Self {
        self.values.hedge = Some(set(hedge));
        self
    }

    /// Most state that is kept so that it need not be sent again; see [`DeviceConfig::bases`].
    pub fn bases(mut self, most: ByteCount) -> Self {
        self.values.bases = Some(set(most));
        self
    }

    /// A device profile: a file, or the name of a built-in one.
    pub fn device_profile(mut self, path: impl Into<PathBuf>) -> Self {
        self.values.device_profile = Some(set(path.into()));
        self
    }

    /// The file in which what was learned of the program is kept for its next run, or `off`; see [`DeviceConfig::profile`].
    pub fn profile(mut self, path: impl Into<PathBuf>) -> Self {
        self.values.profile = Some(set(path.into()));
        self
    }

    /// How often that is saved while the app runs, in whole seconds; see [`DeviceConfig::profile_interval`].
    pub fn profile_interval(mut self, interval: Duration) -> Self {
        self.values.profile_interval = Some(set(interval.as_secs()));
        self
    }

    /// A profile that comes along with the app, as text: what was learned on the author's machine, say, with
    /// `include_str!`. It is a start for devices where the app never ran: two calls of a method here outweigh it, and so does
    /// what was [kept](Self::profile) of an earlier run. May be called again; later ones outrank earlier ones.
    pub fn prior(mut self, text: impl Into<String>) -> Self {
        self.priors.push(text.into());
        self
    }

    /// Reads neither `outboard.toml` nor the environment. For tests.
    pub fn without_environment(mut self) -> Self {
        self.environment = false;
        self
    }

    /// Starts the runtime for the whole process.
    ///
    /// # Errors
    /// When the configuration cannot be used, or the process has a runtime.
    pub fn start(self) -> Result<Runtime, StartError> {
        self.launch(Tenant::Global)
    }

    /// Starts a runtime for the threads that [enter](Runtime::enter) it: for several in one process, as in tests.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn start_isolated(self) -> Result<Runtime, StartError> {
        self.launch(Tenant::Other)
    }

    /// The settings, and where the device profile was named: only its reader can tell whether it can be used.
    fn resolve(self) -> Result<(DeviceConfig, Source), StartError> {
        if let Some(Invalid { value, allowed }) = self.errors.into_iter().next() {
            let key = "server";
            return Err(ConfigError::Value { key, origin: Source::Builder, value, allowed }.into());
        }
        let below = match self.environment {
            true => Values::of_process()?,
            false => Values::default(),
        };
        let variable = |name: &str| self.environment.then(|| std::env::var(name).ok()).flatten();
        let values = self.values.over(below);
        let profile = values.device_profile.as_ref().map_or(Source::Builder, |set| set.origin.clone());
        Ok((values.device(&of_this_app().name, variable)?, profile))
    }

    fn launch(self, tenant: Tenant) -> Result<Runtime, StartError> {
        let priors: Vec<Snapshot> =
            self.priors.iter().map(|text| Snapshot::parse("the prior", text)).collect::<Result<_, _>>()?;
        let (config, profile_origin) = self.resolve()?;
        let planner = Planner::new(config.planning);
        let clock = Clock::start();
        let settings = settings(&config, profile_origin)?;
        let limits = settings.limits;
        let app = settings.app.clone();
        let mut engine = Engine::new(settings, clock.now());
        priors.iter().for_each(|prior| engine.preload(clock.now(), prior, Trust::Weak));
        let keeper = Keeper::new(&config.profile, config.profile_interval, &app).map(Arc::new);
        if let Some((kept, trust)) = keeper.as_ref().and_then(|keeper| keeper.load(&app)) {
            engine.preload(clock.now(), &kept, trust);
        }
        let heartbeat = engine.heartbeat();
        let tenancy = Tenancy::new(tenant).ok_or(StartError::AlreadyRunning)?;

        let io_runtime = driver::Background(Some(driver::runtime()?));
        let handle = io_runtime.handle().clone();
        let connector = {
            let _within = handle.enter();
            driver::connector(heartbeat)?
        };
        let (commands, received) = mpsc::unbounded_channel();
        let (work, to_do) = std_mpsc::channel();
        if !config.servers.is_empty() {
            let _ = work.send(Work::Measure);
        }
        let servers = config.servers.len();
        let outside = Outside::System(System {
            handle,
            rearm: Notify::new(),
            sessions: Notify::new(),
            commands,
            work,
            addresses: Mutex::new(config.servers),
        });
        let device = Device::new(
            engine,
            servers,
            clock,
            tenancy,
            (limits, config.bases),
            outside,
            Hedges::of_machine(),
        );
        let weak = Arc::downgrade(&device);
        let drive = {
            let weak = weak.clone();
            move || io_runtime.block_on(driver::drive(weak, connector, received))
        };
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(StartError::System)
        };
        let driving = spawn("outboard-io", Box::new(drive))?;
        // Dropped where the next step fails, so that the first thread ends.
        let runtime = Runtime { device, threads: vec![driving], keeper: keeper.clone() };
        // The other thread ends with the device, which holds the other end of its queue.
        spawn("outboard-solver", Box::new(move || driver::work(&weak, &to_do, keeper.as_deref(), planner)))?;
        if tenant == Tenant::Global {
            context::set_global(&runtime.device);
        }
        Ok(runtime)
    }
}

/// What the device draws during a run beside the energies of its profile: nothing, since those are of the whole device, what
/// it draws when idle included ([`EnergyModel`]). Counted again, it would buy time with energy.
const BESIDE: Power = Power::ZERO;

/// What the engine is told.
fn settings(config: &DeviceConfig, profile_origin: Source) -> Result<Settings, StartError> {
    let mut settings = Settings::new(of_this_app(), instance());
    settings.servers = config.servers.iter().map(device::server_settings).collect();
    settings.policy = config.policy;
    settings.objective = match config.objective {
        Objective::Time => outboard_core::Objective::Time,
        Objective::Energy => outboard_core::Objective::default(),
        Objective::Battery => outboard_core::Objective::battery_life(BESIDE),
    };
    settings.risk = match config.risk {
        Risk::Usual => outboard_profiler::Risk::Usual,
        Risk::Expected => outboard_profiler::Risk::Expected,
        Risk::Averse => outboard_profiler::Risk::Averse(Quantile::P90),
    };
    settings.slowdown = config.slowdown;
    settings.exploration = config.exploration;
    settings.hedge = config.hedge;
    settings.seed = instance().0 as u64;
    if let Some(path) = &config.device_profile {
        settings.energy = EnergyModel::new(&profile(path, profile_origin)?);
    }
    if config.objective != Objective::Time && !settings.energy.is_complete() {
        tracing::warn!(
            objective = %config.objective,
            "the powers of this device's processors and radio are not known, and time is saved instead: name a `device_profile`"
        );
    }
    Ok(settings)
}

/// A profile by file, or by the name of a built-in one.
fn profile(path: &std::path::Path, origin: Source) -> Result<DeviceProfile, StartError> {
    let name = path.to_string_lossy();
    if DeviceProfile::built_in_names().any(|known| known == name) {
        return Ok(DeviceProfile::built_in(&name)?);
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(DeviceProfile::parse(&name, &text)?),
        Err(error) => {
            let names: Vec<_> = DeviceProfile::built_in_names().collect();
            Err(ConfigError::Value {
                key: "device_profile",
                origin,
                value: name.into_owned(),
                allowed: format!("use a readable file ({error}), or one of {}", names.join(", ")),
            }
            .into())
        }
    }
}

fn set<T>(value: T) -> Set<T> {
    Set { value, origin: Source::Builder }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(set: impl FnOnce(Builder) -> Builder) -> Settings {
        let builder = set(Runtime::builder().without_environment());
        let (config, origin) = builder.resolve().unwrap();
        settings(&config, origin).unwrap()
    }

    #[test]
    fn objective_and_risk_are_the_engines() {
        let default = told(|builder| builder);
        assert_eq!(default.objective, outboard_core::Objective::Time);
        assert_eq!(default.risk, outboard_profiler::Risk::Usual);
        let careful = told(|builder| builder.objective(Objective::Energy).risk(Risk::Averse));
        assert_eq!(careful.objective, outboard_core::Objective::default());
        assert_eq!(careful.risk, outboard_profiler::Risk::Averse(Quantile::P90));
        assert_eq!(told(|builder| builder.risk(Risk::Expected)).risk, outboard_profiler::Risk::Expected);
    }

    #[test]
    fn what_a_battery_is_emptied_by_is_counted_once() {
        let battery = told(|builder| builder.objective(Objective::Battery).device_profile("raspberry-pi-4b"));
        let second = Duration::from_secs(1);
        let energy = |time| battery.energy.waiting(time).expect("its idle power is known");
        let cost = |time| outboard_core::Cost { energy: energy(time), time };
        let [one, two] = [1, 2].map(|seconds| battery.objective.value(cost(second * seconds)));
        assert_eq!(one, outboard_core::Value::Energy(energy(second)));
        assert_eq!(two, outboard_core::Value::Energy(energy(second * 2)));
        assert!(!battery.objective.is_time() && battery.energy.is_complete());
    }
}
