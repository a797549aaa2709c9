//! The caller's side of a call's slots: lent to the call, encoded, and brought up to date by its reply.
//!
//! Slots are a typed list, `(first, (second, ()))`, so that no `unsafe` and no `Send` is needed: the wrapper lends its
//! references to the list, and the list lends an exclusive slot on to call-backs, strictly nested.
//!
//! A reply is applied in two steps. *Staging* decodes everything and can fail; *committing* swaps and cannot.

use outboard_wire::codec::{DecodeError, Decoder, EncodeError, Encoder};
use outboard_wire::frame::{Image, SlotImage, Version};
use outboard_wire::state::{Lent, Place};
use outboard_wire::{ObjectReader, ObjectWriter, Objects, Stamp};

use super::codec::Codec;
pub use allowance::{Allowance, Object};
pub use exclusive::{ExclusiveCodec, exclusive_codec, exclusive_opaque};

mod allowance;
mod exclusive;

/// A slot on its way out.
#[derive(Debug)]
pub struct Outgoing {
    pub(crate) image: Image,
    /// What it may be told by, where the receiver is believed to have something.
    pub(crate) base: Option<(Version, Image)>,
    /// Which object it is.
    pub(crate) object: Object,
    /// Where the value is, if it carries fields that only the device has.
    pub(crate) place: Option<Place>,
}

/// The slots of one call, as they are encoded one by one.
#[derive(Debug, Default)]
pub struct Departing {
    pub(crate) slots: Vec<Outgoing>,
    pub(crate) objects: ObjectWriter,
}

/// The slots of one call.
pub trait Slots {
    /// Encodes all slots, in order, within the allowance.
    fn encode(&self, allowance: &mut Allowance<'_>, out: &mut Departing) -> Result<(), EncodeError>;

    /// Decodes the new state of every exclusive slot. Nothing is touched, whether or not it fails.
    fn stage(
        &mut self,
        images: &mut std::vec::IntoIter<SlotImage>,
        objects: &mut ObjectReader,
        depth: u16,
    ) -> Result<(), DecodeError>;

    /// Brings every exclusive slot to its staged state.
    fn commit(&mut self);

    /// What stands for the present contents of each slot, where that is known.
    fn stamps(&self, out: &mut Vec<Option<Stamp>>);

    /// Takes back what call-backs did to exclusive slots.
    fn undo(&mut self);

    /// Lends every slot; `None` for those that are not exclusive.
    fn lend<'a>(&'a mut self, lent: &mut Vec<Option<&'a mut dyn LentSlot>>);
}

/// An exclusive slot, lent to call-backs.
pub trait LentSlot {
    /// Keeps the state that was sent, so that it can be restored. Only the first time has an effect.
    fn keep(&mut self, sent: &[u8], objects: &Objects, depth: u16) -> Result<(), DecodeError>;

    /// A fixed place within the slot.
    fn place(&mut self, path: &[u16]) -> Option<&mut dyn Lent>;
}

impl Slots for () {
    fn encode(&self, _: &mut Allowance<'_>, _: &mut Departing) -> Result<(), EncodeError> {
        Ok(())
    }

    fn stage(
        &mut self,
        _: &mut std::vec::IntoIter<SlotImage>,
        _: &mut ObjectReader,
        _: u16,
    ) -> Result<(), DecodeError> {
        Ok(())
    }

    fn commit(&mut self) {}

    fn stamps(&self, _: &mut Vec<Option<Stamp>>) {}

    fn undo(&mut self) {}

    fn lend<'a>(&'a mut self, _: &mut Vec<Option<&'a mut dyn LentSlot>>) {}
}

impl<First: Slot, Rest: Slots> Slots for (First, Rest) {
    fn encode(&self, allowance: &mut Allowance<'_>, out: &mut Departing) -> Result<(), EncodeError> {
        let object = self.0.object();
        let base = allowance.base(out.slots.len(), object);
        let image = match allowance.unchanged(base.as_ref(), object, self.0.stamp()) {
            Some(image) => {
                allowance.spend(image.size(), base.as_ref());
                image
            }
            None => {
                let granted = allowance.grant(base.as_ref());
                let mut encoder =
                    Encoder::with_budget(granted).with_objects(std::mem::take(&mut out.objects));
                if let Some((_, base)) = &base {
                    encoder = encoder.with_base(base);
                }
                self.0.encode(&mut encoder)?;
                out.objects = encoder.take_objects();
                allowance.spend(granted.saturating_sub(encoder.left()), base.as_ref());
                encoder.into_image()
            }
        };
        out.slots.push(Outgoing { image, base, object, place: self.0.own_place() });
        self.1.encode(allowance, out)
    }

