//! A stage: where devices and servers of one process run in simulated time.
//!
//! On a stage one thread runs at a time. A thread that waits gives its turn to the next one that has something to do; when
//! none has, time passes to the next thing that is due: a frame that arrives, a timeout of an engine, the end of a
//! wait. What a method's body takes is declared by the [`Scene`], and charged when the body ends. So a run is the same
//! every time, on every machine, and takes no longer than its computation.
//!
//! **The stage owns** turns, the clock and the two ends. **The scene owns** links, costs and energy, and keeps the record.

mod ends;
mod link;
mod run;
mod runs;
mod scene;
mod turns;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use outboard_core::{Problem, ServerIndex, Timestamp};

use crate::mailbox::Mailbox;

use ends::Ends;
pub(crate) use link::StagedLink;
pub use run::{Cast, Performance, ServerRole, StageError, perform};
pub(crate) use runs::{Run, begin, close, explained, landed, open, sized, wants_size};
pub use scene::{Arrival, End, EndedCall, Happening, LinkId, Ran, Scene, Site};
use turns::{Next, Seat, Turns};

/// Where devices and servers of one process run in simulated time.
pub struct Stage {
    start: Instant,
    /// In nanoseconds; only who has the turn changes it.
    now: AtomicU64,
    turns: Turns,
    scene: Mutex<Box<dyn Scene>>,
    ends: Ends,
    /// Waits of async calls that end by themselves.
    alarms: Mutex<BTreeMap<(Timestamp, u64), Weak<Mailbox>>>,
}

/// Where a thread is.
#[derive(Clone)]
struct Place {
    stage: Arc<Stage>,
    seat: Seat,
    site: Site,
}

thread_local! {
    /// Where this thread is on a stage, if it is on one.
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// The stage that this thread is on.
#[inline]
pub(crate) fn current() -> Option<Arc<Stage>> {
    PLACE.try_with(|place| place.borrow().as_ref().map(|place| Arc::clone(&place.stage))).unwrap_or_default()
}

/// Whether this thread is on a stage.
#[inline]
pub(crate) fn is_on() -> bool {
    PLACE.try_with(|place| place.borrow().is_some()).unwrap_or_default()
}

/// Something has changed that threads may wait for.
#[inline]
pub(crate) fn changed() {
    if let Some(stage) = current() {
        stage.turns.changed();
    }
}

/// Lets that much simulated time pass on this thread, where it is on a stage: `false` where it is not.
pub fn spend(time: Duration) -> bool {
    let Some(stage) = current() else { return false };
    stage.spend(time);
    true
}

/// The present of the stage that this thread is on.
pub fn now() -> Option<Timestamp> {
    current().map(|stage| stage.now())
}

/// Polls a future to its end on this thread, with simulated time passing while it waits; `None` on no stage.
pub fn block_on<F: Future>(future: F) -> Option<F::Output> {
    is_on().then(|| crate::poll::park(future, None, None)).flatten()
}

/// At whose site this thread is; the device's where it is on no stage.
fn site() -> Site {
    let place = || PLACE.with_borrow(|place| place.as_ref().map(|place| place.site));
    place().unwrap_or(Site::Device)
}

/// A job for another thread: on the stage of this one, if it is on one.
pub(crate) fn admit(site: Site, job: Box<dyn FnOnce() + Send>) -> Box<dyn FnOnce() + Send> {
    let Some(stage) = current() else { return job };
    let seat = stage.turns.admit();
    let mut admitted = Admitted { stage, seat, came: false };
    Box::new(move || {
        admitted.came = true;
        let _place = Arc::clone(&admitted.stage).take_place(seat, site);
        admitted.stage.turns.await_turn(seat);
        job();
    })
}

/// The seat of a job. Dropped before the job ran, since no thread could be had for it, it is given up.
struct Admitted {
    stage: Arc<Stage>,
    seat: Seat,
    came: bool,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if !self.came {
            self.stage.turns.leave(self.seat);
        }
    }
}

