//! Frames to bytes and back: a version byte, then the codec's format.

use outboard_core::ByteCount;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{PROTOCOL, ToDevice, ToServer};
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder, decode_serde, encode_serde};
use crate::limits::Limits;

/// The first byte of every frame: the protocol version whose layout the rest has.
pub const VERSION: u8 = PROTOCOL.newest as u8;

/// Nesting of a frame. State within it is bytes to it.
const DEPTH: u16 = 16;

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
    let mut out = Encoder::with_budget(limit).with_depth(DEPTH);
    match out.write(&[VERSION]).and_then(|()| encode_serde(frame, &mut out)) {
        Ok(()) => Ok(out.into_bytes()),
        Err(EncodeError::OverBudget { .. }) => Err(FrameError::TooLarge { limit }),
        Err(error) => Err(FrameError::Unencodable(error)),
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
    let mut input = Decoder::new(rest, DEPTH);
    let frame = decode_serde(&mut input)?;
    input.finish()?;
    Ok(frame)
}
