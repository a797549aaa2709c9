//! Methods that may run once only, within one that may run again: what becomes of them is kept.

use outboard_server_proxy::InnerCall;
use outboard_server_proxy::kept::{Begin, OnceId, Outcome, Returned};
use outboard_wire::frame::{ArgumentsHash, Failure, Image, Inner, ServerCost};

use super::super::super::machine::{Machine, Origin, Outside};
use super::super::super::method_id;
use super::super::super::program::{Error, Flow, Passing, Program, decode_result, encode_result};
use super::super::super::value::{Object, Reference};
use super::Worker;

#[derive(Debug)]
pub(super) struct Run {
    pub(super) machine: Machine,
    id: OnceId,
    origin: Origin,
    method: usize,
    arguments: Vec<Reference>,
    /// The exclusive slots before it.
    before: Vec<Object>,
}

impl Worker {
    /// The next call of the root.
    pub(in super::super) fn count(&mut self, method: usize, arguments: &[Reference]) -> InnerCall {
        let images: Vec<Image> = arguments.iter().map(|argument| self.heap.at(argument).encode()).collect();
        let again = self.again;
        let root = self.counter.as_mut().expect("only parts of a root count");
        let inner =
            Inner { sequence: root.onces, method: method_id(method), arguments: ArgumentsHash::of(&images) };
        root.onces += 1;
        InnerCall { root: root.call, inner, again, alone: true }
    }

    /// Runs it, or takes what came of it before.
    pub(in super::super) fn begin_inner(
        &mut self,
        program: &Program,
        begin: Begin,
        call: InnerCall,
        (method, arguments): (usize, Vec<Reference>),
        outside: &mut Outside,
    ) {
        let origin = Origin { life: self.life, call: call.root, sequence: Some(call.inner.sequence) };
        let flow = match begin {
            Begin::Now(id) => {
                let before = exclusive(program, method, &arguments);
                let before = before.map(|argument| self.heap.at(argument).clone()).collect();
                let machine = Machine::method(program, method, arguments.clone(), origin);
                self.inner = Some(Run { machine, id, origin, method, arguments, before });
                return;
            }
            Begin::Refused(_) => return self.unwind(),
            Begin::Ended(Err(failure)) if failure.never_started() => return self.unwind(),
            Begin::Ended(Err(Failure::Panicked(text))) => Flow::Panic(text.parse().unwrap_or(-1)),
            Begin::Ended(Err(_)) => Flow::Return(Err(Error::MaybeRan)),
            Begin::Ended(Ok(returned)) => {
                let result = decode_result(&returned.result).expect("it was encoded here");
                let slots = program.methods[method].slots.iter();
                let slots = slots.filter(|slot| slot.passing == Passing::Exclusive);
                let places = exclusive(program, method, &arguments);
                for ((place, slot), image) in places.zip(slots).zip(&returned.exclusive) {
                    let mut object = Object::decode(image, slot.of).expect("it was encoded here");
                    self.heap.at_mut(place).exchange(&mut object);
                }
                return self.machine().hand(Flow::Return(result));
            }
        };
        outside.instead.insert(origin, flow);
        self.machine().hand(flow);
    }

    /// What runs on top has ended, if anything does. What is to be kept of it.
    pub(in super::super) fn end_inner(
        &mut self,
        program: &Program,
        flow: Flow,
        outside: &mut Outside,
    ) -> Option<(OnceId, Outcome)> {
        let Run { id, origin, method, arguments, before, .. } = self.inner.take()?;
        let places = exclusive(program, method, &arguments);
        let outcome = match flow {
            _ if self.poisoned => Err(Failure::CallBack("failed".into())),
            Flow::Return(result) => {
                let exclusive = places.map(|place| self.heap.at(place).encode()).collect();
                Ok(Returned { result: encode_result(result), exclusive, cost: ServerCost::default() })
            }
            _ => {
                // As after every call that has no reply.
                for (place, mut before) in places.zip(before) {
                    self.heap.at_mut(place).exchange(&mut before);
                }
                outside.instead.insert(origin, flow);
                let Flow::Panic(code) = flow else { panic!("only a failed call-back unwinds") };
                Err(Failure::Panicked(code.to_string()))
            }
        };
        self.machine.hand(if self.poisoned { Flow::Unwind } else { flow });
        Some((id, outcome))
    }
}

fn exclusive<'a>(
    program: &'a Program,
    method: usize,
    arguments: &'a [Reference],
) -> impl Iterator<Item = &'a Reference> {
    let slots = arguments.iter().zip(&program.methods[method].slots);
    slots.filter(|(_, slot)| slot.passing == Passing::Exclusive).map(|(argument, _)| argument)
}
