//! The machine that is probed: a port, and its adapter for the machine this runs on.

mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use outboard_core::{Frequency, Timestamp};
use outboard_profiler::{LoadMeter, SystemLoad, processor_frequency, reference_steps};

use work::Work;

/// A duty cycle is this long: short against the window of a meter, long against a scheduler's slice.
const CYCLE: Duration = Duration::from_millis(40);
/// Steps of the reference loop between two looks at the clock.
const CHUNK: u64 = 20_000;
/// How long the reference loop is timed, as when a session begins.
const REFERENCE: Duration = Duration::from_millis(60);

/// What a probe does to a machine and sees of it.
pub(crate) trait Machine {
    /// How many threads can run at once.
    fn cores(&self) -> u16;

    /// What its processor is called.
    fn name(&self) -> Option<String>;

    /// A time that only grows.
    fn now(&self) -> Timestamp;

    /// Lets time pass.
    fn pause(&mut self, time: Duration);

    /// Begins a load, in place of the one before.
    fn start(&mut self, load: Load);

    /// Ends the load.
    fn stop(&mut self);

    /// The share of all processors in use since the last question.
    fn utilisation(&mut self) -> Option<f64>;

    /// How fast they run just now.
    fn frequency(&self) -> Option<Frequency>;

    /// Steps of the reference loop in a second.
    fn reference_speed(&mut self) -> u64;
}

/// What keeps a machine busy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    pub(crate) threads: u16,
    /// The share of time in which each thread is busy.
    pub(crate) duty: f64,
}

/// What most methods are made of, each by itself: they draw different power at the same utilisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Float,
    Memory,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Integer, Self::Float, Self::Memory];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Memory => "memory",
        }
    }
}

/// The machine this runs on.
pub(crate) struct ThisMachine {
    sysfs: PathBuf,
    start: Instant,
    load: SystemLoad,
    busy: Option<Busy>,
}

impl ThisMachine {
    pub(crate) fn new(sysfs: &Path) -> Self {
        Self { sysfs: sysfs.to_owned(), start: Instant::now(), load: SystemLoad::new(), busy: None }
    }
}

impl Machine for ThisMachine {
    fn cores(&self) -> u16 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        u16::try_from(cores).unwrap_or(u16::MAX).min(1_024)
    }

    fn name(&self) -> Option<String> {
        self.load.processor_name()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn pause(&mut self, time: Duration) {
        // The meter is read at both ends of a span in which the load runs, so the span has to pass: nothing tells of its end.
        std::thread::sleep(time);
    }

    fn start(&mut self, load: Load) {
        self.stop();
        self.busy = Some(Busy::new(load));
    }

    fn stop(&mut self) {
        self.busy = None;
    }

    fn utilisation(&mut self) -> Option<f64> {
        self.load.utilisation()
    }

    fn frequency(&self) -> Option<Frequency> {
        processor_frequency(&self.sysfs)
    }

    fn reference_speed(&mut self) -> u64 {
        let start = Instant::now();
        let mut steps = 0;
        while start.elapsed() < REFERENCE {
            std::hint::black_box(reference_steps(std::hint::black_box(CHUNK)));
            steps += CHUNK;
        }
        (steps as f64 / start.elapsed().as_secs_f64()) as u64
    }
}

/// Threads under a load, until dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    fn new(load: Load) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = |_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || cycle(load, &stop))
        };
        let threads = (0..load.threads).map(thread).collect();
        Self { stop, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A load has nothing that could panic, and nothing to say.
            let _ = thread.join();
        }
    }
}

/// Busy for a share of each cycle, asleep for the rest.
fn cycle(load: Load, stop: &AtomicBool) {
    let mut work = Work::new(load.kind);
    let busy = CYCLE.mul_f64(load.duty.clamp(0.0, 1.0));
    while !stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        while start.elapsed() < busy && !stop.load(Ordering::Relaxed) {
            work.step();
        }
        let rest = CYCLE.saturating_sub(start.elapsed());
        if busy < CYCLE && !rest.is_zero() {
            std::thread::park_timeout(rest);
        }
    }
}
