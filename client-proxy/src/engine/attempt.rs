//! Attempts: sent, answered, given up, committed.

use std::sync::Arc;
use std::time::Duration;

use outboard_core::{
    ByteCount, CallId, Energy, Epoch, InstanceId, MethodId, Objective, Placement, Timestamp,
};
use outboard_profiler::{CallSample, Quantile, Radio, RemoteCall};
use outboard_wire::device::{NotAnswered, NotSent};
use outboard_wire::frame::{
    AnswerFrame, Attempt, BackFrame, CallFrame, FailedFrame, Failure, MethodStatus, NotRun, ReplyFrame,
    ServerCost, SlotImage, Version,
};

use super::Engine;
use crate::decision::{AbandonReason, LocalReason, Offer};
use crate::method::{MethodState, Pin};
use crate::output::{AttemptEvent, Notice, Output};
use crate::quote::is_bulk;
use crate::report::remote_energy;

/// An attempt that has not been settled.
#[derive(Clone, Debug)]
pub(super) struct UnderWay {
    pub(super) offer: Offer,
    /// The methods that the server may call back.
    on_device: Arc<[MethodId]>,
    pub(super) sent: Timestamp,
    up: ByteCount,
    /// How long it was to wait for what was sent before it.
    waited: Duration,
    speed_ratio: f64,
    /// The device's radio before, where its figures are known.
    radio: Option<Radio>,
    /// Taken out of the purse for trying things out.
    reserved: f64,
    reply: Option<Reply>,
    /// The device runs it too.
    pub(super) hedged: bool,
    /// Its bound has passed, and that was counted.
    pub(super) overdue: bool,
    /// The run of the server that it was sent to.
    pub(super) instance: Option<InstanceId>,
    /// The session was lost, and that run of the server is asked what became of it, until then.
    pub(super) asking: Option<Timestamp>,
}

impl UnderWay {
    /// Whether its frame may hold up others on the way to its server.
    pub(super) fn occupies(&self) -> bool {
        is_bulk(self.up) && self.reply.is_none()
    }
}

/// What became of an attempt, as far as its cost is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Came {
    /// Its reply was committed; a local run would have taken so long.
    Back {
        /// From when the call asked.
        elapsed: Duration,
        local: Option<Duration>,
    },
    /// It lost so much time.
    ToNothing(Duration),
}

/// What a call carries.
#[derive(Clone, Debug, Default)]
pub struct Cargo {
    /// The slots, in the order of the signature.
    pub slots: Vec<SlotImage>,
    /// An earlier result that the device still has.
    pub result_base: Option<Version>,
    /// What the server need not keep any more.
    pub forget: Vec<Version>,
}

impl From<Vec<SlotImage>> for Cargo {
    fn from(slots: Vec<SlotImage>) -> Self {
        Self { slots, ..Self::default() }
    }
}

impl UnderWay {
    /// Whether its slots are so large that they make a queue.
    pub(super) fn is_large(&self) -> bool {
        is_bulk(self.up)
    }
}

#[derive(Clone, Copy, Debug)]
struct Reply {
    down: ByteCount,
    cost: ServerCost,
}

