//! Calls that were offloaded: sending them, and what their ends mean.

use std::collections::VecDeque;
use std::time::Duration;

use outboard_core::{CallId, Epoch, InstanceId};
use outboard_wire::frame::{
    Attempt, BackFrame, CallFrame, FailedFrame, Failure, Image, NotRun, Part, ReplyFrame, SlotImage, Version,
};
use outboard_wire::{ObjectReader, ObjectWriter, Objects};

use super::super::machine::Machine;
use super::super::method_id;
use super::super::program::{Error, Flow, Kind, Passing, Program, decode_result};
use super::super::report::{Defect, Report};
use super::super::value::{Object, Reference};
use super::super::versions::{MOST, resolve, resolve_by_call};
use super::ask::{About, Ask};
use super::hedge::Hedge;
use super::once::{Chain, Numbered};
use super::{Activity, Around, Device, GivenUp, Purpose};

/// A call that was offloaded, or may be.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) attempt: Attempt,
    pub(super) method: usize,
    pub(super) arguments: Vec<Reference>,
    /// Where it stands, when it may run only once.
    pub(super) once: Option<Numbered>,
    /// What its caller is a part of.
    chain: Chain,
    /// The root that it is, or is a part of, when it may be run again.
    pub(super) root: Option<usize>,
    /// What the root had counted before it.
    pub(super) counted: u32,
    /// The run of the server that it was sent to.
    sent_to: Option<InstanceId>,
    /// Its number among the calls that can be cancelled, and what had been counted before it.
    pub(super) cancellable: Option<(usize, usize)>,
    /// What was sent of each slot.
    pub(super) sent: Vec<Image>,
    /// The result that the new one may be told by.
    result_base: Option<(Version, Image)>,
    /// The shared values that went with it.
    pub(super) objects: Objects,
    /// The device runs it too.
    pub(super) hedge: Option<Hedge>,
    pub(super) called_back: bool,
    /// What each slot was, once a call-back has touched it.
    pub(super) undo: Vec<Option<Object>>,
    pub(super) backs: VecDeque<BackFrame>,
    pub(super) ended: Option<End>,
    pub(super) expired: bool,
}

#[derive(Debug)]
pub(super) enum End {
    Replied(ReplyFrame),
    Failed(FailedFrame),
    Unknown,
}

impl Wait {
    pub(super) fn new(
        call: CallId,
        method: usize,
        arguments: Vec<Reference>,
        once: Option<Numbered>,
        chain: Chain,
    ) -> Self {
        Self {
            attempt: Attempt { call, epoch: Epoch::FIRST },
            method,
            undo: vec![None; arguments.len()],
            arguments,
            once,
            chain,
            root: None,
            counted: 0,
            sent_to: None,
            cancellable: None,
            sent: Vec::new(),
            result_base: None,
            objects: Objects::default(),
            hedge: None,
            called_back: false,
            backs: VecDeque::new(),
            ended: None,
            expired: false,
        }
    }

    /// Whether nothing of the attempt will be committed but a reply that has come.
    pub(super) fn is_over(&self) -> bool {
        self.expired || self.ended.is_some()
    }

    /// Whether it is no part of another root.
    pub(super) fn is_outermost(&self) -> bool {
        !matches!(self.chain, Chain::Part { again: false, .. })
    }

    pub(super) fn has_news(&self) -> bool {
        self.expired || self.ended.is_some() || !self.backs.is_empty() || self.hedge.is_some()
    }
}

impl Device {
    /// Sends a call, or runs it here when that is not possible.
    pub(super) fn send(&mut self, around: &mut Around<'_>, mut wait: Wait) {
        let outer = self.waits().last().filter(|outer| outer.ended.is_none()).map(|outer| outer.attempt);
        let mut objects = ObjectWriter::call();
        let encode = |argument| self.heap.at(argument).encode_with(&mut objects);
        let sent: Vec<Image> = wait.arguments.iter().map(encode).collect();
        let (beside, objects) = objects.finish(MOST).expect("objects of the tests are small");
        wait.objects = objects;
        wait.result_base = self.believed.result(wait.method).cloned();
        let callees = wait.method + 1..around.program.methods.len();
        let slots =
            wait.arguments.iter().zip(&sent).map(|(argument, image)| self.believed.tell(argument, image));
        let slots = slots.chain(beside.map(SlotImage::from)).collect();
        if wait.once.is_none() && wait.root.is_none() {
            wait.root = Some(self.root(wait.chain, wait.attempt.call));
        }
        let call = CallFrame {
            within: outer,
            root: (!wait.is_outermost()).then(|| self.told_root(wait.chain)).flatten(),
            time_left: around.tape.one_in(12).then_some(Duration::from_micros(200)),
            on_device: callees
                .filter(|&callee| around.program.methods[callee].kind != Kind::Once && around.tape.one_in(4))
                .map(method_id)
                .collect(),
            result_base: wait.result_base.as_ref().map(|(version, _)| *version),
            forget: self.believed.take_forgotten(),
            ..CallFrame::new(wait.attempt, method_id(wait.method), slots)
        };
        let result = self.link.as_mut().map(|(_, session)| session.call(around.now, call));
        if !matches!(result, Some(Ok(()))) {
            around.report.not_sent += 1;
            return self.run_here(around, wait);
        }
        around.report.attempts += 1;
        around.report.shared_sent += u64::from(!wait.objects.is_empty());
        around.report.nested += u64::from(outer.is_some());
        for (slot, (argument, image)) in wait.arguments.iter().zip(&sent).enumerate() {
            let version = Version { attempt: wait.attempt, part: Part::Sent(slot as u16) };
            self.believed.keep(argument, version, image.clone(), around.report);
        }
        wait.sent = sent;
        wait.sent_to = self.attached;
        if let Some(root) = wait.root {
            let outermost = wait.is_outermost();
            let root = &mut self.roots[root];
            wait.counted = root.next;
            if outermost {
                root.sent_to = self.attached;
            }
        }
        self.stack.push(Activity::Wait(Box::new(wait)));
    }

