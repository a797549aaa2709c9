//! The server's side at run time: the engine behind a lock, its links, and the threads that run calls.

mod queued;
mod versions;
mod work;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use outboard_core::{ByteCount, MethodId, Timestamp};
use outboard_server_proxy::{Connection, Engine, Grants, Output, Settings};
use outboard_transport::{
    AccessToken, CloseReason, Identity, Link, LinkSender, Listener, ServerAddress, TransportConfig,
};
use outboard_wire::bases::Bounds;
use outboard_wire::frame::{Attempt, Capacity, Failure, NotRun};
use outboard_wire::{Limits, Lost};
use tokio::sync::Notify;
use tracing::Instrument as _;

use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::context::{self, InEngine, Serving};
use crate::driver::sleep_until;
use crate::error::StartError;
use crate::executor::Executor;
use crate::identity::{instance, of_this_app};
use crate::method::Method;
use crate::outside::Way;
use crate::registry::{self, Tenancy, Tenant};
use crate::server_call::ServerCall;
use crate::stage::Site;
use crate::{offer, planning, speed};

use queued::Queued;
use versions::Versions;

/// Calls of a method whose shared slots are all checked for changes; later ones by sampling.
const CHECKED_FIRST: u32 = 8;
/// Of the later calls, one in so many is checked.
const CHECKED_EVERY: u32 = 16;
/// Time that a device has to read a refusal and to close its link.
const LINGER: Duration = Duration::from_secs(1);

/// A server that listens.
pub struct Server {
    shared: Arc<Shared>,
    listener: Listener,
    address: ServerAddress,
}

/// What a server's threads share.
pub(crate) struct Shared {
    core: Mutex<Core>,
    executor: Executor,
    /// `None` on a stage.
    handle: Option<tokio::runtime::Handle>,
    clock: Clock,
    rearm: Notify,
    drained: Notify,
    depth: u16,
    versions: Versions,
    _tenancy: Tenancy,
    /// `None` on a stage, whose threads are all known.
    _serving: Option<Serving>,
}

struct Core {
    engine: Engine,
    links: BTreeMap<Connection, Way>,
    /// Calls that wait for a core.
    queued: BTreeMap<(Connection, Attempt), Arc<Queued>>,
    /// Calls that have one, or wait for their device.
    calls: BTreeMap<(Connection, Attempt), Weak<ServerCall>>,
    /// How often each method ran, for the sampling of checks.
    runs: BTreeMap<u32, u32>,
    /// The registry's methods, as far as they are known, by their ids.
    methods: BTreeMap<MethodId, &'static Method>,
    known: usize,
    next_connection: u64,
}

impl Server {
    /// Listens, as configured. Call this within a tokio runtime.
    ///
    /// # Errors
    /// When the key, the socket or a thread cannot be had.
    pub fn bind(config: &ServerConfig) -> Result<Self, StartError> {
        planning::offer();
        let identity = Identity::load_or_create(&config.state_dir)?;
        let mut transport = TransportConfig::default();
        // Of both ends' idle times the shorter one counts: how silent a device may be is between it and its session.
        transport.idle_timeout = Limits::default().silence;
        let listener = Listener::bind(config.listen, &identity, transport)?;
        let bound = listener.local_address().map_err(StartError::System)?;
        let address = match &config.public_host {
            None => identity.address(bound.ip(), bound.port()),
            Some(host) => identity.address(host.clone(), bound.port()),
        };
        let cores = u16::try_from(config.workers).unwrap_or(u16::MAX);
        let capacity = Capacity { cores, speed: speed::measure() };
        let settings = Settings::new(of_this_app(), instance(), capacity);
        let bounds = Bounds { each: config.session_bases, total: config.bases };
        let own = identity.token();
        let door = move |token: &str| {
            token.parse::<AccessToken>().is_ok_and(|token| token == own).then_some(Grants::Everything)
        };
        let handle = tokio::runtime::Handle::current();
        let shared = Shared::new(settings, door, bounds, Some(handle), Clock::start(), Site::Device)?;
        Ok(Self { shared, listener, address })
    }

    /// The address that devices use: it names the key to expect and carries the access token.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Serves until `stop` is ready, then drains: running calls finish, within bounds, and new ones are told *not run*.
    pub async fn serve(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut stopping = false;
        loop {
            let due = self.shared.timeout();
            tokio::select! {
                link = self.listener.accept() => match link {
                    Some(link) => self.shared.take(link),
                    None => break,
                },
                () = self.shared.rearm.notified() => {}
                () = sleep_until(due) => self.shared.with(Engine::handle_timeout),
                () = &mut stop, if !stopping => {
                    stopping = true;
                    self.shared.with(Engine::drain);
                }
                () = self.shared.drained.notified() => break,
            }
        }
        self.listener.close(CloseReason::GoingAway, "the server has stopped");
        self.listener.wait_idle().await;
    }
}

