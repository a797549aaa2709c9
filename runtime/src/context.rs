//! Where the code on this thread runs: on a device, in a call-back, or in a call of a server.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::call_back::CallBack;
use crate::device::Device;
use crate::hedge::Hedging;
use crate::method::Method;
use crate::once::{self, Chain};
use crate::server_call::ServerCall;

/// On whose ground a shim runs a method.
#[derive(Clone)]
pub(crate) enum Ground {
    /// On a server, within a call.
    Server(Arc<ServerCall>),
    /// On the device, for a call-back.
    Device(Arc<CallBack>),
    /// On the device, beside an attempt.
    Hedge(Arc<Hedging>),
    /// On a server, within a call, as one that may run only once: nothing within it is run again.
    OnceOnServer(Arc<ServerCall>),
    /// The same on the device, within a call-back.
    OnceOnDevice(Arc<CallBack>),
}

thread_local! {
    static CALL: RefCell<Option<Arc<ServerCall>>> = const { RefCell::new(None) };
    /// The innermost call-back that this thread serves.
    static BACK: RefCell<Option<Arc<CallBack>>> = const { RefCell::new(None) };
    /// The hedge that this thread runs in.
    static HEDGE: RefCell<Option<Arc<Hedging>>> = const { RefCell::new(None) };
    /// The method whose next call is the shim's own: it runs without being asked again.
    static BYPASS: Cell<Option<&'static Method>> = const { Cell::new(None) };
    /// Whether this thread is within an engine, and holds its lock.
    static IN_ENGINE: Cell<bool> = const { Cell::new(false) };
    /// The runtime that this thread entered.
    static ENTERED: RefCell<Option<Arc<Device>>> = const { RefCell::new(None) };
}

/// The runtime of every thread that entered no other.
static GLOBAL: Mutex<Weak<Device>> = Mutex::new(Weak::new());
/// Servers in this process.
static SERVERS: AtomicUsize = AtomicUsize::new(0);
/// Device methods that were called on a server by threads without a context.
static STRAYS: AtomicU64 = AtomicU64::new(0);

/// The call of a server that this thread runs in.
pub(crate) fn server_call() -> Option<Arc<ServerCall>> {
    // Destructors of a thread's locals may call annotated methods, when ours are gone: no call is left then.
    CALL.try_with(|call| call.borrow().clone()).unwrap_or_default()
}

/// The call-back that this thread serves on the device.
pub(crate) fn call_back() -> Option<Arc<CallBack>> {
    BACK.try_with(|back| back.borrow().clone()).unwrap_or_default()
}

/// The hedge that this thread runs in.
pub(crate) fn hedging() -> Option<Arc<Hedging>> {
    HEDGE.try_with(|hedge| hedge.borrow().clone()).unwrap_or_default()
}

/// The runtime that calls of this thread belong to.
pub(crate) fn device() -> Option<Arc<Device>> {
    if is_in_engine() {
        return None;
    }
    entered().or_else(|| GLOBAL.lock().unwrap_or_else(PoisonError::into_inner).upgrade())
}

/// The runtime that this thread entered.
fn entered() -> Option<Arc<Device>> {
    // A thread that ends still hands over what it counted, when its own locals are gone.
    ENTERED.try_with(|entered| entered.borrow().clone()).unwrap_or_default()
}

/// Whether this thread is within an engine. What the engine calls of the app's (a log subscriber, the schema of a type)
/// may call annotated methods: they simply run, since asking the engine again would wait for itself.
pub(crate) fn is_in_engine() -> bool {
    IN_ENGINE.get()
}

/// Keeps this thread within an engine, until dropped. Held together with the engine's lock, and let go after it.
#[derive(Debug)]
pub(crate) struct InEngine {
    before: bool,
}

pub(crate) fn enter_engine() -> InEngine {
    InEngine { before: IN_ENGINE.replace(true) }
}

impl Drop for InEngine {
    fn drop(&mut self) {
        IN_ENGINE.set(self.before);
    }
}

/// Takes the one-shot bypass for `method`, if that is the method it was armed for.
pub(crate) fn take_bypass(method: &'static Method) -> bool {
    let armed = BYPASS.get().is_some_and(|armed| std::ptr::eq(armed, method));
    if armed {
        BYPASS.set(None);
    }
    armed
}

/// Makes a runtime the one of every thread.
pub(crate) fn set_global(device: &Arc<Device>) {
    *GLOBAL.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(device);
}

/// Takes a runtime away from the threads that entered no other.
pub(crate) fn unset_global(device: &Arc<Device>) {
    let mut global = GLOBAL.lock().unwrap_or_else(PoisonError::into_inner);
    if std::ptr::eq(global.as_ptr(), Arc::as_ptr(device)) {
        *global = Weak::new();
    }
}

