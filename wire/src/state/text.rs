//! Texts and paths.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::State;
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::schema::SchemaBuilder;

fn encode_text(text: &str, out: &mut Encoder) -> Result<(), EncodeError> {
    out.write_length(text.len())?;
    out.write(text.as_bytes())
}

macro_rules! texts {
    ($($text:ty: $from:expr;)*) => {
        $(
            impl State for $text {
                fn schema(schema: &mut SchemaBuilder) {
                    schema.leaf("text");
                }

                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    encode_text(self, out)
                }

                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    input.read_str().map($from)
                }
            }
        )*
    };
}

texts! {
    String: String::from;
    Box<str>: Box::from;
    Cow<'static, str>: |text| Cow::Owned(String::from(text));
}

fn encode_path(path: &Path, out: &mut Encoder) -> Result<(), EncodeError> {
    match path.to_str() {
        Some(text) => encode_text(text, out),
        // Serde says no as well: the other machine may not have such paths at all.
        None => Err(EncodeError::Refused(format!("the path {} is no Unicode text", path.display()))),
    }
}

macro_rules! paths {
    ($($path:ty: $from:expr;)*) => {
        $(
            impl State for $path {
                fn schema(schema: &mut SchemaBuilder) {
                    schema.leaf("text");
                }

                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    encode_path(self, out)
                }

                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    input.read_str().map($from)
                }
            }
        )*
    };
}

paths! {
    PathBuf: PathBuf::from;
    Box<Path>: |text| Box::from(Path::new(text));
}