    fn stage(
        &mut self,
        images: &mut std::vec::IntoIter<SlotImage>,
        objects: &mut ObjectReader,
        depth: u16,
    ) -> Result<(), DecodeError> {
        if First::EXCLUSIVE {
            match images.next() {
                Some(SlotImage::Whole(image)) => {
                    let mut input = Decoder::new(&image.0, depth).with_objects(objects);
                    self.0.stage(&mut input)?;
                    input.finish()?;
                }
                // As it went: nothing is to be done, but to take back what call-backs did.
                Some(SlotImage::Same(_)) => {}
                _ => return Err(DecodeError::Refused("an exclusive slot is missing".to_owned())),
            }
        }
        self.1.stage(images, objects, depth)
    }

    fn commit(&mut self) {
        self.0.commit();
        self.1.commit();
    }

    fn stamps(&self, out: &mut Vec<Option<Stamp>>) {
        out.push(self.0.stamp());
        self.1.stamps(out);
    }

    fn undo(&mut self) {
        self.0.undo();
        self.1.undo();
    }

    fn lend<'a>(&'a mut self, lent: &mut Vec<Option<&'a mut dyn LentSlot>>) {
        lent.push(self.0.lend());
        self.1.lend(lent);
    }
}

/// One slot.
pub trait Slot {
    /// Whether its state comes back.
    const EXCLUSIVE: bool = false;

    /// Writes its state.
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError>;

    /// Which object it is.
    fn object(&self) -> Object;

    /// Where the value is, if it carries fields that only the device has.
    fn own_place(&self) -> Option<Place>;

    /// What stands for its present contents, where that is known.
    fn stamp(&self) -> Option<Stamp> {
        None
    }

    /// Decodes its new state.
    fn stage(&mut self, _input: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Ok(())
    }

    /// Takes its new state over.
    fn commit(&mut self) {}

    /// Takes back what call-backs did.
    fn undo(&mut self) {}

    /// Lends it to call-backs.
    fn lend(&mut self) -> Option<&mut dyn LentSlot> {
        None
    }
}

/// A slot that is only read: `&T`, or a value kept until the reply.
#[derive(Debug)]
pub struct SharedSlot<'a, C: Codec>(&'a C::Borrowed, C);

/// `&T`.
pub fn shared<C: Codec>(value: &C::Borrowed, codec: C) -> SharedSlot<'_, C> {
    SharedSlot(value, codec)
}

/// `T`.
pub fn value<C: Codec>(value: &C::Borrowed, codec: C) -> SharedSlot<'_, C> {
    SharedSlot(value, codec)
}

impl<C: Codec> Slot for SharedSlot<'_, C> {
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.1.encode(self.0, out)
    }

    fn object(&self) -> Object {
        Object::at::<C::Owned, _>(self.0)
    }

    fn own_place(&self) -> Option<Place> {
        C::place(self.0)
    }

    fn stamp(&self) -> Option<Stamp> {
        C::stamp(self.0)
    }
}

/// `Option<&T>`.
#[derive(Debug)]
pub struct SharedOptionSlot<'a, C: Codec>(Option<&'a C::Borrowed>, C);

/// `Option<&T>`.
pub fn shared_option<C: Codec>(value: Option<&C::Borrowed>, codec: C) -> SharedOptionSlot<'_, C> {
    SharedOptionSlot(value, codec)
}

impl<C: Codec> Slot for SharedOptionSlot<'_, C> {
    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        write_option(self.0, out, |value, out| self.1.encode(value, out))
    }

    fn object(&self) -> Object {
        self.0.map_or(Object::none::<C::Owned>(), Object::at::<C::Owned, _>)
    }

    fn own_place(&self) -> Option<Place> {
        None
    }
}

/// `&mut T`.
#[derive(Debug)]
pub struct ExclusiveSlot<'a, T> {
    value: &'a mut T,
    codec: ExclusiveCodec<T>,
    staged: Option<T>,
    kept: Option<T>,
}

/// `&mut T`.
pub fn exclusive<T>(value: &mut T, codec: ExclusiveCodec<T>) -> ExclusiveSlot<'_, T> {
    ExclusiveSlot { value, codec, staged: None, kept: None }
}

impl<T: 'static> Slot for ExclusiveSlot<'_, T> {
    const EXCLUSIVE: bool = true;

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        (self.codec.encode)(self.value, out)
    }

    fn object(&self) -> Object {
        Object::at::<T, _>(&*self.value)
    }

    fn own_place(&self) -> Option<Place> {
        (self.codec.own_place)(self.value)
    }

    fn stamp(&self) -> Option<Stamp> {
        (self.codec.stamp)(self.value)
    }

    fn stage(&mut self, input: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.staged = Some((self.codec.decode)(input)?);
        Ok(())
    }

    fn commit(&mut self) {
        if let Some(mut state) = self.staged.take() {
            (self.codec.exchange)(self.value, &mut state);
            self.kept = None;
        }
    }

    fn undo(&mut self) {
        self.staged = None;
        if let Some(mut state) = self.kept.take() {
            (self.codec.exchange)(self.value, &mut state);
        }
    }

    fn lend(&mut self) -> Option<&mut dyn LentSlot> {
        Some(self)
    }
}

