//! The device: one logical thread that runs the program, offloads calls, serves their call-backs while it waits, and
//! commits or undoes what comes of them.

use std::collections::VecDeque;

use outboard_core::{ByteCount, CallId, Epoch, Timestamp};
use outboard_wire::codec;
use outboard_wire::device::{Event, Output, Session};
use outboard_wire::frame::{
    AnswerFrame, AnswerImage, Attempt, BackFrame, BackSlot, CallFrame, FailedFrame, Image, ReplyFrame,
    SlotImage, ToDevice, decode_frame,
};
use outboard_wire::{Limits, Lost, Timing};

use super::machine::{Machine, Step, World};
use super::program::{Error, Flow, Passing, Program, Slot};
use super::report::{Defect, Report};
use super::tape::Tape;
use super::value::{Heap, Object, Reference};
use super::wire::{Link, To, Wire};
use super::{hello, method_id, method_number};

/// Most attempts of a program: then it finishes locally, whatever fails.
const MOST_ATTEMPTS: u64 = 60;

#[derive(Debug)]
pub(crate) struct Device {
    heap: Heap,
    stack: Vec<Activity>,
    link: Option<(Link, Session)>,
    next_call: u64,
    /// What `main` came to.
    pub(crate) done: Option<Flow>,
    defect: Option<Defect>,
    /// What a planted defect remembers of attempts that were given up.
    given_up: Vec<(Attempt, Vec<Reference>)>,
}

/// What the thread is doing; the last one is what it does now.
#[derive(Debug)]
enum Activity {
    Run(Machine, Purpose),
    Wait(Box<Wait>),
}

#[derive(Debug)]
enum Purpose {
    Main,
    /// A call-back: it is to be answered, and what was allocated for it is freed.
    Back {
        attempt: Attempt,
        sequence: u32,
        method: usize,
        arguments: Vec<Reference>,
        heap: usize,
    },
}

/// A call that was offloaded.
#[derive(Debug)]
struct Wait {
    attempt: Attempt,
    method: usize,
    arguments: Vec<Reference>,
    /// What was sent of each slot.
    sent: Vec<Vec<u8>>,
    /// What each slot was, once a call-back has touched it.
    undo: Vec<Option<Object>>,
    backs: VecDeque<BackFrame>,
    ended: Option<End>,
    expired: bool,
}

#[derive(Debug)]
enum End {
    Replied(ReplyFrame),
    Failed(FailedFrame),
    Unknown,
}

impl Device {
    pub(crate) fn new(program: &Program, defect: Option<Defect>) -> Self {
        let mut heap = Heap::default();
        let main = Machine::main(program, &mut heap);
        Self {
            heap,
            stack: vec![Activity::Run(main, Purpose::Main)],
            link: None,
            next_call: 0,
            done: None,
            defect,
            given_up: Vec::new(),
        }
    }

    pub(crate) fn connect(&mut self, now: Timestamp, link: Link, program: &Program) {
        self.link = Some((link, Session::new(now, hello(program.methods.len()), Timing::default())));
    }

    pub(crate) fn link(&self) -> Option<Link> {
        self.link.as_ref().map(|(link, _)| *link)
    }

    pub(crate) fn objects(&self, count: usize) -> Vec<Object> {
        self.heap.first(count)
    }

    pub(crate) fn handle_lost(&mut self, now: Timestamp) {
        if let Some((_, session)) = &mut self.link {
            session.handle_lost(now);
        }
    }

