//! Whose turn it is.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use outboard_core::Timestamp;

/// A thread's place on a stage. Lower ones come first where several have something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seat(u64);

/// The threads of a stage, one of which runs.
#[derive(Debug, Default)]
pub(super) struct Turns {
    state: Mutex<State>,
    handed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    seats: BTreeMap<Seat, Waiting>,
    running: Option<Seat>,
    taken: u64,
    /// Why the stage cannot go on.
    broken: Option<String>,
}

/// What a thread waits for that does not run.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// It has something to do.
    ready: bool,
    until: Option<Timestamp>,
    /// Changes do not concern it.
    deaf: bool,
}

/// Who comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The one that asks.
    Me,
    /// Another one; it has the turn already.
    Other,
    /// None has anything to do before time passes.
    Nobody,
}

impl Turns {
    /// Another thread, which will ask for its turn.
    pub(super) fn admit(&self) -> Seat {
        let mut state = self.lock();
        let seat = Seat(state.taken);
        state.taken += 1;
        state.seats.insert(seat, Waiting { ready: true, until: None, deaf: false });
        seat
    }

    /// The first thread, which has the turn.
    pub(super) fn begin(&self) -> Seat {
        let seat = self.admit();
        self.lock().running = Some(seat);
        seat
    }

    /// The thread that runs has nothing to do until a change, or until then.
    pub(super) fn wait(&self, seat: Seat, until: Option<Timestamp>, deaf: bool) {
        self.lock().seats.insert(seat, Waiting { ready: false, until, deaf });
    }

    /// Something has changed: who listens looks again.
    pub(super) fn changed(&self) {
        let mut state = self.lock();
        state.seats.values_mut().filter(|seat| !seat.deaf).for_each(|seat| seat.ready = true);
    }

    /// It is that late now.
    pub(super) fn passed(&self, now: Timestamp) {
        let mut state = self.lock();
        let due = |seat: &&mut Waiting| seat.until.is_some_and(|until| until <= now);
        state.seats.values_mut().filter(due).for_each(|seat| seat.ready = true);
    }

    /// When the first of those who wait for a time is due.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.lock().seats.values().filter(|seat| !seat.ready).filter_map(|seat| seat.until).min()
    }

    /// Gives the turn to the first that has something to do.
    pub(super) fn next(&self, me: Option<Seat>) -> Next {
        let mut state = self.lock();
        let ready = state.seats.iter().find(|(_, seat)| seat.ready).map(|(seat, _)| *seat);
        // The last one out leaves nobody behind; on a broken stage everybody is told.
        if state.seats.is_empty() || state.broken.is_some() {
            return Next::Other;
        }
        let Some(next) = ready else { return Next::Nobody };
        state.running = Some(next);
        if me == Some(next) {
            return Next::Me;
        }
        self.handed.notify_all();
        Next::Other
    }

    /// Waits until that thread has the turn.
    ///
    /// # Panics
    /// When the stage cannot go on.
    pub(super) fn await_turn(&self, seat: Seat) {
        let mut state = self.lock();
        while state.running != Some(seat) && state.broken.is_none() {
            state = self.handed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(why) = state.broken.clone() {
            drop(state);
            refuse(&why);
        }
    }

    /// Whether any thread but that one is left.
    pub(super) fn has_others(&self, seat: Seat) -> bool {
        self.lock().seats.keys().any(|other| *other != seat)
    }

    /// A thread is done.
    pub(super) fn leave(&self, seat: Seat) {
        let mut state = self.lock();
        state.seats.remove(&seat);
        if state.running == Some(seat) {
            state.running = None;
        }
    }

    /// The stage cannot go on: every thread that waits for its turn ends with a panic.
    pub(super) fn give_up(&self, why: String) {
        self.lock().broken.get_or_insert(why);
        self.handed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a thread of a stage that cannot go on. One that is unwinding already is left to it.
fn refuse(why: &str) {
    if !std::thread::panicking() {
        panic!("the simulation cannot go on: {why}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn the_first_that_has_something_to_do_comes_next() {
        let turns = Turns::default();
        let (first, second) = (turns.begin(), turns.admit());
        turns.wait(first, Some(at(10)), false);
        assert_eq!(turns.next(Some(first)), Next::Other, "the second has just come");
        turns.wait(second, None, false);
        assert_eq!(turns.next(Some(second)), Next::Nobody);
        assert_eq!(turns.due(), Some(at(10)));
        turns.passed(at(10));
        assert_eq!(turns.next(Some(first)), Next::Me);
    }

    #[test]
    fn a_change_wakes_who_listens_and_not_who_computes() {
        let turns = Turns::default();
        let (computes, listens) = (turns.begin(), turns.admit());
        turns.wait(computes, Some(at(5)), true);
        turns.wait(listens, None, false);
        turns.changed();
        assert_eq!(turns.next(Some(computes)), Next::Other);
        turns.leave(listens);
        assert_eq!(turns.next(Some(computes)), Next::Nobody);
        assert!(!turns.has_others(computes));
    }

    #[test]
    #[should_panic(expected = "the simulation cannot go on: nothing is left to do")]
    fn who_waits_on_a_broken_stage_is_told() {
        let turns = Turns::default();
        let (first, second) = (turns.begin(), turns.admit());
        turns.give_up("nothing is left to do".to_owned());
        assert_eq!(turns.next(Some(first)), Next::Other, "it goes on to wait, and is told");
        turns.await_turn(second);
    }
}
