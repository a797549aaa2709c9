//! A call as the code that runs it on a server sees it: the way back to the device.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outboard_core::MethodId;
use outboard_server_proxy::InnerCall;
use outboard_server_proxy::kept::{Begin, OnceId, Outcome};
use outboard_wire::Objects;
use outboard_wire::frame::{AnswerFrame, AnswerImage, Attempt, BackFrame, BackSlot, NotRun};
use outboard_wire::state::Place;

use crate::carried::{Carried, Sent};
use crate::clock;
use crate::condition::Condition;
use crate::context;
use crate::method::{Kind, Method};
use crate::once::{self, Chain, Counter};
use crate::permits::{Permit, Permits};
use crate::registry;
use crate::support::Outgoing;

/// What unwinds a method whose attempt has failed. Private, so that user code cannot mistake it for a panic of its own.
#[derive(Clone, Debug)]
pub(crate) struct Unwound {
    pub(crate) reason: String,
    /// The method would fail again: it does what only the device may do.
    pub(crate) needs_device: bool,
}

impl Unwound {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), needs_device: false }
    }
}

/// How a server's call reaches its session.
pub(crate) trait Session: Send + Sync {
    /// The method is about to run: last chance to say no. What comes of one that may run only `once` is kept.
    fn start(&self, attempt: Attempt, once: bool) -> Result<(), NotRun>;

    /// Sends a call-back. An error text says why there will be no answer.
    fn call_back(&self, back: BackFrame) -> Result<(), String>;

    /// The answer came, and the method goes on.
    fn resumed(&self, attempt: Attempt);

    /// The method is about to call one that may run only once.
    fn begin_once(&self, attempt: Attempt, call: InnerCall) -> Begin;

    /// That one has ended.
    fn end_once(&self, id: OnceId, outcome: Outcome);
}

/// One call that runs on a server.
pub(crate) struct ServerCall {
    pub(crate) attempt: Attempt,
    /// Counts the calls in it that may run only once. `None`: it may itself, and nothing within it is repeated.
    pub(crate) counter: Option<Arc<Counter>>,
    /// Methods that the device wants called back.
    on_device: Vec<MethodId>,
    /// Its slots as they came: call-backs are told by them.
    carried: Arc<Carried>,
    session: Box<dyn Session>,
    permits: Arc<Permits>,
    seat: Mutex<Seat>,
    sequence: AtomicU32,
    /// Device methods without a context that were called before this call began.
    strays: u64,
    state: Mutex<State>,
    changed: Condition,
}

/// The core that a call occupies, unless it waits for the device.
struct Seat {
    permit: Option<Permit>,
    /// None is taken again.
    given_up: bool,
}

type Job = Box<dyn FnOnce() + Send>;
/// What came of a call-back, and how many calls that may run once only there were by then.
type Answer = (Result<AnswerImage, String>, u32);

#[derive(Default)]
struct State {
    /// Fixed places of exclusive slots that carry fields which only the device has.
    places: Vec<(Place, u16, Vec<u16>)>,
    /// The shared objects that went with the call.
    objects: Vec<Objects>,
    answers: BTreeMap<u32, Answer>,
    /// Call-backs that are waited for, one thread each.
    waited_for: BTreeSet<u32>,
    /// Calls that the call-backs make, each to run on the thread that waits.
    within: VecDeque<Job>,
    failure: Option<Unwound>,
    /// The device does not wait any more. What may run only once goes on all the same: what comes of it is kept.
    let_go: Option<Unwound>,
    /// Threads that the method spawned may live on, and wait in vain.
    ended: bool,
    started: Option<Instant>,
    called_back: Duration,
}

/// How long a call ran, and how much of that it waited for call-backs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ran {
    pub(crate) ran: Duration,
    pub(crate) called_back: Duration,
}

impl ServerCall {
    pub(crate) fn new(
        attempt: Attempt,
        counter: Option<Arc<Counter>>,
        on_device: Vec<MethodId>,
        carried: Arc<Carried>,
        session: Box<dyn Session>,
        permit: Permit,
    ) -> Arc<Self> {
        let permits = permit.all();
        Arc::new(Self {
            attempt,
            counter,
            on_device,
            carried,
            session,
            permits,
            seat: Mutex::new(Seat { permit: Some(permit), given_up: false }),
            sequence: AtomicU32::new(0),
            strays: context::strays(),
            state: Mutex::default(),
            changed: Condition::default(),
        })
    }

