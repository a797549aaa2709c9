//! What a type must be able to do for its values to travel and come back changed.
//!
//! A reply is applied by [`State::exchange`], field by field, so that skipped fields keep what belongs to the device and
//! types with `Drop` work. A call-back finds the device's own object by [`State::places`] on the server, which names
//! the objects with skipped fields before the outer method runs (by address, type and the way there), and by
//! [`State::place`] on the device, which goes that way. Objects without skipped fields are not worth finding: a copy
//! of one, with its changes brought back, cannot be told from the original.
//!
//! There is no `State` for interior mutability, for references and for shared ownership: two ends could not tell who
//! else sees a change. [`Shared`](crate::Shared) is both, and tells.

mod foreign;
mod map;
mod number;
pub(crate) mod opaque;
mod product;
mod sequence;
mod sum;
mod text;

use std::any::{Any, TypeId};

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder};
use crate::schema::SchemaBuilder;
use crate::tracked::Stamp;

/// A value that can travel, and be brought up to date in place.
///
/// Usually derived. The encoding equals that of serde's derived traits in bincode's format with fixed-width integers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel as state",
    label = "does not implement `outboard::State`",
    note = "put `#[derive(outboard::State)]` on `{Self}` if it is yours",
    note = "for a foreign type that has serde's traits, put `#[state(opaque)]` on the field or parameter",
    note = "for what several places of the program hold and change (`Arc<Mutex<_>>`, `Rc<RefCell<_>>`), use \
            `outboard::Shared<_>`",
    note = "other interior mutability (`Cell`, atomics), plain `Rc` and `Arc`, and references cannot travel: own the \
            value, or keep it on the device with `#[serde(skip)]`"
)]
pub trait State: Sized + 'static {
    /// Whether the type has skipped fields, itself or in fixed places within.
    const SKIPS: bool = false;

    /// Describes the encoding. Recursive types describe themselves through [`SchemaBuilder::structure`] and
    /// [`SchemaBuilder::choice`], which end the recursion.
    fn schema(schema: &mut SchemaBuilder);

    /// Writes the value, without skipped fields.
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError>;

    /// Reads a value; skipped fields get their defaults.
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// Writes the elements of a sequence. Plain numbers do it at the speed of a copy.
    fn encode_slice(values: &[Self], out: &mut Encoder) -> Result<(), EncodeError> {
        values.iter().try_for_each(|value| value.encode(out))
    }

    /// Reads `count` elements, a claim that is checked before memory is taken for it.
    fn decode_n(count: usize, input: &mut Decoder<'_>) -> Result<Vec<Self>, DecodeError> {
        input.claim(count, size_of::<Self>())?;
        let mut values = Vec::with_capacity(count.min(input.remaining()));
        for _ in 0..count {
            values.push(Self::decode(input)?);
        }
        Ok(values)
    }

    /// Reads an array.
    fn decode_array<const N: usize>(input: &mut Decoder<'_>) -> Result<[Self; N], DecodeError> {
        let mut failure = None;
        let values: [Option<Self>; N] = std::array::from_fn(|_| {
            if failure.is_some() {
                return None;
            }
            Self::decode(input).map_err(|error| failure = Some(error)).ok()
        });
        match failure {
            None => Ok(values.map(|value| value.expect("without a failure every element was decoded"))),
            Some(error) => Err(error),
        }
    }

    /// Swaps everything but skipped fields.
    fn exchange(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
    }

    /// What stands for the present contents, where that is known without looking at them: equal stamps, equal encodings.
    fn stamp(&self) -> Option<Stamp> {
        None
    }

    /// Names this value and the fixed places in it (fields of structs, tuples and arrays that are not skipped) that have
    /// skipped fields.
    fn places(&self, _places: &mut Places<'_>) {}

    /// The place at the end of a way that [`places`](Self::places) named, perhaps on another machine.
    fn place(&mut self, path: &[u16]) -> Option<&mut dyn Lent> {
        if path.is_empty() { Some(self) } else { None }
    }
}

/// A value of some type with [`State`], lent to whoever knows the type.
pub trait Lent {
    /// Takes an encoded state over; skipped fields stay. A failure changes nothing.
    fn bring_to(&mut self, state: &mut Decoder<'_>) -> Result<(), DecodeError>;

    /// The value, to be asked for its type.
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<T: State> Lent for T {
    fn bring_to(&mut self, state: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let mut state = T::decode(state)?;
        self.exchange(&mut state);
        Ok(())
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// Gathers the places that [`State::places`] names.
pub struct Places<'a> {
    path: Vec<u16>,
    visit: &'a mut dyn FnMut(&[u16], Place),
}

impl<'a> Places<'a> {
    /// Tells each place, and the way to it, to `visit`.
    pub fn new(visit: &'a mut dyn FnMut(&[u16], Place)) -> Self {
        Self { path: Vec::new(), visit }
    }

    /// The value at the end of the present way.
    pub fn object<T: State>(&mut self, value: &T) {
        (self.visit)(&self.path, Place::of(value));
    }

    /// A field of that value.
    pub fn field<T: State>(&mut self, index: u16, value: &T) {
        if T::SKIPS {
            self.within(index, |places| value.places(places));
        }
    }

    /// What `name` names lies in a field of that value.
    pub fn within(&mut self, index: u16, name: impl FnOnce(&mut Self)) {
        self.path.push(index);
        name(self);
        self.path.pop();
    }
}

/// An object in memory: by its address and its type, as a struct and its first field share an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is. Compared only, never followed.
    pub address: usize,
    /// What it is.
    pub type_id: TypeId,
}

impl Place {
    /// The place of a value.
    pub fn of<T: Any>(value: &T) -> Self {
        Self { address: std::ptr::from_ref(value).addr(), type_id: TypeId::of::<T>() }
    }
}

#[cfg(test)]
mod tests;
