//! Going away in good order.

use std::collections::BTreeSet;

use outboard_core::Timestamp;
use outboard_wire::frame::NotRun;

use super::Engine;
use crate::{Connection, Output};

/// How far a drain is.
#[derive(Debug)]
pub(super) enum Drain {
    /// It ends when nothing runs and everybody has left, and at `until` in every case.
    Going {
        until: Timestamp,
        /// Since when nothing has been running.
        quiet: Option<Timestamp>,
    },
    Done,
}

impl Engine {
    /// Goes away: new sessions are refused, calls that have not started are *not run*, calls that run go on, and the
    /// devices leave by themselves when theirs have ended. [`Output::Drained`] comes when nobody is left, and after the
    /// times in the settings in every case.
    ///
    /// Methods that run for lost sessions are waited for as well: one that may run only once should not be cut off.
    pub fn drain(&mut self, now: Timestamp) {
        if self.drain.is_some() {
            return;
        }
        self.drain = Some(Drain::Going { until: now + self.settings.drain, quiet: None });
        tracing::info!(sessions = self.attached().count(), running = self.calls.len(), "the server drains");
        for peer in self.peers.values_mut() {
            peer.session.drain(now);
        }
        let queued = self.calls.queued();
        for &(connection, attempt) in &queued {
            self.withdraw(now, connection, attempt, NotRun::Draining);
        }
        for connection in self.connections() {
            self.pump(now, connection);
        }
        self.settle(now);
    }

    /// Whether [`Output::Drained`] has come.
    pub fn is_drained(&self) -> bool {
        matches!(self.drain, Some(Drain::Done))
    }

    pub(super) fn drain_timeout(&self) -> Option<Timestamp> {
        match self.drain {
            Some(Drain::Going { until, quiet: None }) => Some(until),
            Some(Drain::Going { until, quiet: Some(quiet) }) => {
                Some(until.min(quiet + self.settings.farewell))
            }
            None | Some(Drain::Done) => None,
        }
    }

    /// Ends the drain when the time has come.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let nothing_runs = self.calls.len() == 0;
        let nobody_is_left = self.attached().next().is_none();
        let Some(Drain::Going { quiet, .. }) = &mut self.drain else { return };
        *quiet = nothing_runs.then(|| quiet.unwrap_or(now));
        let is_over = nothing_runs && nobody_is_left || self.drain_timeout().is_some_and(|end| end <= now);
        if !is_over {
            return;
        }
        self.drain = Some(Drain::Done);
        tracing::info!(running = self.calls.len(), "the server has drained");
        for connection in self.connections() {
            // What still runs ends unknown on its device, which is what it is.
            self.drive(now, connection, |session| session.close(now));
        }
        self.outputs.push_back(Output::Drained);
    }

    fn connections(&self) -> BTreeSet<Connection> {
        self.peers.keys().copied().collect()
    }
}
