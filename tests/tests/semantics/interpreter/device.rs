//! The device: one logical thread that runs the program, offloads calls, serves their call-backs while it waits, and
//! commits or undoes what comes of them.

mod back;
mod cancel;
mod once;
mod wait;

use std::collections::BTreeMap;

use outboard_core::{CallId, Timestamp};
use outboard_wire::device::{Event, Output, Session};
use outboard_wire::frame::{Attempt, Image, Refusal, ToDevice, decode_frame};
use outboard_wire::{Limits, Lost, Timing, codec};

use super::hello;
use super::machine::{Machine, Origin, Outside, Step};
use super::plain::Told;
use super::program::{Flow, Kind, Program};
use super::report::{Defect, Report};
use super::tape::Tape;
use super::value::{Heap, Object, Reference};
use super::versions::{Believed, resolve_by_call};
use super::wire::{Link, To, Wire};
use once::Log;
use wait::{End, Wait};

/// Most calls that a program offloads: then it finishes locally, whatever fails.
const MOST_CALLS: u64 = 60;

#[derive(Debug)]
pub(crate) struct Device {
    /// Which run of the app this is.
    life: u32,
    heap: Heap,
    stack: Vec<Activity>,
    link: Option<(Link, Session)>,
    /// Of the session.
    believed: Believed,
    next_call: u64,
    onces: Log,
    /// How many calls there were that can be cancelled.
    cancellables: usize,
    cancelled: BTreeMap<usize, usize>,
    /// What `main` came to.
    pub(crate) done: Option<Flow>,
    defect: Option<Defect>,
    given_up: Vec<GivenUp>,
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
    /// A `once` method that runs here; the machine below waits for it.
    Once(once::Entry),
    /// A call-back: it is to be answered.
    Back(back::Question),
}

/// What surrounds the thread in a turn.
pub(crate) struct Around<'a> {
    pub(crate) now: Timestamp,
    pub(crate) program: &'a Program,
    pub(crate) outside: &'a mut Outside,
    pub(crate) report: &'a mut Report,
    pub(crate) tape: &'a mut Tape,
}

impl Device {
    pub(crate) fn new(program: &Program, life: u32, defect: Option<Defect>) -> Self {
        let mut heap = Heap::default();
        let main = Machine::main(program, &mut heap);
        Self {
            life,
            heap,
            stack: vec![Activity::Run(main, Purpose::Main)],
            link: None,
            believed: Believed::new(&mut Tape::replay(Vec::new())),
            next_call: 0,
            onces: Log::default(),
            cancellables: 0,
            cancelled: BTreeMap::new(),
            done: None,
            defect,
            given_up: Vec::new(),
        }
    }

    pub(crate) fn connect(&mut self, now: Timestamp, link: Link, program: &Program, tape: &mut Tape) {
        // Another session knows none of the versions of this one.
        self.believed = Believed::new(tape);
        self.link =
            Some((link, Session::new(now, hello(self.life, program.methods.len()), Timing::default())));
    }

    pub(crate) fn link(&self) -> Option<Link> {
        self.link.as_ref().map(|(link, _)| *link)
    }

    pub(crate) fn life(&self) -> u32 {
        self.life
    }

