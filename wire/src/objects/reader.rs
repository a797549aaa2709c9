//! The reading side.

use std::sync::Arc;

use bytes::Bytes;

use super::{AS_IT_WAS, Allocation, Known, Object, Objects, Staged, WHOLE};
use crate::codec::{DecodeError, Decoder};
use crate::shared::Contents;
use crate::state::State;

/// Holds the objects that the slots of a call, or the parts of its reply, refer to. Every decoder of them borrows it.
///
/// An object is decoded when the first reference to it is met, since only that knows its type.
pub struct ObjectReader {
    entries: Vec<Entry>,
    /// The objects that went with the call, and what the reply makes of them.
    known: Objects,
    news: Vec<Option<Bytes>>,
    depth: u16,
    /// Memory that all objects together may become.
    allowance: usize,
}

enum Entry {
    Encoded(Bytes),
    /// Something within it is being decoded.
    Open,
    Here(Arc<dyn Object>),
}

impl ObjectReader {
    /// For the slots of a call. The image is what [`ObjectWriter`](super::ObjectWriter) made, if it made one.
    ///
    /// # Errors
    /// When the image is malformed.
    pub fn call(image: Option<Bytes>, depth: u16) -> Result<Self, DecodeError> {
        Self::reply(image, Objects::default(), depth)
    }

    /// For the reply to a call that these objects went with.
    ///
    /// # Errors
    /// When the image is malformed.
    pub fn reply(image: Option<Bytes>, known: Objects, depth: u16) -> Result<Self, DecodeError> {
        let image = image.unwrap_or_default();
        let mut input = Decoder::new(&image, depth);
        let allowance = input.allowance;
        let entries = known.0.iter().map(|known| Entry::Here(Arc::clone(&known.object))).collect();
        let mut reader = Self { entries, news: vec![None; known.0.len()], known, depth, allowance };
        if image.is_empty() {
            return Ok(reader);
        }
        let count = input.read_length()?;
        if count < reader.known.0.len() {
            return Err(DecodeError::Objects { expected: reader.known.0.len() as u64, found: count as u64 });
        }
        for number in 0..count {
            let contents = match input.take_array()? {
                [AS_IT_WAS] => None,
                [WHOLE] => Some(image.slice_ref(input.read_bytes()?)),
                [tag] => return Err(DecodeError::Variant { of: "Shared", variant: tag.into() }),
            };
            match (reader.news.get_mut(number), contents) {
                (Some(news), contents) => *news = contents,
                (None, Some(contents)) => reader.entries.push(Entry::Encoded(contents)),
                (None, None) => return Err(DecodeError::UnknownObject(number as u64)),
            }
        }
        input.finish()?;
        Ok(reader)
    }

    /// Decodes what the reply makes of the objects that went with the call, and checks that every object was met.
    ///
    /// # Errors
    /// When one cannot be decoded, or nothing refers to it.
    pub fn finish(mut self) -> Result<(Objects, Staged), DecodeError> {
        let mut values = Vec::with_capacity(self.news.len());
        for (number, news) in std::mem::take(&mut self.news).into_iter().enumerate() {
            let object = Arc::clone(&self.known.0[number].object);
            let stage = |bytes: Bytes| {
                let depth = self.depth;
                self.within(&bytes, depth, |input| object.stage(input))
            };
            values.push(news.map(stage).transpose()?);
        }
        let mut objects = Vec::with_capacity(self.entries.len());
        for (number, entry) in self.entries.into_iter().enumerate() {
            // One that is new here was not lent out to anybody yet.
            let changes = self.known.0.get(number).map_or(0, |known| known.changes);
            match entry {
                Entry::Here(object) => objects.push(Known { object, changes }),
                Entry::Open | Entry::Encoded(_) => return Err(DecodeError::UnusedObject(number as u64)),
            }
        }
        Ok((Objects(objects), Staged { objects: self.known, values }))
    }

    /// Decodes all of `bytes`, on the allowance that all objects share.
    fn within<T>(
        &mut self,
        bytes: &[u8],
        depth: u16,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let allowance = self.allowance;
        let mut input = Decoder { rest: bytes, depth, allowance, in_object: true, objects: Some(self) };
        let value = decode(&mut input)?;
        let left = (input.allowance, input.remaining());
        self.allowance = left.0;
        match left.1 {
            0 => Ok(value),
            left => Err(DecodeError::Trailing { left: left as u64 }),
        }
    }
}

impl<'a> Decoder<'a> {
    /// Lets references to shared objects be decoded.
    #[must_use]
    pub fn with_objects(self, objects: &'a mut ObjectReader) -> Self {
        Self { objects: Some(objects), ..self }
    }

    /// Follows a reference to an object; the first time, decodes it.
    pub(crate) fn read_object<T: State + Send>(&mut self) -> Result<Arc<Allocation<T>>, DecodeError> {
        let number = u32::from_le_bytes(self.take_array()?);
        let depth = self.depth.checked_sub(1).ok_or(DecodeError::TooDeep)?;
        let reader = self.objects.as_deref_mut().ok_or(DecodeError::NoObjects)?;
        let entry =
            reader.entries.get_mut(number as usize).ok_or(DecodeError::UnknownObject(number.into()))?;
        let bytes = match std::mem::replace(entry, Entry::Open) {
            Entry::Encoded(bytes) => bytes,
            Entry::Open => return Err(DecodeError::Cycle),
            Entry::Here(object) => {
                *entry = Entry::Here(Arc::clone(&object));
                return object.into_any().downcast().map_err(|_| DecodeError::ObjectType {
                    number: number.into(),
                    expected: std::any::type_name::<T>(),
                });
            }
        };
        if self.in_object {
            reader.allowance = self.allowance;
        }
        let value = reader.within(&bytes, depth, |input| {
            input.claim(1, size_of::<Allocation<T>>())?;
            T::decode(input)
        })?;
        if self.in_object {
            self.allowance = reader.allowance;
        }
        let object = Arc::new(Allocation(std::sync::Mutex::new(Contents { value, changes: 0 })));
        reader.entries[number as usize] = Entry::Here(Arc::<Allocation<T>>::clone(&object));
        Ok(object)
    }
}

impl std::fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ObjectReader({})", self.entries.len())
    }
}
