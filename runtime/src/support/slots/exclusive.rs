//! How an exclusive slot travels.

use outboard_wire::Stamp;
use outboard_wire::codec::{DecodeError, Decoder, EncodeError, Encoder};
use outboard_wire::state::{Lent, Place, Places, State};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::support::codec::{ByState, Codec};

/// Is told of places and the ways to them.
pub(crate) type Visit<'a> = dyn FnMut(&[u16], Place) + 'a;

/// How an exclusive slot travels: `State`'s functions for one type, or serde's.
#[derive(Debug)]
pub struct ExclusiveCodec<T> {
    pub(crate) encode: fn(&T, &mut Encoder) -> Result<(), EncodeError>,
    pub(crate) encode_slice: fn(&[T], &mut Encoder) -> Result<(), EncodeError>,
    pub(crate) decode: fn(&mut Decoder<'_>) -> Result<T, DecodeError>,
    pub(crate) decode_n: fn(usize, &mut Decoder<'_>) -> Result<Vec<T>, DecodeError>,
    pub(crate) exchange: fn(&mut T, &mut T),
    pub(crate) schema: fn(&mut outboard_wire::SchemaBuilder),
    pub(crate) places: fn(&T, &mut Visit<'_>),
    pub(crate) place: for<'a> fn(&'a mut T, &[u16]) -> Option<&'a mut dyn Lent>,
    pub(crate) own_place: fn(&T) -> Option<Place>,
    pub(crate) stamp: fn(&T) -> Option<Stamp>,
}

impl<T> Clone for ExclusiveCodec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ExclusiveCodec<T> {}

/// An exclusive slot of a type with `State`.
#[must_use]
pub const fn exclusive_codec<T: State>() -> ExclusiveCodec<T> {
    ExclusiveCodec {
        encode: T::encode,
        encode_slice: T::encode_slice,
        decode: T::decode,
        decode_n: T::decode_n,
        exchange: T::exchange,
        schema: T::schema,
        places: |value, visit| value.places(&mut Places::new(visit)),
        place: |value, path| value.place(path),
        own_place: <ByState<T> as Codec>::place,
        stamp: T::stamp,
    }
}

/// An exclusive slot marked `#[state(opaque)]`: serde alone, swapped as a whole.
#[must_use]
pub const fn exclusive_opaque<T: Serialize + DeserializeOwned + 'static>() -> ExclusiveCodec<T> {
    ExclusiveCodec {
        encode: |value, out| outboard_wire::codec::encode_serde(value, out),
        encode_slice: |values, out| {
            values.iter().try_for_each(|value| outboard_wire::codec::encode_serde(value, out))
        },
        decode: |input| outboard_wire::codec::decode_serde(input),
        decode_n: |count, input| {
            input.claim(count, size_of::<T>())?;
            (0..count).map(|_| outboard_wire::codec::decode_serde(input)).collect()
        },
        exchange: std::mem::swap,
        schema: |schema| schema.opaque(std::any::type_name::<T>()),
        places: |_, _| {},
        place: |_, _| None,
        own_place: |_| None,
        stamp: |_| None,
    }
}