impl Engine {
    /// Sends a call whose offer was confirmed. What becomes of it is delivered; the caller keeps the bound.
    ///
    /// # Errors
    /// Nothing was sent, and why: the call runs on the device.
    pub fn attempt(
        &mut self,
        now: Timestamp,
        offer: &Offer,
        cargo: impl Into<Cargo>,
    ) -> Result<Attempt, LocalReason> {
        let position = offer.server.position();
        let attempt = Attempt { call: CallId(self.next_call), epoch: Epoch::FIRST };
        let state = self.methods.get(offer.request.method.position()).ok_or(LocalReason::Unknown)?;
        let by_plan = state.placement == Some(Placement::Server) && !offer.exploring;
        let on_device = match () {
            // Code that is not the app's has no business with the app's methods.
            () if state.info.aside => Arc::default(),
            () if by_plan => Arc::clone(&self.callbacks.planned),
            () => Arc::clone(&self.callbacks.always),
        };
        let Cargo { slots, result_base, forget } = cargo.into();
        let up = slots.iter().map(SlotImage::size).sum();
        let server = self.servers.get_mut(position).ok_or(LocalReason::NoServer)?;
        let reply_rate = server.network.goodput_down(now).median();
        let frame = CallFrame {
            within: offer.request.within,
            root: offer.request.root,
            time_left: offer.bound,
            on_device: on_device.to_vec(),
            result_base,
            reply_rate: Some(reply_rate),
            forget,
            ..CallFrame::new(attempt, state.info.id, slots)
        };
        let session = server.session_mut().ok_or(LocalReason::NotAttached)?;
        session.call(now, frame).map_err(not_sent)?;
        let instance = self.servers[position].instance;
        let speed_ratio = self.servers[position].speed_ratio(self.settings.device_speed);
        let there = offer.energy.map(|(_, there)| there);
        let stake = || self.at_stake(offer.bound.unwrap_or_default(), offer.predicted, there);
        let reserved = if offer.exploring { stake() } else { 0.0 };
        self.purse.reserve(reserved);
        let counts = &mut self.methods[offer.request.method.position()].counts;
        counts.attempts += 1;
        counts.explored += u64::from(offer.exploring);
        self.next_call += 1;
        let under_way = UnderWay {
            offer: *offer,
            on_device,
            sent: now,
            up,
            waited: if is_bulk(up) { self.servers[position].occupy(now, up) } else { Duration::ZERO },
            speed_ratio,
            radio: self.radio.radio().copied(),
            reserved,
            reply: None,
            hedged: false,
            overdue: false,
            instance,
            asking: None,
        };
        self.under_way.insert(attempt, under_way);
        self.pump(now, position);
        Ok(attempt)
    }

    /// What an attempt may lose that is given up at `bound`, where one that takes its usual time takes so much energy there.
    pub(super) fn at_stake(&self, bound: Duration, usual: Duration, there: Option<Energy>) -> f64 {
        // Until then it takes as much as a call that took so long.
        let longer = bound.as_secs_f64() / usual.as_secs_f64().max(1e-9);
        self.cost(bound, there.map(|there| there.scaled(longer.max(1.0))))
    }

    /// Gives an attempt up: nothing of it is delivered any more. Harmless for an attempt that has ended.
    pub fn abandon(&mut self, now: Timestamp, attempt: Attempt, reason: AbandonReason) {
        if self.withdraw_inner(now, attempt) {
            return;
        }
        let Some(under_way) = self.under_way.remove(&attempt) else { return };
        let position = under_way.offer.server.position();
        tracing::debug!(%attempt, ?reason, "abandoned");
        let wire = self.questions.forget(attempt).unwrap_or(attempt);
        if let Some(session) = self.servers[position].session_mut() {
            session.fence(now, wire);
            self.pump(now, position);
        }
        match reason {
            AbandonReason::Cancelled => self.settle(now, &under_way, Came::ToNothing(Duration::ZERO)),
            AbandonReason::Late => {
                self.count_late(now, &under_way);
                self.learn_late(now, &under_way);
                self.settle(now, &under_way, Came::ToNothing(now.since(under_way.sent)));
            }
            AbandonReason::Hedged(ran) => self.hedge_won(now, &under_way, ran),
            AbandonReason::Undecodable(_)
            | AbandonReason::Conflict(_)
            | AbandonReason::CallBack(_)
            | AbandonReason::Rule(_) => {
                self.failed_method(now, &under_way, LocalReason::Failing);
            }
        }
    }

    /// Answers a call-back of an attempt. Harmless for an attempt that has ended.
    ///
    /// # Errors
    /// Nobody waits for the answer, or it is larger than the server takes; the attempt will fail then.
    pub fn answer(&mut self, now: Timestamp, answer: AnswerFrame) -> Result<(), NotAnswered> {
        let attempt = answer.attempt;
        let offer = self.under_way.get(&attempt).ok_or(NotAnswered::NotAsked(attempt))?.offer;
        let position = offer.server.position();
        let images = answer.outcome.iter();
        let sizes =
            images.flat_map(|image| image.exclusive.iter().map(SlotImage::size).chain([image.result.size()]));
        self.methods[offer.request.method.position()].counts.answered += sizes.sum();
        let session = self.servers[position].session_mut().ok_or(NotAnswered::NotAsked(attempt))?;
        let answered = session.answer(now, answer);
        self.pump(now, position);
        answered
    }

