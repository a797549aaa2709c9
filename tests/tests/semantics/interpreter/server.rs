//! A server: the real engine with its sessions, and in place of threads a worker for each attempt that runs.

mod worker;

use std::collections::BTreeMap;
use std::time::Duration;

use outboard_core::{Bandwidth, InstanceId, Timestamp};
use outboard_server_proxy::kept::Begin;
use outboard_server_proxy::{Connection, Engine, Grants, Output, Settings};
use outboard_wire::bases::Bases;
use outboard_wire::frame::{
    AppIdentity, Attempt, CallFrame, Capacity, Failure, Image, NotRun, Part, Version,
};

use super::machine::{Outside, Step};
use super::method_entry;
use super::program::{Flow, Kind, Program};
use super::report::{Defect, Report};
use super::tape::Tape;
use super::value::Reference;
use super::versions::{bounds, goodput, resolve};
use super::wire::{Link, To, Wire};
use worker::{Received, Worker};

#[derive(Debug)]
pub(crate) struct Server {
    instance: u128,
    engine: Engine,
    /// Which run of the app each connection is from.
    lives: BTreeMap<Connection, u32>,
    /// What was carried in each session.
    bases: Bases<Connection, Version>,
    goodput: Option<Bandwidth>,
    defect: Option<Defect>,
    /// What a planted defect takes for any version of that part.
    newest: BTreeMap<Part, Image>,
    waiting: Vec<(Connection, CallFrame)>,
    workers: Vec<Worker>,
}

impl Server {
    /// A server with some of the program's methods, and some room.
    pub(crate) fn new(program: &Program, instance: u128, defect: Option<Defect>, tape: &mut Tape) -> Self {
        let mut settings = Settings::new(AppIdentity::default(), InstanceId(instance), Capacity::default());
        settings.drain = Duration::from_millis(20);
        settings.farewell = Duration::from_millis(2);
        settings.calls = *tape.pick(&[256, 256, 3]);
        settings.depth = *tape.pick(&[16, 16, 1]);
        settings.sessions = *tape.pick(&[64, 1]);
        settings.kept.calls = *tape.pick(&[4096, 4096, 2]);
        // An older build lacks a method.
        let methods = (0..program.methods.len()).filter(|_| !tape.one_in(12)).map(method_entry);
        let methods: Vec<_> = methods.collect();
        let engine = Engine::new(settings, |_: &str| Some(Grants::Everything), methods);
        Self {
            instance,
            engine,
            lives: BTreeMap::new(),
            bases: Bases::new(bounds(tape)),
            goodput: goodput(tape),
            defect,
            newest: BTreeMap::new(),
            waiting: Vec::new(),
            workers: Vec::new(),
        }
    }

    /// Forgets everything, and is another run from now on.
    pub(crate) fn restart(&mut self, program: &Program, tape: &mut Tape) {
        *self = Self::new(program, self.instance + 1, self.defect, tape);
    }

    pub(crate) fn listen(&mut self, now: Timestamp, link: Link, life: u32) {
        self.lives.insert(connection(link), life);
        self.engine.connected(now, connection(link));
    }

    pub(crate) fn handle_lost(&mut self, now: Timestamp, link: Link) {
        self.engine.handle_lost(now, connection(link));
    }

