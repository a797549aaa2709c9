//! What the device itself did once, in call-backs of an attempt that may be given up.

use std::collections::BTreeMap;

use outboard_core::ByteCount;
use outboard_wire::frame::{AnswerImage, Failure, Inner};

/// Most bytes of results and slots that a call's log holds. What is over is not found again: the call it was of ends as
/// *may have run*.
const MOST: ByteCount = ByteCount::from_bytes(16 << 20);

/// How such a call ended.
pub(crate) type Outcome = Result<AnswerImage, Failure>;

/// The calls of one root that may run once only and that ran on the device.
#[derive(Debug, Default)]
pub(crate) struct Log {
    records: BTreeMap<u32, Record>,
    bytes: ByteCount,
    /// From this number on, calls may have had the number of another one: none can be said not to have run.
    torn: Option<u32>,
}

#[derive(Debug)]
struct Record {
    inner: Inner,
    /// `None`: it was cut off, or is forgotten.
    outcome: Option<Outcome>,
}

/// What the log says of a call.
#[derive(Debug)]
pub(crate) enum Search {
    /// It ran here.
    Found(Outcome),
    /// It may have.
    Doubt,
    /// It did not run here.
    Missing,
}

impl Log {
    /// A call begins.
    pub(crate) fn begin(&mut self, inner: Inner) {
        if self.records.insert(inner.sequence, Record { inner, outcome: None }).is_some() {
            self.tear(inner.sequence);
        }
    }

    /// A number was taken while somebody else counted too.
    pub(crate) fn tear(&mut self, from: u32) {
        self.torn = Some(self.torn.map_or(from, |torn| torn.min(from)));
    }

    /// It was not run after all.
    pub(crate) fn take_back(&mut self, inner: Inner) {
        self.records.remove(&inner.sequence);
    }

    /// It has ended.
    pub(crate) fn end(&mut self, inner: Inner, outcome: Outcome) {
        let size = match &outcome {
            Ok(answer) => {
                let exclusive = answer.exclusive.iter().map(|slot| slot.size());
                exclusive.fold(answer.result.size(), |sum, size| sum + size)
            }
            Err(_) => ByteCount::ZERO,
        };
        if self.bytes + size > MOST {
            return;
        }
        if let Some(record) = self.records.get_mut(&inner.sequence).filter(|record| record.inner == inner) {
            self.bytes += size;
            record.outcome = Some(outcome);
        }
    }

    /// Looks for a call.
    pub(crate) fn find(&self, inner: Inner) -> Search {
        match self.records.get(&inner.sequence) {
            Some(Record { inner: found, outcome: Some(outcome) }) if *found == inner => {
                Search::Found(outcome.clone())
            }
            // Another call was at this place: what follows cannot be told.
            Some(_) => Search::Doubt,
            None if self.torn.is_some_and(|torn| torn <= inner.sequence) => Search::Doubt,
            None => Search::Missing,
        }
    }

    /// Whether no call from this number on is in it.
    pub(crate) fn is_behind(&self, count: u32) -> bool {
        self.torn.is_none() && self.records.range(count..).next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use outboard_core::MethodId;
    use outboard_wire::frame::{ArgumentsHash, Image};

    use super::*;

    fn inner(sequence: u32, arguments: u64) -> Inner {
        Inner { sequence, method: MethodId(1), arguments: ArgumentsHash(arguments) }
    }

    fn answer(bytes: usize) -> Outcome {
        Ok(AnswerImage { result: Image::from(vec![1; bytes]), exclusive: Vec::new() })
    }

    #[test]
    fn a_call_is_found_by_its_place_and_what_it_was() {
        let mut log = Log::default();
        log.begin(inner(0, 7));
        log.end(inner(0, 7), answer(1));
        assert!(matches!(log.find(inner(0, 7)), Search::Found(Ok(_))));
        assert!(matches!(log.find(inner(0, 8)), Search::Doubt));
        assert!(matches!(log.find(inner(1, 7)), Search::Missing));
        assert!(log.is_behind(1) && !log.is_behind(0));
    }

    #[test]
    fn one_that_was_cut_off_may_have_run_and_one_taken_back_has_not() {
        let mut log = Log::default();
        log.begin(inner(0, 7));
        log.begin(inner(1, 7));
        log.take_back(inner(1, 7));
        assert!(matches!(log.find(inner(0, 7)), Search::Doubt));
        assert!(matches!(log.find(inner(1, 7)), Search::Missing));
    }

    #[test]
    fn two_of_the_same_number_leave_everything_in_doubt() {
        let mut log = Log::default();
        log.begin(inner(0, 7));
        log.begin(inner(0, 8));
        assert!(matches!(log.find(inner(5, 7)), Search::Doubt));
        assert!(!log.is_behind(9));
    }

    #[test]
    fn what_is_too_large_to_keep_is_not_taken_for_not_run() {
        let mut log = Log::default();
        for sequence in [0, 1] {
            log.begin(inner(sequence, 7));
        }
        log.end(inner(0, 7), answer((16 << 20) + 1));
        log.end(inner(1, 7), answer(16 << 20));
        assert!(matches!(log.find(inner(0, 7)), Search::Doubt));
        assert!(matches!(log.find(inner(1, 7)), Search::Found(_)));
    }
}