    /// A delivered reply was committed whole: learn from it.
    pub fn committed(&mut self, now: Timestamp, attempt: Attempt) {
        // Before its reply there is nothing to learn, and the attempt goes on.
        let Some(reply) = self.under_way.get(&attempt).and_then(|under_way| under_way.reply) else { return };
        let Some(under_way) = self.under_way.remove(&attempt) else { return };
        let Offer { request, asked, local, .. } = under_way.offer;
        let elapsed = now.since(asked);
        self.profile.observe_remote(&RemoteCall {
            method: request.method,
            caller: request.caller,
            work: request.work,
            up: under_way.up,
            down: reply.down,
            elapsed,
            queued: reply.cost.queued,
            ran: reply.cost.ran.saturating_sub(reply.cost.called_back),
            speed_ratio: under_way.speed_ratio,
        });
        let state = self.state_of(&under_way);
        state.counts.hedges_lost += u64::from(under_way.hedged);
        let Offer { server, predicted, delay, deviation, .. } = under_way.offer;
        let took = now.since(under_way.sent).saturating_sub(delay);
        state.accuracy_mut(server).took(predicted.saturating_sub(delay), deviation, took);
        state.recovered(under_way.offer.server);
        state.quotes.clear();
        let server = &mut self.servers[under_way.offer.server.position()];
        server.replied += 1;
        server.failures.reset();
        server.refusals.reset();
        self.settle(now, &under_way, Came::Back { elapsed, local });
        self.learned_of(now, request.method);
    }

    pub(super) fn replied(&mut self, now: Timestamp, reply: ReplyFrame) {
        if self.inner.answered(reply.attempt) {
            return self.deliver(reply.attempt, AttemptEvent::Replied(reply));
        }
        let attempt = self.questions.answered(reply.attempt);
        let Some(under_way) = self.under_way.get_mut(&attempt) else { return };
        let asked = under_way.asking.take().is_some();
        let down =
            reply.exclusive.iter().map(SlotImage::size).fold(reply.result.size(), |sum, size| sum + size);
        under_way.reply = Some(Reply { down, cost: reply.cost });
        let server = &mut self.servers[under_way.offer.server.position()];
        server.loaded(now, reply.load);
        if !asked {
            server.served(now, reply.cost);
            let elapsed = now.since(under_way.sent);
            let ran = reply.cost.queued.saturating_add(reply.cost.ran);
            let way = elapsed.saturating_sub(ran);
            let shortest = server.network.round_trip(now).at(Quantile::P05);
            // Waking the radio says nothing about the link, nor does what was sent before.
            let way = self.radio.without_waking(now, elapsed, way, shortest);
            let elapsed = ran.saturating_add(way.saturating_sub(under_way.waited).max(way.min(shortest)));
            let sample = CallSample { up: under_way.up, down, elapsed, server: ran };
            server.network.observe_call(now, sample);
            server.generation += 1;
        }
        self.deliver(attempt, AttemptEvent::Replied(reply));
    }

