//! Calls on a stage: what each costs, and what becomes of it.

use std::cell::{Cell, RefCell};

use outboard_core::{ByteCount, ServerIndex, Timestamp};

use super::scene::{EndedCall, Ran, Site};
use crate::attempt::{Go, Plan};
use crate::context;
use crate::method::Method;

/// A call on a stage, from the question where it goes to its end.
#[derive(Debug)]
pub(crate) struct Run {
    method: &'static Method,
    work: Option<f64>,
    depth: usize,
    began: Timestamp,
    why: String,
    in_vain: bool,
    /// The size of its slots, where it is known though they were not sent, and of those that come back.
    size: Option<(ByteCount, ByteCount)>,
    /// It runs beside an attempt.
    hedge: bool,
    /// It is among the open calls of its thread.
    nested: bool,
}

thread_local! {
    /// How many calls are open on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// The server whose reply was committed last on this thread, and what was sent for it.
    static LANDED: Cell<Option<(ServerIndex, ByteCount)>> = const { Cell::new(None) };
    /// Why the call that was decided on last runs where it does.
    static WHY: RefCell<String> = const { RefCell::new(String::new()) };
    /// The size of the slots that were encoded last on this thread, only to know it, and of those that come back.
    static SIZED: Cell<Option<(ByteCount, ByteCount)>> = const { Cell::new(None) };
    /// Calls of this thread that are not async, innermost last.
    static OPEN: RefCell<Vec<Run>> = const { RefCell::new(Vec::new()) };
}

/// A call begins, if this thread is on a stage.
pub(crate) fn begin(method: &'static Method, work: Option<f64>) -> Option<Run> {
    let stage = super::current().filter(|_| !context::is_in_engine())?;
    let depth = DEPTH.get();
    DEPTH.set(depth + 1);
    let hedge = context::hedging().is_some();
    if depth == 0 && !hedge && super::site() == Site::Device {
        stage.with_scene(|scene, now| scene.began(now));
    }
    let began = stage.now();
    Some(Run {
        method,
        work,
        depth,
        began,
        why: String::new(),
        in_vain: false,
        size: None,
        hedge,
        nested: true,
    })
}

/// A reply was committed, of a server to which so much was sent.
pub(crate) fn landed(server: ServerIndex, sent: ByteCount) {
    if super::is_on() {
        LANDED.set(Some((server, sent)));
    }
}

/// Where a call runs was decided, for that reason. Not asked where nobody wants to know.
pub(crate) fn explained(why: impl FnOnce() -> String) {
    if super::is_on() {
        WHY.set(why());
    }
}

/// Whether the scene wants to know how large the slots of the call are that just began: of the app's own calls.
pub(crate) fn wants_size() -> bool {
    super::is_on() && DEPTH.get() == 1 && super::site() == Site::Device && context::hedging().is_none()
}

/// Slots were encoded to know their size; `returning` is the part of those that come back.
pub(crate) fn sized(size: ByteCount, returning: ByteCount) {
    if super::is_on() {
        SIZED.set(Some((size, returning)));
    }
}

/// Keeps a call until [`close`].
pub(crate) fn open(run: Run) {
    OPEN.with_borrow_mut(|open| open.push(run));
}

/// Ends the call that was kept last: it ran here.
#[cold]
pub(crate) fn close() {
    if let Some(run) = OPEN.with_borrow_mut(Vec::pop) {
        run.ran_here();
    }
}

/// Keeps calls within that of a future, until dropped.
pub(crate) struct Within {
    before: usize,
}

impl Drop for Within {
    fn drop(&mut self) {
        DEPTH.set(self.before);
    }
}

impl Run {
    /// Of an async call: it is not the innermost of its thread, but while its future is polled.
    pub(crate) fn detached(mut self) -> Self {
        DEPTH.set(self.depth);
        self.nested = false;
        self
    }

    /// Its future is polled.
    pub(crate) fn enter(&self) -> Within {
        Within { before: DEPTH.replace(self.depth + 1) }
    }

    /// Where it goes was decided.
    pub(crate) fn decided(&mut self, go: &Go) {
        self.why = WHY.take();
        self.in_vain = matches!(go, Go::There(Plan::Server(..)));
    }

    /// What was tried elsewhere is over, and it runs here.
    pub(crate) fn stays(mut self) -> Self {
        self.size = SIZED.take();
        self
    }

    /// Its body ran on this thread: that takes the time that the scene says.
    pub(crate) fn ran_here(self) {
        let Some(stage) = super::current() else { return };
        let (site, work) = (super::site(), self.work);
        let ran = Ran { method: self.method, work, site, hedge: self.hedge };
        let time = stage.with_scene(|scene, now| scene.ran(now, ran));
        stage.spend(time);
        self.end(None);
    }

    /// A server ran it.
    pub(crate) fn ran_there(mut self) {
        let landed = LANDED.take();
        // Without a server's reply it was the run beside the attempt that was done first.
        self.in_vain &= landed.is_none();
        self.end(landed);
    }

    fn end(mut self, landed: Option<(ServerIndex, ByteCount)>) {
        let Some(stage) = super::current().filter(|_| super::site() == Site::Device) else { return };
        let call = EndedCall {
            method: self.method,
            work: self.work,
            depth: self.depth,
            began: self.began,
            server: landed.map(|(server, _)| server),
            in_vain: self.in_vain,
            hedge: self.hedge,
            why: std::mem::take(&mut self.why),
            size: self.size,
            sent: landed.map_or(ByteCount::ZERO, |(_, sent)| sent),
        };
        stage.with_scene(|scene, now| scene.ended(now, call));
    }
}

impl Drop for Run {
    /// Its end, or that of a call that unwinds.
    fn drop(&mut self) {
        if self.nested {
            DEPTH.set(self.depth);
        }
    }
}