/// Whether a thread without a context may be a thread of a server's method.
pub(crate) fn is_serving() -> bool {
    SERVERS.load(Ordering::Relaxed) > 0
}

/// Counts a server of this process, until dropped.
#[derive(Debug)]
pub(crate) struct Serving(());

impl Serving {
    pub(crate) fn new() -> Self {
        SERVERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        SERVERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A device method was called on a server by a thread that belongs to no call. Which call it worked for cannot be
/// known, so every call that runs now fails.
pub(crate) fn stray() {
    STRAYS.fetch_add(1, Ordering::SeqCst);
}

/// How many such calls there were.
pub(crate) fn strays() -> u64 {
    STRAYS.load(Ordering::SeqCst)
}

/// Puts a shim's method on its ground, until dropped.
pub(crate) struct Entered {
    before: Before,
    _chain: once::Entered,
    bypass: Option<&'static Method>,
}

enum Before {
    Server(Option<Arc<ServerCall>>),
    Device(Option<Arc<CallBack>>),
    Hedge(Option<Arc<Hedging>>),
}

pub(crate) fn enter_ground(ground: Ground, method: &'static Method) -> Entered {
    let bypass = BYPASS.replace(Some(method));
    let chain = match &ground {
        Ground::Server(call) => call.counter.clone().map(Chain::Server),
        Ground::Device(back) => back.part.clone().map(Chain::Device),
        // Beside an attempt nothing runs that may run only once.
        Ground::OnceOnServer(_) | Ground::OnceOnDevice(_) | Ground::Hedge(_) => None,
    };
    let before = match ground {
        Ground::Server(call) | Ground::OnceOnServer(call) => Before::Server(CALL.replace(Some(call))),
        Ground::Device(back) | Ground::OnceOnDevice(back) => Before::Device(BACK.replace(Some(back))),
        Ground::Hedge(hedge) => Before::Hedge(HEDGE.replace(Some(hedge))),
    };
    Entered { before, _chain: once::enter(chain), bypass }
}

impl Drop for Entered {
    fn drop(&mut self) {
        BYPASS.set(self.bypass);
        match &mut self.before {
            Before::Server(call) => CALL.set(call.take()),
            Before::Device(back) => BACK.set(back.take()),
            Before::Hedge(hedge) => HEDGE.set(hedge.take()),
        }
    }
}

/// The context of the code that runs on this thread, to be carried over to threads that it spawns.
///
/// A method that runs on a server may spawn threads. Annotated methods that these call run on the server; a
/// `#[device]` method needs to know which call it belongs to:
///
/// ```
/// let context = outboard::context();
/// std::thread::spawn(move || {
///     let _entered = context.enter();
///     // `#[outboard::device]` methods called here reach the device of the outer call.
/// })
/// .join()
/// .unwrap();
/// ```
#[derive(Clone)]
pub struct Context {
    call: Option<Arc<ServerCall>>,
    back: Option<Arc<CallBack>>,
    chain: Option<Chain>,
    device: Option<Arc<Device>>,
    hedge: Option<Arc<Hedging>>,
}

/// The context of this thread.
#[must_use]
pub fn context() -> Context {
    Context {
        call: server_call(),
        back: call_back(),
        chain: once::current(),
        device: entered(),
        hedge: hedging(),
    }
}

/// Keeps a context entered on its thread, until dropped.
pub struct ContextGuard {
    call: Option<Arc<ServerCall>>,
    back: Option<Arc<CallBack>>,
    _chain: once::Entered,
    device: Option<Arc<Device>>,
    hedge: Option<Arc<Hedging>>,
    /// Contexts are left where they were entered.
    _thread: std::marker::PhantomData<*const ()>,
}

impl Context {
    pub(crate) fn of_device(device: Arc<Device>) -> Self {
        Self { call: None, back: None, chain: None, device: Some(device), hedge: None }
    }

    /// Enters the context on this thread until the guard is dropped.
    #[must_use = "the context is left when the guard is dropped"]
    pub fn enter(&self) -> ContextGuard {
        ContextGuard {
            call: CALL.replace(self.call.clone()),
            back: BACK.replace(self.back.clone()),
            _chain: once::enter(self.chain.clone()),
            device: ENTERED.replace(self.device.clone()),
            hedge: HEDGE.replace(self.hedge.clone()),
            _thread: std::marker::PhantomData,
        }
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        CALL.set(self.call.take());
        BACK.set(self.back.take());
        ENTERED.set(self.device.take());
        HEDGE.set(self.hedge.take());
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("on_server", &self.call.is_some()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ContextGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContextGuard")
    }
}
