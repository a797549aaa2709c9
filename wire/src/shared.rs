//! `Shared<T>`: one value that several places of a program hold, and that travels as one.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::objects::Allocation;
use crate::schema::SchemaBuilder;
use crate::state::State;

/// A handle to a value that several places share: `Arc<Mutex<T>>`, as far as a program on one machine can tell, but able to
/// travel.
///
/// A value that a call reaches twice, within one slot or through several, arrives as one. What the call made of it is
/// brought into the caller's own allocation, also where the slot itself is only borrowed; a handle in the result that leads
/// to a value that went with the call is a handle to the caller's own.
///
/// The values of a call are taken and brought back at once. If somebody else changes one of them in between, what the
/// server made is dropped, and the call runs on the device. So it does where a value is locked as the call leaves, where
/// values hold each other in a circle, and where a device method is called after one was changed.
///
/// Only changes through [`SharedGuard`]'s `DerefMut` are seen.
pub struct Shared<T>(pub(crate) Arc<Allocation<T>>);

/// The locked value of a [`Shared`]. It is unlocked when the guard is dropped.
pub struct SharedGuard<'a, T>(MutexGuard<'a, Contents<T>>);

/// What an allocation holds.
#[derive(Default)]
pub(crate) struct Contents<T> {
    pub(crate) value: T,
    /// How often it was lent out to be changed. Only ever compared with what it was earlier in the same allocation.
    pub(crate) changes: u64,
}

impl<T> Shared<T> {
    /// A value that can be shared.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Allocation(Mutex::new(Contents { value, changes: 0 }))))
    }

    /// Waits until nobody else has the value locked. Locking it twice on one thread waits forever, as with a `Mutex`.
    ///
    /// There is no poisoning: a thread that panicked while it had the value locked may leave it half changed, but a server
    /// could not tell the device so.
    pub fn lock(&self) -> SharedGuard<'_, T> {
        SharedGuard(self.0.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether both are handles to the same value.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for SharedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> DerefMut for SharedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.changes += 1;
        &mut self.0.value
    }
}

impl<T: fmt::Debug> fmt::Debug for SharedGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T> Clone for Shared<T> {
    /// Another handle to the same value.
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value that holds itself is locked when it is met again, which ends the recursion.
        let contents = match self.0.0.try_lock() {
            Ok(contents) => contents,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return f.write_str("Shared(<locked>)"),
        };
        f.debug_tuple("Shared").field(&contents.value).finish()
    }
}

/// Values travel between the threads of a server, and a call may move between those of a device: they have to be `Send`.
impl<T: State + Send> State for Shared<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.shared(T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        out.write_object(&self.0)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.read_object().map(Self)
    }
}

/// What serde calls a [`Shared`], by which our own format knows it.
pub(crate) const SERDE_NAME: &str = "$outboard::Shared";

/// As its value, for formats of the user's own: there, one that is held twice is written twice. A call refuses it, since
/// only by `State` does it arrive as one.
impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(SERDE_NAME, &self.lock().0.value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Value<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a shared value")
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
                T::deserialize(deserializer)
            }
        }
        deserializer.deserialize_newtype_struct(SERDE_NAME, Value(std::marker::PhantomData)).map(Self::new)
    }
}

#[cfg(test)]
mod tests;
