//! A run on a stage, from its beginning to its end.

use std::sync::Arc;
use std::time::Duration;

use outboard_client_proxy::{Engine, Report, ServerSettings, Settings};
use outboard_core::{ByteCount, InstanceId, ServerIndex, Timestamp};
use outboard_server_proxy::Grants;
use outboard_wire::bases::Bounds;
use outboard_wire::frame::{AppIdentity, Capacity};

use super::{Scene, Stage};
use crate::clock::Clock;
use crate::context::Context;
use crate::device::Device;
use crate::error::StartError;
use crate::hedge::Hedges;
use crate::identity::of_this_app;
use crate::outside::Outside;
use crate::registry::{Tenancy, Tenant};
use crate::serve::Shared;
use crate::stack;

/// Who is on a stage.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cast {
    /// How the device decides. App, servers and device are set by the stage.
    pub settings: Settings,
    /// The servers, in the device's order of preference.
    pub servers: Vec<ServerRole>,
    /// Most state that the device, and each server for it, keeps so that it need not be sent again.
    pub bases: ByteCount,
    /// The device's cores: as many calls run beside their attempts at once. Default: 1.
    pub cores: usize,
    /// How long the app waits at first for a session, before its code runs. Default: 5 s.
    pub patience: Duration,
}

/// A server on a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRole {
    /// What people call it.
    pub name: String,
    /// What its processors do.
    pub capacity: Capacity,
}

/// What a run on a stage gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Performance<T> {
    /// What the app's code returned.
    pub value: T,
    /// When the app's code began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What ran where, and why.
    pub report: Report,
}

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// The device or a server could not be set up.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A thread could not be had.
    #[error("there is no thread for the app: {0}")]
    Thread(std::io::Error),
}

impl Cast {
    /// A device and its servers, with defaults for the rest.
    pub fn new(settings: Settings, servers: Vec<ServerRole>) -> Self {
        let bases = ByteCount::from_bytes(64 << 20);
        Self { settings, servers, bases, cores: 1, patience: Duration::from_secs(5) }
    }
}

/// Runs an app's code on a stage of its own, in simulated time. A panic of the app's code is resumed.
///
/// # Errors
/// When the stage cannot be set up.
pub fn perform<T: Send>(
    cast: Cast,
    scene: Box<dyn Scene>,
    app: impl FnOnce() -> T + Send,
) -> Result<Performance<T>, StageError> {
    // On a thread of its own, since threads keep counters of the calls that they made before.
    std::thread::scope(|scope| {
        let on_stage = std::thread::Builder::new().name("outboard-stage".into());
        let thread = on_stage.spawn_scoped(scope, || play(cast, scene, app)).map_err(StageError::Thread)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn play<T>(cast: Cast, scene: Box<dyn Scene>, app: impl FnOnce() -> T) -> Result<Performance<T>, StageError> {
    let stage = Stage::new(scene);
    let seat = stage.turns.begin();
    let place = Arc::clone(&stage).take_place(seat, super::Site::Device);
    let closing = Closing(Arc::clone(&stage));
    let device = set_up(&stage, &cast)?;
    let entered = Context::of_device(Arc::clone(&device)).enter();
    stage.wait_until(cast.patience, || {
        cast.servers.is_empty() || device.report().servers.iter().any(|server| server.attached)
    });
    let began = stage.now();
    let value = app();
    let ended = stage.now();
    crate::device::hand_over(stack::take_batch());
    let report = device.report();
    device.with(|engine, now| engine.shutdown(now));
    drop(entered);
    device.leave();
    // Servers' threads that still run come to their end, which takes no time of the app's.
    stage.wait_until(LEFTOVERS, || !stage.turns.has_others(seat));
    drop((closing, place));
    Ok(Performance { value, began, ended, report })
}

/// How long threads that the app left behind are waited for, in simulated time.
const LEFTOVERS: Duration = Duration::from_secs(3_600);

/// Lets go of what holds on to the stage, however the run ends.
struct Closing(Arc<Stage>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.ends.clear();
    }
}

fn set_up(stage: &Arc<Stage>, cast: &Cast) -> Result<Arc<Device>, StartError> {
    let app = of_this_app();
    let mut settings = cast.settings.clone();
    settings.app = app.clone();
    settings.device = InstanceId(u128::from(settings.seed) << 64 | 1);
    settings.servers = cast
        .servers
        .iter()
        .map(|server| ServerSettings { name: server.name.clone(), token: String::new() })
        .collect();
    let roles = cast.servers.clone();
    let (weak, seed, bases) = (Arc::downgrade(stage), settings.seed, cast.bases);
    let start = move |server, run| match weak.upgrade() {
        Some(stage) => stage_server(&stage, &app, &roles, (server, run), seed, bases).map(Some),
        None => Ok(None),
    };
    stage.ends.start_servers(cast.servers.len() as u16, Box::new(start))?;
    let clock = Clock::of_stage(Arc::clone(stage));
    let limits = settings.limits;
    let engine = Engine::new(settings, clock.now());
    let tenancy = Tenancy::new(Tenant::Other).ok_or(StartError::AlreadyRunning)?;
    let outside = Outside::Stage(Arc::downgrade(stage));
    let device = Device::new(
        engine,
        cast.servers.len(),
        clock,
        tenancy,
        (limits, cast.bases),
        outside,
        Hedges::new(cast.cores),
    );
    stage.ends.set_device(&device);
    Ok(device)
}

/// A run of a server.
fn stage_server(
    stage: &Arc<Stage>,
    app: &AppIdentity,
    roles: &[ServerRole],
    (server, run): (ServerIndex, u32),
    seed: u64,
    bases: ByteCount,
) -> Result<Arc<Shared>, StartError> {
    // Another number for each run of each server.
    let instance =
        InstanceId(u128::from(seed) << 64 | 1 << 63 | u128::from(run) << 16 | u128::from(server.0));
    let settings =
        outboard_server_proxy::Settings::new(app.clone(), instance, roles[server.position()].capacity);
    let bounds = Bounds { each: bases, total: bases };
    let clock = Clock::of_stage(Arc::clone(stage));
    Shared::new(
        settings,
        |_: &str| Some(Grants::Everything),
        bounds,
        None,
        clock,
        super::Site::Server(server),
    )
}
