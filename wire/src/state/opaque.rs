//! Values that travel without being state themselves.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder, decode_serde, encode_serde};
use crate::schema::SchemaBuilder;

/// A value that travels by serde's traits, as its field or parameter says with `#[state(opaque)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel as an opaque value",
    label = "lacks `serde::Serialize`, `serde::Deserialize` without a lifetime, or both",
    note = "switch on the feature `serde` of the crate that `{Self}` comes from, if it has one",
    note = "otherwise keep the value on the device with `#[serde(skip)]`"
)]
pub trait Opaque: Sized + 'static {
    /// Describes the encoding as far as that is possible.
    fn schema(schema: &mut SchemaBuilder);

    /// Writes the value.
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError>;

    /// Reads a value.
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Opaque for T {
    fn schema(schema: &mut SchemaBuilder) {
        schema.serde::<T>();
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        encode_serde(self, out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decode_serde(input)
    }
}
