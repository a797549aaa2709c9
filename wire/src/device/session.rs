//! The machine itself.

use std::collections::{BTreeMap, VecDeque};

use outboard_core::{ByteCount, MethodId, Timestamp};

use super::attempts::{Attempts, End};
use super::probe::Probes;
use super::pulse::{self, Due, Pulse};
use super::{Event, NotAnswered, NotSent, Output};
use crate::frame::{
    AnswerFrame, AskFrame, Attempt, BackFrame, CallFrame, FailedFrame, FrameError, Hello, MethodStatus,
    ProbedFrame, ProtocolRange, Refusal, ReplyFrame, ToDevice, ToServer, Welcome, decode_frame, encode_frame,
};
use crate::limits::Limits;
use crate::session::{Lane, Lost, Timing, Violation};

/// The device's end of one connection.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    timing: Timing,
    offered: ProtocolRange,
    /// What we accept.
    ours: Limits,
    /// What the server accepts; until it says so, what anybody does.
    theirs: Limits,
    /// Our table, with the server's statuses once it is open.
    methods: BTreeMap<MethodId, MethodStatus>,
    /// The order of the table, in which the statuses come.
    order: Vec<MethodId>,
    attempts: Attempts,
    probes: Probes,
    draining: bool,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum Phase {
    Greeting { until: Timestamp },
    Open(Pulse),
    Over,
}

impl Session {
    /// Starts a session on a fresh connection: the greeting is the first output. It asks the server to bear no longer silence
    /// than the heartbeats need.
    pub fn new(now: Timestamp, mut hello: Hello, timing: Timing) -> Self {
        hello.limits.silence = hello.limits.silence.min(pulse::silence(&timing));
        let order: Vec<MethodId> = hello.methods.iter().map(|entry| entry.id).collect();
        let mut session = Self {
            phase: Phase::Greeting { until: now + timing.greeting },
            timing,
            offered: hello.protocol,
            ours: hello.limits,
            theirs: Limits::default(),
            methods: order.iter().map(|&id| (id, MethodStatus::Absent)).collect(),
            order,
            attempts: Attempts::default(),
            probes: Probes::default(),
            draining: false,
            outputs: VecDeque::new(),
        };
        if let Err(error) = session.transmit(&ToServer::Hello(hello)) {
            session.refused(Refusal::Malformed(error.to_string()));
        }
        session
    }

    /// Sends a call. Its end comes as an event, or with [`Event::Lost`].
    ///
    /// # Errors
    /// Nothing was sent: the attempt ends *not run*.
    pub fn call(&mut self, now: Timestamp, call: CallFrame) -> Result<(), NotSent> {
        self.admit(call.attempt)?;
        match self.methods.get(&call.method) {
            Some(MethodStatus::Accepted) => {}
            Some(&status) => return Err(NotSent::Method(call.method, status)),
            None => return Err(NotSent::Unlisted(call.method)),
        }
        let attempt = call.attempt;
        self.begin(now, attempt, &ToServer::Call(self.attempts.upcoming(), call))
    }

    /// Asks what became of a call whose end was not heard. The answer comes as the end of the frame's attempt.
    ///
    /// # Errors
    /// Nothing was asked. A server that drains still answers.
    pub fn ask(&mut self, now: Timestamp, ask: AskFrame) -> Result<(), NotSent> {
        match self.admit(ask.attempt) {
            Ok(()) | Err(NotSent::Draining) => {}
            Err(error) => return Err(error),
        }
        let attempt = ask.attempt;
        self.begin(now, attempt, &ToServer::Ask(self.attempts.upcoming(), ask))
    }

    /// Gives an attempt up: from now on nothing of it is let through. Whether it was under way.
    pub fn fence(&mut self, _now: Timestamp, attempt: Attempt) -> bool {
        let Some(serial) = self.attempts.fence(attempt) else { return false };
        // A fence is a few bytes: it fits every receiver that a session was opened with.
        self.transmit(&ToServer::Fence(serial, attempt)).expect("a fence fits the smallest frame");
        true
    }

    /// Answers a call-back.
    ///
    /// # Errors
    /// When nobody waits for it any more, or when it is too large, in which case the server is told and the attempt
    /// will fail.
    pub fn answer(&mut self, _now: Timestamp, answer: AnswerFrame) -> Result<(), NotAnswered> {
        let (attempt, sequence) = (answer.attempt, answer.sequence);
        if !self.attempts.answer(attempt, sequence) {
            return Err(NotAnswered::NotAsked(attempt));
        }
        let error = match self.transmit(&ToServer::Answer(answer.clip())) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let instead = AnswerFrame { attempt, sequence, outcome: Err(error.to_string()), onces: 0 };
        self.transmit(&ToServer::Answer(instead.clip())).expect("a clipped text fits the smallest frame");
        match error {
            FrameError::TooLarge { limit } => Err(NotAnswered::TooLarge { limit }),
            _ => Err(NotAnswered::NotAsked(attempt)),
        }
    }

