//! The state of a slot or a result as it travels: whole, or told by a version that the other end has.

use outboard_core::ByteCount;
use serde::{Deserialize, Serialize};

use super::{Attempt, Image};
use crate::delta::Delta;

/// The state of one slot, or of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotImage {
    /// Its whole encoding.
    Whole(Image),
    /// What the version was, to the byte.
    Same(Version),
    /// What the version was, with changes. Without a version it is told from nothing, only compressed.
    Delta(Option<Version>, Delta),
}

/// Names an encoding by the frame that carried it.
///
/// Within a session a name stands for one content only, since a session uses no attempt twice: a wrong base cannot be
/// applied, and nothing has to be hashed. Another session knows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// The attempt that it belongs to.
    pub attempt: Attempt,
    /// Which part of it.
    pub part: Part,
}

/// A part of a call, of its reply, or of a call-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Part {
    /// This slot, as the call carried it.
    Sent(u16),
    /// This slot, by its position in the call, as the reply carried it.
    Returned(u16),
    /// The reply's result.
    Result,
    /// This slot of a call-back, as the call-back carried it. It is known until the call ends.
    Back {
        /// Which call-back of the attempt.
        sequence: u32,
        /// Which slot of it.
        slot: u16,
    },
}

impl SlotImage {
    /// Bytes of a frame that a name takes.
    const NAMED: u64 = 24;

    /// How many bytes of a frame it takes, about.
    pub fn size(&self) -> ByteCount {
        match self {
            Self::Whole(image) => image.size(),
            Self::Same(_) => ByteCount::from_bytes(Self::NAMED),
            Self::Delta(base, delta) => {
                let named = base.map_or(0, |_| Self::NAMED);
                delta.size() + ByteCount::from_bytes(named)
            }
        }
    }

    /// How many bytes it takes once it is resolved and is not shared with its base, at most about.
    pub fn resolved_size(&self) -> ByteCount {
        match self {
            Self::Delta(_, Delta::Packed { length, .. }) => ByteCount::from_bytes((*length).into()),
            image => image.size(),
        }
    }

    /// The version that the other end has of it from now on, where `own` is the name of this part of the frame.
    pub const fn version(&self, own: Version) -> Version {
        match self {
            Self::Same(base) => *base,
            _ => own,
        }
    }

    /// Its encoding, where it carries all of it as it is.
    pub const fn whole(&self) -> Option<&Image> {
        match self {
            Self::Whole(image) => Some(image),
            _ => None,
        }
    }

    /// The version that it is told by.
    pub const fn base(&self) -> Option<Version> {
        match self {
            Self::Whole(_) => None,
            Self::Same(base) => Some(*base),
            Self::Delta(base, _) => *base,
        }
    }
}

impl From<Image> for SlotImage {
    fn from(image: Image) -> Self {
        Self::Whole(image)
    }
}

impl From<Vec<u8>> for SlotImage {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}
