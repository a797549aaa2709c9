//! The reading side: every claim of the input is checked before it costs anything.

use outboard_core::ByteCount;

use super::DecodeError;
use crate::objects::ObjectReader;

/// How much memory a byte of input may become. `Vec<Option<f64>>` full of `None` reaches 16 bytes for one.
const MEMORY_PER_BYTE: usize = 32;

/// Memory that even the smallest input may become: sequences of things that take no bytes are counted against it too.
const FREE_MEMORY: usize = 16 << 20;

/// Reads an encoding.
#[derive(Debug)]
pub struct Decoder<'a> {
    pub(crate) rest: &'a [u8],
    pub(crate) depth: u16,
    pub(crate) allowance: usize,
    /// Shared objects that the input may refer to.
    pub(crate) objects: Option<&'a mut ObjectReader>,
    /// Whether the input is the contents of one, and the allowance that of all of them.
    pub(crate) in_object: bool,
}

impl<'a> Decoder<'a> {
    /// Of `bytes`, nested at most `depth` deep.
    pub fn new(bytes: &'a [u8], depth: u16) -> Self {
        let allowance = bytes.len().saturating_mul(MEMORY_PER_BYTE).max(FREE_MEMORY);
        Self { rest: bytes, depth, allowance, objects: None, in_object: false }
    }

    /// Bounds the memory that elements of containers may take. By default 32 times the input, and at least 16 MiB.
    #[must_use]
    pub fn with_allowance(self, allowance: ByteCount) -> Self {
        Self { allowance: usize::try_from(allowance.as_bytes()).unwrap_or(usize::MAX), ..self }
    }

    /// How much is left to read.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Ends the reading; bytes that are left are an error.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing { left: left as u64 }),
        }
    }

    /// Reads bytes as they are.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.truncated(count)),
        }
    }

    /// Reads a fixed number of bytes.
    #[inline]
    pub fn take_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(self.truncated(N)),
        }
    }

    /// Reads the length of a sequence, a map or a text. It is a claim: [`take`](Self::take) or
    /// [`claim`](Self::claim) it before anything is allocated for it.
    #[inline]
    pub fn read_length(&mut self) -> Result<usize, DecodeError> {
        let length = u64::from_le_bytes(self.take_array()?);
        usize::try_from(length).map_err(|_| DecodeError::OutOfRange(length.into()))
    }

    /// Reads which variant of an enum follows.
    #[inline]
    pub fn read_variant(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.take_array()?))
    }

    /// Reads a truth value.
    #[inline]
    pub fn read_bool(&mut self) -> Result<bool, DecodeError> {
        match self.take_array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [byte] => Err(DecodeError::Bool(byte)),
        }
    }

    /// Reads a character: its UTF-8 form without a length.
    pub fn read_char(&mut self) -> Result<char, DecodeError> {
        let first = *self.rest.first().ok_or_else(|| self.truncated(1))?;
        // A continuation byte or an invalid one counts as one byte here, and fails as text below.
        let width = match first {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 1,
        };
        let text = std::str::from_utf8(self.take(width)?).map_err(|_| DecodeError::Char)?;
        text.chars().next().ok_or(DecodeError::Char)
    }

    /// Reads a text with its length.
    pub fn read_str(&mut self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.read_bytes()?).map_err(|_| DecodeError::Text)
    }

    /// Reads bytes with their length.
    pub fn read_bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.read_length()?;
        self.take(length)
    }

    /// Accounts for `count` elements that take `each` bytes of memory, before they are decoded. Elements without size
    /// count as a byte, so that a claim of many of them cannot keep a thread busy.
    #[inline]
    pub fn claim(&mut self, count: usize, each: usize) -> Result<(), DecodeError> {
        let left = count.checked_mul(each.max(1)).and_then(|memory| self.allowance.checked_sub(memory));
        self.allowance = left.ok_or(DecodeError::TooLarge { count: count as u64, each: each as u64 })?;
        Ok(())
    }

    /// Reads what lies one level deeper: the inside of a container that a type can contain itself through.
    #[inline]
    pub fn nested<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.depth = self.depth.checked_sub(1).ok_or(DecodeError::TooDeep)?;
        let done = inside(self);
        self.depth += 1;
        done
    }

    /// Reads numbers that take `WIDTH` bytes each.
    pub(crate) fn read_numbers<T, const WIDTH: usize>(
        &mut self,
        count: usize,
        from_bytes: impl Fn([u8; WIDTH]) -> T,
    ) -> Result<Vec<T>, DecodeError> {
        // Saturation asks for more than there is, which is the right answer.
        let (chunks, _) = self.take(count.saturating_mul(WIDTH))?.as_chunks();
        Ok(chunks.iter().map(|chunk| from_bytes(*chunk)).collect())
    }

    #[cold]
    fn truncated(&self, needed: usize) -> DecodeError {
        DecodeError::Truncated { needed: needed as u64, left: self.rest.len() as u64 }
    }
}
