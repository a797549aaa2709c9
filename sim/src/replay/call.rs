//! A call that leaves the device: confirmed, sent, bounded, and what becomes of it.

use std::time::Duration;

use outboard_client_proxy::{AbandonReason, AttemptEvent, Decision, Hedge, Offer, Request};
use outboard_core::{ByteCount, Energy, Timestamp};
use outboard_profiler::LocalCalls;
use outboard_wire::frame::{Attempt, BackFrame, Failure, ReplyFrame, SlotImage};

use super::thread::Away;
use super::{Due, Replay};
use crate::outcome::Went;
use crate::path::Path;

impl Replay {
    /// The call on top of the stack goes to a server, if the offer stands with its size.
    pub(super) fn leave(&mut self, thread: usize, mut offer: Offer) {
        let Some(level) = self.top(thread) else { return };
        let (method, work) = (level.method, level.request.work);
        let size = self.app.methods()[method].up(work);
        let confirmed = match size > offer.budget {
            true => Err(self.world.device(|engine, now| engine.over_budget(now, &offer))),
            false => self.world.device(|engine, now| engine.confirm(now, &mut offer, size)),
        };
        let slots = vec![SlotImage::Whole(self.zeros.image(size))];
        let before = self.radio();
        let sent =
            confirmed.and_then(|()| self.world.device(|engine, now| engine.attempt(now, &offer, slots)));
        let spent = self.radio().saturating_sub(before);
        match sent {
            Ok(attempt) => {
                self.radio_of_calls += spent;
                if let Some(thread) = self.threads.get_mut(&thread) {
                    thread.radio += spent;
                    thread.sent += size;
                    thread.predicted = thread.predicted.or(Some(offer.predicted));
                }
                self.attempts.insert(attempt, (thread, method));
                self.wait(thread, attempt, offer);
            }
            Err(reason) => {
                if let Some(level) = self.top(thread) {
                    level.went = Went::Local(reason);
                }
                self.run_here(thread);
            }
        }
    }

    /// Waits for what becomes of an attempt, but not past its bound.
    fn wait(&mut self, thread: usize, attempt: Attempt, offer: Offer) {
        let now = self.world.now();
        let bound = offer.bound.map_or(Timestamp::FAR_FUTURE, |bound| now + bound);
        if bound < Timestamp::FAR_FUTURE {
            self.world.enter(bound, Due::Bound(thread, attempt));
        }
        let away = Away { attempt, offer, bound, hedge: None, called_back: false, over: false };
        if let Some(level) = self.top(thread) {
            level.away = Some(away);
        }
        if offer.hedge == Hedge::Always {
            self.hedge(thread, attempt);
        }
    }

    /// The device runs the call too, from now on.
    fn hedge(&mut self, thread: usize, attempt: Attempt) {
        let now = self.world.now();
        let Some(level) = self.top(thread) else { return };
        let (method, work) = (level.method, level.request.work);
        let local = self.app.local(method, work);
        if let Some(away) = self.top(thread).and_then(|level| level.away.as_mut()) {
            away.hedge = Some(now + local);
        }
        self.world.device(|engine, _| engine.hedged(attempt));
        // It runs to its end, whoever is first.
        self.works(thread, local);
        self.world.enter(now + local, Due::Hedged(thread, attempt));
    }

    fn away(&mut self, thread: usize, attempt: Attempt) -> Option<&mut Away> {
        self.top(thread)?.away.as_mut().filter(|away| away.attempt == attempt)
    }

    /// A call-back took that long, which was not the server's.
    pub(super) fn put_off(&mut self, thread: usize, time: Duration) {
        let now = self.world.now();
        let Some(away) = self.top(thread).and_then(|level| level.away.as_mut()) else { return };
        if away.bound < Timestamp::FAR_FUTURE {
            away.bound += time;
            let (bound, attempt) = (away.bound.max(now), away.attempt);
            self.world.enter(bound, Due::Bound(thread, attempt));
        }
    }

    /// An attempt's bound has passed.
    pub(super) fn bound_passed(&mut self, thread: usize, attempt: Attempt) {
        let now = self.world.now();
        // It may have been put off, and a call-back that is being served puts it off too.
        let Some(away) = self.away(thread, attempt).filter(|away| away.bound <= now && !away.over) else {
            return;
        };
        let (hedge, runs, called_back) = (away.offer.hedge, away.hedge.is_some(), away.called_back);
        if runs || hedge != Hedge::Never && !called_back {
            away.bound = Timestamp::FAR_FUTURE;
            if !runs {
                self.hedge(thread, attempt);
            }
            return self.world.device(|engine, now| engine.overdue(now, attempt));
        }
        self.attempts.remove(&attempt);
        self.world.device(|engine, now| engine.abandon(now, attempt, AbandonReason::Late));
        self.fall_back(thread, "it did not answer in time".to_owned());
    }

    /// The device is done with what it ran beside an attempt.
    pub(super) fn hedged(&mut self, thread: usize, attempt: Attempt) {
        let Some(away) = self.away(thread, attempt).filter(|away| away.hedge.is_some()) else { return };
        let over = away.over;
        let Some(level) = self.top(thread) else { return };
        let (method, request) = (level.method, level.request);
        let local = self.app.local(method, request.work);
        self.attempts.remove(&attempt);
        match over {
            true => self.world.device(|engine, _| engine.hedge_stood_in(request.method)),
            false => {
                self.world.device(|engine, now| engine.abandon(now, attempt, AbandonReason::Hedged(local)))
            }
        }
        let batch = self.batch(method, &request);
        self.world.device(|engine, now| engine.merge(now, &batch));
        let Some(mut level) = self.threads.get_mut(&thread).and_then(|thread| thread.stack.pop()) else {
            return;
        };
        level.went = Went::Hedged;
        self.returned(thread, level);
    }

