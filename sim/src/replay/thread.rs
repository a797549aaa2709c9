//! A thread of the app: the calls on its stack, and how they go on.

use std::time::Duration;

use outboard_client_proxy::{Decision, Offer, Request, Rerun, Word};
use outboard_core::{ByteCount, Energy, Timestamp};
use outboard_profiler::LocalCalls;
use outboard_wire::frame::{AnswerFrame, AnswerImage, Attempt};

use super::{Due, Replay};
use crate::outcome::{CallRecord, Went};

/// A call of the script, and the calls within it.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) stack: Vec<Level>,
    /// Time that the processor worked for it, hedges included.
    pub(super) busy: Duration,
    pub(super) radio: Energy,
    pub(super) sent: ByteCount,
    pub(super) received: ByteCount,
    pub(super) inner_remote: u64,
    pub(super) predicted: Option<Duration>,
}

/// One call on the stack.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) method: usize,
    pub(super) request: Request,
    pub(super) began: Timestamp,
    /// When its run on the device began.
    runs_since: Timestamp,
    /// Which of its loops it is in, and how often that has gone round.
    place: (usize, u64),
    pub(super) went: Went,
    /// A server has it.
    pub(super) away: Option<Away>,
    pub(super) offloaded_within: bool,
    /// Its run here follows an attempt that failed.
    pub(super) reruns: bool,
    /// It is a call-back of that attempt.
    back: Option<(Attempt, u32)>,
}

/// An attempt under way.
#[derive(Debug)]
pub(super) struct Away {
    pub(super) attempt: Attempt,
    pub(super) offer: Offer,
    pub(super) bound: Timestamp,
    /// The device runs it too, until then.
    pub(super) hedge: Option<Timestamp>,
    pub(super) called_back: bool,
    /// It has ended, and only the device's own run is waited for.
    pub(super) over: bool,
}

impl Thread {
    fn new() -> Self {
        Self {
            stack: Vec::new(),
            busy: Duration::ZERO,
            radio: Energy::ZERO,
            sent: ByteCount::ZERO,
            received: ByteCount::ZERO,
            inner_remote: 0,
            predicted: None,
        }
    }
}

impl Level {
    fn new(now: Timestamp, method: usize, request: Request) -> Self {
        Self {
            method,
            request,
            began: now,
            runs_since: now,
            place: (0, 0),
            went: Went::Unasked,
            away: None,
            offloaded_within: false,
            reruns: false,
            back: None,
        }
    }
}

impl Replay {
    /// The next call of the script begins.
    pub(super) fn begin(&mut self) {
        let thread = self.next;
        let Some(call) = self.script.calls().get(thread).copied() else { return };
        self.next += 1;
        self.threads.insert(thread, Thread::new());
        self.await_next();
        let index = self.methods[call.method];
        self.call(thread, call.method, Request { work: call.work, ..Request::new(index) });
    }

    /// A thread calls a method.
    fn call(&mut self, thread: usize, method: usize, request: Request) {
        let mut level = Level::new(self.world.now(), method, request);
        let on_device = self.app.methods()[method].on_device;
        if on_device || self.world.word(request.method) == Word::Local {
            self.push(thread, level);
            return self.run_here(thread);
        }
        let (decision, sized) = self.world.device(|engine, now| {
            let decision = engine.decide(now, &request);
            let local = matches!(decision, Decision::Local(_));
            (decision, local && engine.wants_size(now, request.method))
        });
        match decision {
            Decision::Remote(offer) => {
                self.push(thread, level);
                self.leave(thread, offer);
            }
            Decision::Local(reason) | Decision::Refused(reason) => {
                level.went = Went::Local(reason);
                self.push(thread, level);
                if sized {
                    let model = &self.app.methods()[method];
                    let (size, state) = (model.up(request.work), model.state.of(request.work));
                    self.world.device(|engine, now| engine.sized(now, &request, size, state));
                }
                self.run_here(thread);
            }
        }
    }

    /// A server calls a method of the device back. It runs with all that it calls, and nothing of it goes to a server.
    pub(super) fn call_back(&mut self, thread: usize, method: usize, work: Option<f64>, of: (Attempt, u32)) {
        let request = Request { work, ..Request::new(self.methods[method]) };
        let mut level = Level::new(self.world.now(), method, request);
        level.back = Some(of);
        self.push(thread, level);
        self.run_here(thread);
    }

    fn push(&mut self, thread: usize, level: Level) {
        if let Some(thread) = self.threads.get_mut(&thread) {
            thread.stack.push(level);
        }
    }

