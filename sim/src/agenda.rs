//! What is going to happen, in the order of time.

use std::collections::BTreeMap;

use outboard_core::Timestamp;

/// Things that are due at a time, in its order; what is due at the same time comes in the order in which it was put in.
///
/// So a run does not depend on how a heap or a hash happens to order equal keys.
#[derive(Clone, Debug)]
pub struct Agenda<T> {
    entries: BTreeMap<(Timestamp, u64), T>,
    entered: u64,
}

impl<T> Agenda<T> {
    /// Nothing is due.
    pub fn new() -> Self {
        Self { entries: BTreeMap::new(), entered: 0 }
    }

    /// Something is due then.
    pub fn enter(&mut self, due: Timestamp, what: T) {
        self.entries.insert((due, self.entered), what);
        self.entered += 1;
    }

    /// When the first thing is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.entries.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes out the first thing that is due by then.
    pub fn take(&mut self, by: Timestamp) -> Option<(Timestamp, T)> {
        let first = self.entries.first_entry().filter(|entry| entry.key().0 <= by)?;
        let ((due, _), what) = first.remove_entry();
        Some((due, what))
    }

    /// How many things are due.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is due.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_comes_first_and_then_who_was_first() {
        let mut agenda = Agenda::new();
        let at = Timestamp::from_nanos;
        for (due, what) in [(5, "late"), (3, "first"), (3, "second"), (4, "then")] {
            agenda.enter(at(due), what);
        }
        assert_eq!((agenda.next(), agenda.len()), (Some(at(3)), 4));
        let order: Vec<_> = std::iter::from_fn(|| agenda.take(at(4))).collect();
        assert_eq!(order, [(at(3), "first"), (at(3), "second"), (at(4), "then")]);
        assert_eq!(agenda.take(at(5)), Some((at(5), "late")));
        assert!(agenda.is_empty());
    }
}
