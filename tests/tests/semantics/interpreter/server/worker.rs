//! One attempt that runs on a server, or that waits for the answer to a call-back.

use outboard_core::ByteCount;
use outboard_server_proxy::{Connection, Reply};
use outboard_wire::codec;
use outboard_wire::frame::{
    AnswerFrame, Attempt, BackFrame, BackSlot, CallFrame, Image, ServerCost, SlotImage,
};

use super::super::machine::{Machine, Origin};
use super::super::program::{Error, Flow, Passing, Program};
use super::super::tape::Tape;
use super::super::value::{Heap, Object, Reference};
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
    pub(super) on_device: Vec<usize>,
    backs: u32,
    asked: Option<Asked>,
    /// A call-back failed: every gate unwinds.
    pub(super) poisoned: bool,
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
    ) -> Option<Self> {
        let method = method_number(call.method)?;
        let mut heap = Heap::default();
        let mut exclusive = Vec::new();
        let mut arguments = Vec::new();
        let slots = &program.methods[method].slots;
        for (position, (slot, image)) in slots.iter().zip(&call.slots).enumerate() {
            let argument = heap.allocate(Object::decode(&image.whole()?.0, slot.of)?);
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
        tape: &mut Tape,
    ) -> BackFrame {
        let slots = arguments.iter().zip(&program.methods[method].slots).map(|(argument, slot)| {
            let image = Image::from(self.heap.at(argument).encode());
            let outer = self.exclusive.iter().find(|(_, object)| object.object == argument.object);
            // Without skipped fields a copy, brought back, cannot be told from the object itself.
            match outer {
                Some(&(position, _))
                    if slot.of.skips() || (slot.passing != Passing::Value && tape.one_in(2)) =>
                {
                    BackSlot::Place {
                        slot: position as u16,
                        path: argument.path.clone(),
                        image: image.into(),
                    }
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
    pub(super) fn take_answer(&mut self, program: &Program) -> bool {
        let Some(Asked { method, arguments, answer }) = self.asked.take() else { return false };
        let answer = answer.expect("a worker that waits does not run");
        let taken = answer.outcome.ok().and_then(|image| {
            let result: Result<i64, Error> = codec::from_bytes(&image.result.0, 16).ok()?;
            let mut images = image.exclusive.iter();
            for (argument, slot) in arguments.iter().zip(&program.methods[method].slots) {
                if slot.passing == Passing::Exclusive {
                    let bytes = &images.next()?.whole()?.0;
                    self.heap.at_mut(argument).exchange(&mut Object::decode(bytes, slot.of)?);
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

    pub(super) fn reply(&self, result: Result<i64, Error>, tape: &mut Tape) -> Reply {
        let result = codec::to_bytes(&result, ByteCount::from_bytes(100)).expect("a result is small");
        let mut images: Vec<Vec<u8>> = [result]
            .into_iter()
            .chain(self.exclusive.iter().map(|(_, object)| self.heap.at(object).encode()))
            .collect();
        // A part that cannot be decoded: another build with the same schema hash, or a bug.
        if tape.one_in(10) {
            let garbled = tape.below(images.len());
            images[garbled].push(0);
        }
        let mut images = images.into_iter().map(SlotImage::from);
        Reply {
            attempt: self.attempt,
            result: images.next().expect("the result comes first"),
            exclusive: images.collect(),
            onces: 0,
            cost: ServerCost::default(),
        }
    }
}