    pub(crate) fn handle_frame(&mut self, now: Timestamp, link: Link, bytes: &[u8]) {
        self.misbehave(bytes);
        if let Some((open, session)) = &mut self.link
            && *open == link
        {
            session.handle_frame(now, bytes);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Timestamp) {
        if let Some((_, session)) = &mut self.link
            && session.timeout().is_some_and(|at| at <= now)
        {
            session.handle_timeout(now);
        }
    }

    pub(crate) fn timeout(&self) -> Option<Timestamp> {
        self.link.as_ref().and_then(|(_, session)| session.timeout())
    }

    /// The bound of one of the calls that wait passes. Whether any waits.
    pub(crate) fn expire(&mut self, tape: &mut Tape) -> bool {
        let mut waits: Vec<&mut Wait> = self.waits().filter(|wait| !wait.expired).collect();
        let Some(chosen) = waits.len().checked_sub(1).map(|last| last - tape.below(last + 1)) else {
            return false;
        };
        waits[chosen].expired = true;
        true
    }

    /// Does what the session wants done.
    pub(crate) fn drain_outputs(&mut self, wire: &mut Wire, report: &mut Report, tape: &mut Tape) {
        while let Some((link, output)) = self.poll() {
            match output {
                Output::Transmit { bytes, .. } => wire.send(link, To::Server, bytes, tape),
                Output::Event(event) => self.handle(event, report),
                Output::Close(_) => self.link = None,
            }
        }
    }

    /// Whether the thread has anything to do.
    pub(crate) fn is_runnable(&self) -> bool {
        match self.stack.last() {
            None => false,
            Some(Activity::Run(..)) => true,
            Some(Activity::Wait(wait)) => wait.expired || wait.ended.is_some() || !wait.backs.is_empty(),
        }
    }

    /// Lets the thread go on for one step.
    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        program: &Program,
        world: &mut World,
        report: &mut Report,
        tape: &mut Tape,
    ) {
        match self.stack.pop() {
            None => {}
            Some(Activity::Run(mut machine, purpose)) => match machine.step(program, &mut self.heap, world) {
                Step::Ran => self.stack.push(Activity::Run(machine, purpose)),
                Step::Gate { method, arguments } => {
                    self.stack.push(Activity::Run(machine, purpose));
                    self.gate(now, program, method, arguments, report, tape);
                }
                Step::Done(flow) => self.finish(now, program, flow, purpose, report),
            },
            Some(Activity::Wait(wait)) => self.wait(now, program, *wait, report, tape),
        }
    }

    /// Decides where a call runs.
    fn gate(
        &mut self,
        now: Timestamp,
        program: &Program,
        method: usize,
        arguments: Vec<Reference>,
        report: &mut Report,
        tape: &mut Tape,
    ) {
        let travels = program.methods[method].may_travel() && self.next_call < MOST_ATTEMPTS;
        if !travels || tape.below(3) == 0 || !self.send(now, program, method, &arguments, report, tape) {
            self.enter(program, method, arguments);
        }
    }

    fn send(
        &mut self,
        now: Timestamp,
        program: &Program,
        method: usize,
        arguments: &[Reference],
        report: &mut Report,
        tape: &mut Tape,
    ) -> bool {
        let within = self.waits().last().filter(|outer| outer.ended.is_none()).map(|outer| outer.attempt);
        let Some((_, session)) = &mut self.link else { return false };
        let attempt = Attempt { call: CallId(self.next_call), epoch: Epoch::FIRST };
        let sent: Vec<Vec<u8>> = arguments.iter().map(|argument| self.heap.at(argument).encode()).collect();
        let on_device =
            (method + 1..program.methods.len()).filter(|_| tape.one_in(4)).map(method_id).collect();
        let call = CallFrame {
            attempt,
            method: method_id(method),
            within,
            time_left: None,
            on_device,
            slots: sent.iter().map(|bytes| SlotImage::Whole(Image(bytes.clone()))).collect(),
        };
        if session.call(now, call).is_err() {
            report.not_sent += 1;
            return false;
        }
        self.next_call += 1;
        report.attempts += 1;
        report.nested += u64::from(within.is_some());
        self.stack.push(Activity::Wait(Box::new(Wait {
            attempt,
            method,
            arguments: arguments.to_vec(),
            undo: vec![None; sent.len()],
            sent,
            backs: VecDeque::new(),
            ended: None,
            expired: false,
        })));
        true
    }

    /// Runs the method of the last gate here.
    fn enter(&mut self, program: &Program, method: usize, arguments: Vec<Reference>) {
        let Some(Activity::Run(machine, _)) = self.stack.last_mut() else {
            panic!("a gate belongs to a machine")
        };
        machine.enter(program, method, arguments);
    }

