//! The same program without Outboard: what every other run is compared with.

use std::collections::{BTreeMap, BTreeSet};

use outboard_core::CallId;

use super::machine::{Machine, Outside, Step};
use super::program::{Flow, Kind, Program};
use super::shared::{Graph, graph};
use super::value::{Heap, Object};

/// What a program comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) flow: Flow,
    /// The objects of `main`, skipped fields and all.
    pub(crate) objects: Vec<Object>,
    /// What they lead to.
    pub(crate) graph: Graph,
    pub(crate) outside: Outside,
}

/// What a run was told that no plain run is told: its twin goes the same way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// The calls that were cancelled, among those that can be.
    pub(crate) cancelled: BTreeSet<usize>,
    /// The calls of `once` methods that left no state behind, and what was told instead: by their number among those that
    /// are not within another one, in the order in which they begin.
    pub(crate) onces: BTreeMap<usize, Flow>,
    /// Something was told within a `once` method, and is not among these.
    pub(crate) lost_track: bool,
    /// The calls within which something may have run: the program went another way then, and what it calls there has the
    /// numbers of other calls.
    pub(crate) doubtful: BTreeSet<CallId>,
}

impl Told {
    pub(crate) fn is_nothing(&self) -> bool {
        self.cancelled.is_empty() && self.onces.is_empty() && !self.lost_track
    }
}

/// Programs that do more than this are not worth the time.
const MOST_STEPS: usize = 3_000;

/// Runs the program; `None` when it takes too long. What a run elsewhere was told, this one is told too.
pub(crate) fn run(program: &Program, told: &Told) -> Option<Outcome> {
    let mut heap = Heap::default();
    let mut outside = Outside::default();
    let mut machine = Machine::main(program, &mut heap);
    let (mut cancellables, mut onces) = (0, 0);
    for _ in 0..MOST_STEPS {
        match machine.step(program, &mut heap, &mut outside) {
            Step::Ran => {}
            Step::Gate { method, arguments, cancellable } => {
                let is_once = program.methods[method].kind == Kind::Once && !machine.is_in_once(program);
                let number = cancellables;
                cancellables += usize::from(cancellable);
                if cancellable && told.cancelled.contains(&number) {
                    machine.hand(Flow::Cancelled);
                    continue;
                }
                let instead = told.onces.get(&onces).filter(|_| is_once);
                onces += usize::from(is_once);
                match instead {
                    Some(&flow) => machine.hand(flow),
                    None => machine.enter(program, method, arguments),
                }
            }
            Step::Done(flow) => {
                let objects = heap.first(program.objects.len());
                let graph = graph(objects.iter().map(|object| &object.held));
                return Some(Outcome { flow, objects, graph, outside });
            }
        }
    }
    None
}
