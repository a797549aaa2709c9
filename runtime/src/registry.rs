//! The methods of this process, and who may set their words.
//!
//! Words are shared by everything in the process. They say *local* only where a single runtime owns the process; where
//! runtimes share it (tests), or where it serves, every word says *consult* and each call finds its own runtime.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use outboard_core::MethodIndex;

use crate::method::{Kind, METHODS, Method, Word};

/// How many methods the registry has.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Whether one of them may run only once.
static HAS_ONCE: AtomicBool = AtomicBool::new(false);

/// The methods of the process and the owners of their words.
#[derive(Debug, Default)]
struct Registry {
    methods: Vec<&'static Method>,
    /// Runtimes that any thread may use: one at most.
    global: usize,
    /// Servers, and runtimes that only threads which entered them use.
    others: usize,
    /// Hedges run: what they must not call has to ask first, whatever runtimes say.
    guarded: bool,
}

/// What occupies the process, as far as words are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// The runtime that every thread uses.
    Global,
    /// A server, or a runtime for the threads that enter it.
    Other,
}

/// Keeps a tenant counted, until it leaves or is dropped; the words are set anew then.
#[derive(Debug)]
pub(crate) struct Tenancy {
    tenant: Tenant,
    /// Changed under the registry's lock only.
    left: AtomicBool,
}

impl Tenancy {
    /// Moves in. `None` if the process already has a global runtime.
    pub(crate) fn new(tenant: Tenant) -> Option<Self> {
        let mut registry = registry();
        match tenant {
            Tenant::Global if registry.global > 0 => return None,
            Tenant::Global => registry.global += 1,
            Tenant::Other => registry.others += 1,
        }
        registry.reset_words();
        Some(Self { tenant, left: AtomicBool::new(false) })
    }

    /// Sets a word, if this tenant has the process for itself.
    pub(crate) fn publish(&self, method: MethodIndex, word: Word) {
        let registry = registry();
        if self.tenant == Tenant::Global
            && !self.left.load(Ordering::Relaxed)
            && registry.others == 0
            && let Some(method) = registry.methods.get(method.position())
        {
            method.set_word(registry.guard(method, word));
        }
    }

    /// Moves out. Calls under way may keep the rest of a runtime for a while longer.
    pub(crate) fn leave(&self) {
        let mut registry = registry();
        if self.left.swap(true, Ordering::Relaxed) {
            return;
        }
        match self.tenant {
            Tenant::Global => registry.global -= 1,
            Tenant::Other => registry.others -= 1,
        }
        registry.reset_words();
    }
}

impl Drop for Tenancy {
    fn drop(&mut self) {
        self.leave();
    }
}

/// From now on methods that must not run in a hedge ask before they run.
pub(crate) fn guard_words() {
    let mut registry = registry();
    if !std::mem::replace(&mut registry.guarded, true) {
        let local = registry.methods.iter().filter(|method| method.is_local());
        local.for_each(|method| method.set_word(registry.guard(method, Word::Local)));
    }
}

/// Registers a method if it is not yet, and says where it stands.
pub(crate) fn register(method: &'static Method) -> MethodIndex {
    if let Some(index) = method.index() {
        return index;
    }
    registry().add(method)
}

/// How many methods there are. Cheap: asked on every decision.
pub(crate) fn count() -> usize {
    COUNT.load(Ordering::Acquire)
}

/// Whether the process has a method that may run only once.
pub(crate) fn has_once() -> bool {
    HAS_ONCE.load(Ordering::Acquire)
}

/// The methods from position `from` on.
pub(crate) fn methods_from(from: usize) -> Vec<&'static Method> {
    registry().methods.get(from..).unwrap_or_default().to_vec()
}

/// The method at a place of the registry.
pub(crate) fn method_at(index: MethodIndex) -> Option<&'static Method> {
    registry().methods.get(index.position()).copied()
}

impl Registry {
    fn add(&mut self, method: &'static Method) -> MethodIndex {
        if let Some(index) = method.index() {
            return index;
        }
        let index = MethodIndex(u32::try_from(self.methods.len()).expect("fewer than 2^32 methods"));
        self.methods.push(method);
        HAS_ONCE.fetch_or(method.descriptor().once, Ordering::AcqRel);
        COUNT.store(self.methods.len(), Ordering::Release);
        method.set_index(index);
        method.set_word(self.resting_word());
        index
    }

    /// What a word says before a runtime has an opinion on the method.
    fn resting_word(&self) -> Word {
        if self.global + self.others == 0 { Word::Idle } else { Word::Consult }
    }

    fn guard(&self, method: &Method, word: Word) -> Word {
        let descriptor = method.descriptor();
        let asks = descriptor.kind == Kind::Device || descriptor.remote_only;
        // A second run looks for what may run only once.
        if self.guarded && asks || descriptor.once { Word::Consult } else { word }
    }

    fn reset_words(&self) {
        let word = self.resting_word();
        self.methods.iter().for_each(|method| method.set_word(word));
    }
}

fn registry() -> MutexGuard<'static, Registry> {
    static REGISTRY: OnceLock<Mutex<Registry>> = OnceLock::new();
    let registry = REGISTRY.get_or_init(|| {
        let mut registry = Registry::default();
        // Not in the order in which the linker happened to find them: a simulated run is the same from every build.
        let mut methods: Vec<_> = METHODS.iter().copied().collect();
        methods.sort_by_key(|method| method.id());
        for method in methods {
            registry.add(method);
        }
        Mutex::new(registry)
    });
    // A poisoned registry is whole: every change to it is a single step.
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}
