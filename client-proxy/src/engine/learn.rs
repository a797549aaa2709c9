//! What runs on the device teach.

use std::time::Duration;

use outboard_core::{ByteCount, MethodIndex, Timestamp};
use outboard_profiler::LocalCalls;

use super::Engine;
use crate::decision::Request;
use crate::method::Pin;
use crate::quote::scaled;
use crate::server::Server;
use crate::settings::Policy;

/// A method that runs for less than this is not worth the shortest round trip, whatever its size.
const WORTH_A_LOOK: Duration = Duration::from_micros(50);

/// How the local run went that followed a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// It returned.
    Returned,
    /// It panicked: the panic is the method's own.
    Panicked,
    /// It was cancelled, and says nothing.
    Cancelled,
}

impl Engine {
    /// A consulted call ran on the device.
    pub fn ran_locally(&mut self, now: Timestamp, calls: &LocalCalls) {
        self.merge(now, std::slice::from_ref(calls));
    }

    /// Whether a call that runs here should have its slots encoded all the same, once, so that the plan knows what sending
    /// them would cost. Not for methods that no server takes, nor for those that cannot be worth it whatever their size.
    pub fn wants_size(&self, now: Timestamp, method: MethodIndex) -> bool {
        let Some(state) = self.methods.get(method.position()) else { return false };
        let Some(statistics) = self.profile.method(method) else { return false };
        let takes = |server: &Server| server.is_attached() && server.offers(method);
        statistics.size_is_unknown()
            && state.bound_here().is_none()
            && state.trouble.held(now).is_none()
            && self.settings.policy == Policy::Plan
            && self.servers.iter().any(takes)
            && statistics.local(None).is_none_or(|local| local.median() >= WORTH_A_LOOK)
    }

    /// A call's slots were encoded to know their size; `returning` is the part of those that come back.
    pub fn sized(&mut self, now: Timestamp, request: &Request, size: ByteCount, returning: ByteCount) {
        self.profile.observe_size(request.method, size, returning, request.work);
        if let Some(state) = self.methods.get_mut(request.method.position()) {
            state.quotes.clear();
        }
        if !self.is_aside(request.method) {
            self.planner.hurry(now);
        }
        self.learned_of(now, request.method);
    }

    /// Takes in what a thread counted since the last time.
    pub fn merge(&mut self, now: Timestamp, batch: &[LocalCalls]) {
        let new = |calls: &LocalCalls| {
            self.profile.method(calls.method).is_some_and(|method| method.local_calls() == 0)
        };
        let of_app = || batch.iter().filter(|calls| !self.is_aside(calls.method));
        let (first, any_of_app) = (of_app().any(new), of_app().next().is_some());
        // Those that stand aside earn nothing: they are a part of what offloading costs.
        let timed = of_app().filter(|calls| calls.timed > 0);
        let own: Duration = timed
            .map(|calls| scaled(calls.exclusive, calls.calls as f64 / calls.timed as f64))
            .fold(Duration::ZERO, Duration::saturating_add);
        let outer = of_app().filter(|calls| calls.caller.is_none()).map(|calls| calls.calls).sum();
        if of_app().any(|calls| calls.calls > 0) {
            self.radio.called(now);
        }
        self.profile.observe_batch(batch);
        let energy = self.settings.energy.running(own);
        self.purse.earn(self.cost(own, energy));
        self.ran_here(now, outer, energy);
        if first {
            self.planner.hurry(now);
        }
        for calls in batch {
            if let Some(state) = self.methods.get_mut(calls.method.position()) {
                state.quotes.clear();
                state.largest_work = state.largest_work.max(calls.work.unwrap_or(0.0));
            }
        }
        if any_of_app {
            self.learned(now);
        } else {
            self.words_soon(now);
        }
    }

    /// How the local run went that followed an attempt which failed: a panic on the server alone takes the method back.
    pub fn reran(&mut self, now: Timestamp, method: MethodIndex, rerun: Rerun) {
        let Some(state) = self.methods.get_mut(method.position()) else { return };
        let Some(Pin::PanicInQuestion(message)) = &state.pin else { return };
        match rerun {
            Rerun::Panicked => {
                state.pin = None;
                state.trouble.held = None;
            }
            // A later call asks again, once the method has been left alone for a while.
            Rerun::Cancelled => {
                state.pin = None;
                state.quotes.clear();
                self.words_soon(now);
            }
            Rerun::Returned => {
                let message = message.clone();
                self.take_back(now, method, Pin::Panicked(message));
            }
        }
    }

    /// Figures of a method changed.
    pub(super) fn learned_of(&mut self, now: Timestamp, method: MethodIndex) {
        if self.is_aside(method) {
            self.words_soon(now);
        } else {
            self.learned(now);
        }
    }

    /// Whether a method is no part of the app.
    pub(super) fn is_aside(&self, method: MethodIndex) -> bool {
        self.methods.get(method.position()).is_some_and(|state| state.info.aside)
    }

    /// Figures changed: plan and words may have to follow, though not at once.
    pub(super) fn learned(&mut self, now: Timestamp) {
        self.planner.dirty(now);
        self.words_soon(now);
    }
}
