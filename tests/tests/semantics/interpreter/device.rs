//! The device: one logical thread that runs the program, offloads calls, serves their call-backs while it waits, and
//! commits or undoes what comes of them.

mod ask;
mod back;
mod cancel;
mod hedge;
mod once;
mod wait;

use std::collections::{BTreeMap, BTreeSet};

use outboard_core::{CallId, InstanceId, Timestamp};
use outboard_wire::device::{Event, Output, Session};
use outboard_wire::frame::{Attempt, Image, Refusal, ToDevice, decode_frame};
use outboard_wire::{Limits, Lost, Timing, codec};

use super::hello;
use super::machine::{Machine, Outside, Step};
use super::plain::Told;
use super::program::{Flow, Kind, Program};
use super::report::{Defect, Report};
use super::tape::Tape;
use super::value::{Heap, Object, Reference};
use super::versions::{Believed, resolve_by_call};
use super::wire::{Link, To, Wire};
use ask::Ask;
use once::{Chain, Root, Running};
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
    /// The run of the server that a session is open with.
    attached: Option<InstanceId>,
    roots: Vec<Root>,
    /// How many calls that may run once only were made outside of one another, up to the root that runs.
    counted: usize,
    told_onces: BTreeMap<usize, Flow>,
    lost_track: bool,
    doubtful: BTreeSet<CallId>,
    /// How many calls there were that can be cancelled.
    cancellables: usize,
    cancelled: BTreeSet<usize>,
    /// What `main` came to.
    pub(crate) done: Option<Flow>,
    defect: Option<Defect>,
    given_up: Vec<GivenUp>,
}

/// What the thread is doing; the last one is what it does now.
#[derive(Debug)]
enum Activity {
    Run(Machine, Purpose, Chain),
    Wait(Box<Wait>),
    Ask(Box<Ask>),
}

