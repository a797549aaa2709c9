//! Async calls: on the stack of whichever thread polls them, while it does.

use std::time::{Duration, Instant};

use super::batch::{Sample, count_beside, keep};
use super::{STACK, Stack, nanoseconds, some, time};

/// An async call, over all its polls. One that is dropped before its end is counted, and says nothing about time.
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
    /// CPU time of the polls so far, on whichever threads they were; where it is taken.
    cpu: Option<Duration>,
    /// Polls for which it is still taken.
    polls: u8,
}

/// CPU time is read twice in a poll, by system calls: only for calls that take this long,
const LONG: Duration = Duration::from_millis(1);
/// and while their polls are no more than this.
const MOST_POLLS: u8 = 64;

impl Polls {
    /// Of a call that is polled next.
    pub(crate) fn new(method: u32, work: Option<f64>) -> Self {
        Self { method, work, began: None, callees: 0, offloaded: false }
    }

    /// Puts the call on the stack for one poll; popped when dropped.
    #[inline]
    pub(crate) fn poll(&mut self) -> Polled<'_> {
        let cpu = STACK.with(|stack| {
            let caller = stack.push(self.method);
            let began = self.began.get_or_insert_with(|| Began::now(stack, caller, self.method));
            began.cpu.is_some().then(time::cpu).flatten()
        });
        Polled { call: self, cpu }
    }

    /// The call returned.
    pub(crate) fn finish(mut self) {
        let Some(began) = self.began.take() else { return };
        let now = began.start.map(|start| (now_since(start), start));
        let (sample, outermost) = STACK.with(|stack| {
            let sample = match now {
                Some((inclusive, _)) => self.timed(stack, began, inclusive),
                None => {
                    self.untimed(stack, began);
                    None
                }
            };
            (sample, stack.depth.get() == 0)
        });
        if let (Some(sample), Some((inclusive, start))) = (sample, now) {
            keep(sample, start + inclusive, outermost);
        }
    }

    fn timed(&self, stack: &Stack, began: Began, inclusive: Duration) -> Option<Sample> {
        let exclusive = inclusive.saturating_sub(Duration::from_nanos(self.callees));
        stack.charge_parent(stack.depth.get(), nanoseconds(inclusive));
        match stack.edge(began.caller, self.method) {
            Some((_, edge)) => {
                edge.count();
                edge.learn(nanoseconds(inclusive), nanoseconds(exclusive));
            }
            None => count_beside(began.caller, self.method),
        }
        Some(Sample {
            caller: some(began.caller),
            callee: some(self.method)?,
            inclusive,
            exclusive,
            cpu: began.cpu,
            work: self.work,
            offloaded_within: self.offloaded,
        })
    }

    fn untimed(&self, stack: &Stack, began: Began) {
        let own = match stack.edge(began.caller, self.method) {
            Some((_, edge)) => {
                edge.count();
                edge.own.get()
            }
            None => {
                count_beside(began.caller, self.method);
                0
            }
        };
        stack.charge_parent(stack.depth.get(), self.callees.saturating_add(own));
    }
}

impl Drop for Polls {
    fn drop(&mut self) {
        // Cancelled, or ended by a panic: it was called all the same.
        if let Some(began) = self.began.take() {
            STACK.with(|stack| match stack.edge(began.caller, self.method) {
                Some((_, edge)) => edge.count(),
                None => count_beside(began.caller, self.method),
            });
        }
    }
}

impl Began {
    fn now(stack: &Stack, caller: u32, method: u32) -> Self {
        let due = stack.edge(caller, method).filter(|(_, edge)| edge.is_due());
        let Some((_, edge)) = due else { return Self { caller, start: None, cpu: None, polls: 0 } };
        edge.schedule(&stack.draws);
        let long = edge.mean.get() >= nanoseconds(LONG);
        Self { caller, start: Some(time::now()), cpu: long.then_some(Duration::ZERO), polls: MOST_POLLS }
    }

    fn add(&mut self, time: Duration) {
        self.polls -= 1;
        self.cpu = self.cpu.filter(|_| self.polls > 0).map(|cpu| cpu + time);
    }
}

/// An async call that is being polled on this thread.
#[derive(Debug)]
pub(crate) struct Polled<'a> {
    call: &'a mut Polls,
    /// The thread's CPU time when the poll began, where it is taken.
    cpu: Option<Duration>,
}

impl Drop for Polled<'_> {
    #[inline]
    fn drop(&mut self) {
        if let (Some(start), Some(began)) = (self.cpu, &mut self.call.began) {
            began.add(time::cpu().unwrap_or(start).saturating_sub(start));
        }
        STACK.with(|stack| {
            let depth = stack.depth.get() - 1;
            stack.depth.set(depth);
            if let Some(level) = stack.levels.get(depth) {
                self.call.callees = self.call.callees.saturating_add(level.callees.get());
                self.call.offloaded |= level.offloaded.get();
            }
        });
    }
}

/// Less what reading the clock takes.
fn now_since(start: Instant) -> Duration {
    (time::now() - start).saturating_sub(time::cost())
}
