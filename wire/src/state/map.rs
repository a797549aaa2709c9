//! Maps. A `HashMap` encodes in its own order, which another process does not share: prefer `BTreeMap` where deltas
//! matter.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use super::State;
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::schema::SchemaBuilder;

fn encode_map<'a, K: State, V: State>(
    length: usize,
    mut entries: impl Iterator<Item = (&'a K, &'a V)>,
    out: &mut Encoder,
) -> Result<(), EncodeError> {
    out.write_length(length)?;
    out.nested(|out| {
        entries.try_for_each(|(key, value)| {
            key.encode(out)?;
            value.encode(out)
        })
    })
}

fn decode_map<K: State, V: State, M: FromIterator<(K, V)>>(
    input: &mut Decoder<'_>,
) -> Result<M, DecodeError> {
    let count = input.read_length()?;
    input.claim(count, size_of::<(K, V)>())?;
    input.nested(|input| (0..count).map(|_| Ok((K::decode(input)?, V::decode(input)?))).collect())
}

impl<K: State + Ord, V: State> State for BTreeMap<K, V> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("map", <(K, V)>::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        encode_map(self.len(), self.iter(), out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decode_map(input)
    }
}

impl<K: State + Eq + Hash, V: State, S: BuildHasher + Default + 'static> State for HashMap<K, V, S> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.unordered("map", <(K, V)>::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        encode_map(self.len(), self.iter(), out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decode_map(input)
    }
}
