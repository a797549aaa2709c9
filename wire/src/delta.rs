//! What changed between two encodings.

use outboard_core::ByteCount;
use serde::{Deserialize, Serialize};

use crate::frame::Image;

/// How a new encoding differs from a base that both ends have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delta {
    /// As long as the base, except for runs of bytes: for each run, how far from the end of the one before, its length,
    /// and its bytes; both numbers are `u32`.
    Runs(Image),
    /// The base's first and last bytes are kept, and what is between them is this.
    Splice {
        /// How many bytes of the base's front are kept.
        front: u32,
        /// How many bytes of its back.
        back: u32,
        /// What is between them now.
        middle: Image,
    },
    /// A zstd frame, with the base as what it may refer back to.
    Packed {
        /// Length of the new encoding.
        length: u32,
        /// The frame.
        bytes: Image,
    },
}

impl Delta {
    /// How many bytes of a frame it takes, about.
    pub fn size(&self) -> ByteCount {
        let (Self::Runs(bytes) | Self::Splice { middle: bytes, .. } | Self::Packed { bytes, .. }) = self;
        bytes.size()
    }
}