    pub(crate) fn handle_frame(&mut self, now: Timestamp, link: Link, bytes: &[u8]) {
        self.engine.handle_frame(now, connection(link), bytes);
    }

    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        self.engine.handle_timeout(now);
    }

    pub(crate) fn timeout(&self) -> Option<Timestamp> {
        self.engine.timeout()
    }

    pub(crate) fn drain(&mut self, now: Timestamp) {
        self.engine.drain(now);
    }

    /// The calls that can be started: one that is within another runs on the thread that waits for that one's call-back.
    pub(crate) fn startable(&self) -> Vec<usize> {
        let has_a_thread = |(connection, call): &(Connection, CallFrame)| match call.within {
            None => true,
            Some(outer) => self.workers.iter().enumerate().any(|(index, worker)| {
                worker.is(*connection, outer) && worker.is_asking() && !self.is_below_another(index)
            }),
        };
        (0..self.waiting.len()).filter(|&waiting| has_a_thread(&self.waiting[waiting])).collect()
    }

    /// The workers that can go on.
    pub(crate) fn runnable(&self) -> Vec<usize> {
        let can_go_on = |&index: &usize| self.workers[index].can_go_on() && !self.is_below_another(index);
        (0..self.workers.len()).filter(can_go_on).collect()
    }

    /// Whether another call runs on top of the worker's stack.
    fn is_below_another(&self, index: usize) -> bool {
        let below = &self.workers[index];
        self.workers
            .iter()
            .any(|worker| worker.within.is_some_and(|outer| below.is(worker.connection, outer)))
    }

    /// Takes a call out of the queue.
    pub(crate) fn start(&mut self, now: Timestamp, program: &Program, waiting: usize, report: &mut Report) {
        let (connection, call) = self.waiting.remove(waiting);
        let Some(received) = self.resolve(connection, &call, report) else {
            let failure = Failure::NotRun(NotRun::BaseMissing);
            self.engine.fail(now, connection, call.attempt, failure);
            return;
        };
        let life = self.lives[&connection];
        let Some(worker) = Worker::new(program, connection, life, &call, received) else {
            let failure = Failure::NotRun(NotRun::Slots("garbled".into()));
            self.engine.fail(now, connection, call.attempt, failure);
            return;
        };
        let started = match worker.is_once() {
            true => self.engine.start_once(now, connection, call.attempt),
            false => self.engine.start(now, connection, call.attempt),
        };
        if started.is_ok() {
            self.workers.push(worker);
        }
    }

    /// What the call carries; `None` when something that it is told by is not here any more.
    fn resolve(&mut self, connection: Connection, call: &CallFrame, report: &mut Report) -> Option<Received> {
        let (bases, newest, defect) = (&mut self.bases, &self.newest, self.defect);
        let mut find = |version: Version| match newest.get(&version.part) {
            Some(image) if defect == Some(Defect::AppliesToAnotherBase) => Some(image.clone()),
            _ => bases.find(connection, version),
        };
        let slots = call.slots.iter().map(|told| resolve(told, &mut find, report));
        let slots: Vec<Image> = slots.collect::<Option<_>>()?;
        let result_base = call.result_base.and_then(|version| Some((version, find(version)?)));
        for (slot, image) in slots.iter().enumerate() {
            let version = Version { attempt: call.attempt, part: Part::Sent(slot as u16) };
            self.keep(connection, version, image.clone());
        }
        Some(Received { slots, result_base })
    }

    fn keep(&mut self, connection: Connection, version: Version, image: Image) {
        if self.defect == Some(Defect::AppliesToAnotherBase) {
            self.newest.insert(version.part, image.clone());
        }
        self.bases.keep(connection, version, image);
    }

    /// Lets a worker go on for one step.
    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        program: &Program,
        index: usize,
        outside: &mut Outside,
        report: &mut Report,
        tape: &mut Tape,
    ) {
        let goodput = self.goodput;
        let worker = &mut self.workers[index];
        let (connection, attempt) = (worker.connection, worker.attempt);
        if worker.take_answer(program, report) {
            return self.engine.resumed(now, connection, attempt);
        }
        match worker.step(program, outside) {
            Step::Ran => {}
            Step::Gate { .. } if worker.poisoned => worker.machine().hand(Flow::Unwind),
            Step::Gate { method, arguments, .. } => {
                let kind = program.methods[method].kind;
                if kind == Kind::Once && worker.counts() {
                    return self.begin_inner(now, program, index, (method, arguments), outside, report);
                }
                if kind != Kind::Device && !worker.on_device.contains(&method) {
                    return worker.machine().enter(program, method, arguments);
                }
                if worker.guards(program, method) {
                    report.guarded += 1;
                    return worker.unwind();
                }
                let back = worker.back(program, method, arguments, goodput, tape);
                if self.engine.called_back(now, connection, back).is_err() {
                    worker.unwind();
                }
            }
            Step::Done(flow) => match worker.end_inner(program, flow, outside) {
                Some((id, outcome)) => self.engine.end_inner(now, id, outcome),
                None => self.finish(now, index, flow, tape),
            },
        }
    }

    fn finish(&mut self, now: Timestamp, index: usize, flow: Flow, tape: &mut Tape) {
        let worker = self.workers.remove(index);
        let (connection, attempt) = (worker.connection, worker.attempt);
        let failure = match flow {
            _ if worker.poisoned => Failure::CallBack("failed".into()),
            Flow::Return(result) => {
                let (reply, versions) = worker.reply(result, self.goodput, tape);
                for (part, image) in versions {
                    self.keep(connection, Version { attempt, part }, image);
                }
                self.engine.reply(now, connection, reply);
                return;
            }
            Flow::Panic(code) => Failure::Panicked(code.to_string()),
            Flow::Unwind | Flow::Cancelled => panic!("only a failed call-back unwinds"),
        };
        self.engine.fail(now, connection, attempt, failure);
    }

    /// A method that may run once only is called within one that may run again.
    fn begin_inner(
        &mut self,
        now: Timestamp,
        program: &Program,
        index: usize,
        (method, arguments): (usize, Vec<Reference>),
        outside: &mut Outside,
        report: &mut Report,
    ) {
        let worker = &mut self.workers[index];
        if !program.methods[method].may_travel() {
            // Nothing of it could be kept.
            return worker.unwind();
        }
        let call = worker.count(method, &arguments);
        let begin = self.engine.begin_inner(now, worker.connection, worker.attempt, call);
        report.inner += u64::from(matches!(begin, Begin::Now(_)));
        worker.begin_inner(program, begin, call, (method, arguments), outside);
    }

    /// A worker panics as no local run would: out of memory, say.
    pub(crate) fn panic(&mut self, now: Timestamp, program: &Program, index: usize, outside: &mut Outside) {
        let mut worker = self.workers.remove(index);
        if let Some((id, _)) = worker.end_inner(program, Flow::Panic(-1), outside) {
            self.engine.end_inner(now, id, Err(Failure::Panicked("only here".into())));
        }
        self.engine.fail(now, worker.connection, worker.attempt, Failure::Panicked("only here".into()));
    }

    /// Does what the engine wants done.
    pub(crate) fn drain_outputs(
        &mut self,
        program: &Program,
        wire: &mut Wire,
        report: &mut Report,
        tape: &mut Tape,
    ) {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Transmit { connection, bytes, .. } => {
                    wire.send(link(connection), To::Device, bytes, tape)
                }
                Output::Run { connection, call, .. } => {
                    call.forget.iter().for_each(|&version| self.bases.forget(connection, version));
                    self.waiting.push((connection, call));
                }
                Output::Fence { connection, attempt } => self.let_go(connection, attempt),
                Output::Gone { connection, attempts } => {
                    self.bases.forget_all(connection);
                    attempts.into_iter().for_each(|attempt| self.let_go(connection, attempt));
                }
                Output::Answer { connection, frame } => {
                    if let Some(worker) = self.worker(connection, frame.attempt) {
                        worker.answered(frame);
                    }
                }
                Output::Close { .. } => {}
                Output::Drained => {
                    report.restarts += 1;
                    return self.restart(program, tape);
                }
                other => panic!("the driver does not know {other:?}"),
            }
        }
    }

    /// Nobody wants the attempt: it does not start, and unwinds where it waits or at its next call-back.
    fn let_go(&mut self, connection: Connection, attempt: Attempt) {
        self.waiting.retain(|(of, call)| (*of, call.attempt) != (connection, attempt));
        if let Some(worker) = self.worker(connection, attempt)
            && worker.is_asking()
        {
            worker.unwind();
        }
    }

    fn worker(&mut self, connection: Connection, attempt: Attempt) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|worker| worker.is(connection, attempt))
    }
}

fn connection(link: Link) -> Connection {
    Connection(u64::from(link.0))
}

fn link(connection: Connection) -> Link {
    Link(connection.0 as u32)
}
