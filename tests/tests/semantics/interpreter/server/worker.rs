//! One attempt that runs on a server, or that waits for the answer to a call-back.

mod inner;

use outboard_core::Bandwidth;
use outboard_server_proxy::{Connection, Reply};
use outboard_wire::delta;
use outboard_wire::frame::{
    AnswerFrame, Attempt, BackFrame, BackSlot, CallFrame, Image, Part, Root, ServerCost, SlotImage, Version,
};
use outboard_wire::{ObjectReader, ObjectWriter, Objects};

use super::super::machine::{Machine, Origin, Outside, Step};
use super::super::program::{Error, Flow, Kind, Passing, Program, decode_result, encode_result};
use super::super::report::Report;
use super::super::tape::Tape;
use super::super::value::{Heap, Object, Reference, Type};
use super::super::versions::{MOST, resolve_by_call, tell_by_call};
use super::super::{method_id, method_number};

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) attempt: Attempt,
    /// The attempt on top of whose stack it runs.
    pub(super) within: Option<Attempt>,
    life: u32,
    machine: Machine,
    /// What may run once only and runs on top of it.
    inner: Option<inner::Run>,
    /// The root that counts such calls; `None` for a method that may run once only itself.
    counter: Option<Root>,
    /// Whether the root may have been here before.
    again: bool,
    pub(super) heap: Heap,
    /// The exclusive slots: position in the signature, object.
    exclusive: Vec<(usize, Reference)>,
    /// The shared values that went with the call.
    objects: Objects,
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
    /// Whether its method may run once only.
    pub(super) fn is_once(&self) -> bool {
        self.counter.is_none()
    }

    /// Whether calls that may run once only are counted where it is.
    pub(super) fn counts(&self) -> bool {
        self.counter.is_some() && self.inner.is_none()
    }

    /// Whether a call-back could see shared values that the device has otherwise.
    pub(super) fn guards(&self, program: &Program, method: usize) -> bool {
        let sees = program.methods[method].slots.iter().any(|slot| slot.of == Type::Holder);
        sees || !self.objects.are_unchanged()
    }

    /// What runs now.
    pub(super) fn machine(&mut self) -> &mut Machine {
        self.inner.as_mut().map_or(&mut self.machine, |inner| &mut inner.machine)
    }

    pub(super) fn step(&mut self, program: &Program, outside: &mut Outside) -> Step {
        let machine = self.inner.as_mut().map_or(&mut self.machine, |inner| &mut inner.machine);
        machine.step(program, &mut self.heap, outside)
    }

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
        let beside = received.slots.get(slots.len()).map(|image| image.0.clone());
        let mut objects = ObjectReader::call(beside, 16).ok()?;
        for (position, (slot, image)) in slots.iter().zip(&received.slots).enumerate() {
            let argument = heap.allocate(Object::decode_with(image, slot.of, &mut objects)?);
            if slot.passing == Passing::Exclusive {
                exclusive.push((position, argument.clone()));
            }
            arguments.push(argument);
        }
        let (objects, _) = objects.finish().ok()?;
        let is_once = program.methods[method].kind == Kind::Once;
        let origin = Origin { life, call: call.attempt.call, sequence: None };
        let machine = match is_once {
            true => Machine::method(program, method, arguments, origin),
            false => Machine::part(program, method, arguments, life),
        };
        Some(Self {
            connection,
            attempt: call.attempt,
            within: call.within,
            life,
            machine,
            inner: None,
            counter: (!is_once).then(|| call.root.unwrap_or(Root { call: call.attempt.call, onces: 0 })),
            again: call.root.is_some(),
            heap,
            exclusive,
            objects,
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
        let onces = self.counter.as_ref().filter(|_| self.inner.is_none()).map(|root| root.onces);
        self.backs += 1;
        self.asked = Some(Asked { method, arguments, answer: None });
        BackFrame { attempt: self.attempt, sequence, method: method_id(method), slots, onces }
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
        if let Some(root) = self.counter.as_mut().filter(|_| self.inner.is_none()) {
            root.onces = root.onces.max(answer.onces);
        }
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
            Some(result) => self.machine().hand(Flow::Return(result)),
            None => self.unwind(),
        }
        true
    }

    pub(super) fn unwind(&mut self) {
        self.asked = None;
        self.poisoned = true;
        self.machine().hand(Flow::Unwind);
    }

    /// The reply, and the versions that it carries.
    pub(super) fn reply(
        &self,
        result: Result<i64, Error>,
        goodput: Option<Bandwidth>,
        tape: &mut Tape,
    ) -> (Reply, Vec<(Part, Image)>) {
        let mut versions = vec![(Part::Result, encode_result(result))];
        let mut objects = ObjectWriter::reply(&self.objects);
        for (position, object) in &self.exclusive {
            let image = self.heap.at(object).encode_with(&mut objects);
            versions.push((Part::Returned(*position as u16), image));
        }
        let (mut beside, _) = objects.finish(MOST).expect("objects of the tests are small");
        // A part that cannot be decoded: another build with the same schema hash, or a bug.
        if tape.one_in(10) {
            let garbled = tape.below(versions.len());
            let image = &mut versions[garbled].1;
            *image = [&image.0[..], &[0]].concat().into();
        } else if let Some(beside) = beside.as_mut().filter(|_| tape.one_in(10)) {
            beside.push(0);
        }
        let mut images = versions.iter().map(|(part, image)| match part {
            // It may have to be told in another session.
            _ if self.is_once() => image.clone().into(),
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
            exclusive: images.chain(beside.map(SlotImage::from)).collect(),
            onces: self.counter.as_ref().map_or(0, |root| root.onces),
            cost: ServerCost::default(),
        };
        (reply, versions)
    }
}
