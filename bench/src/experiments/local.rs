//! `local.*`: what an annotated call costs that stays on the device, over the same call without the annotation.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use outboard::{Runtime, remoteable};

use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::report::{Report, Target};

/// Calls, or polls, in a turn of a full run: some hundredths of a second.
const CALLS: usize = 10_000_000;
/// Polls of one future: the making of it does not show.
const POLLS: usize = 1_000;

/// No runtime was started.
pub(crate) struct Idle;

/// A runtime was started, and the call is placed on the device.
pub(crate) struct Profiled;

/// The same for an async method.
pub(crate) struct Async;

impl Experiment for Idle {
    fn name(&self) -> &'static str {
        "local.idle"
    }

    fn about(&self) -> &'static str {
        "an annotated call, no runtime started, over a direct call"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        compare(self.name(), 0.5, effort, report, (direct_calls, annotated_calls))
    }
}

impl Experiment for Profiled {
    fn name(&self) -> &'static str {
        "local.profiled"
    }

    fn about(&self) -> &'static str {
        "an annotated call that is counted and placed on the device, over a direct call"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let _runtime = runtime()?;
        compare(self.name(), 3.0, effort, report, (direct_calls, annotated_calls))
    }
}

impl Experiment for Async {
    fn name(&self) -> &'static str {
        "local.async"
    }

    fn about(&self) -> &'static str {
        "a poll of an annotated async call that is counted and placed on the device, over a poll of a direct one"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let _runtime = runtime()?;
        let futures = |count: usize| 0..count / POLLS;
        let direct = |count| futures(count).for_each(|_| poll_through(direct_wait(POLLS)));
        let annotated = |count| futures(count).for_each(|_| poll_through(annotated_wait(POLLS)));
        compare(self.name(), 10.0, effort, report, (direct, annotated))
    }
}

/// A runtime that owns the process and has no server: everything is counted and stays here.
fn runtime() -> Result<Runtime, Failure> {
    Runtime::builder().without_environment().start().map_err(Failure::of("starting the runtime"))
}

/// Times both, and reports the second one's cost over the first.
fn compare(
    name: &'static str,
    most: f64,
    effort: Effort,
    report: &mut Report,
    (direct, annotated): (impl Fn(usize), impl Fn(usize)),
) -> Result<(), Failure> {
    let count = effort.work(CALLS);
    let each = |work: &dyn Fn(usize)| {
        let start = Instant::now();
        work(count);
        start.elapsed().as_secs_f64() * 1e9 / count as f64
    };
    let mut contenders = [
        Contender::new("direct", || Ok(each(&direct))),
        Contender::new("annotated", || Ok(each(&annotated))),
    ];
    let series = side_by_side(effort, &mut contenders)?;
    for (contender, series) in contenders.iter().zip(&series) {
        report.figure(format!("{name}/{}", contender.name), series.clone(), "ns", None)?;
    }
    report.figure(name, series[1].minus(&series[0]), "ns", Some(Target::AtMost(most)))
}

fn direct_calls(count: usize) {
    for number in 0..count as u64 {
        black_box(direct(black_box(number)));
    }
}

fn annotated_calls(count: usize) {
    for number in 0..count as u64 {
        black_box(annotated(black_box(number)));
    }
}

/// Something that takes a nanosecond.
#[inline(never)]
fn direct(number: u64) -> u64 {
    number.rotate_left(7) ^ 0x9e37_79b9_7f4a_7c15
}

/// The same.
#[remoteable]
#[inline(never)]
fn annotated(number: u64) -> u64 {
    number.rotate_left(7) ^ 0x9e37_79b9_7f4a_7c15
}

/// Is ready at the poll of that number.
async fn direct_wait(polls: usize) -> usize {
    let mut polled = 0;
    std::future::poll_fn(|_| {
        polled += 1;
        if black_box(polled) < polls { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    polled
}

/// The same.
#[remoteable]
async fn annotated_wait(polls: usize) -> usize {
    let mut polled = 0;
    std::future::poll_fn(|_| {
        polled += 1;
        if black_box(polled) < polls { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    polled
}

fn poll_through(future: impl Future<Output = usize>) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    while future.as_mut().poll(&mut context).is_pending() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_computes_the_same_and_is_counted() {
        assert_eq!(annotated(12), direct(12));
        let runtime = runtime().unwrap();
        annotated_calls(100);
        poll_through(annotated_wait(3));
        let report = runtime.report();
        let calls = |name: &str| {
            let method = report.methods.iter().find(|method| method.name.ends_with(name));
            method.map(|method| method.local_calls)
        };
        assert_eq!((calls("::annotated"), calls("::annotated_wait")), (Some(100), Some(1)), "{report}");
    }
}
