//! The hedge of a call that is away: whether the device may run the call too, when it does, and which of the two results is
//! the call's.

use std::sync::Arc;
use std::time::Duration;

use outboard_client_proxy::{AbandonReason, Hedge};
use outboard_wire::frame::Image;

use super::trip::Trip;
use super::{Ended, land};
use crate::clock;
use crate::context::{Context, Ground};
use crate::hedge::Hedging;
use crate::shim::{Given, Incoming, ShimError, ShimFrame};
use crate::support::{Codec, Outgoing, Slots};

/// How a trip is hedged.
pub(super) enum Hedged {
    /// Not, or not any more.
    Not,
    /// The device may run the call too, on a copy of this.
    Ready(Vec<Image>),
    /// It does.
    Runs {
        hedging: Arc<Hedging>,
        /// The bound has passed.
        overdue: bool,
        /// The attempt has ended, and this would follow it.
        over: Option<Ended>,
    },
}

/// What a hedge gave, and how long it ran.
#[derive(Debug)]
pub(crate) struct HedgeRan {
    given: Result<Given, ShimError>,
    ran: Duration,
}

impl Hedged {
    /// Of a call with such slots. Where a field stays on the device, a copy is not what the method has to run on.
    pub(super) fn of(hedge: Hedge, slots: &[Outgoing]) -> Self {
        if hedge == Hedge::Never || slots.iter().any(|slot| slot.place.is_some()) {
            return Self::Not;
        }
        Self::Ready(slots.iter().map(|slot| slot.image.clone()).collect())
    }
}

impl Drop for Hedged {
    /// The server was faster, the call was cancelled, or what the device does is of no use any more.
    fn drop(&mut self) {
        if let Self::Runs { hedging, .. } = self {
            hedging.lose();
        }
    }
}

impl Trip<'_> {
    /// Runs the call on the device too, if it may and there is room.
    pub(super) fn start_hedge(&mut self, overdue: bool) -> bool {
        let Hedged::Ready(images) = &mut self.hedged else { return false };
        let images = std::mem::take(images);
        self.hedged = Hedged::Not;
        let hedging = Arc::new(Hedging::default());
        let (ground, mailbox) = (Ground::Hedge(Arc::clone(&hedging)), self.flight.mailbox());
        let (method, device) = (self.method, Arc::clone(self.device));
        let run = move || {
            let depth = device.depth();
            let entered = Context::of_device(device).enter();
            let incoming = images.into_iter().map(|image| Incoming { image, lent: None }).collect();
            let began = clock::now();
            // Checked, since a change of what is only borrowed would be lost with the copy.
            let given = ShimFrame::new(method, incoming, depth, ground, true).execute();
            let ran = clock::now() - began;
            crate::device::hand_over(crate::stack::take_batch());
            drop(entered);
            mailbox.hedged(HedgeRan { given, ran });
        };
        if !self.device.hedges.start(run) {
            return false;
        }
        tracing::debug!(overdue, "the device runs it too");
        self.hedged = Hedged::Runs { hedging, overdue, over: None };
        let attempt = self.flight.attempt();
        self.device.with(|engine, _| engine.hedged(attempt));
        if overdue {
            self.overdue();
        }
        true
    }

    /// Whether the device runs the call too.
    pub(super) fn is_hedged(&self) -> bool {
        matches!(self.hedged, Hedged::Runs { .. })
    }

    /// The bound has passed. Says whether the device runs the call, so that there is something to wait for.
    pub(super) fn hedges_at_bound(&mut self) -> bool {
        match &mut self.hedged {
            Hedged::Not => false,
            Hedged::Ready(_) => self.start_hedge(true),
            Hedged::Runs { overdue, .. } => {
                *overdue = true;
                self.overdue();
                true
            }
        }
    }

    fn overdue(&mut self) {
        self.flight.unbound();
        let attempt = self.flight.attempt();
        self.device.with(|engine, now| engine.overdue(now, attempt));
    }

    /// A call-back is to be served. Says whether it is: once the bound has passed, the device's own run is waited for
    /// instead, which needs no call-backs; and a run beside one that has called back is of no use.
    pub(super) fn serves_call_backs(&mut self) -> bool {
        if !matches!(self.hedged, Hedged::Runs { overdue: true, .. }) {
            self.hedged = Hedged::Not;
            return true;
        }
        self.flight.abandon(AbandonReason::Late);
        let given_up = self.again(Ended::default());
        if let Hedged::Runs { over, .. } = &mut self.hedged {
            over.get_or_insert(given_up);
        }
        false
    }

    /// The attempt has ended without a result; where the device runs the call, that is waited for.
    pub(super) fn end<R>(&mut self, ended: Ended) -> Option<Result<R, Ended>> {
        match &mut self.hedged {
            Hedged::Runs { over, .. } => {
                *over = Some(ended);
                None
            }
            _ => Some(Err(ended)),
        }
    }

    /// The device was done.
    pub(super) fn hedge_ended<C: Codec>(
        &mut self,
        HedgeRan { given, ran }: HedgeRan,
        slots: &mut dyn Slots,
        codec: C,
    ) -> Option<Result<C::Owned, Ended>> {
        // One that a call-back made useless has nothing to say.
        let Hedged::Runs { overdue, over, .. } = &mut self.hedged else { return None };
        let (overdue, over) = (*overdue, over.take());
        self.hedged = Hedged::Not;
        if let (Err(ShimError::CallBack(_)), Some(index)) = (&given, self.method.index()) {
            self.device.with(|engine, _| engine.hedge_was_void(index));
        }
        let reason = match given {
            Ok(given) => {
                let answer = given.into_answer();
                let objects = self.objects.clone();
                match land(self.method, answer, slots, objects, codec, self.device.depth()) {
                    Ok(result) => {
                        self.flight.hedge_won(ran);
                        if let Some(rerun) = over.and_then(|over| over.rerun) {
                            rerun.ended();
                        }
                        return Some(Ok(result));
                    }
                    Err(error) => error.into_reason(),
                }
            }
            // It may still come back in time.
            Err(ShimError::CallBack(reason)) if !overdue && over.is_none() => {
                tracing::debug!(reason, "the device cannot run it beside the server");
                return None;
            }
            // What is wrong with the method shows where it runs in place: its panic, and what it changed.
            Err(ShimError::Panicked(..) | ShimError::CallBack(_)) if overdue => AbandonReason::Late,
            Err(ShimError::Panicked(..) | ShimError::CallBack(_)) => AbandonReason::Cancelled,
            Err(error) => AbandonReason::Rule(error.to_string()),
        };
        self.flight.abandon(reason);
        Some(Err(over.unwrap_or_else(|| self.again(self.unknown("it did not answer in time".to_owned())))))
    }
}