impl Shared {
    /// A server that nobody reaches yet. Without a handle of the system's it is on a stage.
    pub(crate) fn new(
        settings: Settings,
        door: impl Fn(&str) -> Option<Grants> + Send + 'static,
        bounds: Bounds,
        handle: Option<tokio::runtime::Handle>,
        clock: Clock,
        site: Site,
    ) -> Result<Arc<Self>, StartError> {
        let most = ByteCount::from_bytes(settings.limits.frame_bytes.into());
        let (depth, cores) = (settings.limits.depth, settings.capacity.cores);
        let core = Core {
            engine: Engine::new(settings, door, []),
            links: BTreeMap::new(),
            queued: BTreeMap::new(),
            calls: BTreeMap::new(),
            runs: BTreeMap::new(),
            methods: BTreeMap::new(),
            known: 0,
            next_connection: 0,
        };
        let tenancy = Tenancy::new(Tenant::Other).ok_or(StartError::AlreadyRunning)?;
        Ok(Arc::new(Self {
            core: Mutex::new(core),
            executor: Executor::new(cores.into(), site),
            _serving: handle.is_some().then(Serving::new),
            handle,
            clock,
            rearm: Notify::new(),
            drained: Notify::new(),
            depth,
            versions: Versions::new(bounds, most),
            _tenancy: tenancy,
        }))
    }

    /// A device has a new way here.
    pub(crate) fn join(self: &Arc<Self>, way: Way) -> Connection {
        let mut core = self.lock();
        let connection = Connection(core.next_connection);
        core.next_connection += 1;
        core.links.insert(connection, way);
        self.act(core, |engine, now| engine.connected(now, connection));
        connection
    }

    /// A frame came from a device.
    pub(crate) fn received(self: &Arc<Self>, connection: Connection, frame: &[u8]) {
        self.with(|engine, now| engine.handle_frame(now, connection, frame));
    }

    /// A way has ended.
    pub(crate) fn lost(self: &Arc<Self>, connection: Connection) {
        self.lock().links.remove(&connection);
        self.versions.forget_all(connection);
        self.with(|engine, now| engine.handle_lost(now, connection));
    }

    /// When the engine wants to be woken.
    pub(crate) fn engine_timeout(&self) -> Option<Timestamp> {
        self.lock().engine.timeout()
    }

    /// That time has come.
    pub(crate) fn handle_timeout(self: &Arc<Self>) {
        self.with(Engine::handle_timeout);
    }

    /// Cuts every way, at once and without a word, as the end of a process does.
    pub(crate) fn kill(self: &Arc<Self>) {
        let ways = std::mem::take(&mut self.lock().links);
        for connection in ways.into_keys() {
            self.with(|engine, now| engine.handle_lost(now, connection));
        }
    }

    /// Takes a new link on.
    fn take(self: &Arc<Self>, link: Link) {
        let connection = self.join(Way::Quic(link.sender()));
        let session = tracing::info_span!("session", %connection, device = %link.peer());
        tokio::spawn(receive(Arc::downgrade(self), connection, link).instrument(session));
    }

    fn timeout(&self) -> Option<std::time::Instant> {
        self.engine_timeout().map(|at| self.clock.at(at))
    }

    /// Does something with the engine, and carries out what it then wants.
    fn with<T>(self: &Arc<Self>, act: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        self.act(self.lock(), act)
    }

    fn act<T>(self: &Arc<Self>, mut core: Held<'_>, act: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        core.learn_methods();
        let before = core.engine.timeout();
        let result = act(&mut core.engine, self.clock.now());
        let runs = self.drain(&mut core);
        if core.engine.timeout() != before {
            self.rearm.notify_one();
        }
        drop(core);
        for (connection, attempt, queued) in runs {
            self.run(connection, attempt, queued);
        }
        result
    }

