//! How long a call waits at a server before it starts.

use std::time::Duration;

use outboard_core::Timestamp;

use crate::math::{exp, ln};
use crate::spread::{Quantity, Spread};

/// The queue of one server, from what its replies say: how busy it is, how long their calls had waited and run.
///
/// A report of the load tells how many calls are ahead of a new one. With `c` cores and `n` calls to finish before one is
/// free for it, it waits for `n` ends at the rate `c / s`, `s` being the mean time that calls run there: a mean of
/// `n·s / c`, and the variance of as many exponential times, `n·(s / c)²` (the waiting time of an M/M/c queue given the
/// number in it; Kleinrock 1975, section 3.4). A report ages: after about the time in which such a queue turns over it says
/// nothing any more, and what calls waited of late takes its place.
#[derive(Clone, Debug, Default)]
pub struct QueueEstimate {
    load: Option<Reported>,
    waited: Option<Waited>,
    /// Mean seconds that a call ran.
    service: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Reported {
    at: Timestamp,
    running: u32,
    queued: u32,
    cores: u32,
}

/// What calls waited, in seconds: the mean and the mean of the squares.
#[derive(Clone, Copy, Debug)]
struct Waited {
    at: Timestamp,
    mean: f64,
    square: f64,
}

/// What one more call counts among the times that calls ran.
const GAIN: f64 = 0.1;
/// What a call waited counts for about so long: servers become busy and idle by the minute.
const REMEMBERED: f64 = 30.0;
/// A queue does not turn over in less.
const TURNOVER: f64 = 0.1;
/// Waiting that nobody notices; a spread has no zero.
const NOTHING: f64 = 1e-6;

impl QueueEstimate {
    /// A server of so many cores said how busy it is.
    pub fn observe_load(&mut self, now: Timestamp, running: u32, queued: u32, cores: u16) {
        self.load = Some(Reported { at: now, running, queued, cores: u32::from(cores.max(1)) });
    }

    /// A call had waited so long there, and run so long.
    pub fn observe_call(&mut self, now: Timestamp, waited: Duration, ran: Duration) {
        let ran = ran.to_number();
        self.service = Some(self.service.map_or(ran, |service| service + GAIN * (ran - service)));
        let wait = waited.to_number();
        let (mean, square) = match self.waited {
            None => (wait, wait * wait),
            Some(before) => {
                // Calls that come close together see the same queue; one after a long time sees another.
                let gain = (1.0 - exp(-now.since(before.at).as_secs_f64() / REMEMBERED)).max(GAIN);
                (
                    before.mean + gain * (wait - before.mean),
                    before.square + gain * (wait * wait - before.square),
                )
            }
        };
        self.waited = Some(Waited { at: now, mean, square });
    }

    /// The server is another one, or was started again.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// How long a call that comes now waits. `ran` is what calls run for where none has come back yet.
    pub fn queueing(&self, now: Timestamp, ran: Duration) -> Spread<Duration> {
        let service = self.service.unwrap_or_else(|| ran.to_number());
        let (mut mean, mut square) = self.waited.map_or((0.0, 0.0), |waited| (waited.mean, waited.square));
        if let Some(load) = self.load {
            let one = service / f64::from(load.cores);
            let ahead = f64::from(load.ahead());
            let trust = load.trust(now, service);
            let (reported, variance) = (ahead * one, ahead * one * one);
            mean = trust * reported + (1.0 - trust) * mean;
            square = trust * (variance + reported * reported) + (1.0 - trust) * square;
        }
        if mean <= NOTHING {
            return Spread::around(Duration::from_number(NOTHING), 0.0);
        }
        // Log-normal with these moments.
        let variance = ln((square / (mean * mean)).max(1.0)).min(WIDEST);
        Spread::from_log(ln(mean) - variance / 2.0, variance)
    }

