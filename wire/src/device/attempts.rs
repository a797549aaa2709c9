//! The attempts under way, as the device sees them.

use std::collections::{BTreeMap, BTreeSet};

use crate::frame::{Attempt, Serial};
use crate::session::{Arrivals, Unexpected, Violation};

/// Every attempt that was sent and whose end the server has not told yet.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    table: BTreeMap<Attempt, UnderWay>,
    next: u64,
}

#[derive(Debug)]
struct UnderWay {
    serial: Serial,
    /// Given up: it only takes a place until the server says that it has let it go.
    fenced: bool,
    called_back: bool,
    backs: Arrivals,
    unanswered: BTreeSet<u32>,
}

/// What the end of an attempt means to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Somebody waits for it.
    Wanted,
    /// It had been given up; its place is free again.
    Fenced,
}

impl Attempts {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    pub(super) fn contains(&self, attempt: Attempt) -> bool {
        self.table.contains_key(&attempt)
    }

    /// The number that the next attempt will have.
    pub(super) fn upcoming(&self) -> Serial {
        Serial(self.next)
    }

    pub(super) fn open(&mut self, attempt: Attempt) {
        let under_way = UnderWay {
            serial: self.upcoming(),
            fenced: false,
            called_back: false,
            backs: Arrivals::default(),
            unanswered: BTreeSet::new(),
        };
        self.table.insert(attempt, under_way);
        self.next += 1;
    }

    /// Gives an attempt up. `None` when it has ended, or was given up before.
    pub(super) fn fence(&mut self, attempt: Attempt) -> Option<Serial> {
        let under_way = self.table.get_mut(&attempt).filter(|under_way| !under_way.fenced)?;
        under_way.fenced = true;
        under_way.unanswered.clear();
        Some(under_way.serial)
    }

    pub(super) fn has_called_back(&self, attempt: Attempt) -> bool {
        self.table.get(&attempt).is_some_and(|under_way| under_way.called_back)
    }

    /// The server told an attempt's end. `None` when it is not under way.
    pub(super) fn end(&mut self, attempt: Attempt) -> Option<End> {
        let under_way = self.table.remove(&attempt)?;
        Some(if under_way.fenced { End::Fenced } else { End::Wanted })
    }

    /// A call-back came. Whether the attempt still listens.
    pub(super) fn back(&mut self, attempt: Attempt, sequence: u32, most: u32) -> Result<bool, Violation> {
        let Some(under_way) = self.table.get_mut(&attempt) else { return Ok(false) };
        under_way.backs.arrive(u64::from(sequence), u64::from(most)).map_err(
            |unexpected| match unexpected {
                Unexpected::Repeated => Violation::BackRepeated(attempt, sequence),
                Unexpected::TooFarAhead => Violation::TooManyBacks(attempt),
            },
        )?;
        under_way.called_back = true;
        if under_way.fenced {
            return Ok(false);
        }
        if under_way.unanswered.len() >= most as usize {
            return Err(Violation::TooManyBacks(attempt));
        }
        under_way.unanswered.insert(sequence);
        Ok(true)
    }

    /// The answer to a call-back is ready. Whether anybody waits for it.
    pub(super) fn answer(&mut self, attempt: Attempt, sequence: u32) -> bool {
        self.table.get_mut(&attempt).is_some_and(|under_way| under_way.unanswered.remove(&sequence))
    }

    /// The session is over: the attempts that nobody had given up, which end unknown.
    pub(super) fn drain(&mut self) -> Vec<Attempt> {
        let table = std::mem::take(&mut self.table);
        table.into_iter().filter(|(_, under_way)| !under_way.fenced).map(|(attempt, _)| attempt).collect()
    }
}
