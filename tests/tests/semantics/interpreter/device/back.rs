//! Call-backs: methods of the device that remote code calls.

use outboard_wire::frame::{AnswerFrame, AnswerImage, Attempt, BackFrame, BackSlot, SlotImage};

use super::super::machine::Machine;
use super::super::method_number;
use super::super::program::{Flow, Passing, Slot, encode_result};
use super::super::value::{Object, Reference};
use super::super::versions::{resolve_by_call, tell_by_call};
use super::once::Chain;
use super::{Activity, Around, Device, Purpose};

/// A call-back that is being served.
#[derive(Debug)]
pub(super) struct Question {
    attempt: Attempt,
    sequence: u32,
    pub(super) method: usize,
    arguments: Vec<Reference>,
    /// For each argument, the slot of the outer call that it is.
    outer: Vec<Option<usize>>,
    chain: Chain,
    /// The size of the heap before it.
    pub(super) heap: usize,
}

impl Device {
    /// Runs a call-back of the attempt that waits.
    pub(super) fn serve(&mut self, around: &mut Around<'_>, back: &BackFrame) {
        around.report.backs += 1;
        let (attempt, sequence) = (back.attempt, back.sequence);
        let heap = self.heap.size();
        let Some((method, arguments)) = self.arguments(around, back) else {
            self.heap.free_down_to(heap);
            self.say(
                around,
                AnswerFrame { attempt, sequence, outcome: Err("a slot is garbled".into()), onces: 0 },
            );
            return;
        };
        let outer = |slot: &BackSlot| match slot {
            BackSlot::Place { slot, path, .. } if path.is_empty() => Some(usize::from(*slot)),
            _ => None,
        };
        let outer = back.slots.iter().map(outer).collect();
        let Some(Activity::Wait(wait)) = self.stack.last() else { panic!("a call-back comes to a call") };
        // Where the server counts nothing, what called may run once only itself.
        let chain = match (wait.root, back.onces) {
            (Some(root), Some(onces)) => {
                let counted = &mut self.roots[root].next;
                *counted = onces.max(*counted);
                Chain::Part { root, again: false }
            }
            _ => Chain::Once,
        };
        let question = Question { attempt, sequence, method, arguments, outer, chain, heap };
        let machine = Machine::part(around.program, method, question.arguments.clone(), self.life);
        self.stack.push(Activity::Run(machine, Purpose::Back(question), chain));
    }

    /// The objects that a call-back works on: the device's own where the server names a place, brought to the server's
    /// version.
    fn arguments(&mut self, around: &mut Around<'_>, back: &BackFrame) -> Option<(usize, Vec<Reference>)> {
        let method = method_number(back.method)?;
        let Some(Activity::Wait(wait)) = self.stack.last_mut() else { panic!("a call-back comes to a call") };
        let mut arguments = Vec::new();
        for (slot, image) in around.program.methods[method].slots.iter().zip(&back.slots) {
            let (BackSlot::Copy(told) | BackSlot::Place { image: told, .. }) = image;
            let bytes = resolve_by_call(wait.attempt, &wait.sent, told, around.report)?;
            let mut object = Object::decode(&bytes, slot.of)?;
            let BackSlot::Place { slot: outer, path, .. } = image else {
                arguments.push(self.heap.allocate(object));
                continue;
            };
            around.report.places += 1;
            let outer = usize::from(*outer);
            let Slot { of, passing: Passing::Exclusive } =
                *around.program.methods[wait.method].slots.get(outer)?
            else {
                return None;
            };
            let base = wait.arguments.get(outer)?;
            // Before the first touch, and before anything is changed: what was sent can always be had again.
            if wait.undo[outer].is_none() {
                wait.undo[outer] = Some(Object::decode(&wait.sent[outer], of)?);
            }
            let place = Reference { object: base.object, path: [&base.path[..], path].concat() };
            self.heap.try_at_mut(&place)?.exchange(&mut object);
            arguments.push(place);
        }
        Some((method, arguments))
    }

    /// A call-back has ended.
    pub(super) fn answer(&mut self, around: &mut Around<'_>, question: Question, flow: Flow) {
        let Question { attempt, sequence, method, arguments, outer, chain, heap } = question;
        let outcome = match flow {
            Flow::Return(result) => {
                let sent = match self.stack.last() {
                    Some(Activity::Wait(wait)) => &wait.sent[..],
                    _ => &[],
                };
                let slots = arguments.iter().zip(&around.program.methods[method].slots);
                let exclusive = slots.zip(&outer).filter(|((_, slot), _)| slot.passing == Passing::Exclusive);
                let exclusive = exclusive.map(|((argument, _), outer)| {
                    let image = self.heap.at(argument).encode();
                    match outer {
                        Some(slot) => tell_by_call(attempt, *slot, sent, &image, self.believed.goodput()),
                        None => SlotImage::Whole(image),
                    }
                });
                Ok(AnswerImage { result: encode_result(result), exclusive: exclusive.collect() })
            }
            // The attempt fails, and the local run panics in its turn.
            Flow::Panic(_) | Flow::Unwind | Flow::Cancelled => Err("the device's method panicked".into()),
        };
        self.heap.free_down_to(heap);
        let onces = self.told_root(chain).map_or(0, |root| root.onces);
        self.say(around, AnswerFrame { attempt, sequence, outcome, onces });
    }

    fn say(&mut self, around: &mut Around<'_>, answer: AnswerFrame) {
        let said = self.link.as_mut().is_some_and(|(_, session)| session.answer(around.now, answer).is_ok());
        around.report.late_answers += u64::from(!said);
    }
}
