//! Names for calls that may run once only, and that a call which may run again has made.
//!
//! Such a call is found again by its place: it was the so-and-so-many-th of its *root*, the outermost call whose
//! abandonment runs everything within it again. The count goes along wherever code of the root goes on: to the server with
//! the call, to the device with a call-back, and back with reply and answer.

use outboard_core::{CallId, MethodId};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use super::Image;

/// The call that a call belongs to, where that is not itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Root {
    /// The outermost call that would be run again.
    pub call: CallId,
    /// How many calls that may run once only it has made so far.
    pub onces: u32,
}

/// One of the calls that may run once only and that a root has made.
///
/// What it called, and with what, tells a run that did something else from one that comes to the same place again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Inner {
    /// Which of them, counted from zero.
    pub sequence: u32,
    /// What was called.
    pub method: MethodId,
    /// With what.
    pub arguments: ArgumentsHash,
}

/// A hash of the encoded slots of a call. It tells mistakes, not attacks: both calls are of the same device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ArgumentsHash(pub u64);

impl ArgumentsHash {
    /// Of slots in the order of the signature.
    pub fn of<'a>(slots: impl IntoIterator<Item = &'a Image>) -> Self {
        let mut hash = Xxh3Default::new();
        for slot in slots {
            // With the length, so that a byte cannot move from one slot to the next unseen.
            hash.update(&(slot.0.len() as u64).to_le_bytes());
            hash.update(&slot.0);
        }
        Self(hash.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_moves_to_the_next_slot_is_seen() {
        let of = |slots: &[&[u8]]| {
            let images: Vec<Image> = slots.iter().map(|slot| Image::from(slot.to_vec())).collect();
            ArgumentsHash::of(&images)
        };
        assert_eq!(of(&[&[1, 2], &[3]]), of(&[&[1, 2], &[3]]));
        assert_ne!(of(&[&[1, 2], &[3]]), of(&[&[1], &[2, 3]]));
        assert_ne!(of(&[&[1]]), of(&[&[1], &[]]));
    }
}
