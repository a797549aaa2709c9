//! Questions about calls that may run once only: what became of them at the run of the server that they were sent to.

use outboard_core::{CallId, Epoch, InstanceId};
use outboard_wire::frame::{AskFrame, Attempt, FailedFrame, Failure, Image, Inner, ReplyFrame};

use super::super::program::{Error, Flow, decode_result};
use super::super::value::Reference;
use super::wait::{End, Wait};
use super::{Activity, Around, Device};

/// A question, until it is answered.
#[derive(Debug)]
pub(super) struct Ask {
    call: CallId,
    instance: InstanceId,
    method: usize,
    arguments: Vec<Reference>,
    about: About,
    /// Under which number it is on its way.
    pub(super) sent: Option<Attempt>,
    pub(super) ended: Option<End>,
    /// It has been open for long enough.
    pub(super) expired: bool,
}

#[derive(Debug)]
pub(super) enum About {
    /// A call of a root.
    Inner(usize, Inner),
    /// A call of its own, which waits.
    Call(Box<Wait>),
}

impl Ask {
    pub(super) fn new(
        call: CallId,
        instance: InstanceId,
        method: usize,
        arguments: Vec<Reference>,
        about: About,
    ) -> Self {
        Self { call, instance, method, arguments, about, sent: None, ended: None, expired: false }
    }
}

impl Device {
    /// Whether a question can be sent, or has been answered.
    pub(super) fn can_go_on(&self, ask: &Ask) -> bool {
        ask.expired || ask.ended.is_some() || (ask.sent.is_none() && self.attached.is_some())
    }

    /// Asks, or takes the answer.
    pub(super) fn ask(&mut self, around: &mut Around<'_>, mut ask: Ask) {
        match ask.ended.take() {
            Some(End::Replied(reply)) => return self.found(around, ask, &reply),
            Some(End::Failed(failed)) => return self.not_found(around, ask, failed),
            // It goes out again with the next session.
            Some(End::Unknown) => ask.sent = None,
            None => {}
        }
        if ask.expired {
            if let (Some(sent), Some((_, session))) = (ask.sent, &mut self.link) {
                session.fence(around.now, sent);
            }
            return self.nobody_knows(around, ask.about);
        }
        if ask.sent.is_none()
            && let Some(instance) = self.attached
        {
            if instance != ask.instance {
                return self.nobody_knows(around, ask.about);
            }
            let attempt = Attempt { call: self.fresh_call(), epoch: Epoch::FIRST };
            let inner = match &ask.about {
                About::Inner(_, inner) => Some(*inner),
                About::Call(_) => None,
            };
            let frame = AskFrame { attempt, about: ask.call, inner };
            let sent = self.link.as_mut().map(|(_, session)| session.ask(around.now, frame));
            if !matches!(sent, Some(Ok(()))) {
                return self.nobody_knows(around, ask.about);
            }
            ask.sent = Some(attempt);
        }
        self.stack.push(Activity::Ask(Box::new(ask)));
    }

    fn found(&mut self, around: &mut Around<'_>, ask: Ask, reply: &ReplyFrame) {
        let exclusive = reply.exclusive.iter().map(|image| image.whole().cloned());
        let images: Option<Vec<Image>> = exclusive.collect();
        let result = reply.result.whole().and_then(decode_result);
        let landed = match (result, images) {
            (Some(result), Some(images)) => {
                self.land(around.program, ask.method, &ask.arguments, &images).then_some(result)
            }
            _ => None,
        };
        match landed {
            Some(result) => {
                around.report.found_there += 1;
                self.hand(Flow::Return(result));
            }
            None => self.nobody_knows(around, ask.about),
        }
    }

    fn not_found(&mut self, around: &mut Around<'_>, ask: Ask, failed: FailedFrame) {
        match (failed.failure, ask.about) {
            (failure, About::Inner(root, inner)) if failure.never_started() => {
                around.report.never_ran += 1;
                self.run_inner(around, root, inner, ask.method, ask.arguments);
            }
            (failure, About::Call(mut wait)) if failure.never_started() => {
                around.report.never_ran += 1;
                self.undo(around.program, around.report, &mut wait);
                self.run_here(around, *wait);
            }
            (Failure::Panicked(text), About::Inner(root, inner)) => {
                let flow = Flow::Panic(text.parse().unwrap_or(-1));
                let number = self.number_of(root, inner.sequence);
                self.instead(around, number, flow);
            }
            (Failure::Panicked(text), About::Call(wait)) => {
                let flow = Flow::Panic(text.parse().unwrap_or(-1));
                self.give_up(around, *wait, flow);
            }
            (_, about) => self.nobody_knows(around, about),
        }
    }

    fn nobody_knows(&mut self, around: &mut Around<'_>, about: About) {
        match about {
            About::Inner(root, inner) => self.doubt(around, root, inner.sequence),
            About::Call(wait) => self.give_up(around, *wait, Flow::Return(Err(Error::MaybeRan))),
        }
    }
}
