//! Which calls there are, and when.

use std::time::Duration;

use outboard_core::Timestamp;

use crate::random::Random;

/// The calls of a run, in the order of their times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    calls: Vec<ScriptedCall>,
    threads: Threads,
}

/// A call that the app makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScriptedCall {
    /// When.
    pub at: Timestamp,
    /// The place of the method in the app.
    pub method: usize,
    /// Its work.
    pub work: Option<f64>,
}

/// What a call does that is due while an earlier one is not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// It waits: the app has one thread. What it waits is not counted as its time.
    #[default]
    One,
    /// It runs beside that one. The device's cores are not shared between them, its link is.
    Each,
}

impl Script {
    /// Those calls, whatever their order.
    pub fn new(calls: impl IntoIterator<Item = ScriptedCall>) -> Self {
        let mut calls: Vec<_> = calls.into_iter().collect();
        calls.sort_by_key(|call| call.at);
        Self { calls, threads: Threads::default() }
    }

    /// A call of that method every so often, until then.
    pub fn every(gap: Duration, until: Timestamp, method: usize) -> Self {
        let gap = gap.max(Duration::from_nanos(1));
        let times = std::iter::successors(Some(Timestamp::ZERO + gap), |at| Some(*at + gap));
        Self::new(times.take_while(|at| *at <= until).map(|at| ScriptedCall { at, method, work: None }))
    }

    /// Calls of that method at random times, so many after each other on average, until then: a Poisson process.
    pub fn poisson(seed: u64, gap: Duration, until: Timestamp, method: usize) -> Self {
        let mut random = Random::new(seed);
        let mut at = Timestamp::ZERO;
        let next = || {
            at += random.exponential_time(gap).max(Duration::from_nanos(1));
            (at <= until).then_some(ScriptedCall { at, method, work: None })
        };
        Self::new(std::iter::from_fn(next))
    }

    /// The same calls, and what one does that finds another under way.
    #[must_use]
    pub fn on(mut self, threads: Threads) -> Self {
        self.threads = threads;
        self
    }

    /// The calls.
    pub fn calls(&self) -> &[ScriptedCall] {
        &self.calls
    }

    /// What a call does that finds another under way.
    pub fn threads(&self) -> Threads {
        self.threads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_calls_come_as_often_as_they_should_and_as_irregularly() {
        let (gap, end) = (Duration::from_millis(500), Timestamp::ZERO + Duration::from_secs(5_000));
        let script = Script::poisson(7, gap, end, 0);
        assert_eq!(script, Script::poisson(7, gap, end, 0));
        assert_ne!(script, Script::poisson(8, gap, end, 0));
        let gaps: Vec<f64> =
            script.calls().windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        // Of exponential times, a share of 1/e is longer than their mean.
        let longer = gaps.iter().filter(|gap| **gap > mean).count() as f64 / gaps.len() as f64;
        assert!((longer - 0.368).abs() < 0.02, "{longer}");
    }

    #[test]
    fn calls_come_in_the_order_of_their_times() {
        let at = |seconds| Timestamp::ZERO + Duration::from_secs(seconds);
        let call = |seconds| ScriptedCall { at: at(seconds), method: 0, work: None };
        assert_eq!(Script::new([call(3), call(1)]).calls(), [call(1), call(3)]);
        assert_eq!(Script::every(Duration::from_secs(2), at(5), 0).calls().len(), 2);
    }
}
