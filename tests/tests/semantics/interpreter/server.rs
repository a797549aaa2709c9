//! A server: sessions, and a worker for each attempt that runs.

use std::collections::BTreeMap;

use outboard_core::{ByteCount, InstanceId, SessionId, Timestamp};
use outboard_wire::frame::{
    AnswerFrame, Attempt, BackFrame, BackSlot, CallFrame, Capacity, FailedFrame, Failure, Image, Load,
    MethodStatus, NotRun, ReplyFrame, ServerCost, SlotImage, Welcome,
};
use outboard_wire::server::{Event, Output, Session};
use outboard_wire::{Limits, Timing, codec};

use super::machine::{Machine, Outside, Step};
use super::program::{Error, Flow, Kind, Passing, Program};
use super::tape::Tape;
use super::value::{Heap, Object, Reference};
use super::wire::{Link, To, Wire};
use super::{method_id, method_number};

#[derive(Debug, Default)]
pub(crate) struct Server {
    instance: u128,
    sessions: BTreeMap<Link, Session>,
    waiting: Vec<(Link, CallFrame)>,
    workers: Vec<Worker>,
}

/// One attempt that runs, or that waits for an answer.
#[derive(Debug)]
struct Worker {
    link: Link,
    attempt: Attempt,
    machine: Machine,
    heap: Heap,
    /// The exclusive slots: position in the signature, object.
    exclusive: Vec<(usize, Reference)>,
    on_device: Vec<usize>,
    backs: u32,
    /// The arguments of the call-back whose answer it waits for, with the method.
    asked: Option<(usize, Vec<Reference>)>,
    /// A call-back failed: every gate unwinds.
    poisoned: bool,
}

impl Server {
    pub(crate) fn listen(&mut self, now: Timestamp, link: Link) {
        self.sessions.insert(link, Session::new(now, Limits::default(), Timing::default()));
    }

    /// Forgets everything, and is another run from now on.
    pub(crate) fn crash(&mut self) {
        *self = Self { instance: self.instance + 1, ..Self::default() };
    }

    pub(crate) fn handle_lost(&mut self, now: Timestamp, link: Link) {
        if let Some(session) = self.sessions.get_mut(&link) {
            session.handle_lost(now);
        }
    }

    pub(crate) fn handle_frame(&mut self, now: Timestamp, link: Link, bytes: &[u8]) {
        if let Some(session) = self.sessions.get_mut(&link) {
            session.handle_frame(now, bytes);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        for session in self.sessions.values_mut() {
            if session.timeout().is_some_and(|at| at <= now) {
                session.handle_timeout(now);
            }
        }
    }

    pub(crate) fn timeout(&self) -> Option<Timestamp> {
        self.sessions.values().filter_map(Session::timeout).min()
    }

    pub(crate) fn drain(&mut self, now: Timestamp) {
        self.sessions.values_mut().for_each(|session| session.drain(now));
    }

    /// How many calls can be started.
    pub(crate) fn startable(&self) -> usize {
        self.waiting.len()
    }

    /// The workers that can go on.
    pub(crate) fn runnable(&self) -> Vec<usize> {
        (0..self.workers.len()).filter(|&worker| self.workers[worker].asked.is_none()).collect()
    }

    /// Takes a call out of the queue.
    pub(crate) fn start(&mut self, now: Timestamp, program: &Program, waiting: usize, tape: &mut Tape) {
        let (link, call) = self.waiting.remove(waiting);
        let Some(session) = self.sessions.get_mut(&link) else { return };
        if tape.one_in(16) {
            session.fail(now, failed(call.attempt, Failure::NotRun(NotRun::Busy)));
            return;
        }
        if session.start(now, call.attempt).is_err() {
            return;
        }
        match Worker::new(program, link, &call) {
            Some(worker) => self.workers.push(worker),
            None => {
                _ = session.fail(now, failed(call.attempt, Failure::NotRun(NotRun::Slots("garbled".into()))))
            }
        }
    }

    /// Lets a worker go on for one step.
    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        program: &Program,
        index: usize,
        outside: &mut Outside,
        tape: &mut Tape,
    ) {
        let worker = &mut self.workers[index];
        let attempt = worker.attempt;
        let flow = match worker.machine.step(program, &mut worker.heap, outside) {
            Step::Ran => return,
            Step::Gate { .. } if worker.poisoned => return worker.machine.hand(Flow::Unwind),
            Step::Gate { method, arguments } => {
                if program.methods[method].kind == Kind::Remoteable && !worker.on_device.contains(&method) {
                    return worker.machine.enter(program, method, arguments);
                }
                let back = worker.back(program, method, arguments, tape);
                let sent = self.sessions.get_mut(&worker.link).map(|session| session.back(now, back));
                if !matches!(sent, Some(Ok(()))) {
                    worker.unwind();
                }
                return;
            }
            Step::Done(flow) => flow,
        };
        let worker = self.workers.remove(index);
        let Some(session) = self.sessions.get_mut(&worker.link) else { return };
        match flow {
            _ if worker.poisoned => {
                _ = session.fail(now, failed(attempt, Failure::CallBack("failed".into())))
            }
            Flow::Return(result) => _ = session.reply(now, worker.reply(result, tape)),
            Flow::Panic(code) => _ = session.fail(now, failed(attempt, Failure::Panicked(code.to_string()))),
            Flow::Unwind => panic!("only a failed call-back unwinds"),
        }
    }

