//! Serde's data model onto an [`Encoder`].

use serde::ser::{self, Serialize};

use super::{EncodeError, Encoder};

/// Where serde writes to; also each of its compound values, which are one level deeper than what surrounds them.
pub(super) struct Sink<'a>(pub(super) &'a mut Encoder);

impl Sink<'_> {
    fn enter(self) -> Result<Self, EncodeError> {
        self.0.descend()?;
        Ok(self)
    }

    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        value.serialize(Sink(self.0))
    }

    fn whole<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        self.0.nested(|out| value.serialize(Sink(out)))
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {
        $(
            #[inline]
            fn $method(self, value: $number) -> Result<(), EncodeError> {
                self.0.write(&value.to_le_bytes())
            }
        )*
    };
}

impl ser::Serializer for Sink<'_> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_f32: f32, serialize_f64: f64
    }

    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        self.0.write(&[value.into()])
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.0.write(value.encode_utf8(&mut [0; 4]).as_bytes())
    }

    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EncodeError> {
        self.0.write_length(value.len())?;
        self.0.write(value)
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.0.write(&[0])
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        self.0.write(&[1])?;
        self.whole(value)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), EncodeError> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.0.nested(|out| out.write_variant(index))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        if name == crate::shared::SERDE_NAME {
            return Err(EncodeError::SharedBySerde);
        }
        self.whole(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.0.write_variant(index)?;
        self.whole(value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, EncodeError> {
        self.0.write_length(length.ok_or(EncodeError::UnknownLength)?)?;
        self.enter()
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self, EncodeError> {
        self.enter()
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Self, EncodeError> {
        self.enter()
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, EncodeError> {
        self.0.write_variant(index)?;
        self.enter()
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, EncodeError> {
        self.serialize_seq(length)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self, EncodeError> {
        self.enter()
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self, EncodeError> {
        self.0.write_variant(index)?;
        self.enter()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! compounds {
    ($($kind:ident: $($method:ident($($name:ident)?)),+;)*) => {
        $(
            impl ser::$kind for Sink<'_> {
                type Ok = ();
                type Error = EncodeError;

                $(
                    fn $method<T: Serialize + ?Sized>(
                        &mut self,
                        $($name: &'static str,)?
                        value: &T,
                    ) -> Result<(), EncodeError> {
                        self.part(value)
                    }
                )+

                fn end(self) -> Result<(), EncodeError> {
                    self.0.ascend();
                    Ok(())
                }
            }
        )*
    };
}

compounds! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(_name);
    SerializeStructVariant: serialize_field(_name);
}
