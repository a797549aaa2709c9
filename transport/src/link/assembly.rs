//! Bytes back into frames. Sans-IO.
//!
//! On either lane a frame is its length in four bytes, least first, and its bytes. A length is checked before anything
//! is allocated for it, and memory grows with what has arrived, not with what was announced.

use bytes::{Buf as _, Bytes};

use crate::error::Violation;

/// Size of a length.
pub(crate) const HEADER: usize = 4;
/// Frames up to this size are allocated at once, larger ones in steps.
const FIRST_STEP: usize = 64 << 10;
/// How much faster than the arrived bytes the allocation may grow: four copies nothing on systems that move pages, and
/// costs a third more copying on others.
const GROWTH: usize = 4;

/// The header that goes before a frame.
pub(crate) fn header(size: u32) -> [u8; HEADER] {
    size.to_le_bytes()
}

/// Takes frames out of a stream of bytes.
#[derive(Debug)]
pub(crate) struct Assembly {
    limit: u32,
    header: [u8; HEADER],
    header_bytes: usize,
    body: Vec<u8>,
}

impl Assembly {
    /// One that accepts frames up to `limit` bytes.
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, header: [0; HEADER], header_bytes: 0, body: Vec::new() }
    }

    /// Takes bytes from the front of `input` until a frame is whole or the input is empty.
    pub(crate) fn take(&mut self, input: &mut Bytes) -> Result<Option<Vec<u8>>, Violation> {
        let Some(size) = self.take_header(input)? else { return Ok(None) };
        let size = size as usize;
        let taken = input.len().min(size - self.body.len());
        let arrived = self.body.len() + taken;
        if arrived > self.body.capacity() {
            let capacity = size.min(FIRST_STEP.max(arrived.saturating_mul(GROWTH)));
            self.body.reserve_exact(capacity - self.body.len());
        }
        self.body.extend_from_slice(&input[..taken]);
        input.advance(taken);
        if arrived < size {
            return Ok(None);
        }
        self.header_bytes = 0;
        Ok(Some(std::mem::take(&mut self.body)))
    }

    /// Takes only the length, and tells it once it is there.
    pub(crate) fn take_header(&mut self, input: &mut Bytes) -> Result<Option<u32>, Violation> {
        let taken = input.len().min(HEADER - self.header_bytes);
        self.header[self.header_bytes..][..taken].copy_from_slice(&input[..taken]);
        self.header_bytes += taken;
        input.advance(taken);
        if self.header_bytes < HEADER {
            return Ok(None);
        }
        let size = u32::from_le_bytes(self.header);
        if size > self.limit {
            return Err(Violation::FrameTooLarge { size, limit: self.limit });
        }
        Ok(Some(size))
    }

    /// Bytes still to come of the present header.
    pub(crate) fn header_left(&self) -> usize {
        HEADER - self.header_bytes
    }

    /// Bytes allocated for the present frame.
    #[cfg(test)]
    fn allocated(&self) -> usize {
        self.body.capacity()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(frames: &[Vec<u8>]) -> Vec<u8> {
        let each = |frame: &Vec<u8>| [&header(frame.len() as u32)[..], frame].concat();
        frames.iter().flat_map(each).collect()
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_anything_is_allocated() {
        let mut assembly = Assembly::new(1_000);
        let error = assembly.take(&mut Bytes::from_static(&[0xff; 8])).unwrap_err();
        assert_eq!(error, Violation::FrameTooLarge { size: u32::MAX, limit: 1_000 });
        assert_eq!(assembly.allocated(), 0);
    }

    #[test]
    fn an_announced_frame_takes_memory_only_as_it_arrives() {
        let mut assembly = Assembly::new(u32::MAX);
        assembly.take(&mut Bytes::copy_from_slice(&header(1 << 30))).unwrap();
        assert!(assembly.allocated() <= FIRST_STEP);
        assembly.take(&mut Bytes::from(vec![0; 100_000])).unwrap();
        assert!(assembly.allocated() <= GROWTH * 100_000);
    }

    #[test]
    fn an_empty_frame_is_a_frame() {
        let mut assembly = Assembly::new(0);
        assert_eq!(assembly.take(&mut Bytes::copy_from_slice(&header(0))).unwrap(), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn frames_come_back_however_the_bytes_are_cut(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
            cut in 1_usize..100,
        ) {
            let mut assembly = Assembly::new(200);
            let mut back = Vec::new();
            for piece in encoded(&frames).chunks(cut) {
                let mut piece = Bytes::copy_from_slice(piece);
                while !piece.is_empty() {
                    back.extend(assembly.take(&mut piece).unwrap());
                }
            }
            prop_assert_eq!(back, frames);
        }

        #[test]
        fn no_bytes_make_it_panic_or_deliver_more_than_the_limit(bytes in prop::collection::vec(0_u8..6, 0..500)) {
            let mut assembly = Assembly::new(5);
            let mut input = Bytes::from(bytes);
            while !input.is_empty() {
                match assembly.take(&mut input) {
                    Ok(Some(frame)) => prop_assert!(frame.len() <= 5),
                    Ok(None) => prop_assert!(input.is_empty()),
                    Err(_) => break,
                }
            }
        }
    }
}