    /// A worker panics as no local run would: out of memory, say.
    pub(crate) fn panic(&mut self, now: Timestamp, index: usize) {
        let worker = self.workers.remove(index);
        if let Some(session) = self.sessions.get_mut(&worker.link) {
            session.fail(now, failed(worker.attempt, Failure::Panicked("only here".into())));
        }
    }

    /// Does what the sessions want done.
    pub(crate) fn drain_outputs(
        &mut self,
        now: Timestamp,
        program: &Program,
        wire: &mut Wire,
        tape: &mut Tape,
    ) {
        let links: Vec<Link> = self.sessions.keys().copied().collect();
        for link in links {
            while let Some(output) = self.sessions.get_mut(&link).and_then(Session::poll) {
                match output {
                    Output::Transmit { bytes, .. } => wire.send(link, To::Device, bytes, tape),
                    Output::Close(_) => {}
                    Output::Event(Event::Hello(hello)) => {
                        let welcome = self.welcome(link, hello.methods.len(), tape);
                        let session = self.sessions.get_mut(&link).expect("it has just spoken");
                        session.accept(now, welcome);
                    }
                    Output::Event(event) => self.handle(link, program, event),
                }
            }
        }
        self.sessions.retain(|_, session| !session.is_over());
    }

    fn welcome(&self, link: Link, methods: usize, tape: &mut Tape) -> Welcome {
        let status = |_| if tape.one_in(8) { MethodStatus::Absent } else { MethodStatus::Accepted };
        Welcome {
            protocol: 0,
            session: SessionId(u64::from(link.0)),
            server: InstanceId(self.instance),
            limits: Limits::default(),
            methods: (0..methods).map(status).collect(),
            capacity: Capacity::default(),
            load: Load::default(),
        }
    }

    fn handle(&mut self, link: Link, program: &Program, event: Event) {
        match event {
            Event::Call(call) => self.waiting.push((link, call)),
            Event::Answer(answer) => {
                if let Some(worker) = self.worker(link, answer.attempt) {
                    worker.answered(program, answer);
                }
            }
            Event::Fence(attempt) => self.let_go(link, attempt),
            Event::Gone { abandoned, .. } => {
                abandoned.into_iter().for_each(|attempt| self.let_go(link, attempt))
            }
            other => panic!("the device never makes this happen: {other:?}"),
        }
    }

