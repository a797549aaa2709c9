//! What is known of one method.

use std::time::Duration;

use outboard_core::{BodyHash, ByteCount, MethodIndex};

use crate::math::ln;
use crate::predictor::{Calibration, Predictor, Prior, Summary, Trust};
use crate::snapshot::MethodSnapshot;
use crate::spread::{Quantity, Spread};

/// Runs of a method on the device, by one caller, since the last such report; one run or a thread's batch of them.
///
/// Calls are counted exactly; only `timed` of them were timed, which keeps the clock off the fast path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalCalls {
    /// The method.
    pub method: MethodIndex,
    /// Who called it; `None` for code that is not annotated.
    pub caller: Option<MethodIndex>,
    /// How many runs.
    pub calls: u64,
    /// How many of them were timed.
    pub timed: u64,
    /// Time of the timed runs, the annotated methods they called included.
    pub inclusive: Duration,
    /// Time of the timed runs without the annotated methods they called.
    pub exclusive: Duration,
    /// CPU time of the timed runs where it was taken.
    pub cpu: Option<Duration>,
    /// The method's `work`, of a report of one run.
    pub work: Option<f64>,
    /// Whether a run called a method that ran remotely: then its inclusive time is not that of a local run, which is put
    /// together from its parts instead.
    pub offloaded_within: bool,
}

/// A call that was answered by a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemoteCall {
    /// The method.
    pub method: MethodIndex,
    /// Who called it.
    pub caller: Option<MethodIndex>,
    /// Its `work`.
    pub work: Option<f64>,
    /// Bytes to the server.
    pub up: ByteCount,
    /// Bytes from it.
    pub down: ByteCount,
    /// From the decision to the committed reply.
    pub elapsed: Duration,
    /// Time that the server had it before it began: for a core, above all.
    pub queued: Duration,
    /// Time on the server, without waiting for a core and for call-backs.
    pub ran: Duration,
    /// How many times faster than the device the server is believed to be.
    pub speed_ratio: f64,
}

/// The history of one method, and what it predicts.
#[derive(Clone, Debug)]
pub struct MethodStatistics {
    name: String,
    local_calls: u64,
    remote_calls: u64,
    /// Runs of earlier times, scaled to weigh little: here, and on servers.
    kept_calls: (f64, f64),
    local_time: Duration,
    own_time: Duration,
    lately: Lately,
    remote_time: Duration,
    server_time: Duration,
    queued_time: Duration,
    sent: ByteCount,
    received: ByteCount,
    inclusive: Predictor<Duration>,
    exclusive: Predictor<Duration>,
    cpu: Predictor<Duration>,
    /// Server time × speed ratio: what the run would take on a server as fast as the device. Kept like this it is
    /// the same figure for every server, and its prior is the local time.
    server: Predictor<Duration>,
    queued: Predictor<Duration>,
    elapsed: Predictor<Duration>,
    up: Predictor<ByteCount>,
    down: Predictor<ByteCount>,
    /// What comes back at least, by what was sent of the slots that come back.
    returning: Option<ByteCount>,
}

/// Mean times of the runs that were timed lately, for those that were not.
#[derive(Clone, Copy, Debug, Default)]
struct Lately {
    timed: u32,
    inclusive: Duration,
    exclusive: Duration,
}

/// The speed ratio comes from a loop that is not this method: memory, caches and vector units make up the rest.
const SPEED_RATIO_DEVIATION: f64 = 0.35;

/// So many runs on servers say something about runs here, where those are only known from another time.
const TELLING: u64 = 3;
/// If they are further off than so many standard deviations.
const CONTRADICTION: f64 = 3.0;

/// Waiting for a core has nothing to do with the work of the call that waits, and is now long, now short.
const WAITING: Prior = Prior { slope: 0.0, deviation: 1.0 };

/// A shorter wait is none: thread and queue take about that long.
const NO_WAIT: Duration = Duration::from_micros(1);

/// A result nobody has seen yet.
const SMALL_RESULT: ByteCount = ByteCount::from_bytes(1_000);

