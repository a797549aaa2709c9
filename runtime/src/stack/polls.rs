//! Async calls: on the stack of whichever thread polls them, while it does.

use std::time::{Duration, Instant};

use crate::clock;

use super::batch::{Sample, keep};
use super::{STACK, Stack, nanoseconds, some};

/// An async call, over all its polls.
#[derive(Debug)]
pub(crate) struct Polls {
    method: u32,
    work: Option<f64>,
    /// Set at the first poll.
    began: Option<Began>,
    callees: u64,
    offloaded: bool,
}

#[derive(Clone, Copy, Debug)]
struct Began {
    caller: u32,
    /// Set where the call is timed.
    start: Option<Instant>,
}

impl Polls {
    /// Of a call that is polled next.
    pub(crate) fn new(method: u32, work: Option<f64>) -> Self {
        Self { method, work, began: None, callees: 0, offloaded: false }
    }

    /// Puts the call on the stack for one poll; popped when dropped.
    #[inline]
    pub(crate) fn poll(&mut self) -> Polled<'_> {
        STACK.with(|stack| {
            let caller = stack.push(self.method);
            if self.began.is_none() {
                self.began = Some(Began::now(stack, caller, self.method));
            }
        });
        Polled { call: self }
    }

    /// The call returned.
    pub(crate) fn finish(self) {
        let (Some(began), Some(callee)) = (self.began, some(self.method)) else { return };
        let outermost = STACK.with(|stack| {
            let edge = stack.edge(began.caller, self.method);
            let mean = edge.map_or(0, |(_, edge)| {
                edge.calls.set(edge.calls.get() + 1);
                edge.mean.get()
            });
            if began.start.is_none() {
                stack.charge_parent(stack.depth.get(), mean);
            }
            stack.depth.get() == 0
        });
        let Some(start) = began.start else { return };
        let now = clock::now();
        let inclusive = now - start;
        STACK.with(|stack| {
            let nanos = nanoseconds(inclusive);
            stack.charge_parent(stack.depth.get(), nanos);
            if let Some((_, edge)) = stack.edge(began.caller, self.method) {
                edge.learn(nanos);
            }
        });
        let sample = Sample {
            caller: some(began.caller),
            callee,
            inclusive,
            exclusive: inclusive.saturating_sub(Duration::from_nanos(self.callees)),
            cpu: None,
            work: self.work,
            offloaded_within: self.offloaded,
        };
        keep(sample, now, outermost);
    }
}

impl Began {
    fn now(stack: &Stack, caller: u32, method: u32) -> Self {
        let due = stack.edge(caller, method).is_some_and(|(_, edge)| {
            let due = edge.is_due();
            if due {
                edge.schedule();
            }
            due
        });
        Self { caller, start: due.then(clock::now) }
    }
}

/// An async call that is being polled on this thread.
#[derive(Debug)]
pub(crate) struct Polled<'a> {
    call: &'a mut Polls,
}

impl Drop for Polled<'_> {
    #[inline]
    fn drop(&mut self) {
        STACK.with(|stack| {
            let depth = stack.depth.get() - 1;
            stack.depth.set(depth);
            if let Some(level) = stack.levels.get(depth) {
                self.call.callees += level.callees.get();
                self.call.offloaded |= level.offloaded.get();
            }
        });
    }
}
