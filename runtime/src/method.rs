//! An annotated method as the process knows it: its descriptor and its decision word.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use outboard_client_proxy::Hedge;
use outboard_core::{BodyHash, MethodId, MethodIndex};

use crate::identity::App;
use crate::shim::{ShimError, ShimFrame};
use crate::support::MethodSchema;

/// Every annotated method that the linker kept, in no particular order.
///
/// Linkers may drop entries; a method therefore registers itself on its first call too.
#[linkme::distributed_slice]
pub static METHODS: [&'static Method];

/// What a call of a method does first, in one relaxed load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Word {
    /// Never called, not registered yet.
    New = 0,
    /// No runtime in this process: just run.
    Idle = 1,
    /// Run here, and count it.
    Local = 2,
    /// Ask.
    Consult = 3,
}

/// An annotated method: made by the macros, one static each.
#[derive(Debug)]
pub struct Method {
    word: AtomicU8,
    index: AtomicU32,
    /// Hashed at compile time.
    id: MethodId,
    descriptor: Descriptor,
}

/// What the macros know of a method.
#[derive(Debug)]
pub struct Descriptor {
    /// The package that the method is in.
    pub app: App,
    /// Crate path of the method.
    pub path: &'static str,
    /// The `name` option: an id that outlives renames.
    pub name: Option<&'static str>,
    /// The signature as written, without the names of its arguments.
    pub signature: &'static str,
    /// Hash of the body's tokens.
    pub body: u64,
    /// Which attribute.
    pub kind: Kind,
    /// At most one run, also across failures.
    pub once: bool,
    /// Cannot run on the device.
    pub remote_only: bool,
    /// Another function stands in on the device.
    pub fallback: bool,
    /// Other bodies are accepted.
    pub compatible: bool,
    /// Time that a call may take.
    pub deadline: Option<Duration>,
    /// When the device runs a call too that is under way, in place of the runtime's setting.
    pub hedge: Option<Hedge>,
    /// An `async fn`.
    pub asynchronous: bool,
    /// The slots in the order of the signature.
    pub slots: &'static [SlotInfo],
    /// Describes how slots and result are encoded.
    pub schema: fn(&mut MethodSchema<'_>),
    /// Runs the method on encoded slots.
    pub shim: fn(&mut ShimFrame<'_>) -> Result<(), ShimError>,
}

/// Which attribute a method carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `#[remoteable]`: runs anywhere.
    Remoteable,
    /// `#[outboard::device]`: runs on the device; remote code calls back.
    Device,
}

/// One slot of a method.
#[derive(Clone, Copy, Debug)]
pub struct SlotInfo {
    /// Its name in the signature.
    pub name: &'static str,
    /// How it is passed.
    pub passing: Passing,
}

/// How a slot is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// By value.
    Value,
    /// `&T`.
    Shared,
    /// `&mut T`: its state comes back.
    Exclusive,
}

impl Method {
    const UNREGISTERED: u32 = u32::MAX;

    /// A method that no process has seen yet.
    pub const fn new(descriptor: Descriptor) -> Self {
        Self {
            word: AtomicU8::new(Word::New as u8),
            index: AtomicU32::new(Self::UNREGISTERED),
            id: descriptor.id(),
            descriptor,
        }
    }

    /// Whether a call may run without a further thought: no runtime in this process.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.word.load(Ordering::Relaxed) == Word::Idle as u8
    }

    /// Whether a call runs here and is only counted.
    #[inline]
    pub(crate) fn is_local(&self) -> bool {
        self.word.load(Ordering::Relaxed) == Word::Local as u8
    }

    /// The positions of the slots whose state comes back; behind the last slot are the shared objects, if there are any.
    pub(crate) fn exclusive(&self) -> impl Iterator<Item = usize> {
        let slots = self.descriptor.slots.iter().enumerate();
        let exclusive = slots.filter(|(_, slot)| slot.passing == Passing::Exclusive).map(|(slot, _)| slot);
        exclusive.chain([self.descriptor.slots.len()])
    }

    pub(crate) fn set_word(&self, word: Word) {
        self.word.store(word as u8, Ordering::Relaxed);
    }

    /// The method's place in the process's registry; `None` before it is registered.
    pub fn index(&self) -> Option<MethodIndex> {
        match self.index.load(Ordering::Acquire) {
            Self::UNREGISTERED => None,
            index => Some(MethodIndex(index)),
        }
    }

    /// The index as a number, for tables that are read on every call.
    #[inline]
    pub(crate) fn raw_index(&self) -> u32 {
        self.index.load(Ordering::Relaxed)
    }

    pub(crate) fn set_index(&self, index: MethodIndex) {
        self.index.store(index.0, Ordering::Release);
    }

    /// The method's id across builds and machines.
    pub const fn id(&self) -> MethodId {
        self.id
    }

    /// What the macros know of the method.
    pub const fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl Descriptor {
    const fn id(&self) -> MethodId {
        match self.name {
            Some(name) => MethodId::named(name),
            None => MethodId::of(self.path, self.signature),
        }
    }

    /// The hash of the body's tokens.
    pub const fn body(&self) -> BodyHash {
        BodyHash(self.body)
    }

    /// The method as people call it: its `name`, or its path.
    pub const fn title(&self) -> &'static str {
        match self.name {
            Some(name) => name,
            None => self.path,
        }
    }

    /// The slots whose state comes back.
    pub fn exclusive_slots(&self) -> usize {
        self.slots.iter().filter(|slot| slot.passing == Passing::Exclusive).count()
    }
}
