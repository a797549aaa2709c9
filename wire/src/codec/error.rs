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
    /// Shared objects hold each other in a circle.
    #[error(
        "shared objects hold each other in a circle, which cannot travel: let one of them refer to the other by an \
         index or a name"
    )]
    Cycle,
    /// Somebody has a shared object locked.
    #[error("a shared object is locked: drop the guard before the call")]
    Locked,
    /// A shared object outside a call, beside which it could be written.
    #[error("a shared object can only be encoded as a part of a call")]
    NoObjects,
    /// A shared object in a type that travels by serde, which would make two of one.
    #[error("a `Shared` travels by `State`: derive it for the type that holds it")]
    SharedBySerde,
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
    /// A shared object within itself.
    #[error("a shared object holds itself")]
    Cycle,
    /// A reference to a shared object that is not there.
    #[error("there is no shared object {0}")]
    UnknownObject(u64),
    /// A shared object that nothing refers to.
    #[error("nothing refers to the shared object {0}")]
    UnusedObject(u64),
    /// A reply that tells of fewer shared objects than went with the call.
    #[error("{found} shared objects came back of {expected}")]
    Objects {
        /// How many went.
        expected: u64,
        /// How many came.
        found: u64,
    },
    /// References of two types to one shared object.
    #[error("the shared object {number} is no `{expected}`")]
    ObjectType {
        /// The object.
        number: u64,
        /// The type that the reference has.
        expected: &'static str,
    },
    /// A shared object outside a call.
    #[error("a shared object can only be decoded as a part of a call")]
    NoObjects,
    /// A shared object in a type that travels by serde.
    #[error("a `Shared` travels by `State`: derive it for the type that holds it")]
    SharedBySerde,
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
