//! Bytes as a list of choices.

use std::time::Duration;

use outboard_core::Timestamp;
use outboard_wire::frame::VERSION;

/// Choices that are left. When they run out every choice is the first one, and [`Script::is_over`].
pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                byte
            }
            None => 0,
        }
    }

    /// Less than `bound`, which is at least one.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let wide = u16::from_le_bytes([self.byte(), if bound > 256 { self.byte() } else { 0 }]);
        usize::from(wide) % bound
    }

    /// One of them.
    pub(crate) fn one_of<'b, T>(&mut self, choices: &'b [T]) -> Option<&'b T> {
        if choices.is_empty() { None } else { choices.get(self.below(choices.len())) }
    }

    /// As many bytes as are left, up to a number that is chosen.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    /// From a millisecond to some minutes later.
    pub(crate) fn later(&mut self, now: Timestamp) -> Timestamp {
        now + Duration::from_millis(1 << (self.byte() % 19))
    }

    /// A frame as it was sent, as it was sent but for some changes, or nobody's frame.
    pub(crate) fn frame(&mut self, honest: &[Vec<u8>]) -> Vec<u8> {
        let choice = self.byte() % 8;
        if choice == 7 {
            return self.bytes().to_vec();
        }
        let mut frame = match choice {
            6 => [&[VERSION], self.bytes()].concat(),
            _ => self.one_of(honest).cloned().unwrap_or_default(),
        };
        for _ in 0..choice.saturating_sub(2) {
            self.change(&mut frame);
        }
        frame
    }

    fn change(&mut self, frame: &mut Vec<u8>) {
        let at = self.below(frame.len() + 1);
        match self.byte() % 4 {
            0 => frame.truncate(at),
            1 => frame.splice(at..at, self.bytes().iter().copied()).for_each(drop),
            _ => {
                let byte = self.byte();
                if let Some(place) = frame.get_mut(at) {
                    *place = byte;
                }
            }
        }
    }
}
