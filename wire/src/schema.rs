//! What an encoding looks like, so that two builds can tell before a call whether they understand each other.
//!
//! A schema is a text that names shapes, fields and variants in the order in which they are encoded; its hash travels. Type
//! names do not count, as they do not change an encoding, unless nothing else is known about a type. Skipped fields do
//! not count either; they are listed, because a method that has them at the wrong place stays on the device.

mod trace;

use std::any::{TypeId, type_name};
use std::collections::BTreeMap;

use outboard_core::SchemaHash;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use crate::state::State;

/// What an encoding looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schema {
    /// Equal where the encodings agree.
    pub hash: SchemaHash,
    /// What the hash is of: compare two of them to see what differs.
    pub text: String,
    /// Fields that are not encoded and hold what belongs to the device.
    pub skips: Vec<SkippedField>,
    /// Parts that are known by their type's name alone: a change within them does not show.
    pub opaque: Vec<OpaquePart>,
    /// Collections that are encoded in another order each time they were decoded, which leaves deltas little to say.
    /// Those within types that have serde's traits alone are not known.
    pub unordered: Vec<UnorderedPart>,
    /// Whether there are shared objects in it.
    pub shares: bool,
}

/// A field that is not encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedField {
    /// The slot that it is in, if the schema is of several.
    pub slot: Option<u16>,
    /// The way to it, as a programmer would write it: `self.faces[].window`.
    pub path: String,
    /// Whether the way leads through a container, so that the field has no fixed place.
    pub beneath_container: bool,
}

/// A part of which nothing but the type's name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpaquePart {
    /// The slot that it is in, if the schema is of several.
    pub slot: Option<u16>,
    /// The way to it.
    pub path: String,
    /// Its type.
    pub type_name: String,
}

/// A collection without an order of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnorderedPart {
    /// The slot that it is in, if the schema is of several.
    pub slot: Option<u16>,
    /// The way to it.
    pub path: String,
}

impl Schema {
    /// Of a type.
    pub fn of<T: State>() -> Self {
        Self::describe(T::schema)
    }

    /// Of what `describe` describes: a method's slots and result, say.
    pub fn describe(describe: impl FnOnce(&mut SchemaBuilder)) -> Self {
        let mut builder = SchemaBuilder::default();
        describe(&mut builder);
        Self {
            hash: SchemaHash(xxh3_64(builder.text.as_bytes())),
            text: builder.text,
            skips: builder.skips,
            opaque: builder.opaque,
            unordered: builder.unordered,
            shares: builder.shares,
        }
    }

    /// The skipped fields that have no fixed place.
    pub fn skips_beneath_containers(&self) -> impl Iterator<Item = &SkippedField> {
        self.skips.iter().filter(|skip| skip.beneath_container)
    }
}

/// Gathers a schema. What it is told is what is encoded, in the order of the encoding.
#[derive(Debug, Default)]
pub struct SchemaBuilder {
    text: String,
    path: String,
    slots: u16,
    slot: Option<u16>,
    beneath_container: bool,
    /// Types that were described, once for each way in which their skipped fields are judged; a later use refers to
    /// the first. This ends recursion and keeps types that use each other often from growing without bound.
    known: BTreeMap<(TypeId, bool, Option<u16>), usize>,
    skips: Vec<SkippedField>,
    opaque: Vec<OpaquePart>,
    unordered: Vec<UnorderedPart>,
    shares: bool,
}

impl SchemaBuilder {
    /// A slot of a method, or its result.
    pub fn slot(&mut self, name: &str, part: impl FnOnce(&mut Self)) {
        self.slot = Some(self.slots);
        self.slots = self.slots.saturating_add(1);
        self.field(name, part);
        self.slot = None;
    }

    /// A value without parts. The name is that of its encoding.
    pub fn leaf(&mut self, name: &str) {
        self.text.push_str(name);
    }

    /// A value whose parts are not always at the same place in memory: on the heap, or not always there.
    pub fn container(&mut self, name: &str, part: impl FnOnce(&mut Self)) {
        self.text.push_str(name);
        self.within("[]", '<', '>', true, part);
    }

