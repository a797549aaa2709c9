//! The same program without Outboard: what every other run is compared with.

use super::machine::{Machine, Outside, Step};
use super::program::{Flow, Program};
use super::value::{Heap, Object};

/// What a program comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) flow: Flow,
    /// The objects of `main`, skipped fields and all.
    pub(crate) objects: Vec<Object>,
    pub(crate) outside: Outside,
}

/// Programs that do more than this are not worth the time.
const MOST_STEPS: usize = 3_000;

/// Runs the program; `None` when it takes too long.
pub(crate) fn run(program: &Program) -> Option<Outcome> {
    let mut heap = Heap::default();
    let mut outside = Outside::default();
    let mut machine = Machine::main(program, &mut heap);
    for _ in 0..MOST_STEPS {
        match machine.step(program, &mut heap, &mut outside) {
            Step::Ran => {}
            Step::Gate { method, arguments } => machine.enter(program, method, arguments),
            Step::Done(flow) => {
                return Some(Outcome { flow, objects: heap.first(program.objects.len()), outside });
            }
        }
    }
    None
}
