//! The writing side.

use std::collections::BTreeMap;
use std::sync::Arc;

use outboard_core::ByteCount;

use super::{AS_IT_WAS, Known, Object, Objects, WHOLE};
use crate::codec::{EncodeError, Encoder};

/// Gathers the objects that the slots of a call, or the parts of its reply, lead to. One encoder after the other has it.
#[derive(Default)]
pub struct ObjectWriter {
    entries: Vec<Entry>,
    numbers: BTreeMap<usize, u32>,
    /// How many of the entries went with the call that is replied to.
    known: usize,
    /// Objects are told by where they are, and not written.
    comparing: bool,
}

struct Entry {
    known: Known,
    contents: Written,
}

/// How far an object was written.
enum Written {
    /// Not met yet.
    No,
    /// Something within it is being written.
    Open,
    /// The peer has it as it is.
    AsItWas,
    /// All of it.
    Whole(Vec<u8>),
}

impl ObjectWriter {
    /// For the slots of a call.
    pub fn call() -> Self {
        Self::default()
    }

    /// For the reply to a call that these objects went with.
    pub fn reply(objects: &Objects) -> Self {
        let entries = objects.0.iter().map(|known| Entry { known: known.clone(), contents: Written::No });
        let numbers = objects.0.iter().zip(0..).map(|(known, number)| (known.object.address(), number));
        Self {
            entries: entries.collect(),
            numbers: numbers.collect(),
            known: objects.0.len(),
            comparing: false,
        }
    }

    /// For encodings that are only compared with each other, in this process: an object is the same where its address is,
    /// whatever it holds.
    pub fn comparing() -> Self {
        Self { comparing: true, ..Self::default() }
    }

    /// The number of an object, and whether it is to be written now.
    fn meet<O: Object>(&mut self, object: &Arc<O>) -> Result<(u32, bool), EncodeError> {
        let next = u32::try_from(self.entries.len()).map_err(|_| EncodeError::TooDeep)?;
        let number = *self.numbers.entry(object.address()).or_insert(next);
        if number == next {
            let object: Arc<dyn Object> = Arc::<O>::clone(object);
            self.entries.push(Entry { known: Known { object, changes: 0 }, contents: Written::No });
        }
        match self.entries[number as usize].contents {
            Written::No => Ok((number, true)),
            Written::Open => Err(EncodeError::Cycle),
            Written::AsItWas | Written::Whole(_) => Ok((number, false)),
        }
    }

    /// The objects as they travel, if there is anything to tell of them, and their list for what follows.
    ///
    /// # Errors
    /// When an object that went with the call, and that the reply does not lead to, cannot be encoded.
    pub fn finish(mut self, budget: ByteCount) -> Result<(Option<Vec<u8>>, Objects), EncodeError> {
        for number in 0..self.known {
            if matches!(self.entries[number].contents, Written::No) {
                let mut out = Encoder::with_budget(budget).with_objects(self);
                out.write_contents(number as u32)?;
                self = out.take_objects();
            }
        }
        let is_news = |entry: &Entry| matches!(entry.contents, Written::Whole(_));
        let image = self.entries.iter().any(is_news).then(|| self.image()).transpose()?;
        Ok((image, Objects(self.entries.into_iter().map(|entry| entry.known).collect())))
    }

    fn image(&self) -> Result<Vec<u8>, EncodeError> {
        // The budget was charged when the contents were written.
        let mut out = Encoder::new();
        out.write_length(self.entries.len())?;
        for entry in &self.entries {
            match &entry.contents {
                Written::Whole(contents) => {
                    out.write(&[WHOLE])?;
                    out.write_length(contents.len())?;
                    out.write(contents)?;
                }
                _ => out.write(&[AS_IT_WAS])?,
            }
        }
        Ok(out.into_bytes())
    }
}

impl Encoder {
    /// Lets shared objects be encoded.
    #[must_use]
    pub fn with_objects(self, objects: ObjectWriter) -> Self {
        Self { objects: Some(Box::new(objects)), ..self }
    }

    /// Hands the objects on, to the next encoder.
    pub fn take_objects(&mut self) -> ObjectWriter {
        self.objects.take().map(|objects| *objects).unwrap_or_default()
    }

    /// Refers to an object; the first time, writes it beside.
    pub(crate) fn write_object(&mut self, object: &Arc<impl Object>) -> Result<(), EncodeError> {
        let objects = self.objects.as_mut().ok_or(EncodeError::NoObjects)?;
        if objects.comparing {
            return self.write(&object.address().to_le_bytes());
        }
        let (number, is_new) = objects.meet(object)?;
        self.write(&number.to_le_bytes())?;
        if is_new { self.write_contents(number) } else { Ok(()) }
    }

    fn write_contents(&mut self, number: u32) -> Result<(), EncodeError> {
        let Some(objects) = &mut self.objects else { return Err(EncodeError::NoObjects) };
        let is_known = (number as usize) < objects.known;
        let entry = &mut objects.entries[number as usize];
        let object = Arc::clone(&entry.known.object);
        let held = object.try_hold().ok_or(EncodeError::Locked)?;
        if is_known && held.changes() == entry.known.changes {
            entry.contents = Written::AsItWas;
            return Ok(());
        }
        entry.known.changes = held.changes();
        entry.contents = Written::Open;
        let outer = std::mem::take(&mut self.bytes);
        self.budget -= outer.len();
        let written = self.nested(|out| held.encode(out));
        let contents = std::mem::replace(&mut self.bytes, outer);
        // What is beside counts too.
        self.budget = (self.budget - contents.len()) + self.bytes.len();
        written?;
        if let Some(objects) = &mut self.objects {
            objects.entries[number as usize].contents = Written::Whole(contents.into_vec());
        }
        Ok(())
    }
}

impl std::fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ObjectWriter({})", self.entries.len())
    }
}