    /// A [`container`](Self::container) without an order of its own. It is encoded as one with an order is.
    pub fn unordered(&mut self, name: &str, part: impl FnOnce(&mut Self)) {
        self.unordered.push(UnorderedPart { slot: self.slot, path: self.path.clone() });
        self.container(name, part);
    }

    /// A shared object, written beside; what refers to it has its number.
    pub fn shared(&mut self, part: impl FnOnce(&mut Self)) {
        self.shares = true;
        self.container("shared", part);
    }

    /// So many values one after the other.
    pub fn array(&mut self, length: usize, part: impl FnOnce(&mut Self)) {
        self.text.push_str(&length.to_string());
        self.within("[]", '[', ']', false, part);
    }

    /// A type with fields: tell [`field`](Self::field) and [`skipped`](Self::skipped).
    pub fn structure<T: 'static>(&mut self, fields: impl FnOnce(&mut Self)) {
        if self.is_new::<T>(self.beneath_container) {
            self.within("", '{', '}', false, fields);
        }
    }

    /// A field of a structure or a variant.
    pub fn field(&mut self, name: &str, part: impl FnOnce(&mut Self)) {
        self.text.push_str(&format!("{name:?}:"));
        let outer = self.path.len();
        self.enter(name);
        part(self);
        self.path.truncate(outer);
        self.text.push(',');
    }

    /// A field that is not encoded.
    pub fn skipped(&mut self, name: &str) {
        let outer = self.path.len();
        self.enter(name);
        self.skips.push(SkippedField {
            slot: self.slot,
            path: self.path.clone(),
            beneath_container: self.beneath_container,
        });
        self.path.truncate(outer);
    }

    /// A type with variants: tell [`variant`](Self::variant). Their fields are no fixed places.
    pub fn choice<T: 'static>(&mut self, variants: impl FnOnce(&mut Self)) {
        // Its fields are no fixed places wherever it is.
        if self.is_new::<T>(true) {
            self.within("", '(', ')', true, variants);
        }
    }

    /// A variant of a choice; variants are numbered in the order in which they are told.
    pub fn variant(&mut self, name: &str, fields: impl FnOnce(&mut Self)) {
        self.text.push_str(&format!("{name:?}"));
        let outer = self.path.len();
        self.enter(name);
        self.within("", '{', '}', true, fields);
        self.path.truncate(outer);
        self.text.push(',');
    }

    /// A value of which nothing but the type's name is known.
    pub fn opaque(&mut self, type_name: &str) {
        self.text.push_str(&format!("opaque {type_name:?}"));
        self.opaque.push(OpaquePart {
            slot: self.slot,
            path: self.path.clone(),
            type_name: type_name.to_owned(),
        });
    }

    /// A value that has serde's traits alone: what its `Deserialize` asks for, or else opaque.
    pub fn serde<T: DeserializeOwned + 'static>(&mut self) {
        match trace::shape_of::<T>() {
            Some(shape) => self.text.push_str(&format!("serde {shape:?}")),
            None => self.opaque(type_name::<T>()),
        }
    }

    fn within(&mut self, step: &str, open: char, close: char, container: bool, part: impl FnOnce(&mut Self)) {
        let (outer, beneath) = (self.path.len(), self.beneath_container);
        self.path.push_str(step);
        self.beneath_container |= container;
        self.text.push(open);
        part(self);
        self.text.push(close);
        self.beneath_container = beneath;
        self.path.truncate(outer);
    }

    fn enter(&mut self, name: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }

    /// Whether the type is to be described now; if not, refers to where it was.
    fn is_new<T: 'static>(&mut self, beneath_container: bool) -> bool {
        let next = self.known.len();
        let key = (TypeId::of::<T>(), beneath_container, self.slot);
        let number = *self.known.entry(key).or_insert(next);
        if number < next {
            self.text.push_str(&format!("#{number}"));
        }
        number == next
    }
}

#[cfg(test)]
mod tests;
