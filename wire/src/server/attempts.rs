//! The attempts of a device, as the server sees them.

use std::collections::{BTreeMap, BTreeSet};

use outboard_core::Timestamp;

use super::NotCalledBack;
use crate::frame::{Attempt, NotRun, Serial};
use crate::session::{Arrivals, Unexpected, Violation};

/// Every attempt that came and has not ended, and the fences that overtook theirs.
///
/// Both are bounded by the number of calls that the device may have under way, because it counts an attempt until the
/// server has told its end.
#[derive(Debug)]
pub(super) struct Attempts {
    most: u64,
    table: BTreeMap<Attempt, Held>,
    arrivals: Arrivals,
    fenced_ahead: BTreeSet<Serial>,
}

#[derive(Debug)]
struct Held {
    stage: Stage,
    /// The numbers of call-backs that were used. Threads and futures of one call may make theirs in any order.
    backs: Arrivals,
    unanswered: BTreeSet<u32>,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It waits for a worker until this time.
    Waiting { until: Option<Timestamp> },
    /// A worker has it.
    Started,
    /// A worker has it, and the device does not want it.
    Fenced,
}

/// What a fence came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fencing {
    /// The attempt waited: it has ended, *not run*.
    Withdrawn,
    /// The attempt runs on, and nothing of it goes out but its end.
    Running,
    /// The attempt is still to come, or has ended before.
    Nothing,
}

/// What an attempt was when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Wanted,
    Fenced,
}

impl Attempts {
    /// For a device that may have `most` calls under way.
    pub(super) fn new(most: u32) -> Self {
        Self {
            most: u64::from(most),
            table: BTreeMap::new(),
            arrivals: Arrivals::default(),
            fenced_ahead: BTreeSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// A call came. Whether it is still wanted.
    pub(super) fn arrive(
        &mut self,
        serial: Serial,
        attempt: Attempt,
        until: Option<Timestamp>,
    ) -> Result<bool, Violation> {
        self.arrivals.arrive(serial.0, self.most).map_err(|unexpected| match unexpected {
            Unexpected::Repeated => Violation::CallRepeated(attempt),
            Unexpected::TooFarAhead => Violation::TooManyCalls,
        })?;
        if self.table.contains_key(&attempt) {
            return Err(Violation::CallRepeated(attempt));
        }
        if self.fenced_ahead.remove(&serial) {
            return Ok(false);
        }
        if self.table.len() as u64 >= self.most {
            return Err(Violation::TooManyCalls);
        }
        let held =
            Held { stage: Stage::Waiting { until }, backs: Arrivals::default(), unanswered: BTreeSet::new() };
        self.table.insert(attempt, held);
        Ok(true)
    }

    /// The device gave an attempt up.
    pub(super) fn fence(&mut self, serial: Serial, attempt: Attempt) -> Result<Fencing, Violation> {
        if self.arrivals.is_due(serial.0) {
            if self.arrivals.is_too_far(serial.0, self.most) || self.fenced_ahead.len() as u64 >= self.most {
                return Err(Violation::TooManyCalls);
            }
            self.fenced_ahead.insert(serial);
            return Ok(Fencing::Nothing);
        }
        let Some(held) = self.table.get_mut(&attempt) else { return Ok(Fencing::Nothing) };
        match held.stage {
            Stage::Waiting { .. } => {
                self.table.remove(&attempt);
                Ok(Fencing::Withdrawn)
            }
            Stage::Started => {
                held.stage = Stage::Fenced;
                held.unanswered.clear();
                Ok(Fencing::Running)
            }
            Stage::Fenced => Ok(Fencing::Nothing),
        }
    }

    /// A worker wants to take an attempt. An error that says `TooLate` has ended it; `Fenced`: it had ended before.
    pub(super) fn start(&mut self, now: Timestamp, attempt: Attempt) -> Result<(), NotRun> {
        let held = self.table.get_mut(&attempt).ok_or(NotRun::Fenced)?;
        match held.stage {
            Stage::Waiting { until: Some(until) } if now >= until => {
                self.table.remove(&attempt);
                Err(NotRun::TooLate)
            }
            Stage::Waiting { .. } | Stage::Started => {
                held.stage = Stage::Started;
                Ok(())
            }
            Stage::Fenced => Err(NotRun::Fenced),
        }
    }

    /// Whether the attempt runs and is wanted.
    pub(super) fn is_running(&self, attempt: Attempt) -> bool {
        self.table.get(&attempt).is_some_and(|held| held.stage == Stage::Started)
    }

    /// An attempt ends. `None` when it has ended before.
    pub(super) fn end(&mut self, attempt: Attempt) -> Option<Ending> {
        let held = self.table.remove(&attempt)?;
        Some(if held.stage == Stage::Fenced { Ending::Fenced } else { Ending::Wanted })
    }

    /// An attempt calls back, where `most` may be under way.
    pub(super) fn back(&mut self, attempt: Attempt, sequence: u32, most: u32) -> Result<(), NotCalledBack> {
        let held = self.table.get_mut(&attempt).filter(|held| held.stage != Stage::Fenced);
        let held = held.ok_or(NotCalledBack::Fenced(attempt))?;
        if held.unanswered.len() >= most as usize {
            return Err(NotCalledBack::Full(attempt));
        }
        held.backs.arrive(u64::from(sequence), u64::from(most)).map_err(|unexpected| match unexpected {
            Unexpected::Repeated => NotCalledBack::Repeated(attempt, sequence),
            Unexpected::TooFarAhead => NotCalledBack::Full(attempt),
        })?;
        held.stage = Stage::Started;
        held.unanswered.insert(sequence);
        Ok(())
    }

    /// The call-back did not go out after all.
    pub(super) fn take_back(&mut self, attempt: Attempt, sequence: u32) {
        if let Some(held) = self.table.get_mut(&attempt) {
            held.unanswered.remove(&sequence);
        }
    }

    /// An answer came. Whether anybody waits for it: nobody does for a late one of an attempt that ended or was fenced.
    pub(super) fn answer(&mut self, attempt: Attempt, sequence: u32) -> Result<bool, Violation> {
        match self.table.get_mut(&attempt) {
            None => Ok(false),
            Some(held) if held.stage == Stage::Fenced => Ok(false),
            Some(held) => {
                let was_asked = held.unanswered.remove(&sequence);
                if was_asked { Ok(true) } else { Err(Violation::AnswerUnasked(attempt, sequence)) }
            }
        }
    }

    /// The earliest time at which a waiting attempt is too late.
    pub(super) fn timeout(&self) -> Option<Timestamp> {
        self.table
            .values()
            .filter_map(|held| if let Stage::Waiting { until } = held.stage { until } else { None })
            .min()
    }

    /// Takes out the waiting attempts whose time is up.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Attempt> {
        let is_late =
            |held: &Held| matches!(held.stage, Stage::Waiting { until: Some(until) } if now >= until);
        let late: Vec<Attempt> =
            self.table.iter().filter(|(_, held)| is_late(held)).map(|(&attempt, _)| attempt).collect();
        for attempt in &late {
            self.table.remove(attempt);
        }
        late
    }

    /// The session is over: every attempt that has not ended.
    pub(super) fn drain(&mut self) -> Vec<Attempt> {
        std::mem::take(&mut self.table).into_keys().collect()
    }
}
