//! One attempt that runs on a server, or that waits for the answer to a call-back.

use outboard_core::Bandwidth;
use outboard_server_proxy::{Connection, Reply};
use outboard_wire::delta;
use outboard_wire::frame::{
    AnswerFrame, Attempt, BackFrame, BackSlot, CallFrame, Image, Part, ServerCost, Version,
};

use super::super::machine::{Machine, Origin};
use super::super::program::{Error, Flow, Passing, Program, decode_result, encode_result};
use super::super::report::Report;
use super::super::tape::Tape;
use super::super::value::{Heap, Object, Reference};
use super::super::versions::{resolve_by_call, tell_by_call};
use super::super::{method_id, method_number};

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) attempt: Attempt,
    /// The attempt on top of whose stack it runs.
    pub(super) within: Option<Attempt>,
    pub(super) machine: Machine,
    pub(super) heap: Heap,
    /// The exclusive slots: position in the signature, object.
    exclusive: Vec<(usize, Reference)>,
    received: Received,
    pub(super) on_device: Vec<usize>,
    backs: u32,
    asked: Option<Asked>,
    /// A call-back failed: every gate unwinds.
    pub(super) poisoned: bool,
}

/// What a call carried.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) slots: Vec<Image>,
    /// A result that the device still has.
    pub(super) result_base: Option<(Version, Image)>,
}

/// A call-back that was made.
#[derive(Debug)]
struct Asked {
    method: usize,
    arguments: Vec<Reference>,
    answer: Option<AnswerFrame>,
}

impl Worker {
    pub(super) fn new(
        program: &Program,
        connection: Connection,
        life: u32,
        call: &CallFrame,
        received: Received,
    ) -> Option<Self> {
        let method = method_number(call.method)?;
        let mut heap = Heap::default();
        let mut exclusive = Vec::new();
        let mut arguments = Vec::new();
        let slots = &program.methods[method].slots;
        for (position, (slot, image)) in slots.iter().zip(&received.slots).enumerate() {
            let argument = heap.allocate(Object::decode(image, slot.of)?);
            if slot.passing == Passing::Exclusive {
                exclusive.push((position, argument.clone()));
            }
            arguments.push(argument);
        }
        Some(Self {
            connection,
            attempt: call.attempt,
            within: call.within,
            machine: Machine::method(program, method, arguments, Origin { life, call: call.attempt.call }),
            heap,
            exclusive,
            received,
            on_device: call.on_device.iter().filter_map(|&id| method_number(id)).collect(),
            backs: 0,
            asked: None,
            poisoned: false,
        })
    }

    pub(super) fn is(&self, connection: Connection, attempt: Attempt) -> bool {
        (self.connection, self.attempt) == (connection, attempt)
    }

    /// Whether it waits for the answer to a call-back.
    pub(super) fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn can_go_on(&self) -> bool {
        self.asked.as_ref().is_none_or(|asked| asked.answer.is_some())
    }

    pub(super) fn back(
        &mut self,
        program: &Program,
        method: usize,
        arguments: Vec<Reference>,
        goodput: Option<Bandwidth>,
        tape: &mut Tape,
    ) -> BackFrame {
        let slots = arguments.iter().zip(&program.methods[method].slots).map(|(argument, slot)| {
            let image = self.heap.at(argument).encode();
            let outer = self.exclusive.iter().find(|(_, object)| object.object == argument.object);
            // Without skipped fields a copy, brought back, cannot be told from the object itself.
            match outer {
                Some(&(position, _))
                    if slot.of.skips() || (slot.passing != Passing::Value && tape.one_in(2)) =>
                {
                    let image = if argument.path.is_empty() {
                        tell_by_call(self.attempt, position, &self.received.slots, &image, goodput)
                    } else {
                        image.into()
                    };
                    BackSlot::Place { slot: position as u16, path: argument.path.clone(), image }
                }
                _ => BackSlot::Copy(image.into()),
            }
        });
        let slots = slots.collect();
        let sequence = self.backs;
        self.backs += 1;
        self.asked = Some(Asked { method, arguments, answer: None });
        BackFrame { attempt: self.attempt, sequence, method: method_id(method), slots, onces: None }
    }

    /// The answer came. The worker sees it when it goes on.
    pub(super) fn answered(&mut self, answer: AnswerFrame) {
        if let Some(asked) = &mut self.asked {
            asked.answer = Some(answer);
        }
    }

    /// Brings the caller's objects to what the device made of them. Whether there was an answer.
    pub(super) fn take_answer(&mut self, program: &Program, report: &mut Report) -> bool {
        let Some(Asked { method, arguments, answer }) = self.asked.take() else { return false };
        let answer = answer.expect("a worker that waits does not run");
        let taken = answer.outcome.ok().and_then(|image| {
            let result = decode_result(&image.result)?;
            let mut images = image.exclusive.iter();
            for (argument, slot) in arguments.iter().zip(&program.methods[method].slots) {
                if slot.passing == Passing::Exclusive {
                    let image = resolve_by_call(self.attempt, &self.received.slots, images.next()?, report)?;
                    self.heap.at_mut(argument).exchange(&mut Object::decode(&image, slot.of)?);
                }
            }
            Some(result)
        });
        match taken {
            Some(result) => self.machine.hand(Flow::Return(result)),
            None => self.unwind(),
        }
        true
    }

    pub(super) fn unwind(&mut self) {
        self.asked = None;
        self.poisoned = true;
        self.machine.hand(Flow::Unwind);
    }

    /// The reply, and the versions that it carries.
    pub(super) fn reply(
        &self,
        result: Result<i64, Error>,
        goodput: Option<Bandwidth>,
        tape: &mut Tape,
    ) -> (Reply, Vec<(Part, Image)>) {
        let mut versions = vec![(Part::Result, encode_result(result))];
        for (position, object) in &self.exclusive {
            versions.push((Part::Returned(*position as u16), self.heap.at(object).encode()));
        }
        // A part that cannot be decoded: another build with the same schema hash, or a bug.
        if tape.one_in(10) {
            let garbled = tape.below(versions.len());
            let image = &mut versions[garbled].1;
            *image = [&image.0[..], &[0]].concat().into();
        }
        let mut images = versions.iter().map(|(part, image)| match part {
            Part::Returned(slot) => {
                tell_by_call(self.attempt, usize::from(*slot), &self.received.slots, image, goodput)
            }
            _ => {
                let base = self.received.result_base.as_ref().map(|(version, image)| (*version, image));
                delta::tell(image, base, goodput)
            }
        });
        let reply = Reply {
            attempt: self.attempt,
            result: images.next().expect("the result comes first"),
            exclusive: images.collect(),
            onces: 0,
            cost: ServerCost::default(),
        };
        (reply, versions)
    }
}
