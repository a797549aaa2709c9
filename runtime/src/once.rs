//! Calls that may run once only, within calls that may run again: how they are counted, and how they are found.
//!
//! The k-th such call of a *root*, the outermost call that would be run again, is known by that number wherever it was
//! made. Code that belongs to a root runs in a [`Chain`]. Outside of one nothing is ever run again, and such a call is a
//! call like any other; so is one within another one.

mod log;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outboard_core::{CallId, InstanceId, ServerIndex};
use outboard_wire::frame;

use crate::device::Device;

pub(crate) use log::{Log, Search};

/// Where code that belongs to a root runs.
#[derive(Clone)]
pub(crate) enum Chain {
    /// On a server.
    Server(Arc<Counter>),
    /// On a server, in a task that the method spawned. On the device the caller's runtime would poll it, outside of every
    /// chain: what it calls is not counted there.
    Task,
    /// On the device.
    Device(Part),
}

/// The part of a root that runs on a server, in one attempt.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) root: CallId,
    /// Whether an earlier run of the root may have been here.
    pub(crate) again: bool,
    next: AtomicU32,
    /// Call-backs under way, which count on from the same number.
    away: AtomicU32,
}

/// A part of a root that runs on the device.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) root: Arc<Root>,
    /// Whether it is run again after an attempt that may have run: what it calls may have been called before. Otherwise it
    /// is a call-back of an attempt, and all that it calls is new.
    pub(crate) again: bool,
}

/// A root, on its device.
pub(crate) struct Root {
    pub(crate) device: Arc<Device>,
    pub(crate) call: CallId,
    /// The server, and the run of it, that has it, or had it.
    pub(crate) sent_to: Option<(ServerIndex, InstanceId)>,
    next: AtomicU32,
    log: Mutex<Log>,
}

thread_local! {
    static CHAIN: RefCell<Option<Chain>> = const { RefCell::new(None) };
}

/// The chain that this thread's code runs in.
pub(crate) fn current() -> Option<Chain> {
    // Destructors of a thread's locals may call annotated methods, when this one is gone.
    CHAIN.try_with(|chain| chain.borrow().clone()).unwrap_or_default()
}

/// The same, where this is a device.
pub(crate) fn part() -> Option<Part> {
    match current() {
        Some(Chain::Device(part)) => Some(part),
        Some(Chain::Server(_) | Chain::Task) | None => None,
    }
}

/// Puts this thread's code into a chain, or out of every one, until dropped.
#[must_use = "the chain is left when the guard is dropped"]
pub(crate) fn enter(chain: Option<Chain>) -> Entered {
    Entered(CHAIN.try_with(|current| current.replace(chain)).unwrap_or_default())
}

/// Runs a future within a chain, and nothing else that its thread polls meanwhile.
pub(crate) async fn within<F: Future>(chain: Chain, body: F) -> F::Output {
    let mut body = pin!(body);
    poll_fn(|context| {
        let _entered = enter(Some(chain.clone()));
        body.as_mut().poll(context)
    })
    .await
}

/// Keeps a chain entered.
pub(crate) struct Entered(Option<Chain>);

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.0.take();
        let _ = CHAIN.try_with(|chain| drop(chain.replace(before)));
    }
}

impl Counter {
    /// For an attempt of `call`, which may be a part of another root.
    pub(crate) fn new(call: CallId, root: Option<frame::Root>) -> Arc<Self> {
        let (again, root) = (root.is_some(), root.unwrap_or(frame::Root { call, onces: 0 }));
        let (next, away) = (AtomicU32::new(root.onces), AtomicU32::new(0));
        Arc::new(Self { root: root.call, again, next, away })
    }

    /// The number of the next call.
    pub(crate) fn take(&self) -> u32 {
        take(&self.next)
    }

    pub(crate) fn count(&self) -> u32 {
        self.next.load(Ordering::SeqCst)
    }

    /// Whether nobody else counts at the moment.
    pub(crate) fn is_alone(&self) -> bool {
        self.away.load(Ordering::SeqCst) == 0
    }

    /// A call-back leaves; what it is told to count on from.
    pub(crate) fn leave(&self) -> u32 {
        self.away.fetch_add(1, Ordering::SeqCst);
        self.count()
    }

    /// It is back. The device counted so far, if it answered.
    pub(crate) fn come_back(&self, counted: Option<u32>) {
        self.next.fetch_max(counted.unwrap_or_default(), Ordering::SeqCst);
        self.away.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Root {
    pub(crate) fn new(
        device: Arc<Device>,
        call: CallId,
        sent_to: Option<(ServerIndex, InstanceId)>,
    ) -> Arc<Self> {
        let (next, log) = (AtomicU32::new(0), Mutex::default());
        Arc::new(Self { device, call, sent_to, next, log })
    }

    /// The number of the next call.
    pub(crate) fn take(&self) -> u32 {
        take(&self.next)
    }

    pub(crate) fn count(&self) -> u32 {
        self.next.load(Ordering::SeqCst)
    }

    /// The server counted so far.
    pub(crate) fn counted(&self, onces: u32) {
        self.next.fetch_max(onces, Ordering::SeqCst);
    }

    /// Counts again from here: what follows was counted before.
    pub(crate) fn count_from(&self, onces: u32) {
        self.next.store(onces, Ordering::SeqCst);
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    /// As a server is told of it.
    pub(crate) fn told(&self) -> frame::Root {
        frame::Root { call: self.root.call, onces: self.root.count() }
    }

    /// Whether a call may be sent to this run of a server as a part of the root: what may have been called before is
    /// looked for where it was, and the device's own log stays here.
    pub(crate) fn may_go_to(&self, server: ServerIndex, instance: Option<InstanceId>) -> bool {
        let is_there = self.root.sent_to.is_some_and(|(at, run)| at == server && Some(run) == instance);
        is_there && (!self.again || self.root.log().is_behind(self.root.count()))
    }
}

/// A peer may count to the end: what comes then is the same number again, which is refused.
fn take(next: &AtomicU32) -> u32 {
    let step = |count: u32| Some(count.saturating_add(1));
    next.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step).unwrap_or(u32::MAX)
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(counter) => f.debug_tuple("Server").field(counter).finish(),
            Self::Task => f.write_str("Task"),
            Self::Device(part) => f.debug_tuple("Device").field(part).finish(),
        }
    }
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("root", &self.root.call).field("again", &self.again).finish()
    }
}
