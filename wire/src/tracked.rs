//! `Tracked<T>`: a value that knows whether it may have changed.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::schema::SchemaBuilder;
use crate::state::{Lent, Places, State};

/// A value that knows whether it may have changed since it last travelled: then it is neither encoded nor compared.
///
/// It is used as a `T`, and travels as one. Every `DerefMut` counts as a change and costs a few nanoseconds, so a loop
/// borrows it once: `let value = &mut *tracked`. Changes by other ways (a `Cell` within) are not seen.
///
/// A struct with `#[derive(State)]` knows whether it changed where all its fields do that travel.
pub struct Tracked<T> {
    value: T,
    stamp: u64,
}

/// Stands for the present contents of a value, as long as this process runs: where two stamps are equal, nothing was
/// changed in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Vec<u64>);

impl Stamp {
    /// Of a value that is always the same.
    pub const fn of_nothing() -> Self {
        Self(Vec::new())
    }

    /// Of a value with these parts, if all of them have one. How many there are has to depend on the type alone.
    pub fn of_all<const N: usize>(parts: [Option<Self>; N]) -> Option<Self> {
        let mut all = Self::of_nothing();
        for part in parts {
            all.0.append(&mut part?.0);
        }
        Some(all)
    }
}

impl<T> Tracked<T> {
    /// A value that is watched from now on.
    pub fn new(value: T) -> Self {
        Self { value, stamp: fresh() }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value
    }
}

/// A number that no other value of this process ever had.
fn fresh() -> u64 {
    // The one thing that this crate has for the whole process. Values are made, moved and swapped everywhere, and
    // must not meet their number again; nothing is decided by its order.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl<T> Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Tracked<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.stamp = fresh();
        &mut self.value
    }
}

impl<T: State> State for Tracked<T> {
    const SKIPS: bool = T::SKIPS;

    fn schema(schema: &mut SchemaBuilder) {
        T::schema(schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.value.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::decode(input).map(Self::new)
    }

    fn exchange(&mut self, other: &mut Self) {
        self.value.exchange(&mut other.value);
        // Skipped fields stay where they are, and do not count.
        std::mem::swap(&mut self.stamp, &mut other.stamp);
    }

    fn places(&self, places: &mut Places<'_>) {
        places.object(self);
        places.field(0, &self.value);
    }

    fn place(&mut self, path: &[u16]) -> Option<&mut dyn Lent> {
        match path.split_first() {
            None => Some(self),
            // Whoever is lent the value may change it.
            Some((0, rest)) => T::place(self, rest),
            Some(_) => None,
        }
    }

    fn stamp(&self) -> Option<Stamp> {
        Some(Stamp(vec![self.stamp]))
    }
}

impl<T: Clone> Clone for Tracked<T> {
    /// A value of its own, which travels once: nothing says that a clone encodes as what it was made from does.
    fn clone(&self) -> Self {
        Self::new(self.value.clone())
    }
}

impl<T: Default> Default for Tracked<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Tracked<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: PartialEq> PartialEq for Tracked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Tracked<T> {}

impl<T: fmt::Debug> fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: Serialize> Serialize for Tracked<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tracked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests;
