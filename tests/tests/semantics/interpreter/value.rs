//! What programs compute with: objects on a heap, and the ways to places within them.

use outboard_wire::frame::Image;
use outboard_wire::{
    Decoder, Encoder, ObjectReader, ObjectWriter, Shared, State, decode_serde, encode_serde,
};
use serde::{Deserialize, Serialize};

use super::shared::{Held, nothing};

/// The type of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Nothing is skipped.
    Plain,
    /// With skipped fields.
    Leaf,
    /// With skipped fields, and a leaf in a fixed place.
    Deep,
    /// Holds a shared value.
    Holder,
}

impl Type {
    pub(crate) fn skips(self) -> bool {
        matches!(self, Self::Leaf | Self::Deep)
    }

    pub(crate) fn parts(self) -> usize {
        usize::from(self == Self::Deep)
    }

    /// How long the list of a new object is: long enough for the object to be told by what changed, or short.
    fn length(self) -> usize {
        if matches!(self, Self::Plain | Self::Deep) { 40 } else { 0 }
    }
}

/// An object: what travels, and what stays with the device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) numbers: [i64; 2],
    pub(crate) list: Vec<i64>,
    /// Fixed places.
    pub(crate) parts: Vec<Object>,
    /// Travels too, but beside.
    #[serde(skip)]
    pub(crate) held: Held,
    /// Which object of the device it is: device methods can tell by it whether they run on the very object.
    #[serde(skip)]
    pub(crate) id: i64,
    /// What a device method left here last.
    #[serde(skip)]
    pub(crate) seen: i64,
}

impl Object {
    pub(crate) fn new(of: Type) -> Self {
        let parts = vec![Self::default(); of.parts()];
        let held = if of == Type::Holder { Held::new() } else { Held::default() };
        Self { parts, held, list: vec![-1; of.length()], ..Self::default() }
    }

    /// Gives the object and its parts ids of their own.
    pub(crate) fn named(of: Type, id: i64) -> Self {
        let mut object = Self::new(of);
        if of.skips() {
            object.id = id;
            object.parts.iter_mut().for_each(|part| part.id = id + 1);
        }
        object
    }

    /// An object that holds nothing shared.
    pub(crate) fn encode(&self) -> Image {
        self.encode_with(&mut ObjectWriter::call())
    }

    /// An object, and what it holds beside.
    pub(crate) fn encode_with(&self, objects: &mut ObjectWriter) -> Image {
        let mut out = Encoder::new().with_objects(std::mem::take(objects));
        let encoded = encode_serde(self, &mut out);
        let encoded =
            encoded.and_then(|()| self.held.0.as_ref().map_or(Ok(()), |node| node.encode(&mut out)));
        encoded.expect("objects of the tests are small, and hold nothing in circles");
        *objects = out.take_objects();
        out.into_bytes().into()
    }

    pub(crate) fn decode(image: &Image, of: Type) -> Option<Self> {
        Self::decode_with(image, of, &mut nothing())
    }

    pub(crate) fn decode_with(image: &Image, of: Type, objects: &mut ObjectReader) -> Option<Self> {
        let mut input = Decoder::new(&image.0, 16).with_objects(objects);
        let mut object: Self = decode_serde(&mut input).ok()?;
        if of == Type::Holder {
            object.held = Held(Some(Shared::decode(&mut input).ok()?));
        }
        input.finish().ok()?;
        (object.parts.len() == of.parts()).then_some(object)
    }

    /// Without the marks of device methods.
    pub(crate) fn unmarked(&self) -> Self {
        let parts = self.parts.iter().map(Self::unmarked).collect();
        Self { parts, seen: 0, ..self.clone() }
    }

    /// Swaps what travels; skipped fields stay.
    pub(crate) fn exchange(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.numbers, &mut other.numbers);
        std::mem::swap(&mut self.list, &mut other.list);
        std::mem::swap(&mut self.held, &mut other.held);
        self.parts.iter_mut().zip(&mut other.parts).for_each(|(mine, theirs)| mine.exchange(theirs));
    }
}

/// A place: an object of the heap, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) object: usize,
    pub(crate) path: Vec<u16>,
}

/// The objects of one logical thread on one machine, freed in the opposite order.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    objects: Vec<Object>,
}

impl Heap {
    pub(crate) fn allocate(&mut self, object: Object) -> Reference {
        self.objects.push(object);
        Reference { object: self.objects.len() - 1, path: vec![] }
    }

    pub(crate) fn size(&self) -> usize {
        self.objects.len()
    }

    /// The oldest objects.
    pub(crate) fn first(&self, count: usize) -> Vec<Object> {
        self.objects[..count].to_vec()
    }

    pub(crate) fn free_down_to(&mut self, size: usize) {
        self.objects.truncate(size);
    }

    pub(crate) fn at(&self, place: &Reference) -> &Object {
        place.path.iter().fold(&self.objects[place.object], |object, &step| &object.parts[step as usize])
    }

    pub(crate) fn at_mut(&mut self, place: &Reference) -> &mut Object {
        place
            .path
            .iter()
            .fold(&mut self.objects[place.object], |object, &step| &mut object.parts[step as usize])
    }

    /// As `at_mut`, where a peer chose the way.
    pub(crate) fn try_at_mut(&mut self, place: &Reference) -> Option<&mut Object> {
        place.path.iter().try_fold(self.objects.get_mut(place.object)?, |object, &step| {
            object.parts.get_mut(step as usize)
        })
    }
}
