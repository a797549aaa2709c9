//! What a thread hands over: calls by edge, and samples of their times.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use outboard_core::MethodIndex;
use outboard_profiler::LocalCalls;

/// Samples that a thread keeps before it hands them over.
const BATCH: usize = 64;
/// A batch is handed over at the latest at the first sample after this time.
const BATCH_AGE: Duration = Duration::from_millis(10);

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

thread_local! {
    static SAMPLES: RefCell<Samples> = const { RefCell::new(Samples::new()) };
}

/// Timed calls that wait to be handed over. Dropped with the thread, after a last hand-over.
struct Samples {
    list: Vec<Sample>,
    since: Option<Instant>,
    /// Calls, by caller and callee, of edges for which the stack's table had no room.
    beside: BTreeMap<(u32, u32), u64>,
}

impl Drop for Samples {
    fn drop(&mut self) {
        let batch = self.take();
        hand_over(batch);
    }
}

/// Takes what this thread has counted and not handed over.
pub(crate) fn take_batch() -> Batch {
    // In the destructors of a thread's locals this one may be gone, and its samples are handed over.
    let taken = SAMPLES.try_with(|samples| samples.borrow_mut().take());
    taken.unwrap_or_else(|_| Batch { calls: super::take_calls(), samples: Vec::new() })
}

/// Counts a call for which the table has no room. It is not timed.
#[cold]
pub(super) fn count_beside(caller: u32, callee: u32) {
    // Gone in the last moments of a thread only.
    let _ = SAMPLES.try_with(|samples| {
        *samples.borrow_mut().beside.entry((caller, callee)).or_default() += 1;
    });
}

/// Keeps a sample, and hands the batch over when it is time.
pub(super) fn keep(sample: Sample, now: Instant, outermost: bool) {
    let full = SAMPLES.try_with(|samples| samples.borrow_mut().add(sample, now)).unwrap_or(false);
    if full || (outermost && sample.inclusive >= BATCH_AGE) {
        hand_over(take_batch());
    }
}

fn hand_over(batch: Batch) {
    #[cfg(test)]
    let Some(batch) = super::tests::keep(batch) else { return };
    crate::device::hand_over(batch);
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
    const fn new() -> Self {
        Self { list: Vec::new(), since: None, beside: BTreeMap::new() }
    }

    fn take(&mut self) -> Batch {
        let mut calls = super::take_calls();
        for ((caller, callee), count) in std::mem::take(&mut self.beside) {
            let Some(callee) = super::some(callee) else { continue };
            let caller = super::some(caller);
            // An edge may have had a place before or after.
            match calls.iter_mut().find(|edge| (edge.caller, edge.callee) == (caller, callee)) {
                Some(edge) => edge.calls += count,
                None => calls.push(EdgeCalls { caller, callee, calls: count }),
            }
        }
        Batch { calls, samples: std::mem::take(&mut self.list) }
    }

    /// Adds a sample and says whether it is time to hand the batch over.
    fn add(&mut self, sample: Sample, now: Instant) -> bool {
        if self.list.is_empty() {
            self.since = Some(now);
        }
        self.list.push(sample);
        self.list.len() >= BATCH || self.since.is_some_and(|since| now - since >= BATCH_AGE)
    }
}
