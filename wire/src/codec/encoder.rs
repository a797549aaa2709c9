//! The writing side.

use outboard_core::ByteCount;

use super::output::Output;
use super::{DEFAULT_DEPTH, EncodeError};
use crate::frame::Image;
use crate::objects::ObjectWriter;

/// Grows an encoding, within a budget.
#[derive(Debug)]
pub struct Encoder {
    pub(crate) bytes: Output,
    /// Of `bytes`; what is written beside them is taken off.
    pub(crate) budget: usize,
    pub(crate) depth: u16,
    /// Where shared objects are written, beside `bytes`.
    pub(crate) objects: Option<Box<ObjectWriter>>,
}

impl Encoder {
    /// Without a budget.
    pub fn new() -> Self {
        Self { bytes: Output::default(), budget: usize::MAX, depth: DEFAULT_DEPTH, objects: None }
    }

    /// Stops with [`EncodeError::OverBudget`] before it grows past `budget`.
    pub fn with_budget(budget: ByteCount) -> Self {
        let budget = usize::try_from(budget.as_bytes()).unwrap_or(usize::MAX);
        Self { budget, ..Self::new() }
    }

    /// Stops with [`EncodeError::TooDeep`] at this nesting: a list of a million boxes must not overflow the stack of a
    /// program that walks it in a loop.
    #[must_use]
    pub fn with_depth(self, depth: u16) -> Self {
        Self { depth, ..self }
    }

    /// What will be written is likely to be what `base` has: as long as it is, it is compared and not copied.
    #[must_use]
    pub fn with_base(self, base: &Image) -> Self {
        Self { bytes: Output::like(base.0.clone()), ..self }
    }

    /// How much was written.
    pub fn size(&self) -> ByteCount {
        ByteCount::from_bytes(self.bytes.len() as u64)
    }

    /// What is left of the budget.
    pub fn left(&self) -> ByteCount {
        ByteCount::from_bytes((self.budget - self.bytes.len()) as u64)
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// What was written, to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_vec()
    }

    /// What was written, to keep; the base itself if it is the same.
    pub fn into_image(self) -> Image {
        Image(self.bytes.into_bytes())
    }

    /// Writes bytes as they are.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.check(bytes.len())?;
        self.bytes.extend(bytes);
        Ok(())
    }

    /// Writes the length of a sequence, a map or a text.
    #[inline]
    pub fn write_length(&mut self, length: usize) -> Result<(), EncodeError> {
        self.write(&(length as u64).to_le_bytes())
    }

    /// Writes which variant of an enum follows.
    #[inline]
    pub fn write_variant(&mut self, variant: u32) -> Result<(), EncodeError> {
        self.write(&variant.to_le_bytes())
    }

    /// Writes what lies one level deeper: the inside of a container that a type can contain itself through.
    #[inline]
    pub fn nested<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, EncodeError>,
    ) -> Result<T, EncodeError> {
        self.descend()?;
        let done = inside(self);
        self.ascend();
        done
    }

    #[inline]
    pub(super) fn descend(&mut self) -> Result<(), EncodeError> {
        self.depth = self.depth.checked_sub(1).ok_or(EncodeError::TooDeep)?;
        Ok(())
    }

    #[inline]
    pub(super) fn ascend(&mut self) {
        self.depth += 1;
    }

    /// Writes numbers that take `WIDTH` bytes each.
    pub(crate) fn write_numbers<T: Copy, const WIDTH: usize>(
        &mut self,
        values: &[T],
        to_bytes: impl Fn(T) -> [u8; WIDTH],
    ) -> Result<(), EncodeError> {
        let size = values.len().saturating_mul(WIDTH);
        self.check(size)?;
        match self.bytes.own() {
            // Asked for each block, it would show: a tenth of the copy.
            Some(own) => {
                own.reserve(size);
                in_blocks(values, to_bytes, |block| own.extend_from_slice(block));
            }
            None => in_blocks(values, to_bytes, |block| self.bytes.extend(block)),
        }
        Ok(())
    }

    #[inline]
    fn check(&self, more: usize) -> Result<(), EncodeError> {
        if more > self.budget - self.bytes.len() {
            return Err(EncodeError::OverBudget { budget: ByteCount::from_bytes(self.budget as u64) });
        }
        Ok(())
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Numbers as bytes, block by block.
fn in_blocks<T: Copy, const WIDTH: usize>(
    values: &[T],
    to_bytes: impl Fn(T) -> [u8; WIDTH],
    mut write: impl FnMut(&[u8]),
) {
    /// Stays in the first-level cache, so that the detour over it costs little beside the copy itself.
    const BLOCK: usize = 4096;
    let mut block = [0; BLOCK];
    for part in values.chunks(BLOCK / WIDTH) {
        let (slots, _) = block.as_chunks_mut::<WIDTH>();
        for (slot, value) in slots.iter_mut().zip(part) {
            *slot = to_bytes(*value);
        }
        write(&block[..part.len() * WIDTH]);
    }
}