    /// What a whole run on the device counts.
    fn batch(&self, method: usize, request: &Request) -> Vec<LocalCalls> {
        let mut batch = Vec::new();
        self.count(method, request.caller, request.work, 1, &mut batch);
        batch
    }

    fn count(
        &self,
        method: usize,
        caller: Option<outboard_core::MethodIndex>,
        work: Option<f64>,
        calls: u64,
        batch: &mut Vec<LocalCalls>,
    ) {
        let model = &self.app.methods()[method];
        let times = u32::try_from(calls).unwrap_or(u32::MAX);
        let own = model.own.of(work).saturating_mul(times);
        batch.push(LocalCalls {
            method: self.methods[method],
            caller,
            calls,
            timed: calls,
            inclusive: self.app.local(method, work).saturating_mul(times),
            exclusive: own,
            cpu: Some(own),
            work: work.filter(|_| calls == 1),
            offloaded_within: false,
        });
        for inner in model.inner(method) {
            let calls = calls.saturating_mul(inner.times);
            self.count(inner.method, Some(self.methods[method]), work, calls, batch);
        }
    }

    /// Something became of an attempt.
    pub(super) fn delivered(&mut self, attempt: Attempt, event: AttemptEvent) {
        let Some((thread, _)) = self.attempts.get(&attempt).copied() else { return };
        match event {
            AttemptEvent::Replied(reply) => self.replied(thread, &reply),
            AttemptEvent::Back(back) => self.backed(thread, &back),
            AttemptEvent::Failed(failure) => {
                self.attempts.remove(&attempt);
                let never_started = failure.never_started();
                if never_started && self.elsewhere(thread, attempt) {
                    return;
                }
                let reruns = !never_started;
                self.ended(thread, attempt, failure.to_string(), reruns);
            }
            AttemptEvent::Lost(lost) => {
                self.attempts.remove(&attempt);
                self.ended(thread, attempt, lost.to_string(), false);
            }
        }
    }

    /// An attempt has ended without a result.
    fn ended(&mut self, thread: usize, attempt: Attempt, why: String, reruns: bool) {
        self.unwind_to(thread, attempt);
        let Some(away) = self.away(thread, attempt) else { return };
        if away.hedge.is_some() {
            away.over = true;
            return;
        }
        if let Some(level) = self.top(thread) {
            level.reruns = reruns;
        }
        self.fall_back(thread, why);
    }

    /// Call-backs of an attempt that has ended are of no use.
    fn unwind_to(&mut self, thread: usize, attempt: Attempt) {
        let Some(thread) = self.threads.get_mut(&thread) else { return };
        let is_it =
            |level: &super::thread::Level| level.away.as_ref().is_some_and(|it| it.attempt == attempt);
        if let Some(place) = thread.stack.iter().rposition(is_it) {
            thread.stack.truncate(place + 1);
        }
    }

    fn fall_back(&mut self, thread: usize, why: String) {
        if let Some(level) = self.top(thread) {
            level.went = Went::FellBack(why);
        }
        self.run_here(thread);
    }

    /// Another server may run what this one did not.
    fn elsewhere(&mut self, thread: usize, attempt: Attempt) -> bool {
        let Some(away) = self.away(thread, attempt).filter(|away| away.hedge.is_none()) else { return false };
        let offer = away.offer;
        let request = Request { tried: offer.request.tried.and(&offer), ..offer.request };
        let decision = self.world.device(|engine, now| engine.decide(now, &request));
        let Decision::Remote(next) = decision else { return false };
        self.leave(thread, next);
        true
    }

    fn replied(&mut self, thread: usize, reply: &ReplyFrame) {
        let attempt = reply.attempt;
        self.attempts.remove(&attempt);
        self.world.device(|engine, now| engine.committed(now, attempt));
        let Some(own) = self.threads.get_mut(&thread) else { return };
        let down: ByteCount = reply.exclusive.iter().map(SlotImage::size).sum();
        own.received += down + reply.result.size();
        let Some(mut level) = own.stack.pop() else { return };
        level.went = Went::Remote;
        self.returned(thread, level);
    }

    fn backed(&mut self, thread: usize, back: &BackFrame) {
        let named = |method: &crate::app::MethodModel| method.id() == back.method;
        let Some(method) = self.app.methods().iter().position(named) else { return };
        let Some(level) = self.top(thread) else { return };
        let work = level.request.work;
        if let Some(away) = &mut level.away {
            away.called_back = true;
        }
        self.call_back(thread, method, work, (back.attempt, back.sequence));
    }

    /// What the radios were charged so far, the tails that follow included.
    pub(super) fn radio(&self) -> Energy {
        let paths = (0..self.jobs.servers()).filter_map(|server| self.world.path(server));
        paths.filter_map(Path::charged).sum()
    }

    /// What the radio was charged for a frame belongs to its call.
    pub(super) fn charge(&mut self, attempt: Attempt, energy: Energy) {
        let thread = self.attempts.get(&attempt).map(|(thread, _)| *thread);
        if let Some(thread) = thread.and_then(|thread| self.threads.get_mut(&thread)) {
            thread.radio += energy;
            self.radio_of_calls += energy;
        }
    }

    pub(super) fn failure_of_server() -> Failure {
        Failure::CallBack("the device gave the attempt up".to_owned())
    }
}