    /// How many calls are ahead of a new one, per core, as far as the last report still holds.
    pub fn ahead(&self, now: Timestamp) -> f64 {
        self.load.map_or(0.0, |load| {
            let trust = load.trust(now, self.service.unwrap_or(1.0));
            trust * f64::from(load.ahead()) / f64::from(load.cores)
        })
    }
}

/// Waiting at all is rare on most servers: the variance of the logarithm then, at most.
const WIDEST: f64 = 4.0;

impl Reported {
    /// How many calls have to end before a core is free for another one.
    fn ahead(self) -> u32 {
        let waiting = self.running.saturating_add(self.queued).saturating_add(1);
        waiting.saturating_sub(self.cores)
    }

    /// How much of the report still holds: it fades with the time in which the queue turns over.
    fn trust(self, now: Timestamp, service: f64) -> f64 {
        let turnover = service * (1.0 + f64::from(self.ahead()) / f64::from(self.cores));
        exp(-now.since(self.at).as_secs_f64() / turnover.max(TURNOVER))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spread::Quantile;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(millis)
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_free_core_takes_a_call_at_once() {
        let mut queue = QueueEstimate::default();
        queue.observe_call(at(0), Duration::ZERO, millis(100));
        queue.observe_load(at(0), 3, 0, 4);
        assert!(queue.queueing(at(0), SECOND).at(Quantile::P95) < Duration::from_micros(10));
        assert!(queue.ahead(at(0)) < 1e-9);
    }

    #[test]
    fn calls_ahead_are_waited_for_by_what_calls_run_there() {
        let mut queue = QueueEstimate::default();
        queue.observe_call(at(0), Duration::ZERO, millis(100));
        queue.observe_load(at(0), 4, 7, 4);
        // Eight ends at forty a second.
        let wait = queue.queueing(at(0), SECOND);
        assert!((170..210).contains(&wait.median().as_millis()), "{wait:?}");
        assert!(wait.at(Quantile::P95) > millis(280) && wait.at(Quantile::P95) < millis(400), "{wait:?}");
        assert!((queue.ahead(at(0)) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_report_fades_and_what_calls_waited_remains() {
        let mut queue = QueueEstimate::default();
        for second in 0..60 {
            queue.observe_call(at(second * 1_000), millis(50), millis(100));
        }
        queue.observe_load(at(60_000), 2, 39, 2);
        let (fresh, stale) = (queue.queueing(at(60_000), SECOND), queue.queueing(at(90_000), SECOND));
        assert!(fresh.median() > millis(1_800), "{fresh:?}");
        assert!(stale.median() < millis(60) && stale.median() > millis(40), "{stale:?}");
    }

    #[test]
    fn before_any_call_came_back_they_are_taken_to_run_as_this_one() {
        let mut queue = QueueEstimate::default();
        queue.observe_load(at(0), 1, 0, 1);
        let wait = queue.queueing(at(0), millis(500));
        assert!(wait.median() > millis(300) && wait.median() < millis(500), "{wait:?}");
    }

    #[test]
    fn waits_that_are_rare_are_uncertain() {
        let mut queue = QueueEstimate::default();
        for call in 0..100u64 {
            let waited = if call % 10 == 0 { millis(200) } else { Duration::ZERO };
            queue.observe_call(at(call * 1_000), waited, millis(100));
        }
        let wait = queue.queueing(at(100_000), SECOND);
        assert!(wait.deviation() > 1.0 && wait.at(Quantile::P95) > millis(30), "{wait:?}");
    }

    proptest! {
        /// Whatever a server claims, the wait stays a time.
        #[test]
        fn any_reports_leave_a_sound_wait(
            reports in proptest::collection::vec((any::<u64>(), any::<u32>(), any::<u32>(), any::<u16>(), any::<u64>()), 0..30),
            now in any::<u64>(),
            ran in any::<u64>(),
        ) {
            let mut queue = QueueEstimate::default();
            for (at, running, queued, cores, time) in reports {
                let at = Timestamp::from_nanos(at);
                queue.observe_load(at, running, queued, cores);
                queue.observe_call(at, Duration::from_nanos(time), Duration::from_nanos(time / 3));
            }
            let wait = queue.queueing(Timestamp::from_nanos(now), Duration::from_nanos(ran));
            prop_assert!(wait.deviation().is_finite());
            prop_assert!(wait.at(Quantile::P95) >= wait.median());
            prop_assert!(queue.ahead(Timestamp::from_nanos(now)).is_finite());
        }
    }
}
