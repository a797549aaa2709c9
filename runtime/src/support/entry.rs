//! The first thing an annotated call does: stay here, or try elsewhere.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::codec::Codec;
use super::outcome::Fallible;
use super::slots::Slots;
use crate::attempt;
use crate::attempt::{Ended, Go, Plan};
use crate::device::Rerun;
use crate::method::Method;
use crate::once::{self, Chain};
use crate::stack::{self, EdgeNumber, Polls};
use crate::stage::{self, Run};

/// Where a call goes.
#[derive(Debug)]
pub enum Entry {
    /// Here.
    Local(Frame),
    /// Elsewhere, first.
    Remote(Attempt),
}

/// A call that runs here, for as long as it does. One word, so that it stays in a register: which counters it has on the
/// call stack, and flags.
#[derive(Debug)]
pub struct Frame(u32);

impl Frame {
    /// The low half is an edge number, and the call is on the stack.
    const ON_STACK: u32 = 1 << 16;
    /// The method's `fallback` is to stand in.
    const WANTS_FALLBACK: u32 = 1 << 17;
    /// What its outcome says about an attempt that failed before is to be told.
    const RERUN: u32 = 1 << 18;
    /// On a stage: what its body takes is charged at its end.
    const STAGED: u32 = 1 << 19;

    /// A call that nobody watches.
    #[inline]
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Whether the method's `fallback` is to stand in.
    #[inline]
    #[must_use]
    pub const fn wants_fallback(&self) -> bool {
        self.0 & Self::WANTS_FALLBACK != 0
    }

    #[inline]
    fn counted(method: &'static Method, work: impl FnOnce() -> Option<f64>) -> Self {
        Self(u32::from(stack::push(method.raw_index(), work).as_u16()) | Self::ON_STACK)
    }

    /// As the end of an attempt leaves it.
    fn after(method: &'static Method, work: Option<f64>, ended: Ended) -> Self {
        let mut frame = match ended.wants_fallback {
            true => Self(Self::WANTS_FALLBACK),
            false => Self::counted(method, || work),
        };
        let rerun = ended.rerun.filter(|_| !ended.wants_fallback);
        if rerun.is_some() || ended.chain.is_some() {
            let chain = ended.chain.map(once::enter);
            // In the destructors of a thread's locals this one may be gone; then the rerun ends here and now.
            if RERUNS.try_with(|reruns| reruns.borrow_mut().push((rerun, chain))).is_ok() {
                frame.0 |= Self::RERUN;
            }
        }
        frame
    }

    /// On a stage, if its call is on one.
    fn staged(mut self, run: Option<Run>) -> Self {
        if let Some(run) = run {
            stage::open(run);
            self.0 |= Self::STAGED;
        }
        self
    }

    #[cold]
    fn end_rerun(&self) {
        // Taken out first: telling how it went may run code that looks here again.
        let Some((rerun, chain)) = RERUNS.with_borrow_mut(Vec::pop) else { return };
        drop(chain);
        if let Some(rerun) = rerun {
            rerun.ended();
        }
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        if self.0 & Self::STAGED != 0 {
            stage::close();
        }
        if self.0 & Self::ON_STACK != 0 {
            stack::pop(EdgeNumber::from_u16(self.0 as u16));
        }
        if self.0 & Self::RERUN != 0 {
            self.end_rerun();
        }
    }
}

thread_local! {
    /// The runs on this thread's stack that follow an attempt, innermost last: what is to be told of them, and the chain
    /// that they are in.
    static RERUNS: RefCell<Vec<(Option<Rerun>, Option<once::Entered>)>> = const { RefCell::new(Vec::new()) };
}

/// A call that goes elsewhere first. Boxed, so that calls that stay here do not make room for it.
#[derive(Debug)]
pub struct Attempt(Box<Departure>);

#[derive(Debug)]
struct Departure {
    method: &'static Method,
    work: Option<f64>,
    plan: Plan,
    run: Option<Run>,
}

/// Asks where a call goes.
#[inline]
pub fn enter(method: &'static Method) -> Entry {
    if method.is_local() {
        return Entry::Local(Frame::counted(method, || None));
    }
    consult(method, None)
}

/// Asks where a call with a size hint goes.
#[inline]
pub fn enter_with_work(method: &'static Method, work: impl FnOnce() -> f64) -> Entry {
    if method.is_local() {
        return Entry::Local(Frame::counted(method, || Some(work())));
    }
    consult(method, Some(work()))
}

