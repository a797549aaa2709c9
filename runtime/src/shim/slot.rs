//! The slots of a shim, between their decoding and their way back.

use outboard_wire::Stamp;
use outboard_wire::codec::{EncodeError, Encoder};
use outboard_wire::frame::Image;
use outboard_wire::state::Place;

use super::{encode, encode_option};
use crate::support::{Codec, ExclusiveCodec};

/// A slot that is only read, in a shim.
pub enum Shared<'f, C: Codec> {
    /// It arrived by copy.
    Owned(C::Owned, Option<Vec<u8>>, C),
    /// It is the device's own object.
    Lent(&'f mut C::Owned),
}

/// An optional slot that is only read, in a shim.
pub struct SharedOption<C: Codec>(pub(super) Option<C::Owned>, pub(super) Option<Vec<u8>>, pub(super) C);

/// A slot whose state goes back, in a shim.
pub struct Exclusive<'f, T> {
    pub(super) value: Held<'f, T>,
    pub(super) codec: ExclusiveCodec<T>,
    /// What it came as, and what stood for that, where that is known.
    pub(super) came: Option<(Stamp, Image)>,
}

pub(super) enum Held<'f, T> {
    Owned(T),
    Lent(&'f mut T),
}

/// A slice whose state goes back, in a shim.
pub struct ExclusiveSlice<T>(pub(super) Vec<T>, pub(super) ExclusiveCodec<T>);

/// An optional slot whose state goes back, in a shim.
pub struct ExclusiveOption<T>(pub(super) Option<T>, pub(super) ExclusiveCodec<T>);

/// A slot whose state goes back.
pub trait GivesBack {
    /// Writes its state.
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError>;

    /// Its encoding, where it is known to be what it came as.
    fn as_it_came(&self) -> Option<&Image> {
        None
    }

    /// Names the places in it that carry fields which only the device has.
    fn places(&self, _visit: &mut dyn FnMut(&[u16], Place)) {}
}

/// A slot that is only read.
pub trait Unchanging {
    /// Whether it still encodes to what it did before the run; `None` where that is not checked.
    fn is_unchanged(&self) -> Option<bool>;
}

impl<C: Codec> Shared<'_, C> {
    /// The value.
    pub fn get(&self) -> &C::Borrowed {
        match self {
            Self::Owned(value, ..) => C::borrow(value),
            Self::Lent(value) => C::borrow(value),
        }
    }
}

impl<C: Codec> Unchanging for Shared<'_, C> {
    fn is_unchanged(&self) -> Option<bool> {
        match self {
            Self::Owned(value, Some(before), codec) => {
                Some(encode(|out| codec.encode(C::borrow(value), out)).is_ok_and(|after| after == *before))
            }
            _ => None,
        }
    }
}

impl<C: Codec> SharedOption<C> {
    /// The value.
    pub fn get(&self) -> Option<&C::Borrowed> {
        self.0.as_ref().map(C::borrow)
    }
}

impl<C: Codec> Unchanging for SharedOption<C> {
    fn is_unchanged(&self) -> Option<bool> {
        let before = self.1.as_ref()?;
        Some(encode(|out| encode_option(self.0.as_ref(), self.2, out)).is_ok_and(|after| after == *before))
    }
}

impl<T> Exclusive<'_, T> {
    /// The value.
    pub fn get_mut(&mut self) -> &mut T {
        match &mut self.value {
            Held::Owned(value) => value,
            Held::Lent(value) => value,
        }
    }
}

impl<T> GivesBack for Exclusive<'_, T> {
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        match &self.value {
            Held::Owned(value) => (self.codec.encode)(value, out),
            Held::Lent(value) => (self.codec.encode)(value, out),
        }
    }

    fn as_it_came(&self) -> Option<&Image> {
        let (Some((stamp, image)), Held::Owned(value)) = (&self.came, &self.value) else { return None };
        ((self.codec.stamp)(value).as_ref() == Some(stamp)).then_some(image)
    }

    fn places(&self, visit: &mut dyn FnMut(&[u16], Place)) {
        if let Held::Owned(value) = &self.value {
            (self.codec.places)(value, visit);
        }
    }
}

impl<T> ExclusiveSlice<T> {
    /// The values.
    pub fn get_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T> GivesBack for ExclusiveSlice<T> {
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        crate::support::write_slice(&self.0, self.1, out)
    }
}

impl<T> ExclusiveOption<T> {
    /// The value.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()
    }
}

impl<T> GivesBack for ExclusiveOption<T> {
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        crate::support::write_option(self.0.as_ref(), out, self.1.encode)
    }
}
