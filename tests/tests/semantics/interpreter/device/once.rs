//! Calls that may run once only, within calls that may run again.
//!
//! The outermost call that would be run again is a *root*. It counts such calls, wherever they are made: on the server,
//! which keeps what became of them, or here in its call-backs, where a log does. When it is run again, each of them is
//! looked for by its number, in the log and then at that run of the server, before it is made.

use std::collections::BTreeMap;

use outboard_core::{CallId, InstanceId};
use outboard_wire::frame;
use outboard_wire::frame::{ArgumentsHash, Image, Inner};

use super::super::machine::{Machine, Origin};
use super::super::method_id;
use super::super::program::{Error, Flow, Passing, Program};
use super::super::report::Defect;
use super::super::value::{Object, Reference};
use super::ask::{About, Ask};
use super::{Activity, Around, Device, Purpose};

/// What the code that runs is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// `main`, and what it calls here: nothing is run again, and calls that may run once only are numbered.
    Main,
    /// A method that may run once only: nothing within it is run again.
    Once,
    /// A root, by its place among the roots.
    Part { root: usize, again: bool },
}

#[derive(Debug)]
pub(super) struct Root {
    pub(super) call: CallId,
    /// The run of the server that has it.
    pub(super) sent_to: Option<InstanceId>,
    /// The number of its first call that may run once only, where those are numbered.
    base: Option<usize>,
    pub(super) next: u32,
    log: BTreeMap<u32, Record>,
}

#[derive(Debug)]
struct Record {
    inner: Inner,
    /// `None`: it was cut off.
    outcome: Option<(Flow, Vec<Image>)>,
}

/// A call that may run once only, and that runs here.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) method: usize,
    pub(super) arguments: Vec<Reference>,
    /// Where it is logged, and what its exclusive slots were before.
    logged: Option<(usize, Inner, Vec<Object>)>,
}

impl Running {
    pub(super) fn new(method: usize, arguments: Vec<Reference>) -> Self {
        Self { method, arguments, logged: None }
    }
}

/// Where a call that may run once only stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered {
    pub(super) origin: Origin,
    /// Among those of a plain run, where that is known.
    pub(super) number: Option<usize>,
}

impl Device {
    /// A call that may run once only is made outside of every root.
    pub(super) fn number(&mut self, chain: Chain, call: CallId) -> Numbered {
        let number = (chain == Chain::Main).then(|| {
            self.counted += 1;
            self.counted - 1
        });
        Numbered { origin: Origin { life: self.life, call, sequence: None }, number }
    }

    /// A call that would be run again becomes a root, where it is not a part of one.
    pub(super) fn root(&mut self, chain: Chain, call: CallId) -> usize {
        if let Chain::Part { root, again: false } = chain {
            return root;
        }
        let base = (chain == Chain::Main).then_some(self.counted);
        self.roots.push(Root { call, sent_to: None, base, next: 0, log: BTreeMap::new() });
        self.roots.len() - 1
    }

    /// As a server is told of a part of a root.
    pub(super) fn told_root(&self, chain: Chain) -> Option<frame::Root> {
        let Chain::Part { root, .. } = chain else { return None };
        let root = &self.roots[root];
        Some(frame::Root { call: root.call, onces: root.next })
    }

    /// A part of a root starts anew, or was for nothing: what was told within it is told to nobody any more.
    pub(super) fn count_again(&mut self, root: usize, counted: u32) {
        self.roots[root].next = counted;
        if let Some(base) = self.roots[root].base {
            self.told_onces.split_off(&(base + counted as usize));
        }
    }

    /// A root has come to its end: what comes next is numbered on.
    pub(super) fn end_root(&mut self, around: &Around<'_>, root: usize) {
        let Root { call, base: Some(base), next, .. } = self.roots[root] else { return };
        for sequence in 0..next {
            let origin = Origin { life: self.life, call, sequence: Some(sequence) };
            // One that panicked left everything as it was before.
            if let Some(&flow) = around.outside.instead.get(&origin) {
                self.told_onces.entry(base + sequence as usize).or_insert(flow);
            }
        }
        self.counted = base + next as usize;
    }

    /// A call that may run once only is made in a part of a root. Runs it, or finds what became of it.
    pub(super) fn once_in_root(
        &mut self,
        around: &mut Around<'_>,
        (root, again): (usize, bool),
        method: usize,
        arguments: Vec<Reference>,
    ) {
        let images: Vec<Image> = arguments.iter().map(|argument| self.heap.at(argument).encode()).collect();
        let inner = Inner {
            sequence: self.roots[root].next,
            method: method_id(method),
            arguments: ArgumentsHash::of(&images),
        };
        self.roots[root].next += 1;
        if !again || self.defect == Some(Defect::ForgetsOnces) {
            return self.log_once(around, root, inner, method, arguments);
        }
        let at = match self.defect {
            Some(Defect::TakesAnotherOnce) => 0,
            _ => inner.sequence,
        };
        match self.roots[root].log.get(&at) {
            Some(Record { inner: found, outcome: Some((flow, images)) })
                if *found == inner || self.defect == Some(Defect::TakesAnotherOnce) =>
            {
                around.report.found_here += 1;
                let (flow, images) = (*flow, images.clone());
                let landed = self.land(around.program, method, &arguments, &images);
                assert!(landed, "the log has what was encoded here");
                self.hand(flow);
            }
            Some(_) => self.doubt(around, root, inner.sequence),
            None => self.ask_inner(around, root, inner, method, arguments),
        }
    }

