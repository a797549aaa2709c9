//! The call stack of this thread: who calls whom, exactly, and how long it takes, by samples.
//!
//! A profiled call costs a few loads and stores on plain cells. The clock is read for the first calls of an edge, for all
//! calls of methods that take long, and for one in [`SAMPLE_EVERY`] of the others.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use outboard_core::MethodIndex;
use outboard_profiler::LocalCalls;

/// Deepest stack of annotated calls that is told apart; deeper callers count as the deepest.
const DEPTH: usize = 64;
/// Edges of the call graph that a thread counts before it hands them over.
const EDGES: usize = 128;
/// Of the calls of a quick method, one in so many is timed.
const SAMPLE_EVERY: u32 = 64;
/// Calls of an edge that are all timed before sampling begins.
const ALWAYS_TIMED: u32 = 8;
/// A method that takes longer is timed on every call: reading the clock twice costs about 50 ns.
const LONG: Duration = Duration::from_micros(10);
/// Samples that a thread keeps before it hands them over.
const BATCH: usize = 64;
/// A batch is handed over at the latest at the first sample after this time.
const BATCH_AGE: Duration = Duration::from_millis(10);

/// No method: the caller of an outermost call.
const NOBODY: u32 = u32::MAX;

/// What a thread saw since it last told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// Calls per edge, exact.
    pub(crate) calls: Vec<EdgeCalls>,
    /// Timed calls.
    pub(crate) samples: Vec<Sample>,
}

/// How often one method called another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EdgeCalls {
    /// The caller; `None` for code that is not annotated.
    pub(crate) caller: Option<MethodIndex>,
    /// The callee.
    pub(crate) callee: MethodIndex,
    /// The number of calls.
    pub(crate) calls: u64,
}

/// One timed call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The caller; `None` for code that is not annotated.
    pub(crate) caller: Option<MethodIndex>,
    /// The callee.
    pub(crate) callee: MethodIndex,
    /// From call to return.
    pub(crate) inclusive: Duration,
    /// Without the annotated methods that it called.
    pub(crate) exclusive: Duration,
    /// Time on the CPU, where it was taken.
    pub(crate) cpu: Option<Duration>,
    /// The size hint of the call.
    pub(crate) work: Option<f64>,
    /// Whether a call within ran on a server: then this is not the time of a local run.
    pub(crate) offloaded_within: bool,
}

/// What is kept of a timed call until it ends.
#[derive(Clone, Copy, Debug)]
struct Timed {
    start: Instant,
    /// Taken where it costs little beside the method: it is a system call.
    cpu: Option<ThreadTime>,
    work: Option<f64>,
}

/// The counters of a call on the stack, by their place; [`NONE`](Self::NONE) where there was no room.
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
        let Some((number, edge)) = stack.edge(caller, method) else { return EdgeNumber::NONE };
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
        let Some(edge) = stack.edges.get(usize::from(number.0)) else { return };
        // Counted when it ends, so that a call and its sample are handed over together.
        edge.calls.set(edge.calls.get() + 1);
        match stack.is_timed.get(depth) {
            Some(timed) if timed.get() => stack.finish(depth, edge),
            _ => stack.charge_parent(depth, edge.mean.get()),
        }
    });
}

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
        let now = Instant::now();
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
        Self { caller, start: due.then(Instant::now) }
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
            self.call.callees += stack.callees.get(depth).map_or(0, Cell::get);
            self.call.offloaded |= stack.offloaded.get(depth).is_some_and(Cell::get);
        });
    }
}

/// A call of the method on top of the stack went to a server, with or without success, and took so long.
pub(crate) fn offloaded(elapsed: Duration) {
    STACK.with(|stack| {
        let depth = stack.depth.get();
        stack.charge_parent(depth, nanoseconds(elapsed));
        stack.offloaded.iter().take(depth).for_each(|offloaded| offloaded.set(true));
    });
}

