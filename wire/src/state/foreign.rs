//! Other types of the standard library.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::{Range, RangeInclusive};
use std::time::{Duration, SystemTime};

use super::State;
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder, decode_serde, encode_serde};
use crate::schema::SchemaBuilder;

/// Small types whose serde form is all they need.
macro_rules! through_serde {
    ($($type:ident),*) => {
        $(
            impl State for $type {
                fn schema(schema: &mut SchemaBuilder) {
                    schema.leaf(stringify!($type));
                }

                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    encode_serde(self, out)
                }

                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    decode_serde(input)
                }
            }
        )*
    };
}

through_serde!(SystemTime, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6);

impl State for Duration {
    fn schema(schema: &mut SchemaBuilder) {
        schema.leaf("Duration");
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.as_secs().encode(out)?;
        self.subsec_nanos().encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (seconds, nanoseconds) = <(u64, u32)>::decode(input)?;
        // A carry out of the nanoseconds can overflow, which `Duration::new` answers with a panic.
        Self::from_secs(seconds)
            .checked_add(Self::from_nanos(nanoseconds.into()))
            .ok_or(DecodeError::OutOfRange(seconds.into()))
    }
}

impl<T: State> State for Range<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("range", T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.start.encode(out)?;
        self.end.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(T::decode(input)?..T::decode(input)?)
    }
}

impl<T: State> State for RangeInclusive<T> {
    fn schema(schema: &mut SchemaBuilder) {
        schema.container("inclusive range", T::schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.start().encode(out)?;
        self.end().encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(T::decode(input)?..=T::decode(input)?)
    }
}
