//! Sequences: their elements lie on the heap, so they are no fixed places.

use std::collections::{BTreeSet, BinaryHeap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::State;
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::schema::SchemaBuilder;

fn encode_slice<T: State>(values: &[T], out: &mut Encoder) -> Result<(), EncodeError> {
    out.write_length(values.len())?;
    out.nested(|out| T::encode_slice(values, out))
}

fn decode_vec<T: State>(input: &mut Decoder<'_>) -> Result<Vec<T>, DecodeError> {
    let count = input.read_length()?;
    input.nested(|input| T::decode_n(count, input))
}

impl<T: State> State for Vec<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("sequence", T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        encode_slice(self, out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decode_vec(input)
    }
}

impl<T: State> State for Box<[T]> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("sequence", T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        encode_slice(self, out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decode_vec(input).map(Vec::into_boxed_slice)
    }
}

impl<T: State> State for VecDeque<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("sequence", T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        out.write_length(self.len())?;
        let (front, back) = self.as_slices();
        out.nested(|out| {
            T::encode_slice(front, out)?;
            T::encode_slice(back, out)
        })
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decode_vec(input).map(Self::from)
    }
}

macro_rules! collections {
    ($($container:ident $collection:ident<T $(: $bound:ident $(+ $more:ident)*)? $(, $hasher:ident: $build:ident)?>;)*) => {
        $(
            impl<T: State $(+ $bound $(+ $more)*)? $(, $hasher: $build + Default + 'static)?> State
                for $collection<T $(, $hasher)?>
            {
                fn schema(schema: &mut SchemaBuilder) {
                    schema.$container("sequence", T::schema);
                }

                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    out.write_length(self.len())?;
                    out.nested(|out| self.iter().try_for_each(|value| value.encode(out)))
                }

                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    let count = input.read_length()?;
                    input.claim(count, size_of::<T>())?;
                    input.nested(|input| (0..count).map(|_| T::decode(input)).collect())
                }
            }
        )*
    };
}

collections! {
    container LinkedList<T>;
    container BinaryHeap<T: Ord>;
    container BTreeSet<T: Ord>;
    unordered HashSet<T: Eq + Hash, S: BuildHasher>;
}
