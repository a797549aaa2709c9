//! What is known of a program: its methods and who calls whom, and the call graph that follows.

mod costing;

use std::collections::BTreeMap;
use std::ops::RangeBounds;
use std::time::Duration;

use outboard_core::{BodyHash, ByteCount, CallGraph, MethodFigures, MethodIndex, Placement, UnknownMethod};

use crate::method::{LocalCalls, MethodStatistics, RemoteCall};
use crate::predictor::Trust;
use crate::snapshot::MethodSnapshot;
use crate::spread::Quantity;

pub use costing::{Costing, Risk};

/// The profile of a program.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    methods: Vec<MethodStatistics>,
    edges: BTreeMap<Edge, u64>,
    /// Calls of earlier times, scaled to weigh little.
    kept: BTreeMap<Edge, f64>,
}

/// Who called, and who was called.
type Edge = (Option<MethodIndex>, MethodIndex);

impl Profile {
    /// The vertex that stands for all code that is not annotated; it runs on the device.
    pub const APP: MethodIndex = MethodIndex(u32::MAX);

    /// Nothing is known of any method.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a method; indices are dense and in order of addition.
    pub fn add_method(&mut self, name: impl Into<String>) -> MethodIndex {
        let index = MethodIndex(u32::try_from(self.methods.len()).unwrap_or(u32::MAX));
        self.methods.push(MethodStatistics::new(name.into()));
        index
    }

    /// Takes runs on the device in; a method that was never added is ignored.
    pub fn observe_local(&mut self, calls: &LocalCalls) {
        self.observe_batch(std::slice::from_ref(calls));
    }

    /// Takes what a thread counted since the last time in, in whatever order it comes.
    pub fn observe_batch(&mut self, batch: &[LocalCalls]) {
        for calls in batch {
            if calls.method.position() < self.methods.len() {
                self.count(calls.caller, calls.method, calls.calls);
            }
        }
        // Whole local runs first: those that were not are put together from them.
        let (parted, whole): (Vec<&LocalCalls>, Vec<&LocalCalls>) =
            batch.iter().partition(|calls| calls.offloaded_within);
        for calls in whole {
            if let Some(method) = self.methods.get_mut(calls.method.position()) {
                method.observe_local(calls, None);
            }
        }
        for calls in parted {
            let rebuilt = self.rebuild(calls);
            if let Some(method) = self.methods.get_mut(calls.method.position()) {
                method.observe_local(calls, rebuilt);
            }
        }
    }

    /// Takes a run on a server in; a method that was never added is ignored.
    pub fn observe_remote(&mut self, call: &RemoteCall) {
        if let Some(method) = self.methods.get_mut(call.method.position()) {
            method.observe_remote(call);
            self.count(call.caller, call.method, 1);
        }
    }

    /// Takes the size of a call's encoded slots in, sent or not.
    pub fn observe_encoded(&mut self, method: MethodIndex, up: ByteCount, work: Option<f64>) {
        if let Some(method) = self.methods.get_mut(method.position()) {
            method.observe_encoded(up, work);
        }
    }

    /// A call's slots were encoded only to know their size; `returning` is the part of those that come back.
    pub fn observe_size(
        &mut self,
        method: MethodIndex,
        up: ByteCount,
        returning: ByteCount,
        work: Option<f64>,
    ) {
        if let Some(method) = self.methods.get_mut(method.position()) {
            method.observe_size(up, returning, work);
        }
    }

    /// What is known of a method.
    pub fn method(&self, method: MethodIndex) -> Option<&MethodStatistics> {
        self.methods.get(method.position())
    }

    /// Every caller, callee and number of calls, local and remote ones.
    pub fn edges(&self) -> impl Iterator<Item = (Option<MethodIndex>, MethodIndex, u64)> {
        self.edges.iter().map(|((caller, callee), calls)| (*caller, *callee, *calls))
    }