    /// What the program was told that a plain run is not.
    pub(crate) fn told(&self) -> Told {
        Told { cancelled: self.cancelled.clone(), onces: self.onces.told() }
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
        let Some(last) = waits.len().checked_sub(1) else { return false };
        waits[last - tape.below(last + 1)].expired = true;
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
    pub(crate) fn is_runnable(&self, program: &Program) -> bool {
        match self.stack.last() {
            None => false,
            Some(Activity::Run(..)) => true,
            Some(Activity::Wait(wait)) => wait.has_news() || self.can_drop(program),
        }
    }

    /// Lets the thread go on for one step.
    pub(crate) fn step(&mut self, around: &mut Around<'_>) {
        if self.can_drop(around.program) && around.tape.below(2) == 0 {
            return self.drop_call_back(around);
        }
        match self.stack.pop() {
            None => {}
            Some(Activity::Wait(wait)) => self.wait(around, *wait),
            Some(Activity::Run(mut machine, purpose)) => {
                match machine.step(around.program, &mut self.heap, around.outside) {
                    Step::Ran => self.stack.push(Activity::Run(machine, purpose)),
                    Step::Gate { method, arguments, cancellable } => {
                        self.stack.push(Activity::Run(machine, purpose));
                        self.gate(around, method, arguments, cancellable);
                    }
                    Step::Done(flow) => self.finish(around, flow, purpose),
                }
            }
        }
    }

    /// Decides where a call runs.
    fn gate(&mut self, around: &mut Around<'_>, method: usize, arguments: Vec<Reference>, cancellable: bool) {
        let cancellable = cancellable.then(|| {
            self.cancellables += 1;
            self.cancellables - 1
        });
        let is_once = around.program.methods[method].kind == Kind::Once;
        if is_once && let Some(flow) = self.replay(around, method, &arguments) {
            return self.hand(flow);
        }
        let call = CallId(self.next_call);
        self.next_call += 1;
        let once = is_once.then(|| self.onces.begin(method, arguments.clone()));
        let travels = around.program.methods[method].may_travel() && call.0 < MOST_CALLS;
        let place = self.onces.place();
        let mut wait = Wait::new(call, method, arguments, once, place);
        wait.cancellable = cancellable;
        if !travels || around.tape.below(3) == 0 {
            return self.run_here(around, wait);
        }
        self.send(around, wait);
    }

    /// Runs the call that the machine on top waits for on the device.
    fn run_here(&mut self, around: &Around<'_>, wait: Wait) {
        match wait.once {
            Some(entry) => {
                let origin = Origin { life: self.life, call: wait.attempt.call };
                let machine = Machine::method(around.program, wait.method, wait.arguments, origin);
                self.stack.push(Activity::Run(machine, Purpose::Once(entry)));
            }
            None => self.caller().enter(around.program, wait.method, wait.arguments),
        }
    }

    /// The outermost method of an activity has ended.
    fn finish(&mut self, around: &mut Around<'_>, flow: Flow, purpose: Purpose) {
        match purpose {
            Purpose::Main => self.done = Some(flow),
            Purpose::Back(question) => self.answer(around, question, flow),
            Purpose::Once(entry) => {
                self.record(around.program, entry, flow);
                self.hand(flow);
            }
        }
    }

    /// Gives the machine on top what came of its call.
    fn hand(&mut self, flow: Flow) {
        self.caller().hand(flow);
    }

    fn caller(&mut self) -> &mut Machine {
        match self.stack.last_mut() {
            Some(Activity::Run(machine, _)) => machine,
            _ => panic!("a call belongs to a machine"),
        }
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
                let is_fair = !matches!(reason, Lost::Violation(_));
                assert!(is_fair, "nobody broke the protocol: {reason}");
                report.lost += 1;
                unknown.into_iter().for_each(|attempt| self.ended(attempt, End::Unknown));
            }
            Event::Refused(Refusal::Busy) => report.refused += 1,
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
        let given_up = self.given_up.iter().find(|given_up| given_up.attempt == reply.attempt);
        let Some(given_up) = given_up else { return };
        for (argument, told) in given_up.arguments.iter().zip(&reply.exclusive) {
            let image = resolve_by_call(reply.attempt, &given_up.sent, told, &mut Report::default());
            if let Some(image) = image
                && let Ok(mut object) = codec::from_bytes::<Object>(&image.0, 16)
                && let Some(mine) = self.heap.try_at_mut(argument)
            {
                mine.exchange(&mut object);
            }
        }
    }
}

/// What a planted defect remembers of an attempt that was given up.
#[derive(Debug)]
struct GivenUp {
    attempt: Attempt,
    /// The exclusive slots.
    arguments: Vec<Reference>,
    sent: Vec<Image>,
}