    pub(super) fn failed(&mut self, now: Timestamp, frame: FailedFrame) {
        if self.inner.answered(frame.attempt) {
            return self.deliver(frame.attempt, AttemptEvent::Failed(frame.failure));
        }
        let attempt = self.questions.answered(frame.attempt);
        let Some(under_way) = self.under_way.remove(&attempt) else { return };
        let position = under_way.offer.server.position();
        self.servers[position].loaded(now, frame.load);
        tracing::debug!(%attempt, failure = %frame.failure, "failed");
        match &frame.failure {
            Failure::NotRun(NotRun::Busy) => {
                let jitter = self.jitter.draw();
                let server = &mut self.servers[position];
                server.busy_until = now + server.refusals.next(jitter);
                self.settle(now, &under_way, Came::ToNothing(now.since(under_way.sent)));
            }
            Failure::NotRun(NotRun::Draining | NotRun::Fenced | NotRun::BaseMissing) | Failure::Fenced => {
                self.settle(now, &under_way, Came::ToNothing(now.since(under_way.sent)));
            }
            Failure::NotRun(NotRun::TooLate) => {
                self.count_late(now, &under_way);
                self.learn_late(now, &under_way);
                self.settle(now, &under_way, Came::ToNothing(now.since(under_way.sent)));
            }
            Failure::NotRun(NotRun::Method) => {
                // It said otherwise in its greeting; another server may have it.
                let method = under_way.offer.request.method.position();
                if let Some(status) = self.servers[position].statuses.get_mut(method) {
                    *status = MethodStatus::Absent;
                }
                self.state_of(&under_way).counts.failed += 1;
                self.settle(now, &under_way, Came::ToNothing(now.since(under_way.sent)));
                self.words_soon(now);
            }
            Failure::Panicked(message) => {
                self.failed_method(now, &under_way, LocalReason::Failing);
                self.panicked_remotely(under_way.offer, message);
            }
            Failure::NeedsDevice(reason) => {
                self.failed_method(now, &under_way, LocalReason::TakenBack);
                let pin = Pin::NeedsDevice(reason.clone());
                self.take_back(now, under_way.offer.request.method, pin);
            }
            Failure::SharedSlotChanged(slot) => {
                self.failed_method(now, &under_way, LocalReason::TakenBack);
                let slot = self.state_of(&under_way).info.slot(*slot);
                self.take_back(now, under_way.offer.request.method, Pin::SharedSlotChanged(slot));
            }
            _ => self.failed_method(now, &under_way, LocalReason::Failing),
        }
        self.deliver(attempt, AttemptEvent::Failed(frame.failure));
    }

    /// Only what the call said may be called back: anything else the user never had in mind for it.
    pub(super) fn called_back(&mut self, now: Timestamp, back: BackFrame) {
        let BackFrame { attempt, sequence, method, .. } = back;
        let Some(under_way) = self.under_way.get(&attempt) else { return };
        let caller = under_way.offer.request.method.position();
        if under_way.on_device.contains(&method) {
            let size: ByteCount = back.slots.iter().map(|slot| slot.image().size()).sum();
            self.methods[caller].counts.called_back += size;
            if let Some(callee) = self.by_id.get(&method) {
                // It is never sent, so that nothing else tells a plan what an edge to it costs.
                self.profile.observe_size(*callee, size, ByteCount::ZERO, None);
            }
            return self.deliver(attempt, AttemptEvent::Back(back));
        }
        tracing::warn!(%attempt, %method, "a server called a method back that it may not");
        let outcome = Err(format!("this call does not have method {method} called back"));
        // The server has to fail the attempt; where it cannot be told, it has ended.
        let _ = self.answer(now, AnswerFrame { attempt, sequence, outcome, onces: 0 });
    }

    pub(super) fn deliver(&mut self, attempt: Attempt, event: AttemptEvent) {
        self.outputs.push_back(Output::Deliver { attempt, event });
    }

    /// The attempt comes back too late, or not at all.
    pub(super) fn count_late(&mut self, now: Timestamp, under_way: &UnderWay) {
        if under_way.overdue {
            return;
        }
        let server = &mut self.servers[under_way.offer.server.position()];
        if server.heard <= under_way.sent && server.silent_since.is_none() {
            server.silent_since = Some(now);
            let server = server.settings.name.clone();
            self.notice(Notice::Silent { server });
        }
        let jitter = self.jitter.draw();
        let state = self.state_of(under_way);
        state.counts.late += 1;
        let trouble = state.trouble_with(under_way.offer.server);
        trouble.late_in_a_row += 1;
        // A bound is passed by one good call in twenty; two in a row say that something has changed.
        if trouble.late_in_a_row >= 2 {
            trouble.hold(now, LocalReason::Late, jitter);
        }
    }

    /// The attempt was given up: it would have taken longer. One that is only overdue tells by itself how long it takes.
    pub(super) fn learn_late(&mut self, now: Timestamp, under_way: &UnderWay) {
        let Offer { server, predicted, delay, deviation, .. } = under_way.offer;
        let waited = now.since(under_way.sent).saturating_sub(delay);
        let state = self.state_of(under_way);
        state.accuracy_mut(server).was_late(predicted.saturating_sub(delay), deviation, waited);
        state.quotes.clear();
    }