    /// Whether no call is known, of this run or an earlier one.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty() && self.kept.is_empty()
    }

    /// Takes over what was learned of a method at another time. Of its calls only that `share` counts.
    pub fn restore(&mut self, method: MethodIndex, kept: &MethodSnapshot, trust: Trust, share: f64) {
        if let Some(method) = self.methods.get_mut(method.position()) {
            method.restore(kept, trust, share);
        }
    }

    /// Takes over how often a method was called at another time; `calls` is what counts of it.
    pub fn restore_edge(&mut self, caller: Option<MethodIndex>, callee: MethodIndex, calls: f64) {
        let known = |method: MethodIndex| method.position() < self.methods.len();
        if known(callee) && caller.is_none_or(known) {
            self.kept.insert((caller, callee), calls);
        }
    }

    /// What was learned of a method in this run; `None` if it never ran.
    pub fn snapshot(&self, method: MethodIndex, body: BodyHash) -> Option<MethodSnapshot> {
        self.method(method)?.snapshot(body)
    }

    /// The call graph with its costs, of the methods that ran and can be priced; [`APP`](Self::APP) calls those that code
    /// without annotations calls. `pin` says where a method has to run.
    pub fn call_graph(
        &self,
        costing: &Costing<'_>,
        pin: impl Fn(MethodIndex) -> Option<Placement>,
    ) -> CallGraph {
        let runs = self.runs();
        let mut graph = CallGraph::new();
        let app =
            MethodFigures { name: "the app".to_owned(), pin: Some(Placement::Device), ..Default::default() };
        graph.insert(Self::APP, app);
        for (position, method) in self.methods.iter().enumerate() {
            let index = MethodIndex(position as u32);
            if runs[position] >= 0.5 {
                graph.insert(index, costing.figures(method, runs[position], pin(index)));
            }
        }
        for ((caller, callee), calls) in self.weights(..) {
            let calls = calls * caller.map_or(1.0, |caller| self.unseen(caller, &runs));
            let figures = costing.shipping(&self.methods[callee.position()], calls);
            // A caller that was never added to the graph has no costs to compare; its calls come from the app then.
            if let Err(UnknownMethod(_)) = graph.add_calls(caller.unwrap_or(Self::APP), callee, figures) {
                let _absent_too = graph.add_calls(Self::APP, callee, figures);
            }
        }
        graph
    }

    fn count(&mut self, caller: Option<MethodIndex>, callee: MethodIndex, calls: u64) {
        let caller = caller.filter(|caller| caller.position() < self.methods.len());
        let count = self.edges.entry((caller, callee)).or_default();
        *count = count.saturating_add(calls);
    }

    /// Calls of this run, and those of earlier ones as far as they count.
    fn weights(&self, of: impl RangeBounds<Edge> + Clone) -> impl Iterator<Item = (Edge, f64)> {
        let kept = |edge: &Edge| self.kept.get(edge).copied().unwrap_or(0.0);
        let new = self.edges.range(of.clone()).map(move |(edge, calls)| (*edge, *calls as f64 + kept(edge)));
        let old = self.kept.range(of).filter(|(edge, _)| !self.edges.contains_key(*edge));
        new.chain(old.map(|(edge, calls)| (*edge, *calls)))
    }

    /// What a run would have taken, had the methods that it called run here too: its own time, and theirs as often as they
    /// are usually called. `None` if one of them never ran here.
    ///
    /// Without this, a method whose callees go to a server from the start would never have a local time to be compared
    /// with, and could never go there itself.
    fn rebuild(&self, run: &LocalCalls) -> Option<Duration> {
        let runs = self.methods.get(run.method.position())?.local_weight() + run.calls as f64;
        let mut time = run.exclusive.to_number() / run.timed.max(1) as f64;
        let from = (Some(run.method), MethodIndex(0))..=(Some(run.method), MethodIndex(u32::MAX));
        for ((_, callee), calls) in self.weights(from) {
            if callee != run.method {
                let once = self.methods[callee.position()].local(None)?.median().to_number();
                time += once * calls / runs.max(1.0);
            }
        }
        Some(Duration::from_number(time))
    }

    /// How often each method runs, those runs included that happen on the server and are not seen from here.
    ///
    /// What a method calls is only seen while it runs on the device, so its calls are scaled up by all its runs
    /// over its runs here. Callers may themselves be called unseen; a few rounds reach as deep as call graphs are.
    fn runs(&self) -> Vec<f64> {
        let mut runs: Vec<f64> = self.methods.iter().map(MethodStatistics::weight).collect();
        for _ in 0..ROUNDS {
            let mut next: Vec<f64> = vec![0.0; runs.len()];
            for ((caller, callee), calls) in self.weights(..) {
                let unseen = match caller {
                    Some(caller) if caller != callee => self.unseen(caller, &runs),
                    _ => 1.0,
                };
                next[callee.position()] += calls * unseen;
            }
            runs = next;
        }
        runs
    }

    /// All runs of a caller over those in which its calls were seen.
    fn unseen(&self, caller: MethodIndex, runs: &[f64]) -> f64 {
        let local = self.methods[caller.position()].local_weight();
        // Recursion could amplify round by round; a method offloaded a thousand times per local run is as good as always.
        if local <= 0.0 { 1.0 } else { (runs[caller.position()] / local).clamp(1.0, 1_000.0) }
    }
}

/// Deeper unseen chains than this are counted as seen from here.
const ROUNDS: usize = 8;

#[cfg(test)]
mod tests;