#[derive(Debug)]
enum Purpose {
    Main,
    /// A `once` method that runs here; the machine below waits for it.
    Once(Running),
    /// A call that an abandoned attempt of a root may have run before; whether it is the root itself.
    Again {
        root: usize,
        outermost: bool,
    },
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
            stack: vec![Activity::Run(main, Purpose::Main, Chain::Main)],
            link: None,
            believed: Believed::new(&mut Tape::replay(Vec::new())),
            next_call: 0,
            attached: None,
            roots: Vec::new(),
            counted: 0,
            told_onces: BTreeMap::new(),
            lost_track: false,
            doubtful: BTreeSet::new(),
            cancellables: 0,
            cancelled: BTreeSet::new(),
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
        Told {
            cancelled: self.cancelled.clone(),
            onces: self.told_onces.clone(),
            lost_track: self.lost_track,
            doubtful: self.doubtful.clone(),
        }
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
        let bounds = self.stack.iter_mut().filter_map(|activity| match activity {
            Activity::Wait(wait) => Some(&mut wait.expired),
            Activity::Ask(ask) => Some(&mut ask.expired),
            Activity::Run(..) => None,
        });
        let mut open: Vec<&mut bool> = bounds.filter(|expired| !**expired).collect();
        let Some(last) = open.len().checked_sub(1) else { return false };
        *open[last - tape.below(last + 1)] = true;
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
            Some(Activity::Ask(ask)) => self.can_go_on(ask),
        }
    }

    /// Lets the thread go on for one step.
    pub(crate) fn step(&mut self, around: &mut Around<'_>) {
        if self.can_drop(around.program) && !around.tape.one_in(4) {
            return self.drop_call_back(around);
        }
        match self.stack.pop() {
            None => {}
            Some(Activity::Wait(wait)) => self.wait(around, *wait),
            Some(Activity::Ask(ask)) => self.ask(around, *ask),
            Some(Activity::Run(mut machine, purpose, chain)) => {
                match machine.step(around.program, &mut self.heap, around.outside) {
                    Step::Ran => self.stack.push(Activity::Run(machine, purpose, chain)),
                    Step::Gate { method, arguments, cancellable } => {
                        self.stack.push(Activity::Run(machine, purpose, chain));
                        self.gate(around, chain, method, arguments, cancellable);
                    }
                    Step::Done(flow) => self.finish(around, flow, purpose),
                }
            }
        }
    }

    /// Decides where a call runs.
    fn gate(
        &mut self,
        around: &mut Around<'_>,
        chain: Chain,
        method: usize,
        arguments: Vec<Reference>,
        cancellable: bool,
    ) {
        let cancellable = cancellable.then(|| {
            self.cancellables += 1;
            self.cancellables - 1
        });
        let is_once = around.program.methods[method].kind == Kind::Once;
        let may_leave = match chain {
            Chain::Part { root, again } if is_once => {
                return self.once_in_root(around, (root, again), method, arguments);
            }
            Chain::Main | Chain::Once => true,
            // What it calls may have been called before, and is counted here.
            Chain::Part { again: true, .. } => !around.program.has_once(),
            // What may be looked for later is where the rest of the root is.
            Chain::Part { root, again: false } => {
                self.attached.is_some() && self.attached == self.roots[root].sent_to
            }
        };
        let counted = self.counted;
        let call = self.fresh_call();
        let once = is_once.then(|| self.number(chain, call));
        let mut wait = Wait::new(call, method, arguments, once, chain);
        wait.cancellable = cancellable.map(|number| (number, counted));
        let travels = around.program.methods[method].may_travel() && call.0 < MOST_CALLS;
        if !may_leave || !travels || around.tape.below(3) == 0 {
            return self.run_here(around, wait);
        }
        self.send(around, wait);
    }

    /// Runs the call that the machine on top waits for on the device.
    fn run_here(&mut self, around: &mut Around<'_>, wait: Wait) {
        match wait.once {
            Some(numbered) => {
                let running = Running::new(wait.method, wait.arguments);
                self.run_once(around, numbered.origin, running);
            }
            None => self.caller().enter(around.program, wait.method, wait.arguments),
        }
    }

    fn fresh_call(&mut self) -> CallId {
        self.next_call += 1;
        CallId(self.next_call - 1)
    }

    /// The outermost method of an activity has ended.
    fn finish(&mut self, around: &mut Around<'_>, flow: Flow, purpose: Purpose) {
        match purpose {
            Purpose::Main => self.done = Some(flow),
            Purpose::Back(question) => self.answer(around, question, flow),
            Purpose::Once(running) => self.ran_once(around, running, flow),
            Purpose::Again { root, outermost } => {
                if outermost {
                    self.end_root(around, root);
                }
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
            Some(Activity::Run(machine, ..)) => machine,
            _ => panic!("a call belongs to a machine"),
        }
    }

    fn poll(&mut self) -> Option<(Link, Output)> {
        let (link, session) = self.link.as_mut()?;
        Some((*link, session.poll()?))
    }

    fn handle(&mut self, event: Event, report: &mut Report) {
        match event {
            Event::Attached(welcome) => {
                report.attached += 1;
                self.attached = Some(welcome.server);
            }
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
                self.attached = None;
                unknown.into_iter().for_each(|attempt| self.ended(attempt, End::Unknown));
            }
            Event::Refused(Refusal::Busy) => report.refused += 1,
            Event::Draining | Event::Load(_) | Event::RoundTrip(_) => {}
            other => panic!("the servers of the tests never make this happen: {other:?}"),
        }
    }

    fn ended(&mut self, attempt: Attempt, end: End) {
        let ends = self.stack.iter_mut().find_map(|activity| match activity {
            Activity::Wait(wait) if wait.attempt == attempt => Some(&mut wait.ended),
            Activity::Ask(ask) if ask.sent == Some(attempt) => Some(&mut ask.ended),
            _ => None,
        });
        let ended = ends.expect("the session tells no end of an attempt that nobody waits for");
        assert!(ended.is_none(), "an attempt ends once");
        *ended = Some(end);
    }

    fn waits(&mut self) -> impl Iterator<Item = &mut Wait> {
        self.stack.iter_mut().filter_map(|activity| match activity {
            Activity::Wait(wait) => Some(&mut **wait),
            Activity::Run(..) | Activity::Ask(_) => None,
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
