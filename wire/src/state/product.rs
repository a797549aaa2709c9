//! Tuples and arrays: their parts are fixed places.

use std::marker::PhantomData;

use super::{Lent, Places, State};
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::schema::SchemaBuilder;
use crate::tracked::Stamp;

macro_rules! tuples {
    ($(($($part:ident $at:tt),+);)*) => {
        $(
            impl<$($part: State),+> State for ($($part,)+) {
                const SKIPS: bool = $($part::SKIPS)||+;

                fn schema(schema: &mut SchemaBuilder) {
                    schema.structure::<Self>(|schema| {
                        $(schema.field(stringify!($at), $part::schema);)+
                    });
                }

                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    $(self.$at.encode(out)?;)+
                    Ok(())
                }

                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    Ok(($($part::decode(input)?,)+))
                }

                fn exchange(&mut self, other: &mut Self) {
                    $(self.$at.exchange(&mut other.$at);)+
                }

                fn stamp(&self) -> Option<Stamp> {
                    Stamp::of_all([$(self.$at.stamp()),+])
                }

                fn places(&self, places: &mut Places<'_>) {
                    places.object(self);
                    $(places.field($at, &self.$at);)+
                }

                fn place(&mut self, path: &[u16]) -> Option<&mut dyn Lent> {
                    match path.split_first() {
                        None => Some(self),
                        $(Some(($at, rest)) => self.$at.place(rest),)+
                        Some(_) => None,
                    }
                }
            }
        )*
    };
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}

impl<T: State, const N: usize> State for [T; N] {
    const SKIPS: bool = T::SKIPS;

    fn schema(schema: &mut SchemaBuilder) {
        schema.array(N, T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        T::encode_slice(self, out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::decode_array(input)
    }

    fn encode_slice(values: &[Self], out: &mut Encoder) -> Result<(), EncodeError> {
        T::encode_slice(values.as_flattened(), out)
    }

    fn exchange(&mut self, other: &mut Self) {
        for (here, there) in self.iter_mut().zip(other) {
            here.exchange(there);
        }
    }

    fn places(&self, places: &mut Places<'_>) {
        places.object(self);
        // Elements past what a path can name are copied instead, as any other value.
        self.iter().zip(0..=u16::MAX).for_each(|(element, at)| places.field(at, element));
    }

    fn place(&mut self, path: &[u16]) -> Option<&mut dyn Lent> {
        match path.split_first() {
            None => Some(self),
            Some((at, rest)) => self.get_mut(usize::from(*at))?.place(rest),
        }
    }
}

impl State for () {
    fn schema(schema: &mut SchemaBuilder) {
        schema.leaf("unit");
    }

    fn encode(&self, _out: &mut Encoder) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode(_input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }

    fn stamp(&self) -> Option<Stamp> {
        Some(Stamp::of_nothing())
    }
}

impl<T: ?Sized + 'static> State for PhantomData<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.leaf("unit");
    }

    fn encode(&self, _out: &mut Encoder) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode(_input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn stamp(&self) -> Option<Stamp> {
        Some(Stamp::of_nothing())
    }
}
