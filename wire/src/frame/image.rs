//! Encoded bytes.

use std::fmt;

use bytes::Bytes;
use outboard_core::ByteCount;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Encoded bytes. Travels at memory speed; to keep another handle to them costs nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Image(pub Bytes);

impl Image {
    /// How many bytes it has.
    pub fn size(&self) -> ByteCount {
        ByteCount::from_bytes(self.0.len() as u64)
    }
}

impl From<Vec<u8>> for Image {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} B)", self.0.len())
    }
}

impl Serialize for Image {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl serde::de::Visitor<'_> for Whole {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        // The borrowed form looks at what is there before it copies; the owned one would allocate what the peer claims.
        deserializer.deserialize_bytes(Whole).map(Self::from)
    }
}
