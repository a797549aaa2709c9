//! The call stack of this thread: who calls whom, exactly, and how long it takes, by samples.
//!
//! A profiled call costs a few loads and stores on plain cells. The clock is read for the first calls of an edge, for all
//! calls of methods that take long, and for one in 64 or more of the others, at random.

mod batch;
mod edge;
mod levels;
mod polls;
mod time;

use std::time::Duration;

use outboard_core::MethodIndex;

use batch::EdgeCalls;
pub(crate) use batch::{Batch, take_batch};
use levels::Stack;
pub(crate) use polls::Polls;

/// No method: the caller of an outermost call.
const NOBODY: u32 = u32::MAX;

thread_local! {
    static STACK: Stack = const { Stack::new() };
}

/// The counters of a call on the stack, by their place; [`NONE`](Self::NONE) where there was no room: it is counted beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EdgeNumber(u16);

impl EdgeNumber {
    const NONE: Self = Self(u16::MAX);

    pub(crate) const fn as_u16(self) -> u16 {
        self.0
    }

    pub(crate) const fn from_u16(number: u16) -> Self {
        Self(number)
    }
}

/// Pushes a call, to be popped when it ends. `work` is asked only when the call is timed.
#[inline]
pub(crate) fn push(method: u32, work: impl FnOnce() -> Option<f64>) -> EdgeNumber {
    STACK.with(|stack| {
        let caller = stack.push(method);
        let Some((number, edge)) = stack.edge(caller, method) else {
            batch::count_beside(caller, method);
            return EdgeNumber::NONE;
        };
        if edge.is_due() {
            stack.start(edge, work);
        }
        EdgeNumber(number)
    })
}

/// Pops the call that was pushed last.
#[inline]
pub(crate) fn pop(number: EdgeNumber) {
    STACK.with(|stack| {
        let depth = stack.depth.get() - 1;
        stack.depth.set(depth);
        let Some(edge) = stack.edges.get(usize::from(number.0)) else {
            return stack.charge_unplaced(depth);
        };
        // Counted when it ends, so that a call and its sample are handed over together.
        edge.count();
        match stack.levels.get(depth) {
            Some(level) if level.is_timed.get() => stack.finish(depth, level, edge),
            _ => stack.charge_untimed(depth, edge),
        }
    });
}

/// A call of the method on top of the stack went to a server, with or without success, and took so long.
pub(crate) fn offloaded(elapsed: Duration) {
    STACK.with(|stack| {
        let depth = stack.depth.get();
        stack.charge_parent(depth, nanoseconds(elapsed));
        stack.levels.iter().take(depth).for_each(|level| level.offloaded.set(true));
    });
}

/// The method that runs on this thread, as its profile sees it.
pub(crate) fn current() -> Option<MethodIndex> {
    STACK.with(|stack| some(stack.caller()))
}

fn take_calls() -> Vec<EdgeCalls> {
    STACK.with(Stack::take_calls)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn some(method: u32) -> Option<MethodIndex> {
    (method != NOBODY).then_some(MethodIndex(method))
}

#[cfg(test)]
mod tests;
