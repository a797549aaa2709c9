//! The machine itself.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use outboard_core::{MethodId, Timestamp};

use super::attempts::{Attempts, Ending, Fencing};
use super::{Event, NotCalledBack, Output};
use crate::frame::{
    AnswerFrame, AskFrame, Attempt, BackFrame, CallFrame, FailedFrame, Failure, FrameError, Hello, Image,
    Load, MethodStatus, NotRun, PROTOCOL, ProbeFrame, ProbedFrame, Refusal, ReplyFrame, Serial, ToDevice,
    ToServer, Welcome, decode_frame, encode_frame,
};
use crate::limits::Limits;
use crate::session::{Lane, Lost, Timing, Violation};

/// The server's end of one connection.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    /// What we accept.
    ours: Limits,
    /// What the device accepts; until it says so, the least that anybody may.
    theirs: Limits,
    timing: Timing,
    heard: Timestamp,
    attempts: Attempts,
    draining: bool,
    load: Load,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum Phase {
    /// The device has to greet.
    Quiet {
        until: Timestamp,
    },
    /// It has greeted, and the driver decides.
    Greeted {
        protocol: u16,
        methods: Vec<MethodId>,
    },
    /// It may call these.
    Open {
        accepted: BTreeSet<MethodId>,
    },
    Over,
}

