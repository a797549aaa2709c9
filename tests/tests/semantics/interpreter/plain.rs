//! The same program without Outboard: what every other run is compared with.

use std::collections::BTreeMap;

use super::machine::{Machine, Outside, Step};
use super::program::{Flow, Kind, Program};
use super::value::{Heap, Object};

/// What a program comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) flow: Flow,
    /// The objects of `main`, skipped fields and all.
    pub(crate) objects: Vec<Object>,
    pub(crate) outside: Outside,
}

/// What a run was told that no plain run is told: its twin goes the same way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// The calls that were cancelled, among those that can be; and how many calls of `once` methods had begun by then.
    pub(crate) cancelled: BTreeMap<usize, usize>,
    /// The calls of `once` methods that left no state behind, in the order in which such calls begin: what was told
    /// instead, and how many had begun by then.
    pub(crate) onces: BTreeMap<usize, (Flow, usize)>,
}

impl Told {
    pub(crate) fn is_nothing(&self) -> bool {
        self.cancelled.is_empty() && self.onces.is_empty()
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
                let is_once = program.methods[method].kind == Kind::Once;
                let cancelled = told.cancelled.get(&cancellables).filter(|_| cancellable);
                let instead = told.onces.get(&onces).filter(|_| is_once);
                cancellables += usize::from(cancellable);
                if let Some(&begun) = cancelled {
                    onces = begun;
                    machine.hand(Flow::Cancelled);
                } else if let Some(&(flow, begun)) = instead {
                    onces = begun;
                    machine.hand(flow);
                } else {
                    onces += usize::from(is_once);
                    machine.enter(program, method, arguments);
                }
            }
            Step::Done(flow) => {
                return Some(Outcome { flow, objects: heap.first(program.objects.len()), outside });
            }
        }
    }
    None
}