    /// Asks how long the path takes for so many bytes to the server and so many back; at most
    /// [`ProbeFrame::MOST`](crate::frame::ProbeFrame::MOST) each, and no more than the server's frames may have. Whether
    /// it was sent: not while calls or another probe are under way, which would only delay each other.
    pub fn probe(&mut self, now: Timestamp, up: ByteCount, down: ByteCount) -> bool {
        if !self.is_open() || !self.attempts.is_empty() || self.probes.is_pending() {
            return false;
        }
        let room = ByteCount::from_bytes(u64::from(self.theirs.frame_bytes / 2));
        let probe = self.probes.begin(now, up.min(room), down);
        self.transmit(&ToServer::Probe(probe)).expect("half a frame of padding fits a frame");
        true
    }

    /// Leaves. What is under way ends *unknown*.
    pub fn goodbye(&mut self, _now: Timestamp) {
        if !self.is_over() {
            self.leave(Lost::WeLeft);
        }
    }

    /// A frame came.
    pub fn handle_frame(&mut self, now: Timestamp, bytes: &[u8]) {
        let result = match &mut self.phase {
            Phase::Over => return,
            Phase::Greeting { .. } => self.greet(now, bytes),
            Phase::Open(pulse) => {
                pulse.heard(now);
                self.listen(now, bytes)
            }
        };
        match result {
            Ok(()) => self.leave_if_drained(),
            Err(violation) => self.over(Lost::Violation(violation)),
        }
    }

    /// The connection broke.
    pub fn handle_lost(&mut self, _now: Timestamp) {
        if !self.is_over() {
            self.over(Lost::Connection);
        }
    }