impl Session {
    /// Waits for the greeting on a fresh connection. `limits` is what the server accepts.
    pub fn new(now: Timestamp, limits: Limits, timing: Timing) -> Self {
        Self {
            phase: Phase::Quiet { until: now + timing.greeting },
            ours: limits,
            theirs: Limits { frame_bytes: Limits::SMALLEST_FRAME, ..Limits::default() },
            timing,
            heard: now,
            attempts: Attempts::new(limits.calls),
            draining: false,
            load: Load::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Opens the session that [`Event::Hello`] asked for. The session fills in the protocol version and the limits.
    ///
    /// Nothing happens when the device has left meanwhile.
    ///
    /// # Panics
    /// When there are more or fewer statuses than the greeting has methods: see [`Table::compare`](super::Table::compare).
    pub fn accept(&mut self, now: Timestamp, welcome: Welcome) {
        let Phase::Greeted { protocol, methods } = &self.phase else { return };
        assert_eq!(welcome.methods.len(), methods.len(), "a status for each method of the greeting");
        let welcome = Welcome { protocol: *protocol, limits: self.ours, ..welcome };
        let statuses = methods.iter().zip(&welcome.methods);
        let accepted =
            statuses.filter(|(_, status)| **status == MethodStatus::Accepted).map(|(&id, _)| id).collect();
        self.load = welcome.load;
        self.heard = now;
        if self.transmit(&ToDevice::Welcome(welcome)).is_err() {
            return self.over(Lost::Violation(Violation::Limits));
        }
        self.phase = Phase::Open { accepted };
        if self.draining {
            self.send(&ToDevice::Draining);
        }
    }

    /// Refuses the session that [`Event::Hello`] asked for.
    pub fn refuse(&mut self, _now: Timestamp, refusal: Refusal) {
        if matches!(self.phase, Phase::Greeted { .. }) {
            self.turn_away(refusal);
        }
    }

    /// A worker takes a call.
    ///
    /// # Errors
    /// It must not run: it was fenced, or its time is up. It has ended, and the device knows.
    pub fn start(&mut self, now: Timestamp, attempt: Attempt) -> Result<(), NotRun> {
        let result = self.attempts.start(now, attempt);
        if result == Err(NotRun::TooLate) {
            self.not_run(attempt, NotRun::TooLate);
        }
        result
    }

    /// A method returned. Whether the reply went out: not when the device has given the attempt up.
    ///
    /// A reply that the device does not take for its size becomes a [`Failure::Unencodable`].
    pub fn reply(&mut self, _now: Timestamp, reply: ReplyFrame) -> bool {
        self.load = reply.load;
        let attempt = reply.attempt;
        match self.attempts.end(attempt) {
            None => false,
            Some(Ending::Fenced) => {
                self.failed(attempt, Failure::Fenced);
                false
            }
            Some(Ending::Wanted) => match self.transmit(&ToDevice::Reply(reply)) {
                Ok(()) => true,
                Err(error) => {
                    self.failed(attempt, Failure::Unencodable(error.to_string()));
                    false
                }
            },
        }
    }

    /// A call ends without a reply. Whether the device wanted to know.
    pub fn fail(&mut self, _now: Timestamp, failed: FailedFrame) -> bool {
        self.load = failed.load;
        let ending = self.attempts.end(failed.attempt);
        match ending {
            None => {}
            Some(Ending::Fenced) => self.failed(failed.attempt, Failure::Fenced),
            Some(Ending::Wanted) => self.failed(failed.attempt, failed.failure),
        }
        ending == Some(Ending::Wanted)
    }

    /// Remote code calls a method of the device. Call-backs of an attempt are numbered from zero; those of several threads or
    /// futures may come in any order.
    ///
    /// # Errors
    /// It was not sent; the method has to unwind.
    pub fn back(&mut self, _now: Timestamp, back: BackFrame) -> Result<(), NotCalledBack> {
        let (attempt, sequence) = (back.attempt, back.sequence);
        self.attempts.back(attempt, sequence, self.theirs.backs)?;
        self.transmit(&ToDevice::Back(back)).map_err(|error| {
            self.attempts.take_back(attempt, sequence);
            match error {
                FrameError::TooLarge { limit } => NotCalledBack::TooLarge { limit },
                _ => NotCalledBack::Fenced(attempt),
            }
        })
    }

    /// How busy the server is: sent along with what the session itself says.
    pub fn set_load(&mut self, load: Load) {
        self.load = load;
    }

    /// Takes no new calls from now on. The device leaves when those under way have ended.
    pub fn drain(&mut self, _now: Timestamp) {
        if !std::mem::replace(&mut self.draining, true) && self.is_open() {
            self.send(&ToDevice::Draining);
        }
    }

    /// Ends the session without waiting for what is under way.
    pub fn close(&mut self, _now: Timestamp) {
        if !self.is_over() {
            self.over(Lost::WeLeft);
        }
    }

    /// A frame came.
    pub fn handle_frame(&mut self, now: Timestamp, bytes: &[u8]) {
        self.heard = now;
        let result = match &self.phase {
            Phase::Over => return,
            Phase::Quiet { .. } => {
                self.greet(bytes);
                return;
            }
            Phase::Greeted { .. } => match decode_frame(bytes, &self.ours) {
                Ok(ToServer::Goodbye) => Err(Lost::TheyLeft),
                Ok(ToServer::Hello(_)) => Err(Lost::Violation(Violation::GreetedTwice)),
                Ok(_) => Err(Lost::Violation(Violation::Early)),
                Err(error) => Err(Lost::Violation(error.into())),
            },
            Phase::Open { .. } => self.listen(now, bytes),
        };
        if let Err(reason) = result {
            self.over(reason);
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
        let is_silent = match &self.phase {
            Phase::Quiet { until } => now >= *until,
            Phase::Greeted { .. } | Phase::Over => false,
            Phase::Open { .. } => now >= self.heard + self.patience(),
        };
        if is_silent {
            return self.over(Lost::Silence);
        }
        for attempt in self.attempts.expire(now) {
            self.not_run(attempt, NotRun::TooLate);
            self.event(Event::Fence(attempt));
        }
    }

    /// When [`Session::handle_timeout`] wants to be called; earlier after the next input, perhaps.
    pub fn timeout(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Quiet { until } => Some(*until),
            Phase::Greeted { .. } | Phase::Over => None,
            Phase::Open { .. } => {
                let silent = self.heard + self.patience();
                Some(self.attempts.timeout().map_or(silent, |late| late.min(silent)))
            }
        }
    }

    /// What to do next, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether the device is attached.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    /// Whether the session is over.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Whether no attempt of the device waits or runs.
    pub fn is_idle(&self) -> bool {
        self.attempts.is_empty()
    }

    /// How long an idle device has been silent that should have pinged meanwhile: it has vanished, or nearly so. `None` where
    /// there is nothing to wonder about.
    pub fn missed_for(&self, now: Timestamp) -> Option<Duration> {
        let silent = now.since(self.heard);
        (self.is_open() && self.is_idle() && silent > self.patience() / 2).then_some(silent)
    }

    /// What the device accepts, once it has greeted.
    pub fn limits(&self) -> &Limits {
        &self.theirs
    }

    /// The longest silence that is borne now. A device pings three times within what both ends allow it between calls, and
    /// far more often while it waits for one.
    fn patience(&self) -> Duration {
        let idle = self.ours.silence.min(self.theirs.silence);
        if self.is_idle() { idle } else { idle.min(self.timing.patience) }
    }

    fn greet(&mut self, bytes: &[u8]) {
        match decode_frame(bytes, &self.ours) {
            Ok(ToServer::Hello(hello)) => self.greeted(hello),
            Ok(ToServer::Goodbye) => self.over(Lost::TheyLeft),
            Ok(_) => self.over(Lost::Violation(Violation::Early)),
            Err(FrameError::Version(_)) => self.turn_away(Refusal::Protocol(PROTOCOL)),
            Err(error) => self.turn_away(Refusal::Malformed(error.to_string())),
        }
    }

    fn greeted(&mut self, hello: Hello) {
        let Some(protocol) = PROTOCOL.agree(hello.protocol) else {
            return self.turn_away(Refusal::Protocol(PROTOCOL));
        };
        if hello.limits.frame_bytes < Limits::SMALLEST_FRAME {
            let text = format!(
                "`frame_bytes` is {}, the least is {}",
                hello.limits.frame_bytes,
                Limits::SMALLEST_FRAME
            );
            return self.turn_away(Refusal::Malformed(text));
        }
        if hello.methods.len() > self.ours.methods as usize {
            let text = format!("{} methods, the server takes {}", hello.methods.len(), self.ours.methods);
            return self.turn_away(Refusal::Malformed(text));
        }
        self.theirs = hello.limits;
        let methods = hello.methods.iter().map(|entry| entry.id).collect();
        self.phase = Phase::Greeted { protocol, methods };
        self.event(Event::Hello(hello));
    }

    fn listen(&mut self, now: Timestamp, bytes: &[u8]) -> Result<(), Lost> {
        match decode_frame(bytes, &self.ours).map_err(Violation::from)? {
            ToServer::Hello(_) => Err(Violation::GreetedTwice.into()),
            ToServer::Call(serial, call) => Ok(self.called(now, serial, call)?),
            ToServer::Ask(serial, ask) => Ok(self.asked(serial, ask)?),
            ToServer::Fence(serial, attempt) => Ok(self.fenced(serial, attempt)?),
            ToServer::Answer(answer) => Ok(self.answered(answer)?),
            ToServer::Ping(number) => {
                self.send(&ToDevice::Pong(number, self.load));
                Ok(())
            }
            ToServer::Probe(probe) => {
                self.probed(&probe);
                Ok(())
            }
            ToServer::Goodbye => Err(Lost::TheyLeft),
        }
    }

    /// Answers at once, with no more padding than this end gives and the device takes.
    fn probed(&mut self, probe: &ProbeFrame) {
        let padding = probe.wanted.min(ProbeFrame::MOST).min(self.theirs.frame_bytes / 2);
        let padding = Image::from(vec![0; padding as usize]);
        self.send(&ToDevice::Probed(ProbedFrame { number: probe.number, padding, load: self.load }));
    }

    fn called(&mut self, now: Timestamp, serial: Serial, call: CallFrame) -> Result<(), Violation> {
        let attempt = call.attempt;
        let until = call.time_left.map(|left| now + left);
        if !self.attempts.arrive(serial, attempt, until)? {
            self.not_run(attempt, NotRun::Fenced);
            return Ok(());
        }
        match self.obstacle(&call) {
            None => self.event(Event::Call(call)),
            Some(obstacle) => {
                self.attempts.end(attempt);
                self.not_run(attempt, obstacle);
            }
        }
        Ok(())
    }

    fn obstacle(&self, call: &CallFrame) -> Option<NotRun> {
        let Phase::Open { accepted } = &self.phase else { return Some(NotRun::Fenced) };
        if self.draining {
            return Some(NotRun::Draining);
        }
        if !accepted.contains(&call.method) {
            return Some(NotRun::Method);
        }
        if call.within.is_some_and(|outer| !self.attempts.is_running(outer)) {
            return Some(NotRun::Fenced);
        }
        None
    }

    /// A draining server answers too: what it knows is lost when it has gone.
    fn asked(&mut self, serial: Serial, ask: AskFrame) -> Result<(), Violation> {
        if self.attempts.arrive(serial, ask.attempt, None)? {
            self.event(Event::Ask(ask));
        } else {
            self.not_run(ask.attempt, NotRun::Fenced);
        }
        Ok(())
    }

    fn fenced(&mut self, serial: Serial, attempt: Attempt) -> Result<(), Violation> {
        match self.attempts.fence(serial, attempt)? {
            Fencing::Nothing => {}
            Fencing::Running => self.event(Event::Fence(attempt)),
            Fencing::Withdrawn => {
                self.not_run(attempt, NotRun::Fenced);
                self.event(Event::Fence(attempt));
            }
        }
        Ok(())
    }

    fn answered(&mut self, answer: AnswerFrame) -> Result<(), Violation> {
        if self.attempts.answer(answer.attempt, answer.sequence)? {
            self.event(Event::Answer(answer));
        }
        Ok(())
    }

    fn not_run(&mut self, attempt: Attempt, why: NotRun) {
        self.failed(attempt, Failure::NotRun(why));
    }

    fn failed(&mut self, attempt: Attempt, failure: Failure) {
        self.send(&ToDevice::Failed(FailedFrame { attempt, failure: failure.clip(), load: self.load }));
    }

    fn turn_away(&mut self, refusal: Refusal) {
        self.send(&ToDevice::Refused(refusal.clip()));
        self.over(Lost::Refused);
    }

    fn over(&mut self, reason: Lost) {
        self.phase = Phase::Over;
        let abandoned = self.attempts.drain();
        self.event(Event::Gone { reason: reason.clone(), abandoned });
        self.outputs.push_back(Output::Close(reason));
    }

    /// Sends one of the session's own frames.
    fn send(&mut self, frame: &ToDevice) {
        self.transmit(frame).expect("the session's own frames, texts clipped, fit the smallest frame");
    }

    fn transmit(&mut self, frame: &ToDevice) -> Result<(), FrameError> {
        let bytes = encode_frame(frame, &self.theirs)?;
        self.outputs.push_back(Output::Transmit { lane: Lane::of(&bytes), bytes });
        Ok(())
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