    fn wait(
        &mut self,
        now: Timestamp,
        program: &Program,
        mut wait: Wait,
        report: &mut Report,
        tape: &mut Tape,
    ) {
        if wait.ended.is_none() && wait.expired {
            if let Some((_, session)) = &mut self.link {
                session.fence(now, wait.attempt);
            }
            report.expired += 1;
            return self.abandon(program, wait, report);
        }
        match wait.ended.take() {
            Some(End::Replied(reply)) => match self.commit(program, &mut wait, &reply) {
                Some(result) => {
                    report.replied += 1;
                    let Some(Activity::Run(machine, _)) = self.stack.last_mut() else {
                        panic!("a call belongs to a machine")
                    };
                    machine.hand(Flow::Return(result));
                }
                None => {
                    report.garbled += 1;
                    self.abandon(program, wait, report);
                }
            },
            Some(End::Failed(failed)) if failed.failure.never_started() => {
                report.not_run += 1;
                let again = tape.below(2) == 1;
                if !again || !self.send(now, program, wait.method, &wait.arguments.clone(), report, tape) {
                    self.enter(program, wait.method, wait.arguments);
                }
            }
            Some(End::Failed(_)) => {
                report.failed += 1;
                self.abandon(program, wait, report);
            }
            Some(End::Unknown) => {
                report.unknown += 1;
                self.abandon(program, wait, report);
            }
            None => {
                let back = wait.backs.pop_front();
                self.stack.push(Activity::Wait(Box::new(wait)));
                if let Some(back) = back {
                    self.serve(now, program, back, report);
                }
            }
        }
    }

    /// Takes a whole reply over, or nothing of it.
    fn commit(
        &mut self,
        program: &Program,
        wait: &mut Wait,
        reply: &ReplyFrame,
    ) -> Option<Result<i64, Error>> {
        let slots = &program.methods[wait.method].slots;
        let exclusive =
            wait.arguments.iter().zip(slots).filter(|(_, slot)| slot.passing == Passing::Exclusive);
        let mut decoded = Vec::new();
        let mut images = reply.exclusive.iter();
        for (argument, slot) in exclusive {
            let SlotImage::Whole(Image(bytes)) = images.next()?;
            let mut object = Object::decode(bytes, slot.of)?;
            if self.defect == Some(Defect::CommitsInPieces) {
                self.heap.at_mut(argument).exchange(&mut object);
            } else {
                decoded.push((argument, object));
            }
        }
        let result = codec::from_bytes(&reply.result.0, 16).ok()?;
        for (argument, mut object) in decoded {
            match self.defect {
                Some(Defect::ReplacesSkipped) => *self.heap.at_mut(argument) = object,
                _ => self.heap.at_mut(argument).exchange(&mut object),
            }
        }
        Some(result)
    }

    /// Nothing of the attempt stays, and the call runs here.
    fn abandon(&mut self, program: &Program, mut wait: Wait, report: &mut Report) {
        for (argument, undo) in wait.arguments.iter().zip(&mut wait.undo) {
            if let Some(undo) = undo
                && self.defect != Some(Defect::ForgetsUndo)
            {
                report.undone += 1;
                self.heap.at_mut(argument).exchange(undo);
            }
        }
        let slots = wait.arguments.iter().zip(&program.methods[wait.method].slots);
        let exclusive = slots.filter(|(_, slot)| slot.passing == Passing::Exclusive);
        self.given_up.push((wait.attempt, exclusive.map(|(argument, _)| argument.clone()).collect()));
        self.enter(program, wait.method, wait.arguments);
    }

    /// Runs a call-back of the attempt that waits.
    fn serve(&mut self, now: Timestamp, program: &Program, back: BackFrame, report: &mut Report) {
        report.backs += 1;
        let (attempt, sequence) = (back.attempt, back.sequence);
        let heap = self.heap.size();
        match self.arguments(program, &back, report) {
            Some((method, arguments)) => {
                let machine = Machine::method(program, method, arguments.clone());
                let purpose = Purpose::Back { attempt, sequence, method, arguments, heap };
                self.stack.push(Activity::Run(machine, purpose));
            }
            None => {
                self.heap.free_down_to(heap);
                self.answer(now, AnswerFrame { attempt, sequence, outcome: Err("a slot is garbled".into()) });
            }
        }
    }