    pub(super) fn top(&mut self, thread: usize) -> Option<&mut Level> {
        self.threads.get_mut(&thread)?.stack.last_mut()
    }

    /// The call on top of the stack runs on the device.
    pub(super) fn run_here(&mut self, thread: usize) {
        let now = self.world.now();
        let Some(level) = self.top(thread) else { return };
        level.away = None;
        level.runs_since = now;
        let (method, work, whole) = (level.method, level.request.work, level.back.is_some());
        // What a call-back calls stays on the device, so that it need not be followed.
        let own = if whole { self.app.local(method, work) } else { self.app.methods()[method].own.of(work) };
        self.works(thread, own);
        self.world.enter(now + own, Due::Ran(thread));
    }

    /// The device's processor works that long for a thread.
    pub(super) fn works(&mut self, thread: usize, time: Duration) {
        self.busy += time;
        if let Some(thread) = self.threads.get_mut(&thread) {
            thread.busy += time;
        }
    }

    /// The call on top of the stack has done its own part.
    pub(super) fn ran_own(&mut self, thread: usize) {
        self.go_on(thread);
    }

    /// The call on top of the stack makes its next call, or is done.
    fn go_on(&mut self, thread: usize) {
        let Some(level) = self.threads.get_mut(&thread).and_then(|thread| thread.stack.last_mut()) else {
            return;
        };
        let model = &self.app.methods()[level.method];
        let loops = model.inner(level.method).skip(level.place.0);
        let mut next = None;
        for calls in loops {
            if level.place.1 < calls.times {
                next = Some(calls);
                break;
            }
            level.place = (level.place.0 + 1, 0);
        }
        match next.filter(|_| level.back.is_none()) {
            Some(calls) => {
                level.place.1 += 1;
                let (caller, work) = (level.request.method, level.request.work);
                let index = self.methods[calls.method];
                let request = Request { caller: Some(caller), work, ..Request::new(index) };
                self.call(thread, calls.method, request);
            }
            None => self.done_here(thread),
        }
    }

    /// The call on top of the stack has run on the device.
    fn done_here(&mut self, thread: usize) {
        let now = self.world.now();
        let Some(level) = self.threads.get_mut(&thread).and_then(|thread| thread.stack.pop()) else { return };
        let Level { method, request, .. } = level;
        let inclusive = now - level.runs_since;
        let model = &self.app.methods()[method];
        let exclusive = if level.back.is_some() { inclusive } else { model.own.of(request.work) };
        let ran = LocalCalls {
            method: request.method,
            caller: request.caller,
            calls: 1,
            timed: 1,
            inclusive,
            exclusive,
            cpu: Some(exclusive),
            work: request.work,
            offloaded_within: level.offloaded_within,
        };
        self.world.device(|engine, now| engine.ran_locally(now, &ran));
        if level.reruns {
            self.world.device(|engine, now| engine.reran(now, request.method, Rerun::Returned));
        }
        match level.back {
            Some((attempt, sequence)) => {
                let (state, result) = (model.state.of(request.work), model.result.of(request.work));
                let exclusive = vec![self.zeros.image(state).into()];
                let answer = AnswerImage { result: self.zeros.image(result), exclusive };
                let frame = AnswerFrame { attempt, sequence, outcome: Ok(answer), onces: 0 };
                // A session that was lost meanwhile has told the call that waits.
                let _told = self.world.device(|engine, now| engine.answer(now, frame));
                self.put_off(thread, inclusive);
            }
            None => self.returned(thread, level),
        }
    }

    /// A call of a thread has its result.
    pub(super) fn returned(&mut self, thread: usize, level: Level) {
        let Some(own) = self.threads.get_mut(&thread) else { return };
        let remote = level.went == Went::Remote;
        if let Some(caller) = own.stack.last_mut() {
            caller.offloaded_within |= remote || level.offloaded_within;
            own.inner_remote += u64::from(remote);
            return self.go_on(thread);
        }
        let Some(own) = self.threads.remove(&thread) else { return };
        let took = self.world.now() - level.began;
        let parts = self.device.idle(took).zip(self.device.busy(own.busy));
        self.outcome.calls.push(CallRecord {
            method: level.method,
            began: level.began,
            took,
            went: level.went,
            energy: parts.map(|(idle, busy)| idle + busy + own.radio),
            predicted: own.predicted,
            sent: own.sent,
            received: own.received,
            inner_remote: own.inner_remote,
        });
        if self.threads.is_empty() && self.script.threads() == crate::script::Threads::One {
            self.await_next();
        }
    }
}