#[inline(never)]
fn consult(method: &'static Method, work: Option<f64>) -> Entry {
    let (go, run) = decide(method, work);
    match go {
        Go::Bare => Entry::Local(Frame::none().staged(run)),
        Go::Here { wants_fallback: true } => Entry::Local(Frame(Frame::WANTS_FALLBACK).staged(run)),
        Go::Here { wants_fallback: false } => Entry::Local(Frame::counted(method, || work).staged(run)),
        Go::There(plan) => Entry::Remote(Attempt(Box::new(Departure { method, work, plan, run }))),
    }
}

/// Decides where a call goes; on a stage, what becomes of it is followed from here on.
fn decide(method: &'static Method, work: Option<f64>) -> (Go, Option<Run>) {
    let mut run = stage::begin(method, work);
    let go = attempt::plan(method, work);
    if let Some(run) = &mut run {
        run.decided(&go);
    }
    (go, run)
}

/// A call came back: what ran it, and what follows it here.
fn back<T, F>(
    ran: Result<T, Ended>,
    run: Option<Run>,
    after: impl FnOnce(Ended, Option<Run>) -> F,
) -> Result<T, F> {
    match ran {
        Ok(result) => {
            run.into_iter().for_each(Run::ran_there);
            Ok(result)
        }
        Err(ended) => Err(after(ended, run.map(Run::stays))),
    }
}

impl Attempt {
    /// Tries it.
    ///
    /// # Errors
    /// The frame of the call that runs here instead.
    pub fn run<S: Slots, C: Codec>(self, mut slots: S, codec: C) -> Result<C::Owned, Frame> {
        let Departure { method, work, plan, run } = *self.0;
        let ran = attempt::run(method, plan, &mut slots, codec);
        back(ran, run, |ended, run| Frame::after(method, work, ended).staged(run))
    }

    /// Tries a call whose result can say that it failed to run.
    ///
    /// # Errors
    /// The frame of the call that runs here instead.
    pub fn run_fallible<S: Slots, C: Codec>(self, mut slots: S, codec: C) -> Result<C::Owned, Frame>
    where
        C::Owned: Fallible,
    {
        let Departure { method, work, plan, run } = *self.0;
        let ran = match attempt::run(method, plan, &mut slots, codec) {
            Err(Ended { error: Some(error), .. }) => Ok(C::Owned::from_call_error(error)),
            ran => ran,
        };
        back(ran, run, |ended, run| Frame::after(method, work, ended).staged(run))
    }
}

/// Where an async call goes.
#[derive(Debug)]
pub enum AsyncEntry {
    /// Here.
    Local(AsyncFrame),
    /// Elsewhere, first.
    Remote(AsyncAttempt),
}

/// An async call that runs here.
#[derive(Debug)]
pub struct AsyncFrame {
    method: Option<&'static Method>,
    work: Option<f64>,
    rerun: Option<Rerun>,
    wants_fallback: bool,
    /// The chain that it is in, where that is another one than its caller's.
    chain: Option<Option<Chain>>,
    /// On a stage.
    run: Option<Box<Run>>,
}

/// An async call that goes elsewhere first.
#[derive(Debug)]
pub struct AsyncAttempt(Box<Departure>);

/// Asks where an async call goes.
#[inline]
pub fn enter_async(method: &'static Method) -> AsyncEntry {
    if method.is_local() {
        return AsyncEntry::Local(AsyncFrame { method: Some(method), ..AsyncFrame::none() });
    }
    consult_async(method, None)
}

/// Asks where an async call with a size hint goes.
#[inline]
pub fn enter_async_with_work(method: &'static Method, work: impl FnOnce() -> f64) -> AsyncEntry {
    let work = Some(work());
    if method.is_local() {
        return AsyncEntry::Local(AsyncFrame { method: Some(method), work, ..AsyncFrame::none() });
    }
    consult_async(method, work)
}

#[inline(never)]
fn consult_async(method: &'static Method, work: Option<f64>) -> AsyncEntry {
    let (go, run) = decide(method, work);
    let run = run.map(Run::detached);
    match go {
        Go::Bare => AsyncEntry::Local(AsyncFrame::none().staged(run)),
        Go::Here { wants_fallback } => {
            let frame = AsyncFrame { method: Some(method), work, wants_fallback, ..AsyncFrame::none() };
            AsyncEntry::Local(frame.staged(run))
        }
        Go::There(plan) => AsyncEntry::Remote(AsyncAttempt(Box::new(Departure { method, work, plan, run }))),
    }
}