    /// Begins the run.
    pub(crate) fn start(&self) -> Result<(), NotRun> {
        self.session.start(self.attempt, self.counter.is_none())?;
        self.lock().started = Some(clock::now());
        Ok(())
    }

    /// What the run cost so far.
    pub(crate) fn ran(&self) -> Ran {
        let state = self.lock();
        let ran = state.started.map_or(Duration::ZERO, |started| clock::now() - started);
        Ran { ran, called_back: state.called_back }
    }

    /// Whether remote code calls the device for this method.
    pub(crate) fn is_on_device(&self, method: MethodId) -> bool {
        self.on_device.contains(&method)
    }

    /// Why what the method returns is not to be used, if it is not.
    pub(crate) fn failure(&self) -> Option<Unwound> {
        self.broken().or_else(|| self.lock().let_go.clone())
    }

    /// The same, for what may run only once: when the device has let go of it, it goes on, and its reply is kept.
    pub(crate) fn broken(&self) -> Option<Unwound> {
        let failure = self.lock().failure.clone();
        failure.or_else(|| {
            (context::strays() != self.strays).then(|| {
                Unwound::new(
                    "a `#[device]` or `once` method was called on a thread that belongs to no call: \
                     carry `outboard::context()` over to the threads that a method spawns",
                )
            })
        })
    }

    /// Unwinds if the attempt has failed: user code may have caught the first unwinding.
    pub(crate) fn gate(&self) {
        let failure = if once::current().is_some() { self.failure() } else { self.broken() };
        if let Some(failure) = failure {
            resume_unwind(Box::new(failure));
        }
    }

    /// Fails the attempt and unwinds the method.
    pub(crate) fn fail(&self, reason: String) -> ! {
        self.unwind(Unwound::new(reason))
    }

    /// A method that may run only once is about to be called, and has slots from which nothing can be kept.
    pub(crate) fn refuse_once(&self, method: &str) -> ! {
        let reason = format!("it calls `{method}`, which may run only once");
        self.unwind(Unwound { reason, needs_device: true })
    }

    /// A method that may run only once is about to be called.
    pub(crate) fn begin_once(&self, call: InnerCall) -> Begin {
        self.session.begin_once(self.attempt, call)
    }

    /// It has ended.
    pub(crate) fn end_once(&self, id: OnceId, outcome: Outcome) {
        self.session.end_once(id, outcome);
    }

    /// Shared objects that went with the call.
    pub(crate) fn watch(&self, objects: Objects) {
        self.lock().objects.push(objects);
    }

    /// A device method is about to be called, and could see shared objects of the call: those that its own slots lead to,
    /// or any other, by a way that only the device knows. What became of them here is only known there when the call ends.
    pub(crate) fn guard_objects(&self, method: &Method, its: &Objects) {
        // Not under the lock: looking at an object takes that of the user.
        let all = self.lock().objects.clone();
        let title = method.descriptor().title();
        let reason = if !its.is_empty() {
            format!("it calls `{title}` on the device with a shared object")
        } else if all.iter().all(Objects::are_unchanged) {
            return;
        } else {
            format!("it calls `{title}` on the device after it changed a shared object")
        };
        // Where the other one runs may be a matter of the plan, which may change.
        self.unwind(Unwound { reason, needs_device: method.descriptor().kind == Kind::Device });
    }

    fn unwind(&self, unwound: Unwound) -> ! {
        self.lock().failure.get_or_insert_with(|| unwound.clone());
        resume_unwind(Box::new(unwound))
    }

