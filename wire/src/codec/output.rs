//! Where an encoding is written: compared with what is there already, as long as it is the same.

use bytes::Bytes;

/// What was written: the front of the base as long as nothing else came, bytes of its own from then on.
#[derive(Debug, Default)]
pub(crate) struct Output {
    own: Vec<u8>,
    /// Empty once something else was written.
    base: Bytes,
    /// So much of the base was written.
    agreed: usize,
}

impl Output {
    /// For what is likely to be the same.
    pub(super) fn like(base: Bytes) -> Self {
        Self { base, ..Self::default() }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        // One of them is zero.
        self.own.len() + self.agreed
    }

    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.base.is_empty() {
            self.own.extend_from_slice(bytes);
        } else if self.base[self.agreed..].starts_with(bytes) {
            self.agreed += bytes.len();
        } else {
            self.part(bytes);
        }
    }

    /// Where to write if there is nothing to compare with.
    #[inline]
    pub(super) fn own(&mut self) -> Option<&mut Vec<u8>> {
        self.base.is_empty().then_some(&mut self.own)
    }

    /// The first bytes that are not those of the base.
    #[cold]
    fn part(&mut self, bytes: &[u8]) {
        let base = std::mem::take(&mut self.base);
        let agreed = std::mem::take(&mut self.agreed);
        // It is as long as the base was, as a rule, or a little longer; otherwise it would be copied as it grows.
        let likely = base.len() + base.len() / 16;
        self.own.reserve_exact(likely.max(agreed + bytes.len()));
        self.own.extend_from_slice(&base[..agreed]);
        self.own.extend_from_slice(bytes);
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        if self.base.is_empty() { &self.own } else { &self.base[..self.agreed] }
    }

    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        if !self.base.is_empty() {
            return self.base[..self.agreed].to_vec();
        }
        // What is kept is counted by its length: it must not hold the space of a base that was far longer.
        if self.own.capacity() / 2 > self.own.len() {
            self.own.shrink_to_fit();
        }
        self.own
    }

    /// The base itself if nothing else was written; a part of it must not hold the whole.
    pub(super) fn into_bytes(self) -> Bytes {
        if !self.base.is_empty() && self.agreed == self.base.len() {
            self.base
        } else {
            self.into_vec().into()
        }
    }
}
