//! Numbers, truth values and characters.

use std::num::{NonZero, Saturating, Wrapping};

use super::State;
use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::schema::SchemaBuilder;

macro_rules! plain {
    ($($number:ident),*) => {
        $(
            impl State for $number {
                fn schema(schema: &mut SchemaBuilder) {
                    schema.leaf(stringify!($number));
                }

                #[inline]
                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    out.write(&self.to_le_bytes())
                }

                #[inline]
                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    Ok(Self::from_le_bytes(input.take_array()?))
                }

                fn encode_slice(values: &[Self], out: &mut Encoder) -> Result<(), EncodeError> {
                    out.write_numbers(values, Self::to_le_bytes)
                }

                fn decode_n(count: usize, input: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
                    input.read_numbers(count, Self::from_le_bytes)
                }

                fn decode_array<const N: usize>(input: &mut Decoder<'_>) -> Result<[Self; N], DecodeError> {
                    let bytes = input.take(N.saturating_mul(size_of::<Self>()))?;
                    let (chunks, _) = bytes.as_chunks();
                    Ok(std::array::from_fn(|at| Self::from_le_bytes(chunks[at])))
                }
            }
        )*
    };
}

plain!(u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);

impl State for u8 {
    fn schema(schema: &mut SchemaBuilder) {
        schema.leaf("u8");
    }

    #[inline]
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        out.write(&[*self])
    }

    #[inline]
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let [value] = input.take_array()?;
        Ok(value)
    }

    fn encode_slice(values: &[Self], out: &mut Encoder) -> Result<(), EncodeError> {
        out.write(values)
    }

    fn decode_n(count: usize, input: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        Ok(input.take(count)?.to_vec())
    }

    fn decode_array<const N: usize>(input: &mut Decoder<'_>) -> Result<[Self; N], DecodeError> {
        input.take_array()
    }
}

/// `usize` and `isize` travel as 64 bits, so that machines of different word sizes understand each other.
macro_rules! sized {
    ($($number:ident as $wide:ident),*) => {
        $(
            impl State for $number {
                fn schema(schema: &mut SchemaBuilder) {
                    schema.leaf(stringify!($wide));
                }

                #[inline]
                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    out.write(&(*self as $wide).to_le_bytes())
                }

                #[inline]
                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    let wide = $wide::decode(input)?;
                    Self::try_from(wide).map_err(|_| DecodeError::OutOfRange(wide.into()))
                }

                fn encode_slice(values: &[Self], out: &mut Encoder) -> Result<(), EncodeError> {
                    out.write_numbers(values, |value| (value as $wide).to_le_bytes())
                }
            }
        )*
    };
}

sized!(usize as u64, isize as i64);

impl State for bool {
    fn schema(schema: &mut SchemaBuilder) {
        schema.leaf("bool");
    }

    #[inline]
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        out.write(&[(*self).into()])
    }

    #[inline]
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.read_bool()
    }

    fn encode_slice(values: &[Self], out: &mut Encoder) -> Result<(), EncodeError> {
        out.write_numbers(values, |value| [u8::from(value)])
    }

    fn decode_n(count: usize, input: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        let bytes = input.take(count)?;
        // Looking at all of them at once is several times faster than stopping at the first bad one.
        match bytes.iter().copied().max() {
            Some(worst) if worst > 1 => Err(DecodeError::Bool(worst)),
            _ => Ok(bytes.iter().map(|byte| *byte == 1).collect()),
        }
    }
}

impl State for char {
    fn schema(schema: &mut SchemaBuilder) {
        schema.leaf("char");
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        out.write(self.encode_utf8(&mut [0; 4]).as_bytes())
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        input.read_char()
    }
}

macro_rules! non_zero {
    ($($number:ident),*) => {
        $(
            impl State for NonZero<$number> {
                fn schema(schema: &mut SchemaBuilder) {
                    schema.container("non-zero", $number::schema);
                }

                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    self.get().encode(out)
                }

                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    Self::new($number::decode(input)?).ok_or(DecodeError::OutOfRange(0))
                }
            }
        )*
    };
}

non_zero!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

macro_rules! arithmetic {
    ($($wrapper:ident),*) => {
        $(
            impl<T: State> State for $wrapper<T> {
                fn schema(schema: &mut SchemaBuilder) {
                    T::schema(schema);
                }

                fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
                    self.0.encode(out)
                }

                fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                    T::decode(input).map(Self)
                }
            }
        )*
    };
}

arithmetic!(Wrapping, Saturating);