/// Takes what this thread has counted and not handed over.
pub(crate) fn take_batch() -> Batch {
    let samples = SAMPLES.with(|samples| std::mem::take(&mut samples.borrow_mut().list));
    Batch { calls: STACK.with(Stack::take_calls), samples }
}

/// The method that runs on this thread, as its profile sees it.
pub(crate) fn current() -> Option<MethodIndex> {
    STACK.with(|stack| some(stack.caller()))
}

thread_local! {
    static STACK: Stack = const { Stack::new() };
    static SAMPLES: RefCell<Samples> = const { RefCell::new(Samples { list: Vec::new(), since: None }) };
}

/// Timed calls that wait to be handed over. Dropped with the thread, after a last hand-over.
struct Samples {
    list: Vec<Sample>,
    since: Option<Instant>,
}

impl Drop for Samples {
    fn drop(&mut self) {
        let samples = std::mem::take(&mut self.list);
        let calls = STACK.with(Stack::take_calls);
        crate::device::hand_over(Batch { calls, samples });
    }
}

struct Stack {
    depth: Cell<usize>,
    methods: [Cell<u32>; DEPTH],
    /// Time that annotated callees took, per frame; meaningful in timed frames.
    callees: [Cell<u64>; DEPTH],
    /// Whether a call within ran on a server, per frame.
    offloaded: [Cell<bool>; DEPTH],
    is_timed: [Cell<bool>; DEPTH],
    /// Meaningful where `is_timed` says so.
    timed: [Cell<Option<Timed>>; DEPTH],
    edges: [Edge; EDGES],
}

/// Counts of one edge. A free place has no callee.
struct Edge {
    caller: Cell<u32>,
    callee: Cell<u32>,
    calls: Cell<u64>,
    /// Calls until the next timed one.
    due: Cell<u32>,
    timed: Cell<u32>,
    /// Smoothed time of a call, in nanoseconds.
    mean: Cell<u64>,
}

impl Edge {
    const fn new() -> Self {
        Self {
            caller: Cell::new(NOBODY),
            callee: Cell::new(NOBODY),
            calls: Cell::new(0),
            due: Cell::new(1),
            timed: Cell::new(0),
            mean: Cell::new(0),
        }
    }

    /// Counts down to the next timed call.
    #[inline]
    fn is_due(&self) -> bool {
        let due = self.due.get() - 1;
        self.due.set(due);
        due == 0
    }

    /// Sets when the call after a timed one is timed; says whether the method takes long.
    fn schedule(&self) -> bool {
        let timed = self.timed.get().saturating_add(1);
        self.timed.set(timed);
        let long = u128::from(self.mean.get()) >= LONG.as_nanos();
        self.due.set(if timed < ALWAYS_TIMED || long { 1 } else { SAMPLE_EVERY });
        long
    }

    fn learn(&self, nanos: u64) {
        let mean = self.mean.get();
        self.mean.set(if mean == 0 { nanos } else { mean - mean / 8 + nanos / 8 });
    }
}

impl Stack {
    const fn new() -> Self {
        Self {
            depth: Cell::new(0),
            methods: [const { Cell::new(NOBODY) }; DEPTH],
            callees: [const { Cell::new(0) }; DEPTH],
            offloaded: [const { Cell::new(false) }; DEPTH],
            is_timed: [const { Cell::new(false) }; DEPTH],
            timed: [const { Cell::new(None) }; DEPTH],
            edges: [const { Edge::new() }; EDGES],
        }
    }

    #[inline]
    fn caller(&self) -> u32 {
        match self.depth.get() {
            0 => NOBODY,
            depth => self.methods[(depth - 1).min(DEPTH - 1)].get(),
        }
    }

    /// Pushes a method and gives its caller.
    #[inline]
    fn push(&self, method: u32) -> u32 {
        let caller = self.caller();
        let depth = self.depth.get();
        if depth < DEPTH {
            self.methods[depth].set(method);
            self.callees[depth].set(0);
            self.offloaded[depth].set(false);
            self.is_timed[depth].set(false);
        }
        self.depth.set(depth + 1);
        caller
    }