    /// The objects that a call-back works on: the device's own where the server names a place, brought to the server's
    /// version.
    fn arguments(
        &mut self,
        program: &Program,
        back: &BackFrame,
        report: &mut Report,
    ) -> Option<(usize, Vec<Reference>)> {
        let method = method_number(back.method)?;
        let Some(Activity::Wait(wait)) = self.stack.last_mut() else { panic!("a call-back comes to a call") };
        let mut arguments = Vec::new();
        for (slot, image) in program.methods[method].slots.iter().zip(&back.slots) {
            let mut object = Object::decode(&image.image().0, slot.of)?;
            match image {
                BackSlot::Copy(_) => arguments.push(self.heap.allocate(object)),
                BackSlot::Place { slot: outer, path, .. } => {
                    report.places += 1;
                    let outer = usize::from(*outer);
                    let Slot { of, passing: Passing::Exclusive } =
                        *program.methods[wait.method].slots.get(outer)?
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
            }
        }
        Some((method, arguments))
    }

    /// The outermost method of an activity has ended.
    fn finish(
        &mut self,
        now: Timestamp,
        program: &Program,
        flow: Flow,
        purpose: Purpose,
        report: &mut Report,
    ) {
        let Purpose::Back { attempt, sequence, method, arguments, heap } = purpose else {
            self.done = Some(flow);
            return;
        };
        let outcome = match flow {
            Flow::Return(result) => {
                let result = codec::to_bytes(&result, ByteCount::from_bytes(100)).expect("a result is small");
                let slots = arguments.iter().zip(&program.methods[method].slots);
                let exclusive = slots.filter(|(_, slot)| slot.passing == Passing::Exclusive);
                let exclusive =
                    exclusive.map(|(argument, _)| SlotImage::Whole(Image(self.heap.at(argument).encode())));
                Ok(AnswerImage { result: Image(result), exclusive: exclusive.collect() })
            }
            // The attempt fails, and the local run panics in its turn.
            Flow::Panic(_) | Flow::Unwind => Err("the device's method panicked".into()),
        };
        self.heap.free_down_to(heap);
        if !self.answer(now, AnswerFrame { attempt, sequence, outcome }) {
            report.late_answers += 1;
        }
    }

    fn answer(&mut self, now: Timestamp, answer: AnswerFrame) -> bool {
        self.link.as_mut().is_some_and(|(_, session)| session.answer(now, answer).is_ok())
    }

    fn poll(&mut self) -> Option<(Link, Output)> {
        let (link, session) = self.link.as_mut()?;
        Some((*link, session.poll()?))
    }

    fn handle(&mut self, event: Event, report: &mut Report) {
        match event {
            Event::Attached(_) => report.attached += 1,
            Event::Replied(reply) => self.ended(reply.attempt, End::Replied(reply)),
            Event::Failed(failed) => self.ended(failed.attempt, End::Failed(failed)),
            Event::Back(back) => {
                let wait = self.waits().find(|wait| wait.attempt == back.attempt);
                wait.expect("the session lets no call-back of an ended attempt through")
                    .backs
                    .push_back(back);
            }
            Event::Lost { reason, unknown } => {
                assert!(
                    !matches!(reason, Lost::Violation(_) | Lost::Refused),
                    "nobody broke the protocol: {reason}"
                );
                report.lost += 1;
                unknown.into_iter().for_each(|attempt| self.ended(attempt, End::Unknown));
            }
            Event::Draining | Event::Load(_) | Event::RoundTrip(_) => {}
            other => panic!("the servers of the tests never make this happen: {other:?}"),
        }
    }

    fn ended(&mut self, attempt: Attempt, end: End) {
        let wait = self.waits().find(|wait| wait.attempt == attempt);
        let wait = wait.expect("the session tells no end of an attempt that nobody waits for");
        assert!(wait.ended.is_none(), "an attempt ends once");
        wait.ended = Some(end);
    }

    fn waits(&mut self) -> impl Iterator<Item = &mut Wait> {
        self.stack.iter_mut().filter_map(|activity| match activity {
            Activity::Wait(wait) => Some(&mut **wait),
            Activity::Run(..) => None,
        })
    }

    /// A planted defect: takes the reply of an attempt that was given up over all the same.
    fn misbehave(&mut self, bytes: &[u8]) {
        if self.defect != Some(Defect::TakesFencedReplies) {
            return;
        }
        let Ok(ToDevice::Reply(reply)) = decode_frame(bytes, &Limits::default()) else { return };
        let Some((_, arguments)) = self.given_up.iter().find(|(attempt, _)| *attempt == reply.attempt) else {
            return;
        };
        for (argument, SlotImage::Whole(Image(image))) in arguments.iter().zip(&reply.exclusive) {
            if let Ok(mut object) = codec::from_bytes::<Object>(image, 16)
                && let Some(mine) = self.heap.try_at_mut(argument)
            {
                mine.exchange(&mut object);
            }
        }
    }
}
