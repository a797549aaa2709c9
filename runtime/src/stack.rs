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
/// No frame.
const NO_EDGE: u16 = u16::MAX;

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

/// A call on this thread's stack; popped when dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    edge: u16,
    timed: Option<Timed>,
}

#[derive(Debug)]
struct Timed {
    start: Instant,
    /// Taken where it costs little beside the method: it is a system call.
    cpu: Option<ThreadTime>,
    work: Option<f64>,
}

/// Pushes a call. `work` is asked only when the call is timed.
#[inline]
pub(crate) fn push(method: u32, work: impl FnOnce() -> Option<f64>) -> Counted {
    STACK.with(|stack| {
        let caller = stack.push(method);
        let Some((number, edge)) = stack.edge(caller, method) else {
            return Counted { edge: NO_EDGE, timed: None };
        };
        edge.calls.set(edge.calls.get() + 1);
        let due = edge.due.get() - 1;
        edge.due.set(due);
        let timed = if due == 0 { Some(stack.start(edge, work)) } else { None };
        Counted { edge: number, timed }
    })
}

/// The time of an async call, over all its polls.
#[derive(Debug)]
pub(crate) struct Timing {
    work: Option<f64>,
    /// Set at the first poll.
    began: Option<(Instant, u32)>,
    callees: u64,
    offloaded: bool,
}

impl Timing {
    /// Of a call that is polled next.
    pub(crate) fn new(work: Option<f64>) -> Self {
        Self { work, began: None, callees: 0, offloaded: false }
    }

    /// The call returned.
    pub(crate) fn finish(self, method: u32) {
        let (Some((start, caller)), Some(callee)) = (self.began, some(method)) else { return };
        let now = Instant::now();
        let inclusive = now - start;
        let exclusive = inclusive.saturating_sub(Duration::from_nanos(self.callees));
        let sample = Sample {
            caller: some(caller),
            callee,
            inclusive,
            exclusive,
            cpu: None,
            work: self.work,
            offloaded_within: self.offloaded,
        };
        let outermost = STACK.with(|stack| stack.depth.get() == 0);
        keep(sample, now, outermost);
    }
}

/// An async call that is being polled on this thread.
#[derive(Debug)]
pub(crate) struct Polled<'a> {
    timing: &'a mut Timing,
}

/// Puts an async call on the stack for one poll. Its first poll counts as the call.
pub(crate) fn poll(method: u32, timing: &mut Timing) -> Polled<'_> {
    STACK.with(|stack| {
        let caller = stack.push(method);
        if timing.began.is_none() {
            timing.began = Some((Instant::now(), caller));
            if let Some((_, edge)) = stack.edge(caller, method) {
                edge.calls.set(edge.calls.get() + 1);
            }
        }
    });
    Polled { timing }
}

impl Drop for Polled<'_> {
    fn drop(&mut self) {
        STACK.with(|stack| {
            let depth = stack.depth.get() - 1;
            stack.depth.set(depth);
            self.timing.callees += stack.callees.get(depth).map_or(0, Cell::get);
            self.timing.offloaded |= stack.offloaded.get(depth).is_some_and(Cell::get);
        });
    }
}

/// A call of the method on top of the stack went to a server, with or without success, and took so long.
pub(crate) fn offloaded(elapsed: Duration) {
    STACK.with(|stack| {
        let depth = stack.depth.get();
        stack.charge_parent(depth, u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
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

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        STACK.with(|stack| {
            let depth = stack.depth.get() - 1;
            stack.depth.set(depth);
            match self.timed.take() {
                None => stack.charge_parent(depth, stack.mean(self.edge)),
                Some(timed) => stack.finish(depth, self.edge, timed),
            }
        });
    }
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
}

impl Stack {
    const fn new() -> Self {
        Self {
            depth: Cell::new(0),
            methods: [const { Cell::new(NOBODY) }; DEPTH],
            callees: [const { Cell::new(0) }; DEPTH],
            offloaded: [const { Cell::new(false) }; DEPTH],
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

    #[cold]
    fn start(&self, edge: &Edge, work: impl FnOnce() -> Option<f64>) -> Timed {
        let timed = edge.timed.get().saturating_add(1);
        edge.timed.set(timed);
        let long = u128::from(edge.mean.get()) >= LONG.as_nanos();
        edge.due.set(if timed < ALWAYS_TIMED || long { 1 } else { SAMPLE_EVERY });
        let cpu = (timed == 1 || long).then(ThreadTime::now);
        Timed { work: work(), cpu, start: Instant::now() }
    }

    #[inline]
    fn mean(&self, edge: u16) -> u64 {
        self.edges.get(usize::from(edge)).map_or(0, |edge| edge.mean.get())
    }

    /// Adds a callee's time to the frame below it.
    #[inline]
    fn charge_parent(&self, depth: usize, nanos: u64) {
        if depth > 0 && depth <= DEPTH {
            let callees = &self.callees[depth - 1];
            callees.set(callees.get() + nanos);
        }
    }

    #[cold]
    fn finish(&self, depth: usize, number: u16, timed: Timed) {
        let now = Instant::now();
        let inclusive = now - timed.start;
        let nanos = u64::try_from(inclusive.as_nanos()).unwrap_or(u64::MAX);
        self.charge_parent(depth, nanos);
        let edge = &self.edges[usize::from(number)];
        let mean = edge.mean.get();
        edge.mean.set(if mean == 0 { nanos } else { mean - mean / 8 + nanos / 8 });
        let callees = self.callees.get(depth).map_or(0, Cell::get);
        let Some(callee) = some(edge.callee.get()) else { return };
        let sample = Sample {
            caller: some(edge.caller.get()),
            callee,
            inclusive,
            exclusive: inclusive.saturating_sub(Duration::from_nanos(callees)),
            cpu: timed.cpu.map(|cpu| cpu.elapsed()),
            work: timed.work,
            offloaded_within: self.offloaded.get(depth).is_some_and(Cell::get),
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

fn some(method: u32) -> Option<MethodIndex> {
    (method != NOBODY).then_some(MethodIndex(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: u32) -> Counted {
        push(method, || Some(1.0))
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
        let _again = call(2);
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
    fn more_edges_than_places_are_left_out_and_nothing_breaks() {
        for method in 0..EDGES as u32 + 10 {
            drop(call(method));
        }
        assert_eq!(take_batch().calls.len(), EDGES);
        drop(call(1));
        assert_eq!(take_batch().calls, [edge(None, 1, 1)], "there is room again");
    }

    #[test]
    fn an_async_call_is_counted_once_and_charged_for_its_callees() {
        let mut timing = Timing::new(Some(2.0));
        for _ in 0..3 {
            let _polled = poll(1, &mut timing);
            let _inner = call(2);
        }
        timing.finish(1);
        let batch = take_batch();
        let outer: Vec<_> = batch.samples.iter().filter(|sample| sample.callee == MethodIndex(1)).collect();
        assert_eq!(outer.len(), 1);
        assert!(outer[0].exclusive <= outer[0].inclusive);
        assert!(batch.calls.contains(&edge(None, 1, 1)) && batch.calls.contains(&edge(Some(1), 2, 3)));
    }
}