    pub(super) fn number_of(&self, root: usize, sequence: u32) -> Option<usize> {
        self.roots[root].base.map(|base| base + sequence as usize)
    }

    /// Nobody knows whether the call of a root has run.
    pub(super) fn doubt(&mut self, around: &mut Around<'_>, root: usize, sequence: u32) {
        self.doubtful.insert(self.roots[root].call);
        let number = self.number_of(root, sequence);
        self.instead(around, number, Flow::Return(Err(Error::MaybeRan)));
    }

    /// The caller is told this in place of what the call itself came to, and nothing of the call stays.
    pub(super) fn instead(&mut self, around: &mut Around<'_>, number: Option<usize>, flow: Flow) {
        around.report.maybe_ran += u64::from(flow == Flow::Return(Err(Error::MaybeRan)));
        self.tell(number, flow);
        self.hand(flow);
    }

    pub(super) fn tell(&mut self, number: Option<usize>, flow: Flow) {
        match number {
            Some(number) => _ = self.told_onces.insert(number, flow),
            None => self.lost_track = true,
        }
    }

    /// A call of a root was found not to have run, and never will.
    pub(super) fn run_inner(
        &mut self,
        around: &mut Around<'_>,
        root: usize,
        inner: Inner,
        method: usize,
        arguments: Vec<Reference>,
    ) {
        let call = self.roots[root].call;
        let under_way = self.waits().any(|wait| wait.attempt.call == call);
        if under_way {
            // The attempt of the root may still be given up, and then it is looked for once more.
            return self.log_once(around, root, inner, method, arguments);
        }
        let origin = Origin { life: self.life, call, sequence: Some(inner.sequence) };
        self.run_once(around, origin, Running::new(method, arguments));
    }

    fn log_once(
        &mut self,
        around: &mut Around<'_>,
        root: usize,
        inner: Inner,
        method: usize,
        arguments: Vec<Reference>,
    ) {
        let before = self.exclusive(around.program, method, &arguments);
        let before = before.map(|argument| self.heap.at(argument).clone()).collect();
        let origin = Origin { life: self.life, call: self.roots[root].call, sequence: Some(inner.sequence) };
        self.roots[root].log.insert(inner.sequence, Record { inner, outcome: None });
        self.run_once(around, origin, Running { method, arguments, logged: Some((root, inner, before)) });
    }

    pub(super) fn run_once(&mut self, around: &mut Around<'_>, origin: Origin, running: Running) {
        let machine = Machine::method(around.program, running.method, running.arguments.clone(), origin);
        self.stack.push(Activity::Run(machine, Purpose::Once(running), Chain::Once));
    }

    /// A call that may run once only, and that ran here, has ended.
    pub(super) fn ran_once(&mut self, around: &mut Around<'_>, running: Running, flow: Flow) {
        let Running { method, arguments, logged } = running;
        if let Some((root, inner, before)) = logged {
            if matches!(flow, Flow::Panic(_)) {
                let places: Vec<Reference> =
                    self.exclusive(around.program, method, &arguments).cloned().collect();
                for (place, mut before) in places.iter().zip(before) {
                    self.heap.at_mut(place).exchange(&mut before);
                }
                let call = self.roots[root].call;
                let origin = Origin { life: self.life, call, sequence: Some(inner.sequence) };
                around.outside.instead.insert(origin, flow);
            }
            let exclusive = self.exclusive(around.program, method, &arguments);
            let images = exclusive.map(|argument| self.heap.at(argument).encode()).collect();
            self.roots[root].log.insert(inner.sequence, Record { inner, outcome: Some((flow, images)) });
        }
        self.hand(flow);
    }

    /// Brings the exclusive slots of a call to what was kept of it. Whether all of it could be decoded.
    pub(super) fn land(
        &mut self,
        program: &Program,
        method: usize,
        arguments: &[Reference],
        images: &[Image],
    ) -> bool {
        let slots = program.methods[method].slots.iter().filter(|slot| slot.passing == Passing::Exclusive);
        let objects = slots.zip(images).map(|(slot, image)| Object::decode(image, slot.of));
        let Some(objects) = objects.collect::<Option<Vec<Object>>>() else { return false };
        let places: Vec<Reference> = self.exclusive(program, method, arguments).cloned().collect();
        for (place, mut object) in places.iter().zip(objects) {
            self.heap.at_mut(place).exchange(&mut object);
        }
        true
    }

    fn exclusive<'a>(
        &self,
        program: &'a Program,
        method: usize,
        arguments: &'a [Reference],
    ) -> impl Iterator<Item = &'a Reference> + use<'a> {
        let slots = arguments.iter().zip(&program.methods[method].slots);
        slots.filter(|(_, slot)| slot.passing == Passing::Exclusive).map(|(argument, _)| argument)
    }

    fn ask_inner(
        &mut self,
        around: &mut Around<'_>,
        root: usize,
        inner: Inner,
        method: usize,
        arguments: Vec<Reference>,
    ) {
        let Some(instance) = self.roots[root].sent_to else {
            return self.doubt(around, root, inner.sequence);
        };
        around.report.asked += 1;
        let about = self.roots[root].call;
        let ask = Ask::new(about, instance, method, arguments, About::Inner(root, inner));
        self.stack.push(Activity::Ask(Box::new(ask)));
    }
}
