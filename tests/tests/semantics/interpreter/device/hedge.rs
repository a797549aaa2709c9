//! Calls that the device runs too, on a copy of what was sent, when their bound has passed.

use super::super::machine::{Machine, Step};
use super::super::program::{Error, Flow, Kind, Passing, Slot};
use super::super::value::{Heap, Object, Reference};
use super::wait::Wait;
use super::{Activity, Around, Device};

/// The device's own run of a call that is away.
#[derive(Debug)]
pub(super) struct Hedge {
    machine: Machine,
    heap: Heap,
    arguments: Vec<Reference>,
    /// The attempt has ended without a result, or was given up: only the device's own run is waited for.
    pub(super) over: bool,
}

impl Device {
    /// Starts a run beside an attempt whose bound has passed, where a copy is all that the method has to run on, and
    /// nothing of the attempt has shown yet.
    pub(super) fn start_hedge(&mut self, around: &mut Around<'_>, wait: &Wait) -> Option<Hedge> {
        let slots = &around.program.methods[wait.method].slots;
        let may_be = wait.once.is_none()
            && !wait.called_back
            && wait.objects.is_empty()
            && slots.iter().all(|slot| !slot.of.skips());
        if !may_be || around.tape.one_in(2) {
            return None;
        }
        let mut heap = Heap::default();
        let decode = |(slot, image): (&Slot, _)| Object::decode(image, slot.of);
        let objects: Option<Vec<Object>> = slots.iter().zip(&wait.sent).map(decode).collect();
        let arguments: Vec<Reference> = objects?.into_iter().map(|object| heap.allocate(object)).collect();
        let machine = Machine::part(around.program, wait.method, arguments.clone(), self.life);
        around.report.hedges += 1;
        Some(Hedge { machine, heap, arguments, over: false })
    }

    /// Lets the device's own run go on for one step.
    pub(super) fn step_hedge(&mut self, around: &mut Around<'_>, mut wait: Box<Wait>, mut hedge: Hedge) {
        match hedge.machine.step(around.program, &mut hedge.heap, around.outside) {
            Step::Gate { method, arguments, .. }
                if around.program.methods[method].kind == Kind::Remoteable =>
            {
                hedge.machine.enter(around.program, method, arguments);
            }
            Step::Ran => {}
            Step::Done(Flow::Return(result)) => return self.hedge_won(around, *wait, hedge, result),
            // What happens only once, or only on the device's own objects, does not happen here; and a panic shows
            // where the method runs in place.
            Step::Gate { .. } | Step::Done(_) => {
                around.report.hedges_void += 1;
                self.fence(around, &wait);
                let instead = Flow::Return(Err(Error::MaybeRan));
                return self.abandon(around, *wait, instead);
            }
        }
        wait.hedge = Some(hedge);
        self.stack.push(Activity::Wait(wait));
    }

    fn hedge_won(
        &mut self,
        around: &mut Around<'_>,
        mut wait: Wait,
        hedge: Hedge,
        result: Result<i64, Error>,
    ) {
        around.report.hedges_won += 1;
        self.fence(around, &wait);
        self.undo(around.program, around.report, &mut wait);
        let slots = &around.program.methods[wait.method].slots;
        for ((mine, theirs), slot) in wait.arguments.iter().zip(&hedge.arguments).zip(slots) {
            if slot.passing == Passing::Exclusive {
                self.heap.at_mut(mine).exchange(&mut hedge.heap.at(theirs).clone());
            }
        }
        if let Some(root) = wait.root {
            self.count_again(root, wait.counted);
            if wait.is_outermost() {
                self.end_root(around, root);
            }
        }
        self.hand(Flow::Return(result));
    }

    pub(super) fn fence(&mut self, around: &Around<'_>, wait: &Wait) {
        if let Some((_, session)) = &mut self.link {
            session.fence(around.now, wait.attempt);
        }
    }
}