    /// The counters of an edge; `None` when the table is full, until the counts are taken.
    #[inline]
    fn edge(&self, caller: u32, callee: u32) -> Option<(u16, &Edge)> {
        let start = (caller.wrapping_mul(31).wrapping_add(callee)) as usize % EDGES;
        let first = &self.edges[start];
        if first.callee.get() == callee && first.caller.get() == caller {
            return Some((start as u16, first));
        }
        self.probe(start, caller, callee)
    }

    #[cold]
    fn probe(&self, start: usize, caller: u32, callee: u32) -> Option<(u16, &Edge)> {
        let places = (0..EDGES).map(|step| (start + step) % EDGES);
        for place in places {
            let edge = &self.edges[place];
            let free = edge.callee.get() == NOBODY;
            if free {
                edge.caller.set(caller);
                edge.callee.set(callee);
                edge.due.set(1);
                edge.timed.set(0);
                edge.mean.set(0);
            }
            if free || (edge.callee.get() == callee && edge.caller.get() == caller) {
                return Some((place as u16, edge));
            }
        }
        None
    }

    /// Begins to time the call on top.
    #[cold]
    fn start(&self, edge: &Edge, work: impl FnOnce() -> Option<f64>) {
        let depth = self.depth.get() - 1;
        let first = edge.timed.get() == 0;
        let long = edge.schedule();
        if depth < DEPTH {
            let cpu = (first || long).then(ThreadTime::now);
            self.timed[depth].set(Some(Timed { work: work(), cpu, start: Instant::now() }));
            self.is_timed[depth].set(true);
        }
    }

    /// Adds a callee's time to the frame below it.
    #[inline]
    fn charge_parent(&self, depth: usize, nanos: u64) {
        if depth > 0 && depth <= DEPTH {
            let callees = &self.callees[depth - 1];
            callees.set(callees.get() + nanos);
        }
    }

    /// Ends the timing of the call that was just popped.
    #[cold]
    fn finish(&self, depth: usize, edge: &Edge) {
        let Some(timed) = self.timed[depth].take() else { return };
        let now = Instant::now();
        let inclusive = now - timed.start;
        let nanos = nanoseconds(inclusive);
        self.charge_parent(depth, nanos);
        edge.learn(nanos);
        let Some(callee) = some(edge.callee.get()) else { return };
        let sample = Sample {
            caller: some(edge.caller.get()),
            callee,
            inclusive,
            exclusive: inclusive.saturating_sub(Duration::from_nanos(self.callees[depth].get())),
            cpu: timed.cpu.map(|cpu| cpu.elapsed()),
            work: timed.work,
            offloaded_within: self.offloaded[depth].get(),
        };
        keep(sample, now, depth == 0);
    }

