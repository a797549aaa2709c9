//! Values that may be one thing or another, or elsewhere: what is inside is no fixed place.

use std::cmp::Reverse;
use std::ops::Bound;

use super::State;
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::schema::SchemaBuilder;
use crate::tracked::Stamp;

impl<T: State> State for Option<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("option", T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        match self {
            None => out.write(&[0]),
            Some(value) => {
                out.write(&[1])?;
                value.encode(out)
            }
        }
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.take_array()? {
            [0] => Ok(None),
            [1] => T::decode(input).map(Some),
            [tag] => Err(DecodeError::Variant { of: "Option", variant: tag.into() }),
        }
    }
}

impl<T: State, E: State> State for Result<T, E> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.choice::<Self>(|schema| {
            schema.variant("Ok", |schema| schema.field("0", T::schema));
            schema.variant("Err", |schema| schema.field("0", E::schema));
        });
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        match self {
            Ok(value) => {
                out.write_variant(0)?;
                value.encode(out)
            }
            Err(error) => {
                out.write_variant(1)?;
                error.encode(out)
            }
        }
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.read_variant()? {
            0 => T::decode(input).map(Ok),
            1 => E::decode(input).map(Err),
            variant => Err(DecodeError::Variant { of: "Result", variant }),
        }
    }
}

impl<T: State> State for Bound<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.choice::<Self>(|schema| {
            schema.variant("Unbounded", |_| ());
            schema.variant("Included", |schema| schema.field("0", T::schema));
            schema.variant("Excluded", |schema| schema.field("0", T::schema));
        });
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        let (variant, value) = match self {
            Self::Unbounded => return out.write_variant(0),
            Self::Included(value) => (1, value),
            Self::Excluded(value) => (2, value),
        };
        out.write_variant(variant)?;
        value.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.read_variant()? {
            0 => Ok(Self::Unbounded),
            1 => T::decode(input).map(Self::Included),
            2 => T::decode(input).map(Self::Excluded),
            variant => Err(DecodeError::Variant { of: "Bound", variant }),
        }
    }
}

impl<T: State> State for Box<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("box", T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        out.nested(|out| T::encode(self, out))
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.claim(1, size_of::<T>())?;
        input.nested(T::decode).map(Box::new)
    }

    fn stamp(&self) -> Option<Stamp> {
        T::stamp(self)
    }
}

impl<T: State> State for Reverse<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("reverse", T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.0.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::decode(input).map(Self)
    }
}
