//! The stack itself: who is on it, and the edges that its thread has seen.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::batch::{EdgeCalls, Sample, keep};
use super::edge::{Draws, Edge};
use super::{NOBODY, nanoseconds, some, time};

/// Deepest stack of annotated calls that is told apart; deeper callers count as the deepest.
pub(super) const DEPTH: usize = 64;
/// Edges of the call graph that a thread counts before it hands them over.
pub(super) const EDGES: usize = 128;

pub(super) struct Stack {
    pub(super) depth: Cell<usize>,
    pub(super) levels: [Level; DEPTH],
    pub(super) edges: [Edge; EDGES],
    pub(super) draws: Draws,
}

/// One call on the stack.
pub(super) struct Level {
    method: Cell<u32>,
    /// Whether a call within ran on a server.
    pub(super) offloaded: Cell<bool>,
    pub(super) is_timed: Cell<bool>,
    /// Time that annotated callees took, in nanoseconds: as timed, and where they were not, as their own parts usually take.
    pub(super) callees: Cell<u64>,
    /// Meaningful where `is_timed` says so.
    timed: Cell<Option<Timed>>,
}

impl Level {
    const fn new() -> Self {
        Self {
            method: Cell::new(NOBODY),
            offloaded: Cell::new(false),
            is_timed: Cell::new(false),
            callees: Cell::new(0),
            timed: Cell::new(None),
        }
    }
}

/// What is kept of a timed call until it ends.
#[derive(Clone, Copy, Debug)]
struct Timed {
    start: Instant,
    /// Taken where it costs little beside the method: it is a system call.
    cpu: Option<Duration>,
    work: Option<f64>,
}

impl Stack {
    pub(super) const fn new() -> Self {
        Self {
            depth: Cell::new(0),
            levels: [const { Level::new() }; DEPTH],
            edges: [const { Edge::new() }; EDGES],
            draws: Draws::new(),
        }
    }

    #[inline]
    pub(super) fn caller(&self) -> u32 {
        match self.depth.get() {
            0 => NOBODY,
            depth => self.levels[(depth - 1).min(DEPTH - 1)].method.get(),
        }
    }

    /// The call below a depth.
    #[inline]
    fn below(&self, depth: usize) -> Option<&Level> {
        self.levels.get(depth.wrapping_sub(1))
    }

    /// Pushes a method and gives its caller.
    #[inline]
    pub(super) fn push(&self, method: u32) -> u32 {
        let caller = self.caller();
        let depth = self.depth.get();
        if let Some(level) = self.levels.get(depth) {
            level.method.set(method);
            level.callees.set(0);
            level.offloaded.set(false);
            level.is_timed.set(false);
        }
        self.depth.set(depth + 1);
        caller
    }

    /// The counters of an edge; `None` when the table is full.
    #[inline]
    pub(super) fn edge(&self, caller: u32, callee: u32) -> Option<(u16, &Edge)> {
        let start = (caller.wrapping_mul(31).wrapping_add(callee)) as usize % EDGES;
        let first = &self.edges[start];
        if first.callee.get() == callee && first.caller.get() == caller {
            return Some((start as u16, first));
        }
        self.probe(start, caller, callee)
    }

    #[cold]
    pub(super) fn probe(&self, start: usize, caller: u32, callee: u32) -> Option<(u16, &Edge)> {
        let places = (0..EDGES).map(|step| (start + step) % EDGES);
        for place in places {
            let edge = &self.edges[place];
            let free = edge.callee.get() == NOBODY;
            if free {
                edge.begin(caller, callee);
            }
            if free || (edge.callee.get() == callee && edge.caller.get() == caller) {
                return Some((place as u16, edge));
            }
        }
        None
    }

    /// Begins to time the call on top.
    #[cold]
    pub(super) fn start(&self, edge: &Edge, work: impl FnOnce() -> Option<f64>) {
        let first = edge.timed.get() == 0;
        let long = edge.schedule(&self.draws);
        if let Some(level) = self.below(self.depth.get()) {
            let cpu = (first || long).then(time::cpu).flatten();
            level.timed.set(Some(Timed { work: work(), cpu, start: time::now() }));
            level.is_timed.set(true);
        }
    }

    /// Adds a callee's time to the call below it; to the deepest that is told apart where that is deeper.
    #[inline]
    pub(super) fn charge_parent(&self, depth: usize, nanos: u64) {
        if let Some(parent) = self.below(depth.min(DEPTH)) {
            parent.callees.set(parent.callees.get().saturating_add(nanos));
        }
    }

    /// Charges the call that was just popped without having been timed: what is known of its callees, and what its own
    /// part usually takes. So a recursion that is timed at one depth is charged for what is below it as deep as it went.
    #[inline]
    pub(super) fn charge_untimed(&self, depth: usize, edge: &Edge) {
        let callees = self.levels.get(depth).map_or(0, |level| level.callees.get());
        self.charge_parent(depth, callees.saturating_add(edge.own.get()));
    }

    /// The same for a call without counters: what it takes itself is not known.
    #[cold]
    pub(super) fn charge_unplaced(&self, depth: usize) {
        let callees = self.levels.get(depth).map_or(0, |level| level.callees.get());
        self.charge_parent(depth, callees);
    }

    /// Ends the timing of the call that was just popped.
    #[cold]
    pub(super) fn finish(&self, depth: usize, level: &Level, edge: &Edge) {
        let Some(timed) = level.timed.take() else { return };
        let now = time::now();
        let inclusive = (now - timed.start).saturating_sub(time::cost());
        let exclusive = inclusive.saturating_sub(Duration::from_nanos(level.callees.get()));
        edge.learn(nanoseconds(inclusive), nanoseconds(exclusive));
        if let Some(callee) = some(edge.callee.get()) {
            let sample = Sample {
                caller: some(edge.caller.get()),
                callee,
                inclusive,
                exclusive,
                cpu: timed.cpu.zip(time::cpu()).map(|(start, end)| end.saturating_sub(start)),
                work: timed.work,
                offloaded_within: level.offloaded.get(),
            };
            keep(sample, now, depth == 0);
        }
        // What the sample itself took is not the caller's own time either.
        self.charge_parent(depth, nanoseconds(time::now() - timed.start));
    }

    pub(super) fn take_calls(&self) -> Vec<EdgeCalls> {
        let seen = |edge: &Edge| {
            let calls = edge.calls.replace(0);
            let callee = some(edge.callee.get())?;
            (calls > 0).then_some(EdgeCalls { caller: some(edge.caller.get()), callee, calls })
        };
        let calls: Vec<_> = self.edges.iter().filter_map(seen).collect();
        // A full table would count no new edge; with nothing on the stack no frame refers to its places.
        let taken = self.edges.iter().filter(|edge| edge.callee.get() != NOBODY).count();
        if taken > EDGES * 3 / 4 && self.depth.get() == 0 {
            self.edges.iter().for_each(|edge| edge.callee.set(NOBODY));
        }
        calls
    }
}