impl<T: 'static> LentSlot for ExclusiveSlot<'_, T> {
    fn keep(&mut self, sent: &[u8], objects: &Objects, depth: u16) -> Result<(), DecodeError> {
        if self.kept.is_none() {
            // What is shared is referred to where it is: it is not touched before the commit.
            let mut objects = ObjectReader::reply(None, objects.clone(), depth)?;
            let mut input = Decoder::new(sent, depth).with_objects(&mut objects);
            let state = (self.codec.decode)(&mut input)?;
            input.finish()?;
            self.kept = Some(state);
        }
        Ok(())
    }

    fn place(&mut self, path: &[u16]) -> Option<&mut dyn Lent> {
        (self.codec.place)(self.value, path)
    }
}

/// `&mut [T]`: its length never changes.
#[derive(Debug)]
pub struct ExclusiveSliceSlot<'a, T> {
    value: &'a mut [T],
    codec: ExclusiveCodec<T>,
    staged: Vec<T>,
}

/// `&mut [T]`.
pub fn exclusive_slice<T>(value: &mut [T], codec: ExclusiveCodec<T>) -> ExclusiveSliceSlot<'_, T> {
    ExclusiveSliceSlot { value, codec, staged: Vec::new() }
}

impl<T: 'static> Slot for ExclusiveSliceSlot<'_, T> {
    const EXCLUSIVE: bool = true;

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        write_slice(self.value, self.codec, out)
    }

    fn object(&self) -> Object {
        Object::at::<Vec<T>, _>(&*self.value)
    }

    fn own_place(&self) -> Option<Place> {
        None
    }

    fn stage(&mut self, input: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let staged = read_slice(self.codec, input)?;
        if staged.len() != self.value.len() {
            return Err(DecodeError::Refused(format!(
                "a slice of {} elements came back with {}",
                self.value.len(),
                staged.len()
            )));
        }
        self.staged = staged;
        Ok(())
    }

    fn commit(&mut self) {
        for (value, state) in self.value.iter_mut().zip(&mut self.staged) {
            (self.codec.exchange)(value, state);
        }
        self.staged.clear();
    }

    fn undo(&mut self) {
        self.staged.clear();
    }
}

/// `Option<&mut T>`: whether there is one never changes.
#[derive(Debug)]
pub struct ExclusiveOptionSlot<'a, T> {
    value: Option<&'a mut T>,
    codec: ExclusiveCodec<T>,
    staged: Option<T>,
}

/// `Option<&mut T>`.
pub fn exclusive_option<T>(value: Option<&mut T>, codec: ExclusiveCodec<T>) -> ExclusiveOptionSlot<'_, T> {
    ExclusiveOptionSlot { value, codec, staged: None }
}

impl<T: 'static> Slot for ExclusiveOptionSlot<'_, T> {
    const EXCLUSIVE: bool = true;

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        write_option(self.value.as_deref(), out, self.codec.encode)
    }

    fn object(&self) -> Object {
        self.value.as_deref().map_or(Object::none::<T>(), Object::at::<T, _>)
    }

    fn own_place(&self) -> Option<Place> {
        None
    }

    fn stage(&mut self, input: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let staged = read_option(input, self.codec.decode)?;
        if staged.is_some() != self.value.is_some() {
            return Err(DecodeError::Refused("an optional slot came back otherwise than it went".to_owned()));
        }
        self.staged = staged;
        Ok(())
    }

    fn commit(&mut self) {
        if let (Some(value), Some(mut state)) = (self.value.as_deref_mut(), self.staged.take()) {
            (self.codec.exchange)(value, &mut state);
        }
    }

    fn undo(&mut self) {
        self.staged = None;
    }
}

pub(crate) fn write_option<T: ?Sized>(
    value: Option<&T>,
    out: &mut Encoder,
    encode: impl FnOnce(&T, &mut Encoder) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    match value {
        None => out.write(&[0]),
        Some(value) => {
            out.write(&[1])?;
            encode(value, out)
        }
    }
}

pub(crate) fn read_option<T>(
    input: &mut Decoder<'_>,
    decode: impl FnOnce(&mut Decoder<'_>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    match input.take_array()? {
        [0] => Ok(None),
        [1] => decode(input).map(Some),
        [tag] => Err(DecodeError::Variant { of: "Option", variant: tag.into() }),
    }
}

pub(crate) fn write_slice<T>(
    values: &[T],
    codec: ExclusiveCodec<T>,
    out: &mut Encoder,
) -> Result<(), EncodeError> {
    out.write_length(values.len())?;
    (codec.encode_slice)(values, out)
}

pub(crate) fn read_slice<T>(
    codec: ExclusiveCodec<T>,
    input: &mut Decoder<'_>,
) -> Result<Vec<T>, DecodeError> {
    let count = input.read_length()?;
    (codec.decode_n)(count, input)
}