impl Stage {
    fn new(scene: Box<dyn Scene>) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            now: AtomicU64::new(0),
            turns: Turns::default(),
            scene: Mutex::new(scene),
            ends: Ends::default(),
            alarms: Mutex::default(),
        })
    }

    /// What the simulated clock began at, in the system's terms: only differences mean something.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.now.load(Ordering::SeqCst))
    }

    /// The present, in the system's terms.
    pub(crate) fn moment(&self) -> Instant {
        self.start + Duration::from_nanos(self.now.load(Ordering::SeqCst))
    }

    /// Gives the turn to others until something has changed, or until `until`.
    pub(crate) fn pause(self: &Arc<Self>, until: Option<Instant>) {
        let until = until.map(|until| self.timestamp(until));
        let seat = self.seat();
        self.turns.wait(seat, until, false);
        self.pass_on(Some(seat));
    }

    /// Lets that much time pass for this thread, whatever happens meanwhile.
    pub(crate) fn spend(self: &Arc<Self>, time: Duration) {
        if time.is_zero() {
            return;
        }
        let seat = self.seat();
        let until = self.now() + time;
        self.turns.wait(seat, Some(until), true);
        self.pass_on(Some(seat));
    }

    /// Asks or tells the scene something.
    pub(crate) fn with_scene<T>(&self, act: impl FnOnce(&mut dyn Scene, Timestamp) -> T) -> T {
        let now = self.now();
        act(lock(&self.scene).as_mut(), now)
    }

    /// The device wants a connection.
    pub(crate) fn connect(&self, server: ServerIndex) {
        let link = self.ends.next_link();
        self.with_scene(|scene, now| scene.connect(now, server, link));
    }

    /// A problem is to be solved when no engine is in the middle of something.
    pub(crate) fn solve(&self, problem: Problem) {
        self.ends.solve(problem);
    }

    /// The wait of an async call is to end then.
    pub(crate) fn set_alarm(&self, at: Instant, mailbox: &Arc<Mailbox>) {
        let at = self.timestamp(at);
        let mut alarms = lock(&self.alarms);
        let number = alarms.range((at, 0)..=(at, u64::MAX)).next_back().map_or(0, |((_, last), _)| last + 1);
        alarms.insert((at, number), Arc::downgrade(mailbox));
    }

    /// Lets time pass until something is the case, at most so long. Whether it is.
    fn wait_until(self: &Arc<Self>, at_most: Duration, is_so: impl Fn() -> bool) -> bool {
        let until = self.moment() + at_most;
        while !is_so() {
            if self.moment() >= until {
                return false;
            }
            self.pause(Some(until));
        }
        true
    }

    fn timestamp(&self, moment: Instant) -> Timestamp {
        Timestamp::ZERO + moment.saturating_duration_since(self.start)
    }

    fn seat(&self) -> Seat {
        PLACE
            .with_borrow(|place| place.as_ref().map(|place| place.seat))
            .expect("a thread on a stage has a seat")
    }

    /// Gives the turn to whoever comes next, and waits for it to come back; `None` for a thread that leaves.
    fn pass_on(self: &Arc<Self>, me: Option<Seat>) {
        let mut idle = 0u32;
        loop {
            match self.turns.next(me) {
                Next::Me => return,
                Next::Other => {
                    if let Some(me) = me {
                        self.turns.await_turn(me);
                    }
                    return;
                }
                Next::Nobody => {}
            }
            let before = self.now();
            if !self.advance() {
                self.turns.give_up("everybody waits, and nothing is due any more".to_owned());
            }
            idle = if self.now() > before { 0 } else { idle + 1 };
            if idle > STUCK {
                self.turns
                    .give_up(format!("something is due again and again at {before}, and no time passes"));
            }
        }
    }

    /// Lets time pass to the next thing that is due, and does it. Whether there was any.
    fn advance(self: &Arc<Self>) -> bool {
        let scene = self.with_scene(|scene, _| scene.next());
        let alarm = lock(&self.alarms).first_key_value().map(|((at, _), _)| *at);
        let due = scene.into_iter().chain(self.ends.timeout()).chain(self.turns.due()).chain(alarm).min();
        let Some(due) = due.filter(|due| *due < Timestamp::FAR_FUTURE) else { return false };
        let now = due.max(self.now());
        self.now.store(now.as_nanos(), Ordering::SeqCst);
        self.turns.passed(now);
        self.ring(now);
        self.ends.handle_timeouts(now);
        while let Some(happening) = self.with_scene(|scene, now| scene.step(now)) {
            self.ends.happen(self, happening);
        }
        self.ends.run_errands();
        true
    }

    /// Ends the waits whose time has come.
    fn ring(&self, now: Timestamp) {
        while let Some(mailbox) = {
            let mut alarms = lock(&self.alarms);
            alarms.first_entry().filter(|first| first.key().0 <= now).map(|first| first.remove())
        } {
            if let Some(mailbox) = mailbox.upgrade() {
                mailbox.pass_bound();
            }
        }
    }

    /// Puts this thread on the stage, until dropped.
    fn take_place(self: Arc<Self>, seat: Seat, site: Site) -> OnStage {
        let before = PLACE.replace(Some(Place { stage: Arc::clone(&self), seat, site }));
        OnStage { stage: self, seat, before }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something may be due at the same moment so often before it counts as a mistake.
const STUCK: u32 = 1_000_000;

/// Keeps a thread on a stage. Dropped, the thread leaves, and its turn goes to the next one.
struct OnStage {
    stage: Arc<Stage>,
    seat: Seat,
    before: Option<Place>,
}

impl Drop for OnStage {
    fn drop(&mut self) {
        // While it passes the turn on it is still on the stage: what it does then belongs there.
        self.stage.turns.leave(self.seat);
        self.stage.pass_on(None);
        PLACE.set(self.before.take());
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("now", &self.now()).finish_non_exhaustive()
    }
}