    /// Carries the engine's outputs out; gives the calls that need threads, which take their time to start.
    fn drain(self: &Arc<Self>, core: &mut Core) -> Vec<(Connection, Attempt, Arc<Queued>)> {
        let mut runs = Vec::new();
        while let Some(output) = core.engine.poll() {
            match output {
                Output::Transmit { connection, lane, bytes } => {
                    let Some(link) = core.links.get(&connection) else { continue };
                    if let Err(error) = link.send(lane, bytes) {
                        // The end of the session closes the link.
                        tracing::debug!(%connection, %error, "a frame was not sent; the session ends");
                        core.engine.handle_lost(self.clock.now(), connection);
                    }
                }
                Output::Run { connection, call, arrived } => {
                    let (attempt, within) = (call.attempt, call.within);
                    let queued = Arc::new(Queued::new(call, arrived));
                    core.queued.insert((connection, attempt), Arc::clone(&queued));
                    match within {
                        None => runs.push((connection, attempt, queued)),
                        Some(outer) => self.run_within(core, connection, outer, attempt, queued),
                    }
                }
                Output::Fence { connection, attempt } => self.let_go(core, connection, attempt),
                Output::Answer { connection, frame } => {
                    if let Some(call) = core.call(connection, frame.attempt) {
                        call.answer(frame);
                    }
                }
                Output::Gone { connection, attempts } => {
                    attempts.into_iter().for_each(|attempt| self.let_go(core, connection, attempt));
                }
                Output::Close { connection, reason } => {
                    self.versions.forget_all(connection);
                    match (core.links.remove(&connection), &self.handle) {
                        (Some(Way::Quic(link)), Some(handle)) => drop(handle.spawn(close(link, reason))),
                        (Some(way), _) => way.close(&reason),
                        (None, _) => {}
                    }
                }
                Output::Drained => self.drained.notify_one(),
                _ => {}
            }
        }
        runs
    }

    /// Hands a call that a call-back makes to the thread that waits for that call-back.
    fn run_within(
        self: &Arc<Self>,
        core: &mut Core,
        connection: Connection,
        outer: Attempt,
        attempt: Attempt,
        queued: Arc<Queued>,
    ) {
        let outer = core.call(connection, outer);
        let job = self.job(connection, attempt, queued);
        if !outer.is_some_and(|outer| outer.run_within(job)) {
            core.queued.remove(&(connection, attempt));
            let failure = Failure::NotRun(NotRun::Fenced);
            core.engine.fail(self.clock.now(), connection, attempt, failure);
        }
    }

    /// Nobody wants an attempt any more.
    fn let_go(&self, core: &mut Core, connection: Connection, attempt: Attempt) {
        if let Some(queued) = core.queued.remove(&(connection, attempt)) {
            queued.let_go(&self.executor.permits);
        }
        if let Some(call) = core.call(connection, attempt) {
            call.let_go("the device gave the attempt up");
        }
    }

    fn fail(self: &Arc<Self>, connection: Connection, attempt: Attempt, failure: Failure) {
        self.with(|engine, now| engine.fail(now, connection, attempt, failure));
    }

    fn lock(&self) -> Held<'_> {
        // The engine keeps its own invariants; a panic elsewhere under the lock must not stop every session.
        let core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        Held { core, _within: context::enter_engine() }
    }
}

/// The core, locked.
struct Held<'a> {
    // Let go first: whoever is within the engine holds its lock.
    core: MutexGuard<'a, Core>,
    _within: InEngine,
}

impl Deref for Held<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        &mut self.core
    }
}

impl Core {
    /// Tells the engine of methods that were registered since the last time.
    fn learn_methods(&mut self) {
        if registry::count() == self.known {
            return;
        }
        for method in registry::methods_from(self.known) {
            self.known += 1;
            if let Some(entry) = offer::entry(method) {
                self.methods.insert(entry.id, method);
                self.engine.register(entry);
            }
        }
    }

    fn call(&self, connection: Connection, attempt: Attempt) -> Option<Arc<ServerCall>> {
        self.calls.get(&(connection, attempt))?.upgrade()
    }

    /// Whether this run of a method is checked for changes of shared slots.
    fn is_checked(&mut self, method: &'static Method) -> bool {
        let runs = self.runs.entry(method.raw_index()).or_default();
        *runs = runs.wrapping_add(1);
        *runs <= CHECKED_FIRST || runs.is_multiple_of(CHECKED_EVERY)
    }
}

async fn receive(host: Weak<Shared>, connection: Connection, mut link: Link) {
    loop {
        let received = link.recv().await;
        let Some(host) = host.upgrade() else { return };
        match received {
            Ok(frame) => host.received(connection, &frame),
            Err(error) => {
                tracing::debug!(%connection, %error, "the link ended");
                return host.lost(connection);
            }
        }
    }
}

/// Closes a link whose session is over: at once where nothing is on its way to the device, else once the device had the
/// time to read it and to close the link itself.
async fn close(link: LinkSender, reason: Lost) {
    if !matches!(reason, Lost::TheyLeft | Lost::Connection | Lost::Silence) {
        tokio::time::sleep(LINGER).await;
    }
    link.close(CloseReason::Done, &reason.to_string());
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("listens", &(&self.address.host, self.address.port))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_engine_calls_of_the_app_does_not_ask_the_engine_again() {
        let state = tempfile::tempdir().unwrap();
        let server = Server::bind(&ServerConfig::new(state.path())).unwrap();
        assert!(!context::is_in_engine());
        let within = server.shared.with(|_, _| context::is_in_engine());
        assert!(within && !context::is_in_engine());
    }
}
