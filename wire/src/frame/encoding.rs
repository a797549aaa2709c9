//! Frames to bytes and back: a version byte, then bincode with fixed-width little-endian integers.
//!
//! bincode itself reads and writes frames, since they do not nest and their lists are bounded one by one. It borrows from
//! the bytes, so that what a peer claims is compared with what is there before it is allocated. State within a
//! frame is bytes to it; the [codec](crate::codec) has the bounds that a user's types need.

use bincode::config::{Configuration, Fixint, LittleEndian};
use bincode::enc::write::Writer;
use outboard_core::ByteCount;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{PROTOCOL, ToDevice, ToServer};
use crate::codec::{DecodeError, EncodeError, Encoder};
use crate::limits::Limits;

/// The first byte of every frame: the protocol version whose layout the rest has.
pub const VERSION: u8 = PROTOCOL.newest as u8;

/// How frames are laid out.
const LAYOUT: Configuration<LittleEndian, Fixint> = bincode::config::standard().with_fixed_int_encoding();

/// Why bytes are not a frame, or a frame cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is larger than the receiver takes.
    #[error(
        "a frame is over the receiver's limit of {limit}: let the call run where it is, or raise `frame_bytes`"
    )]
    TooLarge {
        /// The receiver's limit.
        limit: ByteCount,
    },
    /// The frame has no bytes.
    #[error("an empty frame")]
    Empty,
    /// The frame is laid out as in another version of the protocol.
    #[error(
        "a frame of protocol version {0}, where this build reads version {VERSION}: update the older of the two ends"
    )]
    Version(u8),
    /// The bytes after the version are not one frame.
    #[error("a malformed frame: {0}")]
    Malformed(#[from] DecodeError),
    /// The frame has no encoding.
    #[error("a frame that cannot be encoded: {0}")]
    Unencodable(EncodeError),
}

/// A frame of either direction.
pub trait Frame: Serialize + DeserializeOwned {}

impl Frame for ToServer {}

impl Frame for ToDevice {}

/// The bytes of a frame, for a receiver with these limits.
///
/// # Errors
/// [`FrameError::TooLarge`] when the receiver would not take it; no more than its limit is allocated before that shows.
pub fn encode_frame<F: Frame>(frame: &F, receiver: &Limits) -> Result<Vec<u8>, FrameError> {
    let limit = ByteCount::from_bytes(receiver.frame_bytes.into());
    let mut out = Budgeted { out: Encoder::with_budget(limit), over: None };
    let written =
        out.write(&[VERSION]).and_then(|()| bincode::serde::encode_into_writer(frame, &mut out, LAYOUT));
    match (written, out.over) {
        (Ok(()), _) => Ok(out.out.into_bytes()),
        (Err(_), Some(EncodeError::OverBudget { .. })) => Err(FrameError::TooLarge { limit }),
        (Err(_), Some(error)) => Err(FrameError::Unencodable(error)),
        (Err(error), None) => Err(FrameError::Unencodable(EncodeError::Refused(error.to_string()))),
    }
}

/// The frame that the bytes are.
///
/// # Errors
/// When they are larger than the receiver's limits, of another version, malformed, or more than one frame.
pub fn decode_frame<F: Frame>(bytes: &[u8], receiver: &Limits) -> Result<F, FrameError> {
    if bytes.len() > receiver.frame_bytes as usize {
        return Err(FrameError::TooLarge { limit: ByteCount::from_bytes(receiver.frame_bytes.into()) });
    }
    let (&version, rest) = bytes.split_first().ok_or(FrameError::Empty)?;
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let (frame, read) = bincode::serde::borrow_decode_from_slice(rest, LAYOUT)
        .map_err(|error| DecodeError::Refused(error.to_string()))?;
    match rest.len() - read {
        0 => Ok(frame),
        left => Err(DecodeError::Trailing { left: left as u64 }.into()),
    }
}

/// Writes no more than the receiver takes, and keeps why it stopped.
struct Budgeted {
    out: Encoder,
    over: Option<EncodeError>,
}

impl Writer for Budgeted {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.out.write(bytes).map_err(|error| {
            self.over = Some(error);
            bincode::error::EncodeError::UnexpectedEnd
        })
    }
}
