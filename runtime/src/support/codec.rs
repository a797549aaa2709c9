//! How a type travels: `State` where derived, else serde, else a compile error that says what to do.
//!
//! A macro cannot ask which traits a type has. It writes `(&&&Via::<T>::new()).codec()`, and method resolution tries
//! the implementations for `&&Via<T>`, `&Via<T>` and `Via<T>` in that order: `State`, serde, neither. (`codec` takes
//! `&self`, so the first is found where the value is borrowed once more.)

use std::marker::PhantomData;

use outboard_wire::codec::{self, DecodeError, Decoder, EncodeError, Encoder};
use outboard_wire::state::{Place, State};
use outboard_wire::{SchemaBuilder, Stamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How a slot or a result travels. A value of such a type is a choice, not data.
pub trait Codec: Copy + Send + Sync + 'static {
    /// What a call lends.
    type Borrowed: ?Sized;
    /// What arrives.
    type Owned: 'static;

    /// Writes a value.
    fn encode(self, value: &Self::Borrowed, out: &mut Encoder) -> Result<(), EncodeError>;

    /// Reads a value.
    fn decode(self, input: &mut Decoder<'_>) -> Result<Self::Owned, DecodeError>;

    /// Describes the encoding.
    fn schema(self, schema: &mut SchemaBuilder);

    /// What arrived, as the method wants it.
    fn borrow(owned: &Self::Owned) -> &Self::Borrowed;

    /// Where the value is, if it carries fields that only the device has.
    fn place(_value: &Self::Borrowed) -> Option<Place> {
        None
    }

    /// What stands for the present contents of the value, where that is known.
    fn stamp(_value: &Self::Borrowed) -> Option<Stamp> {
        None
    }

    /// Writes a sequence without its length.
    fn encode_slice(self, values: &[Self::Owned], out: &mut Encoder) -> Result<(), EncodeError> {
        values.iter().try_for_each(|value| self.encode(Self::borrow(value), out))
    }

    /// Reads `count` values.
    fn decode_n(self, count: usize, input: &mut Decoder<'_>) -> Result<Vec<Self::Owned>, DecodeError> {
        input.claim(count, size_of::<Self::Owned>())?;
        (0..count).map(|_| self.decode(input)).collect()
    }
}

/// Stands for a type while its way is looked for.
#[derive(Debug)]
pub struct Via<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized> Via<T> {
    /// Nothing but the type.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only the macros make these")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T: ?Sized>(PhantomData<fn(&T)>);

        impl<T: ?Sized> $name<T> {
            pub(crate) const CHOICE: Self = Self(PhantomData);
        }

        impl<T: ?Sized> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T: ?Sized> Copy for $name<T> {}
    };
}

choice!(
    /// Travels by `State`.
    ByState
);
choice!(
    /// Travels by serde, with a schema where serde can be traced.
    BySerde
);
choice!(
    /// Travels by serde, and nothing is known of its schema: `#[state(opaque)]`.
    Opaque
);
choice!(
    /// Does not travel. Its bound cannot be met; it exists for the message.
    Stays
);

impl<T: State> Codec for ByState<T> {
    type Borrowed = T;
    type Owned = T;

