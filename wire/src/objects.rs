//! The shared objects of one call: written once, beside its slots, which refer to them by number.
//!
//! A call numbers its objects in the order in which its slots reach them; an object within another one is written before
//! it ends. Its reply keeps the numbers of what went with the call and numbers what is new from there on. Both ends
//! keep the same list, so a reply can name the caller's own objects, and need not repeat what did not change.
//!
//! ```text
//!   device                                        server
//!   ObjectWriter::call ── slots, objects ──▶ ObjectReader::call
//!        │ finish: Objects                        │ finish: Objects
//!        ▼                                        ▼
//!   ObjectReader::reply ◀── slots, objects ── ObjectWriter::reply
//!        │ finish: Objects, Staged
//!        ▼
//!   Staged::commit: all of them, or none
//! ```

mod reader;
mod writer;

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::shared::Contents;
use crate::state::State;

pub use reader::ObjectReader;
pub use writer::ObjectWriter;

/// Where a shared value lives. Its lock is the user's: no machine of ours ever waits for it.
pub(crate) struct Allocation<T>(pub(crate) Mutex<Contents<T>>);

/// An allocation of whatever type.
pub(crate) trait Object: Any + Send + Sync {
    /// Tells objects apart. Compared only.
    fn address(&self) -> usize;

    /// To be asked for its type.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;

    /// Locks it, unless somebody has.
    fn try_hold(&self) -> Option<Box<dyn Held + '_>>;

    /// Reads a value of its type.
    fn stage(&self, input: &mut Decoder<'_>) -> Result<Box<dyn Any + Send>, DecodeError>;
}

/// A locked object.
pub(crate) trait Held {
    /// How often it was lent out to be changed.
    fn changes(&self) -> u64;

    /// Writes its value.
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError>;

    /// Brings it to a staged value of its type.
    fn bring_to(&mut self, staged: &mut (dyn Any + Send));
}

impl<T: State + Send> Object for Allocation<T> {
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn try_hold(&self) -> Option<Box<dyn Held + '_>> {
        match self.0.try_lock() {
            Ok(contents) => Some(Box::new(contents)),
            Err(TryLockError::Poisoned(poisoned)) => Some(Box::new(PoisonError::into_inner(poisoned))),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn stage(&self, input: &mut Decoder<'_>) -> Result<Box<dyn Any + Send>, DecodeError> {
        Ok(Box::new(T::decode(input)?))
    }
}

impl<T: State + Send> Held for MutexGuard<'_, Contents<T>> {
    fn changes(&self) -> u64 {
        self.changes
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.value.encode(out)
    }

    fn bring_to(&mut self, staged: &mut (dyn Any + Send)) {
        let value = staged.downcast_mut().expect("the object itself staged it");
        self.value.exchange(value);
        self.changes += 1;
    }
}

/// The objects that went with a call, as each end knows them, in the order of their numbers.
#[derive(Clone, Default)]
pub struct Objects(Vec<Known>);

#[derive(Clone)]
struct Known {
    object: Arc<dyn Object>,
    /// How often it had been lent out when it was written, or was read.
    changes: u64,
}

impl Objects {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every object is as it was, and nobody is about to change one.
    pub fn are_unchanged(&self) -> bool {
        self.0.iter().all(Known::is_unchanged)
    }
}

impl Known {
    fn is_unchanged(&self) -> bool {
        self.object.try_hold().is_some_and(|held| held.changes() == self.changes)
    }
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Objects({})", self.0.len())
    }
}

/// What a reply makes of the objects that went with its call. Nothing is touched before [`commit`](Self::commit).
#[must_use]
pub struct Staged {
    objects: Objects,
    /// For each object: its new value, or after the commit its old one, which may be dropped when nothing is locked.
    values: Vec<Option<Box<dyn Any + Send>>>,
}

/// Why what a reply made of objects cannot be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Somebody has one of them locked now.
    #[error("a shared object is locked")]
    Locked,
    /// One of them is no longer what went with the call.
    #[error("a shared object was changed here during the call")]
    Changed,
}

impl Staged {
    /// Brings every object to its new value, if all of them still are as they went; else touches none.
    ///
    /// # Errors
    /// When one is locked, in which case it may be tried again, or was changed.
    pub fn commit(&mut self) -> Result<(), Conflict> {
        let mut all = Vec::with_capacity(self.objects.0.len());
        for Known { object, changes } in &self.objects.0 {
            let held = object.try_hold().ok_or(Conflict::Locked)?;
            if held.changes() != *changes {
                return Err(Conflict::Changed);
            }
            all.push(held);
        }
        for (held, value) in all.iter_mut().zip(&mut self.values) {
            if let Some(value) = value {
                held.bring_to(value.as_mut());
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let changed = self.values.iter().flatten().count();
        write!(f, "Staged({changed} of {})", self.values.len())
    }
}

/// How an object is told.
const AS_IT_WAS: u8 = 0;
const WHOLE: u8 = 1;

#[cfg(test)]
mod tests;