    /// The attempt failed in a way that the next one would probably fail in too.
    fn failed_method(&mut self, now: Timestamp, under_way: &UnderWay, reason: LocalReason) {
        let jitter = self.jitter.draw();
        let state = self.state_of(under_way);
        state.counts.failed += 1;
        state.trouble.hold(now, reason, jitter);
        self.servers[under_way.offer.server.position()].failed += 1;
        self.settle(now, under_way, Came::ToNothing(now.since(under_way.sent)));
    }

    /// Whether the panic is the method's own is only known once it ran here; until then it stays here.
    fn panicked_remotely(&mut self, offer: Offer, message: &str) {
        let state = &mut self.methods[offer.request.method.position()];
        if !state.info.once && !state.info.remote_only && state.pin.is_none() {
            state.pin = Some(Pin::PanicInQuestion(message.to_owned()));
            state.quotes.clear();
        }
    }

    /// Keeps a method on the device for good.
    pub(super) fn take_back(&mut self, now: Timestamp, method: outboard_core::MethodIndex, pin: Pin) {
        let Some(state) = self.methods.get_mut(method.position()) else { return };
        let reason = pin.to_string();
        state.pin = Some(pin);
        state.quotes.clear();
        let name = state.info.name.clone();
        self.notice(Notice::TakenBack { method: name, reason });
        self.sort_callbacks();
        self.planner.hurry(now);
        self.refresh_words(now);
    }

    /// An attempt is over: the device's energy for it is charged, whatever became of it, and what was set aside is settled.
    pub(super) fn settle(&mut self, now: Timestamp, under_way: &UnderWay, came: Came) {
        let server = &self.servers[under_way.offer.server.position()];
        let down = under_way.reply.map_or(ByteCount::ZERO, |reply| reply.down);
        let energy = under_way.radio.as_ref().and_then(|radio| {
            remote_energy(self, server, (radio, under_way.sent), now, (under_way.up, down))
        });
        // Where the device ran it too, that run saved no energy but what the device draws anyway while it lasts.
        let here = match under_way.hedged {
            false => under_way.offer.energy.map(|(here, _)| here),
            true => under_way.offer.local.and_then(|local| self.settings.energy.waiting(local)),
        };
        let lost = match came {
            Came::ToNothing(lost) => {
                let beside = here.filter(|_| under_way.hedged).unwrap_or(Energy::ZERO);
                self.cost(lost, energy.map(|energy| energy.saturating_sub(beside)))
            }
            Came::Back { elapsed, local } => {
                let cost = self.cost(elapsed, energy);
                self.purse.earn(cost);
                local.map_or(0.0, |local| cost - self.cost(local, here))
            }
        };
        self.worth.spent(energy.unwrap_or(Energy::ZERO));
        self.purse.settle(under_way.reserved, lost);
        let counts = &mut self.state_of(under_way).counts;
        counts.remote_energy += energy.unwrap_or(Energy::ZERO);
        counts.lost_time = counts.lost_time.saturating_add(match came {
            Came::ToNothing(lost) => lost,
            Came::Back { elapsed, local } => {
                local.map_or(Duration::ZERO, |local| elapsed.saturating_sub(local))
            }
        });
    }

    /// What counts of a cost, by the objective: seconds, or joules where those are known.
    pub(super) fn cost(&self, time: Duration, energy: Option<Energy>) -> f64 {
        match self.objective {
            Objective::Time | Objective::TimeWithin(_) => time.as_secs_f64(),
            Objective::Energy | Objective::EnergyWithin(_) | Objective::Weighted { .. } => {
                energy.map_or(0.0, Energy::as_joules_f64)
            }
        }
    }

    fn state_of(&mut self, under_way: &UnderWay) -> &mut MethodState {
        &mut self.methods[under_way.offer.request.method.position()]
    }
}

fn not_sent(error: NotSent) -> LocalReason {
    match error {
        NotSent::Draining => LocalReason::Draining,
        NotSent::Full(_) => LocalReason::Busy,
        NotSent::Method(_, status) => LocalReason::NotOffered(status),
        NotSent::Unlisted(_) => LocalReason::Unlisted,
        NotSent::Frame(_) => LocalReason::TooLarge,
        _ => LocalReason::NotAttached,
    }
}
