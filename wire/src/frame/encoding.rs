//! Frames to bytes and back.
//!
//! A version byte, then bincode with fixed-width little-endian integers. Decoding borrows from the bytes, so that the
//! sizes a peer claims are compared with what is there before anything is allocated.

use bincode::config::{Configuration, Fixint, LittleEndian};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use outboard_core::ByteCount;
use serde::{Deserialize, Serialize};

use super::{PROTOCOL, ToDevice, ToServer};
use crate::limits::Limits;

/// The first byte of every frame: the protocol version whose layout the rest has.
pub const VERSION: u8 = PROTOCOL.newest as u8;

/// Bytes of a frame around its images: more than any frame without long lists has.
const AROUND: usize = 256;

/// Why bytes are not a frame, or a frame cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is larger than the receiver takes.
    #[error(
        "a frame of {size} is over the limit of {limit}: run the call where it is, or raise `frame_bytes`"
    )]
    TooLarge {
        /// The frame's size, as far as it was counted.
        size: ByteCount,
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
    /// The bytes after the version are not a frame.
    #[error("a malformed frame: {0}")]
    Malformed(String),
    /// The frame is followed by bytes that belong to nothing.
    #[error("{0} bytes follow the end of a frame")]
    Trailing(usize),
}

/// A frame of either direction.
pub trait Frame: Serialize + for<'de> Deserialize<'de> {
    /// Bytes of images within: what decides the size of a large frame.
    fn image_bytes(&self) -> usize;
}

/// The bytes of a frame, for a receiver with these limits.
///
/// # Errors
/// [`FrameError::TooLarge`] when the receiver would not take it; no more than its limit is allocated before that shows.
pub fn encode_frame<F: Frame>(frame: &F, receiver: &Limits) -> Result<Vec<u8>, FrameError> {
    let limit = receiver.frame_bytes as usize;
    let images = frame.image_bytes();
    if images > limit {
        return Err(too_large(images, limit));
    }
    let mut out = Budgeted { bytes: Vec::with_capacity((images + AROUND).min(limit)), limit, wanted: 0 };
    let result =
        out.write(&[VERSION]).and_then(|()| bincode::serde::encode_into_writer(frame, &mut out, layout()));
    match result {
        Ok(()) => Ok(out.bytes),
        Err(_) if out.wanted > limit => Err(too_large(out.wanted, limit)),
        Err(error) => Err(FrameError::Malformed(error.to_string())),
    }
}

/// The frame that the bytes are.
///
/// # Errors
/// When they are larger than the receiver's limits, of another version, malformed, or more than one frame.
pub fn decode_frame<F: Frame>(bytes: &[u8], receiver: &Limits) -> Result<F, FrameError> {
    let limit = receiver.frame_bytes as usize;
    if bytes.len() > limit {
        return Err(too_large(bytes.len(), limit));
    }
    match bytes.split_first() {
        None => Err(FrameError::Empty),
        Some((&VERSION, rest)) => match bincode::serde::borrow_decode_from_slice(rest, layout()) {
            Ok((frame, read)) if read == rest.len() => Ok(frame),
            Ok((_, read)) => Err(FrameError::Trailing(rest.len() - read)),
            Err(error) => Err(FrameError::Malformed(error.to_string())),
        },
        Some((&other, _)) => Err(FrameError::Version(other)),
    }
}

impl Frame for ToServer {
    fn image_bytes(&self) -> usize {
        match self {
            Self::Call(_, frame) => frame.slots.iter().map(super::SlotImage::len).sum(),
            Self::Answer(frame) => frame.outcome.as_ref().map_or(0, |image| {
                image.result.0.len() + image.exclusive.iter().map(super::SlotImage::len).sum::<usize>()
            }),
            _ => 0,
        }
    }
}

impl Frame for ToDevice {
    fn image_bytes(&self) -> usize {
        match self {
            Self::Reply(frame) => {
                frame.result.0.len() + frame.exclusive.iter().map(super::SlotImage::len).sum::<usize>()
            }
            Self::Back(frame) => frame.slots.iter().map(|slot| slot.image().0.len()).sum(),
            _ => 0,
        }
    }
}

const fn layout() -> Configuration<LittleEndian, Fixint> {
    bincode::config::standard().with_fixed_int_encoding()
}

const fn too_large(size: usize, limit: usize) -> FrameError {
    FrameError::TooLarge {
        size: ByteCount::from_bytes(size as u64),
        limit: ByteCount::from_bytes(limit as u64),
    }
}

/// Refuses to grow past the receiver's limit.
struct Budgeted {
    bytes: Vec<u8>,
    limit: usize,
    wanted: usize,
}

impl Writer for Budgeted {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.wanted = self.bytes.len().saturating_add(bytes.len());
        if self.wanted > self.limit {
            return Err(EncodeError::UnexpectedEnd);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}
