//! Hedges: the device runs a call too that is under way to a server.
//!
//! The driver runs it and says so; whether and when is said by the offer. Both runs are charged: the device's as every
//! run on it, the attempt's as every attempt. What a server's reply teaches, it teaches however late it comes, until the
//! device is done.

use std::time::Duration;

use outboard_core::{MethodIndex, Timestamp};
use outboard_wire::frame::Attempt;

use super::Engine;
use super::attempt::{Came, UnderWay};

impl Engine {
    /// The device runs the call of an attempt too, from now on.
    pub fn hedged(&mut self, attempt: Attempt) {
        let Some(under_way) = self.under_way.get_mut(&attempt) else { return };
        under_way.hedged = true;
        let method = under_way.offer.request.method;
        self.methods[method.position()].counts.hedges += 1;
    }

    /// The bound of an attempt has passed, and it goes on all the same, as the device runs the call too.
    pub fn overdue(&mut self, now: Timestamp, attempt: Attempt) {
        let Some(under_way) = self.under_way.get_mut(&attempt) else { return };
        let before = under_way.clone();
        under_way.overdue = true;
        self.count_late(now, &before);
    }

    /// The run on the device beside an attempt ended at a call of a method that may only run in place. Later calls are not
    /// hedged.
    pub fn hedge_was_void(&mut self, method: MethodIndex) {
        if let Some(state) = self.methods.get_mut(method.position()) {
            state.cannot_be_hedged();
        }
    }

    /// The device was done after the attempt had ended without a result.
    pub fn hedge_stood_in(&mut self, method: MethodIndex) {
        if let Some(state) = self.methods.get_mut(method.position()) {
            state.counts.hedges_won += 1;
        }
    }

    /// The device was done first.
    pub(super) fn hedge_won(&mut self, now: Timestamp, under_way: &UnderWay, ran: Duration) {
        // Slower than the device it is too late, whatever the bound.
        self.count_late(now, under_way);
        self.learn_late(now, under_way);
        self.methods[under_way.offer.request.method.position()].counts.hedges_won += 1;
        let lost = now.since(under_way.offer.asked).saturating_sub(ran);
        self.settle(now, under_way, Came::ToNothing(lost));
    }
}