impl MethodStatistics {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            local_calls: 0,
            remote_calls: 0,
            kept_calls: (0.0, 0.0),
            local_time: Duration::ZERO,
            own_time: Duration::ZERO,
            lately: Lately::default(),
            remote_time: Duration::ZERO,
            server_time: Duration::ZERO,
            queued_time: Duration::ZERO,
            sent: ByteCount::ZERO,
            received: ByteCount::ZERO,
            inclusive: Predictor::new(Prior::TIME),
            exclusive: Predictor::new(Prior::TIME),
            cpu: Predictor::new(Prior::TIME),
            server: Predictor::new(Prior::TIME),
            queued: Predictor::new(WAITING),
            elapsed: Predictor::new(Prior::TIME),
            up: Predictor::new(Prior::SIZE),
            down: Predictor::new(Prior::SIZE),
            returning: None,
        }
    }

    /// `rebuilt` stands in for the inclusive time of a run that was not local all the way down.
    pub(crate) fn observe_local(&mut self, sample: &LocalCalls, rebuilt: Option<Duration>) {
        self.local_calls = self.local_calls.saturating_add(sample.calls);
        let Some(exclusive) = mean(sample.exclusive, sample.timed) else {
            // They took what their timed neighbours took.
            self.own_time = self.own_time.saturating_add(times(self.lately.exclusive, sample.calls));
            self.local_time = self.local_time.saturating_add(times(self.lately.inclusive, sample.calls));
            return;
        };
        let inclusive = mean(sample.inclusive, sample.timed).unwrap_or(exclusive);
        self.lately.learn(inclusive, exclusive);
        self.exclusive.observe(exclusive, sample.work);
        self.own_time = self.own_time.saturating_add(times(exclusive, sample.calls));
        self.local_time = self.local_time.saturating_add(times(inclusive, sample.calls));
        let whole = if sample.offloaded_within { rebuilt } else { Some(inclusive) };
        if let Some(whole) = whole {
            self.inclusive.observe(whole, sample.work);
        }
        if let Some(cpu) = sample.cpu.and_then(|cpu| mean(cpu, sample.timed)) {
            self.cpu.observe(cpu, sample.work);
        }
    }

    pub(crate) fn observe_remote(&mut self, call: &RemoteCall) {
        self.remote_calls = self.remote_calls.saturating_add(1);
        self.remote_time = self.remote_time.saturating_add(call.elapsed);
        self.sent += call.up;
        self.received += call.down;
        self.server_time = self.server_time.saturating_add(call.ran);
        self.queued_time = self.queued_time.saturating_add(call.queued);
        self.queued.observe(call.queued.max(NO_WAIT), None);
        self.elapsed.observe(call.elapsed, call.work);
        self.server.observe(scale(call.ran, call.speed_ratio), call.work);
        self.down.observe(call.down, call.work);
    }

    /// The size of a call's slots once they were encoded, whether or not they were sent.
    pub(crate) fn observe_encoded(&mut self, up: ByteCount, work: Option<f64>) {
        self.up.observe(up, work);
    }

    /// The size of a call's slots, encoded only to know it; `returning` is the part of those that come back.
    pub(crate) fn observe_size(&mut self, up: ByteCount, returning: ByteCount, work: Option<f64>) {
        self.up.observe(up, work);
        self.returning = Some(returning);
    }

    /// Takes over what was learned at another time; what was learned in this run stays. Of its calls only that share
    /// counts.
    pub(crate) fn restore(&mut self, kept: &MethodSnapshot, trust: Trust, share: f64) {
        fn put<T: Quantity>(to: &mut Predictor<T>, prior: Prior, kept: Option<&Summary<T>>, trust: Trust) {
            if let Some(kept) = kept.filter(|_| to.summary().is_none()) {
                *to = Predictor::restore(prior, kept, trust);
            }
        }
        put(&mut self.inclusive, Prior::TIME, kept.local.as_ref(), trust);
        put(&mut self.exclusive, Prior::TIME, kept.own.as_ref(), trust);
        put(&mut self.cpu, Prior::TIME, kept.cpu.as_ref(), trust);
        put(&mut self.server, Prior::TIME, kept.server.as_ref(), trust);
        put(&mut self.up, Prior::SIZE, kept.up.as_ref(), trust);
        put(&mut self.down, Prior::SIZE, kept.down.as_ref(), trust);
        self.kept_calls = (kept.local_calls as f64 * share, kept.remote_calls as f64 * share);
    }

    /// What was learned in this run; `None` if it never ran.
    pub(crate) fn snapshot(&self, body: BodyHash) -> Option<MethodSnapshot> {
        (self.local_calls + self.remote_calls > 0).then(|| MethodSnapshot {
            local_calls: self.local_calls,
            remote_calls: self.remote_calls,
            local: self.inclusive.summary(),
            own: self.exclusive.summary(),
            cpu: self.cpu.summary(),
            server: self.server.summary(),
            up: self.up.summary(),
            down: self.down.summary(),
            ..MethodSnapshot::new(self.name.clone(), body)
        })
    }

    /// Runs here, those of earlier times included as far as they count.
    pub(crate) fn local_weight(&self) -> f64 {
        self.local_calls as f64 + self.kept_calls.0
    }

    /// All runs, those of earlier times included as far as they count.
    pub(crate) fn weight(&self) -> f64 {
        self.local_weight() + self.remote_calls as f64 + self.kept_calls.1
    }

    /// Whether the size of its slots was never seen.
    pub fn size_is_unknown(&self) -> bool {
        self.up.samples() == 0
    }

    /// The method's name, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs on the device.
    pub fn local_calls(&self) -> u64 {
        self.local_calls
    }

    /// Runs on a server, their replies committed.
    pub fn remote_calls(&self) -> u64 {
        self.remote_calls
    }

    /// Time of all runs on the device; those that were not timed count as their timed neighbours.
    pub fn local_time(&self) -> Duration {
        self.local_time
    }

    /// Time of all runs on the device without the annotated methods they called: these times add up.
    pub fn own_time(&self) -> Duration {
        self.own_time
    }

    /// Time of all remote runs as the caller saw it.
    pub fn remote_time(&self) -> Duration {
        self.remote_time
    }

    /// Time of all remote runs on their servers, without waiting for a core.
    pub fn server_time(&self) -> Duration {
        self.server_time
    }

    /// Time of all remote runs that they waited for a core of their server.
    pub fn queued_time(&self) -> Duration {
        self.queued_time
    }

    /// Bytes to servers, of all remote runs.
    pub fn sent(&self) -> ByteCount {
        self.sent
    }

    /// Bytes from servers, of all remote runs.
    pub fn received(&self) -> ByteCount {
        self.received
    }

    /// The next run on the device, with what it calls; `None` if it never ran there.
    ///
    /// What is only known from another time is not believed against what servers show now: the method may have changed,
    /// and would never run here to tell.
    pub fn local(&self, work: Option<f64>) -> Option<Spread<Duration>> {
        let local = self.inclusive.predict(work)?;
        if self.inclusive.is_from_elsewhere() && self.server.own_samples() >= TELLING {
            let shown = self.server.predict(work)?.widened(SPEED_RATIO_DEVIATION);
            let ratio = shown.median().to_number().max(1e-9) / local.median().to_number().max(1e-9);
            let deviation = local.widened(shown.deviation()).deviation();
            if ln(ratio).abs() > CONTRADICTION * deviation {
                return Some(shown);
            }
        }
        Some(local)
    }

    /// The next run on the device, without what it calls.
    pub fn exclusive(&self, work: Option<f64>) -> Option<Spread<Duration>> {
        self.exclusive.predict(work)
    }

    /// CPU time of the next run on the device.
    pub fn cpu(&self, work: Option<f64>) -> Option<Spread<Duration>> {
        self.cpu.predict(work)
    }

    /// The next run on a server that is `speed_ratio` times as fast as the device: from runs on servers if there were any,
    /// else from local ones, less certainly. `None` if it never ran anywhere.
    pub fn on_server(&self, work: Option<f64>, speed_ratio: f64) -> Option<Spread<Duration>> {
        let here = || Some(self.local(work)?.widened(SPEED_RATIO_DEVIATION));
        Some(self.server.predict(work).or_else(here)?.times(1.0 / speed_ratio))
    }

    /// How long the next remote call waits on its server, as the last ones did; `None` if a server never ran it.
    pub fn queued(&self) -> Option<Spread<Duration>> {
        self.queued.predict(None)
    }

    /// How often the bounds of its predicted local times held.
    pub fn calibration(&self) -> Calibration {
        self.inclusive.calibration()
    }

    /// The next remote call as the caller sees it.
    pub fn elapsed(&self, work: Option<f64>) -> Option<Spread<Duration>> {
        self.elapsed.predict(work)
    }

    /// The size of the next call's slots; `None` if they were never encoded.
    pub fn up(&self, work: Option<f64>) -> Option<Spread<ByteCount>> {
        self.up.predict(work)
    }

    /// The size of the next reply; `None` if nothing is known of it. Before there was one it is taken to be the state
    /// that comes back, and a little for the result.
    pub fn down(&self, work: Option<f64>) -> Option<Spread<ByteCount>> {
        let guess = || Some(Spread::around(self.returning? + SMALL_RESULT, 1.0));
        self.down.predict(work).or_else(guess)
    }

    /// Whether a server ever ran it.
    pub fn ran_remotely(&self) -> bool {
        self.server.samples() > 0
    }
}

impl Lately {
    /// A mean, and no median: it stands for a sum.
    fn learn(&mut self, inclusive: Duration, exclusive: Duration) {
        // Enough of them that rare slow runs are in it.
        const MOST: u32 = 100;
        self.timed = self.timed.saturating_add(1).min(MOST);
        let share = 1.0 / f64::from(self.timed);
        let mix = |mean: Duration, new: Duration| scale(mean, 1.0 - share).saturating_add(scale(new, share));
        self.inclusive = mix(self.inclusive, inclusive);
        self.exclusive = mix(self.exclusive, exclusive);
    }
}

fn mean(total: Duration, count: u64) -> Option<Duration> {
    (count > 0).then(|| scale(total, 1.0 / count as f64))
}

fn times(time: Duration, count: u64) -> Duration {
    scale(time, count as f64)
}

fn scale(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64((time.as_secs_f64() * factor).max(0.0)).unwrap_or(Duration::MAX)
}