    /// The thread has nothing else to do: looks what came of the call.
    pub(super) fn wait(&mut self, around: &mut Around<'_>, mut wait: Wait) {
        if let Some(hedge) = wait.hedge.take() {
            return self.wait_hedged(around, wait, hedge);
        }
        self.look(around, wait);
    }

    /// The device runs the call too: what comes first counts.
    fn wait_hedged(&mut self, around: &mut Around<'_>, mut wait: Wait, mut hedge: Hedge) {
        wait.expired = false;
        let replied = matches!(wait.ended, Some(End::Replied(_)));
        if replied && !hedge.over && around.tape.one_in(2) {
            return self.look(around, wait);
        }
        if !replied && wait.ended.take().is_some() {
            hedge.over = true;
        }
        // The device's own run needs no call-backs.
        if !wait.backs.is_empty() {
            wait.backs.clear();
            self.fence(around, &wait);
            hedge.over = true;
        }
        self.step_hedge(around, Box::new(wait), hedge);
    }

    fn look(&mut self, around: &mut Around<'_>, mut wait: Wait) {
        match wait.ended.take() {
            Some(End::Replied(reply)) => match self.commit(around, &wait, &reply) {
                Some(result) => {
                    around.report.replied += 1;
                    if let Some(root) = wait.root {
                        let counted = &mut self.roots[root].next;
                        *counted = reply.onces.max(*counted);
                        if wait.is_outermost() {
                            self.end_root(around, root);
                        }
                    }
                    self.hand(Flow::Return(result));
                }
                None => {
                    around.report.garbled += 1;
                    self.abandon(around, wait, Flow::Return(Err(Error::MaybeRan)));
                }
            },
            Some(End::Failed(failed)) if failed.failure.never_started() => {
                around.report.not_run += 1;
                around.report.too_late += u64::from(failed.failure == Failure::NotRun(NotRun::TooLate));
                wait.attempt.epoch = wait.attempt.epoch.next();
                wait.expired = false;
                if failed.failure == Failure::NotRun(NotRun::BaseMissing) {
                    around.report.base_missing += 1;
                    self.believed.forget();
                    return self.send(around, wait);
                }
                if around.tape.one_in(2) { self.send(around, wait) } else { self.run_here(around, wait) }
            }
            Some(End::Failed(failed)) => {
                around.report.failed += 1;
                let flow = match failed.failure {
                    Failure::Panicked(message) => Flow::Panic(message.parse().unwrap_or(-1)),
                    _ => Flow::Return(Err(Error::MaybeRan)),
                };
                self.abandon(around, wait, flow);
            }
            Some(End::Unknown) => {
                around.report.unknown += 1;
                self.unknown(around, wait);
            }
            None if wait.expired => {
                if let Some(hedge) = self.start_hedge(around, &wait) {
                    wait.hedge = Some(hedge);
                    self.stack.push(Activity::Wait(Box::new(wait)));
                    return;
                }
                self.fence(around, &wait);
                around.report.expired += 1;
                self.unknown(around, wait);
            }
            None => {
                let back = wait.backs.pop_front();
                wait.called_back |= back.is_some();
                self.stack.push(Activity::Wait(Box::new(wait)));
                if let Some(back) = back {
                    self.serve(around, &back);
                }
            }
        }
    }

