//! What a method's slots and result look like when encoded, and why it may have to stay on the device.

use outboard_wire::{Schema, SchemaBuilder};

use super::codec::Codec;
use super::slots::ExclusiveCodec;
use crate::method::{Descriptor, Passing};

/// Gathers the schema of a method; the generated code tells it each slot and the result.
pub struct MethodSchema<'a> {
    builder: &'a mut SchemaBuilder,
    descriptor: &'a Descriptor,
}

/// Asks a method's generated code for its schema, and says why the method stays on the device, if it must.
pub(crate) fn schema_of(descriptor: &Descriptor) -> (Schema, Option<String>) {
    let schema = Schema::describe(|builder| (descriptor.schema)(&mut MethodSchema { builder, descriptor }));
    let stays = schema.skips.iter().find_map(|skip| {
        let slot = skip.slot.and_then(|slot| descriptor.slots.get(usize::from(slot)));
        match slot.map(|slot| slot.passing) {
            None => Some(format!("its result has the skipped field `{}`", skip.path)),
            Some(Passing::Value) => Some(format!("`{}` is skipped, and passed by value", skip.path)),
            Some(Passing::Shared) => {
                Some(format!("`{}` is skipped, and passed by `&`: pass it by `&mut`", skip.path))
            }
            Some(Passing::Exclusive) if skip.beneath_container => {
                Some(format!("`{}` is skipped, and lies beneath a container", skip.path))
            }
            Some(Passing::Exclusive) => None,
        }
    });
    (schema, stays)
}

impl MethodSchema<'_> {
    /// `T`.
    pub fn value<C: Codec>(&mut self, slot: u16, codec: C) {
        self.slot(slot, |builder| codec.schema(builder));
    }

    /// `&T`.
    pub fn shared<C: Codec>(&mut self, slot: u16, codec: C) {
        self.slot(slot, |builder| codec.schema(builder));
    }

    /// `Option<&T>`.
    pub fn shared_option<C: Codec>(&mut self, slot: u16, codec: C) {
        self.slot(slot, |builder| builder.container("option", |builder| codec.schema(builder)));
    }

    /// `&mut T`.
    pub fn exclusive<T>(&mut self, slot: u16, codec: ExclusiveCodec<T>) {
        self.slot(slot, codec.schema);
    }

    /// `&mut [T]`.
    pub fn exclusive_slice<T>(&mut self, slot: u16, codec: ExclusiveCodec<T>) {
        self.slot(slot, |builder| builder.container("sequence", codec.schema));
    }

    /// `Option<&mut T>`.
    pub fn exclusive_option<T>(&mut self, slot: u16, codec: ExclusiveCodec<T>) {
        self.slot(slot, |builder| builder.container("option", codec.schema));
    }

    /// The result.
    pub fn result<C: Codec>(&mut self, codec: C) {
        self.builder.field("result", |builder| codec.schema(builder));
    }

    fn slot(&mut self, slot: u16, part: impl FnOnce(&mut SchemaBuilder)) {
        let info = self.descriptor.slots.get(usize::from(slot));
        let name = info.map_or("?", |slot| slot.name);
        self.builder.slot(name, part);
    }
}
