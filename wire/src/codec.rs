//! Values to bytes and back: bincode 2's format with fixed-width little-endian integers.
//!
//! Fixed widths make plain vectors a copy of memory and keep the offsets of what did not change, which deltas need.
//! The format is bincode's to the byte (a test compares the two), the code is our own: bincode hides how much input
//! is left, so claims of a peer could not be checked against it before they are allocated, and it bounds neither
//! nesting nor the number of elements that take no bytes.
//!
//! What a peer can do to a [`Decoder`]: make it return an error. Nesting, memory and loops are bounded by its
//! arguments, and nothing here panics on any input.

mod decoder;
mod deserialize;
mod encoder;
mod error;
mod output;
mod serialize;

use outboard_core::ByteCount;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::{DecodeError, EncodeError};

/// Deepest nesting that an [`Encoder`] writes unless it is told otherwise: the default of `Limits::depth`.
pub const DEFAULT_DEPTH: u16 = 64;

/// Encodes a value that has serde's traits.
pub fn encode_serde<T: Serialize + ?Sized>(value: &T, out: &mut Encoder) -> Result<(), EncodeError> {
    value.serialize(serialize::Sink(out))
}

/// Decodes a value that has serde's traits.
pub fn decode_serde<T: DeserializeOwned>(input: &mut Decoder<'_>) -> Result<T, DecodeError> {
    T::deserialize(input)
}

/// Encodes a value that has serde's traits as a whole message of at most `budget` bytes.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T, budget: ByteCount) -> Result<Vec<u8>, EncodeError> {
    let mut out = Encoder::with_budget(budget);
    encode_serde(value, &mut out)?;
    Ok(out.into_bytes())
}

/// Decodes a whole message: trailing bytes are an error.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8], depth: u16) -> Result<T, DecodeError> {
    let mut input = Decoder::new(bytes, depth);
    let value = decode_serde(&mut input)?;
    input.finish()?;
    Ok(value)
}

#[cfg(test)]
mod tests;
