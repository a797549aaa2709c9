//! Results of type `Result`: their `Err` may be a type that cannot travel, and then its text does.

use std::fmt::Display;
use std::marker::PhantomData;

use outboard_wire::SchemaBuilder;
use outboard_wire::codec::{self, DecodeError, Decoder, EncodeError, Encoder};
use outboard_wire::state::State;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::Codec;
use crate::error::CallError;

/// A `Result`, also behind an alias.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a result, and is not `core::result::Result`",
    label = "rename this type, or return a `Result`"
)]
pub trait Outcome {
    /// What it is when all went well.
    type Ok;
    /// What it is otherwise.
    type Error;

    /// Looks inside.
    fn as_result(&self) -> Result<&Self::Ok, &Self::Error>;

    /// Puts it together.
    fn from_result(result: Result<Self::Ok, Self::Error>) -> Self;
}

impl<T, E> Outcome for Result<T, E> {
    type Ok = T;
    type Error = E;

    fn as_result(&self) -> Result<&T, &E> {
        self.as_ref()
    }

    fn from_result(result: Result<T, E>) -> Self {
        result
    }
}

/// A result that can say that the call itself failed.
#[diagnostic::on_unimplemented(
    message = "a method that may fail to run must return a `Result` whose error is made from `outboard::CallError`",
    label = "`{Self}` cannot carry a `CallError`",
    note = "return `Result<_, E>` and write `impl From<outboard::CallError> for E`, or use `outboard::CallError` itself as E"
)]
pub trait Fallible {
    /// The result that says so.
    fn from_call_error(error: CallError) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<CallError>> Fallible for Result<T, E> {
    fn from_call_error(error: CallError) -> Self {
        Err(error.into())
    }
}

/// How an error travels.
pub trait ErrorCodec: Copy + Send + Sync + 'static {
    /// The error.
    type Error: 'static;

    /// Writes it; `Refused` carries its text where it cannot be written.
    fn encode(self, error: &Self::Error, out: &mut Encoder) -> Result<(), EncodeError>;

    /// Reads it.
    fn decode(self, input: &mut Decoder<'_>) -> Result<Self::Error, DecodeError>;

    /// Describes the encoding.
    fn schema(self, schema: &mut SchemaBuilder);
}

/// Stands for an error type while its way is looked for.
#[derive(Debug)]
pub struct ErrorVia<E>(PhantomData<fn(&E)>);

impl<E> ErrorVia<E> {
    /// Nothing but the type.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the macros make these")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// An error with a way to travel.
#[derive(Debug)]
pub struct Way<E, const TIER: u8>(PhantomData<fn(&E)>);

impl<E, const TIER: u8> Clone for Way<E, TIER> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, const TIER: u8> Copy for Way<E, TIER> {}

macro_rules! tier {
    ($(#[$doc:meta])* $name:ident, $tier:literal, $receiver:ty, [$($bound:tt)*]) => {
        $(#[$doc])*
        pub trait $name {
            /// The error.
            type Of;
            /// Chooses.
            fn error_codec(&self) -> Way<Self::Of, $tier>;
        }

        impl<E: $($bound)*> $name for $receiver {
            type Of = E;
            fn error_codec(&self) -> Way<E, $tier> {
                Way(PhantomData)
            }
        }
    };
}

tier!(/// First tier.
    ErrorByState, 0, &&&ErrorVia<E>, [State]);
tier!(/// Second tier.
    ErrorBySerde, 1, &&ErrorVia<E>, [Serialize + DeserializeOwned]);
tier!(/// Third tier: only its text travels.
    ErrorByDisplay, 2, &ErrorVia<E>, [Display]);
tier!(/// Fourth tier: not even its text.
    ErrorStays, 3, ErrorVia<E>, [Sized]);

impl<E: State> ErrorCodec for Way<E, 0> {
    type Error = E;

    fn encode(self, error: &E, out: &mut Encoder) -> Result<(), EncodeError> {
        error.encode(out)
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<E, DecodeError> {
        E::decode(input)
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        E::schema(schema);
    }
}

impl<E: Serialize + DeserializeOwned + 'static> ErrorCodec for Way<E, 1> {
    type Error = E;

    fn encode(self, error: &E, out: &mut Encoder) -> Result<(), EncodeError> {
        codec::encode_serde(error, out)
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<E, DecodeError> {
        codec::decode_serde(input)
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        schema.serde::<E>();
    }
}

impl<E: Display + 'static> ErrorCodec for Way<E, 2> {
    type Error = E;

    fn encode(self, error: &E, _: &mut Encoder) -> Result<(), EncodeError> {
        Err(EncodeError::Refused(error.to_string()))
    }

    fn decode(self, _: &mut Decoder<'_>) -> Result<E, DecodeError> {
        Err(DecodeError::Refused("the error type does not travel".to_owned()))
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        schema.opaque(std::any::type_name::<E>());
    }
}

impl<E: 'static> ErrorCodec for Way<E, 3> {
    type Error = E;

    fn encode(self, _: &E, _: &mut Encoder) -> Result<(), EncodeError> {
        Err(EncodeError::Refused(format!("an error of type {}", std::any::type_name::<E>())))
    }

    fn decode(self, _: &mut Decoder<'_>) -> Result<E, DecodeError> {
        Err(DecodeError::Refused("the error type does not travel".to_owned()))
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        schema.opaque(std::any::type_name::<E>());
    }
}

/// A result that is a `Result`.
#[derive(Debug)]
pub struct OutcomeCodec<R, C, W> {
    ok: C,
    error: W,
    result: PhantomData<fn(&R)>,
}

/// How a `Result` travels, given how its two sides do.
pub const fn outcome<R, C, W>(ok: C, error: W) -> OutcomeCodec<R, C, W>
where
    R: Outcome,
    C: Codec<Borrowed = R::Ok, Owned = R::Ok>,
    W: ErrorCodec<Error = R::Error>,
{
    OutcomeCodec { ok, error, result: PhantomData }
}

impl<R, C: Copy, W: Copy> Clone for OutcomeCodec<R, C, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, C: Copy, W: Copy> Copy for OutcomeCodec<R, C, W> {}

impl<R, C, W> Codec for OutcomeCodec<R, C, W>
where
    R: Outcome + 'static,
    C: Codec<Borrowed = R::Ok, Owned = R::Ok>,
    W: ErrorCodec<Error = R::Error>,
{
    type Borrowed = R;
    type Owned = R;

    fn encode(self, value: &R, out: &mut Encoder) -> Result<(), EncodeError> {
        match value.as_result() {
            Ok(value) => {
                out.write_variant(0)?;
                out.nested(|out| self.ok.encode(value, out))
            }
            Err(error) => {
                out.write_variant(1)?;
                out.nested(|out| self.error.encode(error, out))
            }
        }
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<R, DecodeError> {
        let result = match input.read_variant()? {
            0 => Ok(input.nested(|input| self.ok.decode(input))?),
            1 => Err(input.nested(|input| self.error.decode(input))?),
            variant => return Err(DecodeError::Refused(format!("a `Result` has no variant {variant}"))),
        };
        Ok(R::from_result(result))
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        self.ok.schema(schema);
        self.error.schema(schema);
    }

    fn borrow(owned: &R) -> &R {
        owned
    }
}
