//! What runs on the device teach.

use outboard_core::{MethodIndex, Timestamp};
use outboard_profiler::LocalCalls;

use super::Engine;
use crate::method::Pin;

/// How the local run went that followed a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// It returned.
    Returned,
    /// It panicked: the panic is the method's own.
    Panicked,
}

impl Engine {
    /// A consulted call ran on the device.
    pub fn ran_locally(&mut self, now: Timestamp, calls: &LocalCalls) {
        self.merge(now, std::slice::from_ref(calls));
    }

    /// Takes in what a thread counted since the last time.
    pub fn merge(&mut self, now: Timestamp, batch: &[LocalCalls]) {
        let new = |calls: &&LocalCalls| {
            self.profile.method(calls.method).is_some_and(|method| method.local_calls() == 0)
        };
        let first = batch.iter().any(|calls| new(&calls));
        self.profile.observe_batch(batch);
        if first {
            self.planner.hurry(now);
        }
        for calls in batch {
            if let Some(state) = self.methods.get_mut(calls.method.position()) {
                state.quotes.clear();
                state.largest_work = state.largest_work.max(calls.work.unwrap_or(0.0));
            }
        }
        self.learned(now);
    }

    /// How the local run went that followed an attempt which failed: a panic on the server alone takes the method back.
    pub fn reran(&mut self, now: Timestamp, method: MethodIndex, rerun: Rerun) {
        let Some(state) = self.methods.get_mut(method.position()) else { return };
        let Some(Pin::PanicInQuestion(message)) = &state.pin else { return };
        match rerun {
            Rerun::Panicked => {
                state.pin = None;
                state.held = None;
            }
            Rerun::Returned => {
                let message = message.clone();
                self.take_back(now, method, Pin::Panicked(message));
            }
        }
    }

    /// Figures changed: plan and words may have to follow, though not at once.
    pub(super) fn learned(&mut self, now: Timestamp) {
        self.planner.dirty(now);
        self.words_soon(now);
    }
}