    /// The time of [`Session::timeout`] has come. Coming early or late does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let busy = !self.attempts.is_empty();
        match &mut self.phase {
            Phase::Greeting { until } if now >= *until => self.over(Lost::Silence),
            Phase::Greeting { .. } | Phase::Over => {}
            Phase::Open(pulse) => match pulse.check(now, busy) {
                Due::Nothing => {}
                Due::Ping(number) => {
                    self.transmit(&ToServer::Ping(number)).expect("a ping fits the smallest frame");
                }
                Due::Lost => self.over(Lost::Silence),
            },
        }
    }

    /// When [`Session::handle_timeout`] wants to be called; earlier after the next input, perhaps.
    pub fn timeout(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Greeting { until } => Some(*until),
            Phase::Open(pulse) => Some(pulse.timeout(!self.attempts.is_empty())),
            Phase::Over => None,
        }
    }

    /// What to do next, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether calls are taken: the session is open and the server is not going away.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_)) && !self.draining
    }

    /// When the server was asked whether it is there, if nothing has been heard from it since.
    pub fn unanswered_since(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Open(pulse) => pulse.asked(),
            Phase::Greeting { .. } | Phase::Over => None,
        }
    }

    /// Whether the session is over.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.attempts.is_empty()
    }

    /// How many more calls the server takes now.
    pub fn credit(&self) -> u32 {
        if !self.is_open() {
            return 0;
        }
        self.theirs.calls.saturating_sub(u32::try_from(self.attempts.len()).unwrap_or(u32::MAX))
    }

    /// What the server makes of a method, `None` when it is not in the table.
    pub fn status(&self, method: MethodId) -> Option<MethodStatus> {
        self.methods.get(&method).copied()
    }

    /// What the server accepts, once the session is open.
    pub fn limits(&self) -> &Limits {
        &self.theirs
    }

    fn admit(&self, attempt: Attempt) -> Result<(), NotSent> {
        if !matches!(self.phase, Phase::Open(_)) {
            return Err(NotSent::NotAttached);
        }
        if self.attempts.contains(attempt) {
            return Err(NotSent::Repeated(attempt));
        }
        if self.attempts.len() >= self.theirs.calls as usize {
            return Err(NotSent::Full(self.theirs.calls));
        }
        if self.draining { Err(NotSent::Draining) } else { Ok(()) }
    }

    fn begin(&mut self, now: Timestamp, attempt: Attempt, frame: &ToServer) -> Result<(), NotSent> {
        self.transmit(frame)?;
        if let Phase::Open(pulse) = &mut self.phase
            && self.attempts.is_empty()
        {
            pulse.woke(now);
        }
        self.probes.disturb();
        self.attempts.open(attempt);
        Ok(())
    }

    fn greet(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), Violation> {
        match decode_frame(bytes, &self.ours) {
            // A server that speaks none of our versions answers in its own, which is all that we can read of it.
            Err(FrameError::Version(version)) => {
                let theirs = ProtocolRange { oldest: version.into(), newest: version.into() };
                self.refused(Refusal::Protocol(theirs));
                Ok(())
            }
            Err(error) => Err(error.into()),
            Ok(ToDevice::Welcome(welcome)) => self.welcomed(now, welcome),
            Ok(ToDevice::Refused(refusal)) => {
                self.refused(refusal);
                Ok(())
            }
            // A small frame can overtake a large welcome.
            Ok(ToDevice::Draining) => {
                self.draining = true;
                Ok(())
            }
            Ok(_) => Err(Violation::Early),
        }
    }

    fn welcomed(&mut self, now: Timestamp, welcome: Welcome) -> Result<(), Violation> {
        if !(self.offered.oldest..=self.offered.newest).contains(&welcome.protocol) {
            return Err(Violation::Protocol(welcome.protocol));
        }
        if welcome.methods.len() != self.order.len() {
            return Err(Violation::Statuses { expected: self.order.len(), found: welcome.methods.len() });
        }
        if welcome.limits.frame_bytes < Limits::SMALLEST_FRAME {
            return Err(Violation::Limits);
        }
        self.methods.extend(self.order.iter().copied().zip(welcome.methods.iter().copied()));
        self.theirs = welcome.limits;
        let patience = self.ours.silence.min(self.theirs.silence);
        self.phase = Phase::Open(Pulse::new(now, self.timing, patience));
        self.event(Event::Attached(welcome));
        if self.draining {
            self.event(Event::Draining);
        }
        Ok(())
    }

    fn listen(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), Violation> {
        match decode_frame(bytes, &self.ours)? {
            ToDevice::Welcome(_) | ToDevice::Refused(_) => Err(Violation::GreetedTwice),
            ToDevice::Reply(reply) => {
                self.replied(reply);
                Ok(())
            }
            ToDevice::Failed(failed) => self.failed(failed),
            ToDevice::Back(back) => self.called_back(back),
            ToDevice::Pong(number, load) => {
                let Phase::Open(pulse) = &mut self.phase else { return Ok(()) };
                let round_trip = pulse.pong(now, number).ok_or(Violation::PongUnasked(number))?;
                if let Some(round_trip) = round_trip {
                    self.event(Event::RoundTrip(round_trip));
                }
                self.event(Event::Load(load));
                Ok(())
            }
            ToDevice::Probed(probed) => self.probed(now, &probed),
            ToDevice::Draining => {
                if !std::mem::replace(&mut self.draining, true) {
                    self.event(Event::Draining);
                }
                Ok(())
            }
        }
    }

    fn probed(&mut self, now: Timestamp, answer: &ProbedFrame) -> Result<(), Violation> {
        let probed = self.probes.answered(now, answer).ok_or(Violation::ProbeAnswer(answer.number))?;
        if let Some(probed) = probed {
            self.event(Event::Probed(probed));
        }
        self.event(Event::Load(answer.load));
        Ok(())
    }

    /// Frames of an attempt that is not under way are late ones of an attempt that ended: nobody wants them.
    fn replied(&mut self, reply: ReplyFrame) {
        match self.attempts.end(reply.attempt) {
            Some(End::Wanted) => self.event(Event::Replied(reply)),
            Some(End::Fenced) => self.event(Event::Load(reply.load)),
            None => {}
        }
    }

    fn failed(&mut self, failed: FailedFrame) -> Result<(), Violation> {
        if failed.failure.never_started() && self.attempts.has_called_back(failed.attempt) {
            return Err(Violation::RanAfterAll(failed.attempt));
        }
        match self.attempts.end(failed.attempt) {
            Some(End::Wanted) => self.event(Event::Failed(failed)),
            Some(End::Fenced) => self.event(Event::Load(failed.load)),
            None => {}
        }
        Ok(())
    }

    fn called_back(&mut self, back: BackFrame) -> Result<(), Violation> {
        if !self.attempts.back(back.attempt, back.sequence, self.ours.backs)? {
            return Ok(());
        }
        if self.methods.contains_key(&back.method) {
            self.event(Event::Back(back));
            return Ok(());
        }
        let outcome = Err(format!("the device has no method {}", back.method));
        self.attempts.answer(back.attempt, back.sequence);
        let answer = AnswerFrame { attempt: back.attempt, sequence: back.sequence, outcome, onces: 0 };
        self.transmit(&ToServer::Answer(answer)).map_err(Violation::from)
    }

    fn refused(&mut self, refusal: Refusal) {
        self.event(Event::Refused(refusal));
        self.over(Lost::Refused);
    }

    /// A server that drains cannot close: it does not know which of its replies have arrived.
    fn leave_if_drained(&mut self) {
        if self.draining && self.attempts.is_empty() && matches!(self.phase, Phase::Open(_)) {
            self.leave(Lost::Drained);
        }
    }

    fn leave(&mut self, reason: Lost) {
        self.transmit(&ToServer::Goodbye).expect("a goodbye fits the smallest frame");
        self.over(reason);
    }

    fn over(&mut self, reason: Lost) {
        self.phase = Phase::Over;
        let unknown = self.attempts.drain();
        self.event(Event::Lost { reason: reason.clone(), unknown });
        self.outputs.push_back(Output::Close(reason));
    }

    fn transmit(&mut self, frame: &ToServer) -> Result<(), FrameError> {
        let bytes = encode_frame(frame, &self.theirs)?;
        self.outputs.push_back(Output::Transmit { lane: Lane::of(&bytes), bytes });
        Ok(())
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