impl AsyncFrame {
    /// A call that nobody watches.
    #[must_use]
    pub const fn none() -> Self {
        Self { method: None, work: None, rerun: None, wants_fallback: false, chain: None, run: None }
    }

    /// Whether the method's `fallback` is to stand in.
    #[must_use]
    pub const fn wants_fallback(&self) -> bool {
        self.wants_fallback
    }

    fn after(method: &'static Method, work: Option<f64>, ended: Ended) -> Self {
        let Ended { rerun, wants_fallback, chain, .. } = ended;
        Self { method: Some(method), work, rerun, wants_fallback, chain, run: None }
    }

    /// On a stage, if its call is on one.
    fn staged(self, run: Option<Run>) -> Self {
        Self { run: run.map(Box::new), ..self }
    }

    /// Runs the method's body. The call is on the stack of whichever thread polls it, while it does.
    pub async fn scope<R, F: Future<Output = R>>(self, body: F) -> R {
        let rerun = RerunOf(self.rerun);
        let method = self.method.filter(|_| !self.wants_fallback);
        let result = if method.is_none() && self.chain.is_none() && self.run.is_none() {
            body.await
        } else {
            let polls = method.map(|method| Polls::new(method.raw_index(), self.work));
            Scope { polls, chain: self.chain, run: self.run, body: std::pin::pin!(body) }.await
        };
        rerun.ended();
        result
    }
}

/// The run of an async call that follows a failed attempt, if it is one. A panic ends it too, a dropped future does not.
struct RerunOf(Option<Rerun>);

impl RerunOf {
    fn ended(mut self) {
        if let Some(rerun) = self.0.take() {
            rerun.ended();
        }
    }
}

impl Drop for RerunOf {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(rerun) = self.0.take()
        {
            rerun.ended();
        }
    }
}

/// A future whose method is on the stack while it is polled.
struct Scope<'a, F> {
    polls: Option<Polls>,
    chain: Option<Option<Chain>>,
    run: Option<Box<Run>>,
    body: Pin<&'a mut F>,
}

impl<F: Future> Future for Scope<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let scope = &mut *self;
        let _chain = scope.chain.clone().map(once::enter);
        let on_stack = scope.polls.as_mut().map(Polls::poll);
        let within = scope.run.as_ref().map(|run| run.enter());
        let polled = scope.body.as_mut().poll(context);
        drop(within);
        if polled.is_ready()
            && let Some(run) = scope.run.take()
        {
            run.ran_here();
        }
        drop(on_stack);
        if polled.is_ready()
            && let Some(polls) = scope.polls.take()
        {
            polls.finish();
        }
        polled
    }
}

impl AsyncAttempt {
    /// Tries it.
    ///
    /// # Errors
    /// The frame of the call that runs here instead.
    pub async fn run<S: Slots, C: Codec>(self, mut slots: S, codec: C) -> Result<C::Owned, AsyncFrame> {
        let Departure { method, work, plan, run } = *self.0;
        let ran = attempt::run_async(method, plan, &mut slots, codec).await;
        back(ran, run, |ended, run| AsyncFrame::after(method, work, ended).staged(run))
    }

    /// Tries a call whose result can say that it failed to run.
    ///
    /// # Errors
    /// The frame of the call that runs here instead.
    pub async fn run_fallible<S: Slots, C: Codec>(
        self,
        mut slots: S,
        codec: C,
    ) -> Result<C::Owned, AsyncFrame>
    where
        C::Owned: Fallible,
    {
        let Departure { method, work, plan, run } = *self.0;
        let ran = match attempt::run_async(method, plan, &mut slots, codec).await {
            Err(Ended { error: Some(error), .. }) => Ok(C::Owned::from_call_error(error)),
            ran => ran,
        };
        back(ran, run, |ended, run| AsyncFrame::after(method, work, ended).staged(run))
    }
}

/// A number that can say how much work a call is.
#[diagnostic::on_unimplemented(
    message = "`work` is `{Self}`, and has to be a number",
    label = "write an expression that is an integer or a float"
)]
pub trait Work {
    /// As a float.
    fn to_f64(self) -> f64;
}

macro_rules! work {
    ($($number:ty)*) => {
        $(impl Work for $number {
            fn to_f64(self) -> f64 {
                self as f64
            }
        })*
    };
}

work!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

/// A size hint as a number.
pub fn work<W: Work>(work: W) -> f64 {
    work.to_f64()
}
