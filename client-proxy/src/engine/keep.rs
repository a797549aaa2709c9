//! What is known from earlier runs, and what this one leaves to later ones.

use std::collections::BTreeMap;

use outboard_core::{MethodId, MethodIndex, Timestamp};
use outboard_profiler::{MethodSnapshot, Origin, Snapshot, Trust};

use super::Engine;

/// What was learned at other times of methods that may not be known yet.
#[derive(Debug, Default)]
pub(super) struct Kept {
    methods: BTreeMap<MethodId, (MethodSnapshot, Trust, f64)>,
    edges: BTreeMap<(Option<MethodId>, MethodId), f64>,
    /// The edges of a method, as caller or as callee.
    of: BTreeMap<MethodId, Vec<(Option<MethodId>, MethodId)>>,
}

/// However long a program was watched: its calls of earlier times weigh like so many of now, made by code that is not
/// annotated. Sixteen runs of a main loop show how it goes this time.
const KEPT_CALLS: f64 = 16.0;

impl Engine {
    /// Takes over what was learned at another time: predictions that are less certain than they were, until samples of now
    /// outweigh them, and the shape of the call graph. With it a method may go to a server on its first call.
    ///
    /// May be called before and after methods are registered, and more than once: later snapshots outrank earlier ones,
    /// and what was learned in this run outranks both. A method whose body is another one is trusted weakly.
    pub fn preload(&mut self, now: Timestamp, snapshot: &Snapshot, trust: Trust) {
        let app: u64 =
            snapshot.edges.iter().filter(|((caller, _), _)| caller.is_none()).map(|(_, calls)| calls).sum();
        let share = (KEPT_CALLS / app.max(1) as f64).min(1.0);
        for (id, method) in &snapshot.methods {
            self.kept.methods.insert(*id, (method.clone(), trust, share));
        }
        for (edge, calls) in &snapshot.edges {
            if self.kept.edges.insert(*edge, *calls as f64 * share).is_none() {
                let (caller, callee) = *edge;
                self.kept.of.entry(callee).or_default().push(*edge);
                if let Some(caller) = caller.filter(|caller| *caller != callee) {
                    self.kept.of.entry(caller).or_default().push(*edge);
                }
            }
        }
        let known: Vec<_> = self.by_id.values().copied().collect();
        known.into_iter().for_each(|method| self.restore(now, method));
    }

    /// What was learned in this run; what was [preloaded](Self::preload) is not in it.
    pub fn snapshot(&self, device: impl Into<String>) -> Snapshot {
        let app = &self.settings.app;
        let origin = Origin {
            app: app.name.clone(),
            version: app.version.clone(),
            build: app.build.clone(),
            device: device.into(),
        };
        let id = |method: MethodIndex| self.methods.get(method.position()).map(|state| state.info.id);
        let methods = self.by_id.iter().filter_map(|(id, index)| {
            let body = self.methods[index.position()].info.body;
            Some((*id, self.profile.snapshot(*index, body)?))
        });
        let edges = self.profile.edges().filter_map(|(caller, callee, calls)| {
            let caller = match caller {
                None => None,
                Some(caller) => Some(id(caller)?),
            };
            Some(((caller, id(callee)?), calls))
        });
        Snapshot { origin, methods: methods.collect(), edges: edges.collect() }
    }

    /// Gives a method what was learned of it at other times.
    pub(super) fn restore(&mut self, now: Timestamp, method: MethodIndex) {
        let info = &self.methods[method.position()].info;
        let id = info.id;
        let Some((kept, trust, share)) = self.kept.methods.get(&id) else { return };
        let trust = if kept.body == info.body { *trust } else { Trust::Weak };
        self.profile.restore(method, kept, trust, *share);
        let law = kept.local.and_then(|local| local.work);
        let largest = law.map_or(0.0, |law| law.usual);
        for (caller, callee) in self.kept.of.get(&id).into_iter().flatten() {
            let index = |id: &MethodId| self.by_id.get(id).copied();
            let caller_index = caller.as_ref().map(index);
            // The edge comes with whichever of its ends is registered last.
            if let (Some(callee_index), Some(calls), None | Some(Some(_))) =
                (index(callee), self.kept.edges.get(&(*caller, *callee)), caller_index)
            {
                self.profile.restore_edge(caller_index.flatten(), callee_index, *calls);
            }
        }
        let state = &mut self.methods[method.position()];
        state.quotes.clear();
        state.largest_work = state.largest_work.max(largest);
        self.planner.hurry(now);
        self.words_soon(now);
    }
}
