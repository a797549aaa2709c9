//! What can go wrong between values and bytes.

use std::fmt;

use outboard_core::ByteCount;

/// Why a value could not be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The encoding would be larger than the sender wants to pay for.
    #[error("the encoding is larger than its budget of {budget}")]
    OverBudget {
        /// The budget.
        budget: ByteCount,
    },
    /// The value is nested deeper than the peer would decode.
    #[error("the value is nested too deeply: flatten it, or raise the limit `depth` on both sides")]
    TooDeep,
    /// A sequence or map of serde's that does not know its length beforehand.
    #[error("a sequence or map does not state its length: give `Serializer::serialize_seq` a length")]
    UnknownLength,
    /// The value's own `Serialize` or `State` said no.
    #[error("the value refuses to be encoded: {0}")]
    Refused(String),
}

/// Why bytes could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends within a value.
    #[error("the encoding ends early: {needed} more bytes are needed, {left} are left")]
    Truncated {
        /// What the value claims.
        needed: u64,
        /// What is left.
        left: u64,
    },
    /// The input goes on after the value.
    #[error("{left} bytes follow the encoded value")]
    Trailing {
        /// How many.
        left: u64,
    },
    /// The value is nested deeper than allowed.
    #[error("the encoded value is nested too deeply: flatten it, or raise the limit `depth` on both sides")]
    TooDeep,
    /// The value would take far more memory than its encoding justifies.
    #[error("{count} elements of {each} bytes of memory are more than the encoding justifies")]
    TooLarge {
        /// How many elements are claimed.
        count: u64,
        /// The memory that each takes.
        each: u64,
    },
    /// A number does not fit the type: `usize` of another architecture, say.
    #[error("the number {0} does not fit the type on this machine")]
    OutOfRange(i128),
    /// A byte that is no `bool`.
    #[error("{0} is no truth value")]
    Bool(u8),
    /// Bytes that are no `char`.
    #[error("the bytes are no character")]
    Char,
    /// Bytes that are no UTF-8.
    #[error("the bytes are no UTF-8 text")]
    Text,
    /// A variant that the type does not have.
    #[error("`{of}` has no variant {variant}: the two builds differ")]
    Variant {
        /// The type.
        of: &'static str,
        /// The variant that was claimed.
        variant: u32,
    },
    /// The type asks serde to look at the input to find out what it is, which this format cannot tell.
    #[error("the type needs a self-describing format: replace serde's `untagged`, `flatten` or `tag`")]
    NotSelfDescribing,
    /// The value's own `Deserialize` or `State` said no.
    #[error("the type refuses its encoding: {0}")]
    Refused(String),
}

impl serde::ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused(message.to_string())
    }
}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused(message.to_string())
    }
}