    /// Nobody wants the attempt: it does not start, and unwinds where it waits or at its next call-back.
    fn let_go(&mut self, link: Link, attempt: Attempt) {
        self.waiting.retain(|(of, call)| (*of, call.attempt) != (link, attempt));
        if let Some(worker) = self.worker(link, attempt)
            && worker.asked.is_some()
        {
            worker.unwind();
        }
    }

    fn worker(&mut self, link: Link, attempt: Attempt) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|worker| (worker.link, worker.attempt) == (link, attempt))
    }
}

impl Worker {
    fn new(program: &Program, link: Link, call: &CallFrame) -> Option<Self> {
        let method = method_number(call.method)?;
        let mut heap = Heap::default();
        let mut exclusive = Vec::new();
        let mut arguments = Vec::new();
        let slots = &program.methods[method].slots;
        for (position, (slot, SlotImage::Whole(Image(bytes)))) in slots.iter().zip(&call.slots).enumerate() {
            let argument = heap.allocate(Object::decode(bytes, slot.of)?);
            if slot.passing == Passing::Exclusive {
                exclusive.push((position, argument.clone()));
            }
            arguments.push(argument);
        }
        Some(Self {
            link,
            attempt: call.attempt,
            machine: Machine::method(program, method, arguments, call.attempt.call),
            heap,
            exclusive,
            on_device: call.on_device.iter().filter_map(|&id| method_number(id)).collect(),
            backs: 0,
            asked: None,
            poisoned: false,
        })
    }

    fn back(
        &mut self,
        program: &Program,
        method: usize,
        arguments: Vec<Reference>,
        tape: &mut Tape,
    ) -> BackFrame {
        let slots = arguments.iter().zip(&program.methods[method].slots).map(|(argument, slot)| {
            let image = Image(self.heap.at(argument).encode());
            let outer = self.exclusive.iter().find(|(_, object)| object.object == argument.object);
            // Without skipped fields a copy, brought back, cannot be told from the object itself.
            match outer {
                Some(&(position, _))
                    if slot.of.skips() || (slot.passing != Passing::Value && tape.one_in(2)) =>
                {
                    BackSlot::Place { slot: position as u16, path: argument.path.clone(), image }
                }
                _ => BackSlot::Copy(image),
            }
        });
        let slots = slots.collect();
        let sequence = self.backs;
        self.backs += 1;
        self.asked = Some((method, arguments));
        BackFrame { attempt: self.attempt, sequence, method: method_id(method), slots }
    }

    /// The answer came: the caller's objects are brought to what the device made of them.
    fn answered(&mut self, program: &Program, answer: AnswerFrame) {
        let Some((method, arguments)) = self.asked.take() else { return };
        let taken = answer.outcome.ok().and_then(|image| {
            let result: Result<i64, Error> = codec::from_bytes(&image.result.0, 16).ok()?;
            let mut images = image.exclusive.iter();
            for (argument, slot) in arguments.iter().zip(&program.methods[method].slots) {
                if slot.passing == Passing::Exclusive {
                    let SlotImage::Whole(Image(bytes)) = images.next()?;
                    self.heap.at_mut(argument).exchange(&mut Object::decode(bytes, slot.of)?);
                }
            }
            Some(result)
        });
        match taken {
            Some(result) => self.machine.hand(Flow::Return(result)),
            None => self.unwind(),
        }
    }

    fn unwind(&mut self) {
        self.asked = None;
        self.poisoned = true;
        self.machine.hand(Flow::Unwind);
    }

    fn reply(&self, result: Result<i64, Error>, tape: &mut Tape) -> ReplyFrame {
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
        let mut images = images.into_iter().map(Image);
        ReplyFrame {
            attempt: self.attempt,
            result: images.next().expect("the result comes first"),
            exclusive: images.map(SlotImage::Whole).collect(),
            cost: ServerCost::default(),
            load: Load::default(),
        }
    }
}

fn failed(attempt: Attempt, failure: Failure) -> FailedFrame {
    FailedFrame { attempt, failure, load: Load::default() }
}