    fn take_calls(&self) -> Vec<EdgeCalls> {
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

impl Batch {
    /// As the profile takes it: timed calls one by one, the others by their number.
    pub(crate) fn into_local_calls(self) -> Vec<LocalCalls> {
        let timed = |sample: &Sample| LocalCalls {
            method: sample.callee,
            caller: sample.caller,
            calls: 1,
            timed: 1,
            inclusive: sample.inclusive,
            exclusive: sample.exclusive,
            cpu: sample.cpu,
            work: sample.work,
            offloaded_within: sample.offloaded_within,
        };
        let untimed = |edge: &EdgeCalls| {
            let of_edge = |sample: &&Sample| sample.caller == edge.caller && sample.callee == edge.callee;
            let timed = self.samples.iter().filter(of_edge).count() as u64;
            let calls = edge.calls.saturating_sub(timed);
            (calls > 0).then_some(LocalCalls {
                method: edge.callee,
                caller: edge.caller,
                calls,
                timed: 0,
                inclusive: Duration::ZERO,
                exclusive: Duration::ZERO,
                cpu: None,
                work: None,
                offloaded_within: false,
            })
        };
        self.samples.iter().map(timed).chain(self.calls.iter().filter_map(untimed)).collect()
    }
}

impl Samples {
    /// Adds a sample and says whether it is time to hand the batch over.
    fn add(&mut self, sample: Sample, now: Instant) -> bool {
        if self.list.is_empty() {
            self.since = Some(now);
        }
        self.list.push(sample);
        self.list.len() >= BATCH || self.since.is_some_and(|since| now - since >= BATCH_AGE)
    }
}

/// Keeps a sample, and hands the batch over when it is time.
fn keep(sample: Sample, now: Instant, outermost: bool) {
    let full = SAMPLES.try_with(|samples| samples.borrow_mut().add(sample, now)).unwrap_or(false);
    if full || (outermost && sample.inclusive >= BATCH_AGE) {
        crate::device::hand_over(take_batch());
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn some(method: u32) -> Option<MethodIndex> {
    (method != NOBODY).then_some(MethodIndex(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Called(EdgeNumber);

    impl Drop for Called {
        fn drop(&mut self) {
            pop(self.0);
        }
    }

    fn call(method: u32) -> Called {
        Called(push(method, || Some(1.0)))
    }

    fn edge(caller: Option<u32>, callee: u32, calls: u64) -> EdgeCalls {
        EdgeCalls { caller: caller.map(MethodIndex), callee: MethodIndex(callee), calls }
    }

    #[test]
    fn edges_are_counted_exactly() {
        {
            let _outer = call(1);
            for _ in 0..1000 {
                let _inner = call(2);
            }
        }
        drop(call(2));
        let mut calls = take_batch().calls;
        calls.sort_by_key(|edge| (edge.caller, edge.callee));
        assert_eq!(calls, [edge(None, 1, 1), edge(None, 2, 1), edge(Some(1), 2, 1000)]);
    }

    #[test]
    fn a_quick_method_is_sampled_and_a_first_call_always_timed() {
        let outer = call(7);
        drop(outer);
        let batch = take_batch();
        assert_eq!(batch.samples.len(), 1);
        assert_eq!(batch.samples[0].work, Some(1.0));
        assert_eq!(batch.samples[0].caller, None);
    }

    #[test]
    fn recursion_deeper_than_the_stack_is_counted_and_unwinds() {
        fn recurse(depth: usize) {
            let _frame = call(3);
            if depth > 0 {
                recurse(depth - 1);
            }
        }
        recurse(DEPTH * 2);
        assert_eq!(current(), None);
        let calls: u64 = take_batch().calls.iter().map(|edge| edge.calls).sum();
        assert_eq!(calls, DEPTH as u64 * 2 + 1);
    }

    #[test]
    fn a_full_table_leaves_edges_out_until_its_counts_are_taken() {
        let stack = Stack::new();
        let edges = EDGES as u32;
        assert!((0..edges).all(|method| stack.edge(NOBODY, method).is_some()));
        assert!(stack.edge(NOBODY, edges).is_none(), "there is no place left");
        stack.edge(NOBODY, 3).unwrap().1.calls.set(5);
        assert_eq!(stack.take_calls(), [edge(None, 3, 5)]);
        assert!(stack.edge(NOBODY, edges).is_some(), "there is room again");
    }

    #[test]
    fn an_async_call_is_counted_once_and_charged_for_its_callees() {
        let mut polls = Polls::new(1, Some(2.0));
        for _ in 0..3 {
            let _polled = polls.poll();
            let _inner = call(2);
        }
        polls.finish();
        let batch = take_batch();
        let outer: Vec<_> = batch.samples.iter().filter(|sample| sample.callee == MethodIndex(1)).collect();
        assert_eq!(outer.len(), 1);
        assert!(outer[0].exclusive <= outer[0].inclusive);
        assert!(batch.calls.contains(&edge(None, 1, 1)) && batch.calls.contains(&edge(Some(1), 2, 3)));
    }
}