    /// Takes a whole reply over, or nothing of it.
    fn commit(
        &mut self,
        around: &mut Around<'_>,
        wait: &Wait,
        reply: &ReplyFrame,
    ) -> Option<Result<i64, Error>> {
        let slots = around.program.methods[wait.method].slots.iter().enumerate();
        let exclusive = wait
            .arguments
            .iter()
            .zip(slots.clone())
            .filter(|(_, (_, slot))| slot.passing == Passing::Exclusive);
        let mut decoded = Vec::new();
        let exclusives = slots.filter(|(_, slot)| slot.passing == Passing::Exclusive).count();
        let (told, beside) = reply.exclusive.split_at(exclusives.min(reply.exclusive.len()));
        let beside = beside.first().map(|beside| beside.whole().map(|image| image.0.clone()));
        let beside = match beside {
            Some(image) => Some(image?),
            None => None,
        };
        around.report.shared_returned += u64::from(beside.is_some());
        let mut objects = ObjectReader::reply(beside, wait.objects.clone(), 16).ok()?;
        let mut images = told.iter();
        for (argument, (position, slot)) in exclusive {
            let image = resolve_by_call(wait.attempt, &wait.sent, images.next()?, around.report)?;
            let mut object = Object::decode_with(&image, slot.of, &mut objects)?;
            if self.defect == Some(Defect::CommitsInPieces) {
                self.heap.at_mut(argument).exchange(&mut object);
            } else {
                decoded.push((argument, position, image, object));
            }
        }
        let base = |version| {
            let (name, image) = wait.result_base.as_ref()?;
            (*name == version).then(|| image.clone())
        };
        let image = resolve(&reply.result, base, around.report)?;
        let result = decode_result(&image)?;
        let (_, mut staged) = objects.finish().ok()?;
        staged.commit().expect("nobody else changes what is shared");
        self.believed.keep_result(wait.method, Version { attempt: wait.attempt, part: Part::Result }, image);
        for (argument, position, image, mut object) in decoded {
            let version = Version { attempt: wait.attempt, part: Part::Returned(position as u16) };
            self.believed.keep(argument, version, image, around.report);
            match self.defect {
                Some(Defect::ReplacesSkipped) => *self.heap.at_mut(argument) = object,
                _ => self.heap.at_mut(argument).exchange(&mut object),
            }
            if self.defect == Some(Defect::MovesShared) {
                self.heap.at_mut(argument).held.move_away();
            }
        }
        Some(result)
    }

    /// The attempt is over. The call runs here, or ends with `instead` when it may run only once.
    pub(super) fn abandon(&mut self, around: &mut Around<'_>, mut wait: Wait, instead: Flow) {
        let Some(root) = wait.root else { return self.give_up(around, wait, instead) };
        self.undo(around.program, around.report, &mut wait);
        self.count_again(root, wait.counted);
        let outermost = wait.is_outermost();
        let machine = Machine::part(around.program, wait.method, wait.arguments, self.life);
        let chain = Chain::Part { root, again: true };
        self.stack.push(Activity::Run(machine, Purpose::Again { root, outermost }, chain));
    }

    /// A call that may run once only ends with this, and leaves nothing behind.
    pub(super) fn give_up(&mut self, around: &mut Around<'_>, mut wait: Wait, instead: Flow) {
        self.undo(around.program, around.report, &mut wait);
        self.instead(around, wait.once.and_then(|numbered| numbered.number), instead);
    }

    /// The session is gone, or the bound has passed, and nobody knows what became of the attempt.
    fn unknown(&mut self, around: &mut Around<'_>, wait: Wait) {
        let Some(instance) = wait.sent_to.filter(|_| wait.once.is_some() && !around.tape.one_in(4)) else {
            return self.abandon(around, wait, Flow::Return(Err(Error::MaybeRan)));
        };
        around.report.asked += 1;
        let (call, method, arguments) = (wait.attempt.call, wait.method, wait.arguments.clone());
        let ask = Ask::new(call, instance, method, arguments, About::Call(Box::new(wait)));
        self.stack.push(Activity::Ask(Box::new(ask)));
    }

    /// What call-backs of the attempt changed is taken back.
    pub(super) fn undo(&mut self, program: &Program, report: &mut Report, wait: &mut Wait) {
        for (argument, undo) in wait.arguments.iter().zip(&mut wait.undo) {
            if let Some(mut undo) = undo.take()
                && self.defect != Some(Defect::ForgetsUndo)
            {
                report.undone += 1;
                self.heap.at_mut(argument).exchange(&mut undo);
            }
        }
        let slots = wait.arguments.iter().zip(&program.methods[wait.method].slots);
        let exclusive = slots.filter(|(_, slot)| slot.passing == Passing::Exclusive);
        let arguments = exclusive.map(|(argument, _)| argument.clone()).collect();
        self.given_up.push(GivenUp { attempt: wait.attempt, arguments, sent: wait.sent.clone() });
    }
}