    fn encode(self, value: &T, out: &mut Encoder) -> Result<(), EncodeError> {
        value.encode(out)
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<T, DecodeError> {
        T::decode(input)
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        T::schema(schema);
    }

    fn borrow(owned: &T) -> &T {
        owned
    }

    fn place(value: &T) -> Option<Place> {
        T::SKIPS.then(|| Place::of(value))
    }

    fn stamp(value: &T) -> Option<Stamp> {
        value.stamp()
    }

    fn encode_slice(self, values: &[T], out: &mut Encoder) -> Result<(), EncodeError> {
        T::encode_slice(values, out)
    }

    fn decode_n(self, count: usize, input: &mut Decoder<'_>) -> Result<Vec<T>, DecodeError> {
        T::decode_n(count, input)
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Codec for BySerde<T> {
    type Borrowed = T;
    type Owned = T;

    fn encode(self, value: &T, out: &mut Encoder) -> Result<(), EncodeError> {
        codec::encode_serde(value, out)
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<T, DecodeError> {
        codec::decode_serde(input)
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        schema.serde::<T>();
    }

    fn borrow(owned: &T) -> &T {
        owned
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Codec for Opaque<T> {
    type Borrowed = T;
    type Owned = T;

    fn encode(self, value: &T, out: &mut Encoder) -> Result<(), EncodeError> {
        codec::encode_serde(value, out)
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<T, DecodeError> {
        codec::decode_serde(input)
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        schema.opaque(std::any::type_name::<T>());
    }

    fn borrow(owned: &T) -> &T {
        owned
    }
}

/// A parameter marked `#[state(opaque)]`.
#[must_use]
pub const fn opaque<T: Serialize + DeserializeOwned + 'static>() -> Opaque<T> {
    Opaque::CHOICE
}

/// What a value must be able to do to travel. No type has this trait: naming it makes the compiler's message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between device and server",
    label = "this type has neither `State` nor serde's traits",
    note = "derive `outboard::State` for it (all its fields must travel too), or `serde::Serialize` and `serde::Deserialize`",
    note = "where it is a foreign type that only serde knows how to handle, mark the parameter `#[state(opaque)]`"
)]
pub trait Travels {}

// Without the bound of the tier that chooses this: one missing derive is one error, not one for each use of the codec.
impl<T: 'static> Codec for Stays<T> {
    type Borrowed = T;
    type Owned = T;

    fn encode(self, _: &T, _: &mut Encoder) -> Result<(), EncodeError> {
        Err(EncodeError::Refused("the type does not travel".to_owned()))
    }

    fn decode(self, _: &mut Decoder<'_>) -> Result<T, DecodeError> {
        Err(DecodeError::Refused("the type does not travel".to_owned()))
    }

    fn schema(self, _: &mut SchemaBuilder) {}

    fn borrow(owned: &T) -> &T {
        owned
    }
}

/// The three tiers, for method resolution. Brought into scope unnamed.
pub mod tiers {
    pub use super::super::outcome::{
        ErrorByDisplay as _, ErrorBySerde as _, ErrorByState as _, ErrorStays as _,
    };
    pub use super::{TierSerde as _, TierState as _, TierStays as _};
}

/// First tier.
pub trait TierState {
    /// The type.
    type Of;
    /// Chooses.
    fn codec(&self) -> ByState<Self::Of>;
}

impl<T: State> TierState for &&Via<T> {
    type Of = T;
    fn codec(&self) -> ByState<T> {
        ByState::CHOICE
    }
}

/// Second tier.
pub trait TierSerde {
    /// The type.
    type Of;
    /// Chooses.
    fn codec(&self) -> BySerde<Self::Of>;
}

impl<T: Serialize + DeserializeOwned> TierSerde for &Via<T> {
    type Of = T;
    fn codec(&self) -> BySerde<T> {
        BySerde::CHOICE
    }
}

/// Third tier.
pub trait TierStays {
    /// The type.
    type Of;
    /// Complains.
    fn codec(&self) -> Stays<Self::Of>
    where
        Self::Of: Travels;
}

impl<T> TierStays for Via<T> {
    type Of = T;
    fn codec(&self) -> Stays<T>
    where
        T: Travels,
    {
        Stays::CHOICE
    }
}

/// `&str`: travels as a `String`.
#[derive(Clone, Copy, Debug)]
pub struct Text;

/// A `&str` parameter.
#[must_use]
pub const fn text() -> Text {
    Text
}

impl Codec for Text {
    type Borrowed = str;
    type Owned = String;

    fn encode(self, value: &str, out: &mut Encoder) -> Result<(), EncodeError> {
        out.write_length(value.len())?;
        out.write(value.as_bytes())
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<String, DecodeError> {
        String::decode(input)
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        String::schema(schema);
    }

    fn borrow(owned: &String) -> &str {
        owned
    }
}

/// `&[T]`: travels as a `Vec<T>`.
#[derive(Clone, Copy, Debug)]
pub struct Slice<C>(C);

/// A `&[T]` parameter.
pub const fn slice<T, C: Codec<Borrowed = T, Owned = T>>(element: C) -> Slice<C> {
    Slice(element)
}

impl<T: 'static, C: Codec<Borrowed = T, Owned = T>> Codec for Slice<C> {
    type Borrowed = [T];
    type Owned = Vec<T>;

    fn encode(self, value: &[T], out: &mut Encoder) -> Result<(), EncodeError> {
        out.write_length(value.len())?;
        out.nested(|out| self.0.encode_slice(value, out))
    }

    fn decode(self, input: &mut Decoder<'_>) -> Result<Vec<T>, DecodeError> {
        let count = input.read_length()?;
        input.nested(|input| self.0.decode_n(count, input))
    }

    fn schema(self, schema: &mut SchemaBuilder) {
        schema.container("sequence", |schema| self.0.schema(schema));
    }

    fn borrow(owned: &Vec<T>) -> &[T] {
        owned
    }
}