    /// The method ended. Its core is free, though threads that carry its context may live on.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        // The engine has withdrawn them: nothing is lost but what they hold.
        let left = std::mem::take(&mut state.within);
        drop(state);
        drop(left);
        self.changed.notify_all();
        *self.lock_seat() = Seat { permit: None, given_up: true };
    }

    /// The attempt is over for the device: whoever waits for an answer need not wait.
    pub(crate) fn let_go(&self, reason: &str) {
        self.lock().let_go.get_or_insert_with(|| Unwound::new(reason));
        self.changed.notify_all();
    }

    /// An answer came.
    pub(crate) fn answer(&self, answer: AnswerFrame) {
        self.lock().answers.insert(answer.sequence, (answer.outcome, answer.onces));
        self.changed.notify_all();
    }

    /// Remembers a place with fields that only the device has.
    pub(crate) fn remember(&self, slot: u16, path: &[u16], place: Place) {
        self.lock().places.push((place, slot, path.to_vec()));
    }

    /// Runs a method on the device and waits for it. Unwinds if that fails.
    pub(crate) fn call_back(&self, method: MethodId, slots: Vec<Outgoing>) -> AnswerImage {
        self.gate();
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let counter = match once::current() {
            Some(Chain::Server(counter)) => Some(counter),
            // The call-back may call what may run only once, which nobody would find again.
            Some(Chain::Task) if registry::has_once() => {
                let reason = "a task that it spawned calls a method on the device".to_owned();
                self.unwind(Unwound { reason, needs_device: true })
            }
            Some(Chain::Task | Chain::Device(_)) | None => None,
        };
        let carried = Sent::new(self.attempt, sequence, slots.iter().map(|slot| slot.image.clone()));
        let onces = counter.as_ref().map(|counter| counter.leave());
        let back = BackFrame { attempt: self.attempt, sequence, method, slots: self.address(slots), onces };
        // The core is free for others while this thread waits.
        let left = self.leave_seat();
        let asked = clock::now();
        // Before it is sent: what the device calls in it may be here before this thread waits.
        self.lock().waited_for.insert(sequence);
        let sent = self.session.call_back(back);
        let (outcome, counted) = match sent.and_then(|()| self.wait(sequence)) {
            Ok((outcome, onces)) => (outcome, Some(onces)),
            Err(reason) => (Err(reason), None),
        };
        self.lock().waited_for.remove(&sequence);
        // What is called from now on may be for another thread.
        self.changed.notify_all();
        if let Some(counter) = counter {
            counter.come_back(counted);
        }
        if left {
            self.take_seat();
        }
        self.lock().called_back += clock::now() - asked;
        self.session.resumed(self.attempt);
        match outcome.and_then(|answer| carried.resolve(answer).map_err(|error| error.to_string())) {
            Ok(answer) => answer,
            Err(reason) => self.fail(reason),
        }
    }

    /// Runs a call that a call-back makes, on the thread that waits for the call-back: one logical thread, as in a local
    /// program. Whether there is one.
    pub(crate) fn run_within(&self, job: Job) -> bool {
        let mut state = self.lock();
        if state.ended {
            return false;
        }
        state.within.push_back(job);
        self.changed.notify_all();
        true
    }

    /// Waits for an answer, or for the attempt to fail, and runs what the call-back calls meanwhile.
    fn wait(&self, sequence: u32) -> Result<Answer, String> {
        let mut state = self.lock();
        loop {
            if let Some(answer) = state.answers.remove(&sequence) {
                return Ok(answer);
            }
            if let Some(failure) = state.failure.as_ref().or(state.let_go.as_ref()) {
                return Err(failure.reason.clone());
            }
            if state.ended {
                return Err("the call has ended, and nobody waits for what its threads do".to_owned());
            }
            // The device serves call-backs one by one, in the order in which they were made: where several threads of a
            // method wait, it is the first one's turn.
            let is_first = state.waited_for.first() == Some(&sequence);
            if is_first && let Some(job) = state.within.pop_front() {
                drop(state);
                job();
                state = self.lock();
                continue;
            }
            state = self.changed.wait(&self.state, state, None);
        }
    }

    /// Frees the core for others, if a thread of this call has not yet.
    fn leave_seat(&self) -> bool {
        self.lock_seat().permit.take().is_some()
    }

    /// Waits for a core.
    fn take_seat(&self) {
        let permit = self.permits.acquire();
        let mut seat = self.lock_seat();
        if !seat.given_up {
            seat.permit = Some(permit);
        }
    }

    /// Turns slots that are places of the outer call into references to them.
    fn address(&self, slots: Vec<Outgoing>) -> Vec<BackSlot> {
        let state = self.lock();
        let address = |Outgoing { image, place, .. }: Outgoing| {
            let known = place.and_then(|place| state.places.iter().find(|(known, ..)| *known == place));
            match known {
                Some((_, slot, path)) if path.is_empty() => {
                    let image = self.carried.tell(usize::from(*slot), &image);
                    BackSlot::Place { slot: *slot, path: Vec::new(), image }
                }
                Some((_, slot, path)) => {
                    BackSlot::Place { slot: *slot, path: path.clone(), image: image.into() }
                }
                None => BackSlot::Copy(self.carried.tell_copy(&image)),
            }
        };
        slots.into_iter().map(address).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_seat(&self) -> MutexGuard<'_, Seat> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
