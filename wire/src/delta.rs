//! What changed between two encodings, and an encoding told by another one that the other end has.
//!
//! Pure functions over bytes; who has which version is the business of [`bases`](crate::bases).
//!
//! ```
//! use outboard_core::{Bandwidth, ByteCount, CallId, Epoch};
//! use outboard_wire::delta;
//! use outboard_wire::frame::{Attempt, Image, Part, Version};
//!
//! let base = Image::from(vec![7; 4096]);
//! let mut changed = vec![7; 4096];
//! changed[100] = 8;
//! let version = Version { attempt: Attempt { call: CallId(1), epoch: Epoch::FIRST }, part: Part::Sent(0) };
//! let told = delta::tell(&Image::from(changed), Some((version, &base)), Some(Bandwidth::from_megabits_per_second(10)));
//! assert!(told.size() < ByteCount::from_bytes(50));
//! let image = delta::resolve(told, |_| Some(base), ByteCount::from_bytes(1 << 20)).unwrap();
//! assert_eq!(image.0[100], 8);
//! ```

mod choice;
mod edits;
mod packed;
#[cfg(test)]
mod tests;

use outboard_core::ByteCount;
use serde::{Deserialize, Serialize};

use crate::frame::{Image, SlotImage, Version};

pub use choice::{SMALLEST, tell};

/// How an encoding differs from a base that both ends have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delta {
    /// Edits of the base, from front to back: how many bytes to keep, how many to leave out then, how many to put there
    /// (each a `u32`), and those. What follows the last is kept.
    Edits(Image),
    /// A zstd frame, with the base as what it may refer back to.
    Packed {
        /// Length of the encoding.
        length: u32,
        /// The frame.
        bytes: Image,
    },
}

/// Why a delta has no meaning. The peer that sent it has a bug, or is no friend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// It makes more bytes than this end accepts.
    #[error("a delta makes {0}, more than the limit: raise `frame_bytes`, or send less state")]
    TooLarge(ByteCount),
    /// Its edits do not fit its base.
    #[error("a delta does not fit its base: run the same build on both sides")]
    Edits,
    /// Its compressed bytes are not what they claim to be.
    #[error("a delta cannot be decompressed: run the same build on both sides")]
    Packed,
}

/// Why an image has no bytes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unresolved {
    /// This end does not have the version: ask for the whole.
    #[error("the version it is told by is not here any more")]
    BaseMissing(Version),
    /// The delta has no meaning.
    #[error(transparent)]
    Delta(#[from] DeltaError),
}

/// The encoding that an image tells. `known` has the versions of this end; no more than `most` bytes are made.
///
/// # Errors
/// When the version is not known, or the delta has no meaning. What a peer sends neither panics nor takes more memory than
/// `most`.
pub fn resolve(
    told: SlotImage,
    known: impl FnOnce(Version) -> Option<Image>,
    most: ByteCount,
) -> Result<Image, Unresolved> {
    let find = |base| known(base).ok_or(Unresolved::BaseMissing(base));
    match told {
        SlotImage::Whole(image) => Ok(image),
        SlotImage::Same(base) => find(base),
        SlotImage::Delta(None, delta) => Ok(delta.apply(&Image::default(), most)?),
        SlotImage::Delta(Some(base), delta) => Ok(delta.apply(&find(base)?, most)?),
    }
}

impl Delta {
    /// What `new` changes in `base`, byte by byte; `None` where that takes no less than `new` itself. Does not compress.
    pub fn between(base: &[u8], new: &[u8]) -> Option<Self> {
        let edits = edits::between(base, new).filter(|edits| edits.len() < new.len());
        edits.map(|edits| Self::Edits(edits.into()))
    }

    /// Compresses `new`, with `base` as what it may refer back to; `None` where that takes no less than `new` itself.
    pub fn pack(base: &[u8], new: &[u8]) -> Option<Self> {
        let length = u32::try_from(new.len()).ok()?;
        packed::pack(base, new).map(|bytes| Self::Packed { length, bytes: bytes.into() })
    }

    /// What it makes of its base, in at most `most` bytes.
    ///
    /// # Errors
    /// When it would be more, or makes no sense.
    pub fn apply(&self, base: &Image, most: ByteCount) -> Result<Image, DeltaError> {
        let most = usize::try_from(most.as_bytes()).unwrap_or(usize::MAX);
        match self {
            Self::Edits(edits) => edits::apply(&base.0, &edits.0, most).map(Image::from),
            Self::Packed { length, bytes } => {
                packed::unpack(&base.0, &bytes.0, *length as usize, most).map(Image::from)
            }
        }
    }

    /// How many bytes of a frame it takes, about.
    pub fn size(&self) -> ByteCount {
        let (Self::Edits(bytes) | Self::Packed { bytes, .. }) = self;
        bytes.size()
    }
}
