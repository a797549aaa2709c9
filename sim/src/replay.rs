//! Runs a declared app on the engines that ship.

mod call;
mod job;
mod thread;

use std::collections::BTreeMap;
use std::time::Duration;

use outboard_client_proxy::Settings;
use outboard_core::{Energy, MethodIndex, Timestamp};
use outboard_wire::frame::{Attempt, Image};

use crate::app::ModelApp;
use crate::device::DeviceModel;
use crate::link::Direction;
use crate::outcome::Outcome;
use crate::path::Path;
use crate::script::{Script, Threads};
use crate::server::ServerModel;
use crate::world::{Happening, World};
use job::Jobs;
use thread::Thread;

/// A declared app on a device, with its servers, in virtual time.
///
/// It does what the runtime does around the engine: it asks, "encodes" (the size is declared, and so many zeros travel), keeps
/// the bound of an attempt, commits or runs the call on the device, and reports what that took.
#[derive(Debug)]
pub struct Replay {
    world: World<Due>,
    app: ModelApp,
    device: DeviceModel,
    script: Script,
    methods: Vec<MethodIndex>,
    threads: BTreeMap<usize, Thread>,
    /// Whose attempts are under way, and which methods they run.
    attempts: BTreeMap<Attempt, (usize, usize)>,
    jobs: Jobs,
    zeros: Zeros,
    busy: Duration,
    radio_of_calls: Energy,
    outcome: Outcome,
    /// The first call of the script that has not begun.
    next: usize,
}

/// What the replay itself waits for. Threads are numbered as the script's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The next call of the script.
    Begin,
    /// A method's own time on the device is over.
    Ran(usize),
    /// An attempt's bound has passed.
    Bound(usize, Attempt),
    /// The device is done with what it ran beside an attempt.
    Hedged(usize, Attempt),
    /// A part of what a server runs is over.
    Served(job::Key),
}

/// Slots of any size that cost nothing: handles to the same zeros.
#[derive(Debug, Default)]
struct Zeros(bytes::Bytes);

impl Replay {
    /// Sets a run up. Of the settings, servers and what is known of the device are taken from the models.
    pub fn new(
        app: ModelApp,
        script: Script,
        device: DeviceModel,
        servers: Vec<(ServerModel, Path)>,
        mut settings: Settings,
    ) -> Self {
        settings.energy = device.energy.clone();
        settings.device_speed = Some(device.steps_per_second);
        let jobs = Jobs::new(servers.len());
        let mut world = World::new(settings, servers);
        let methods = app.methods().iter().map(|method| world.register(method.info())).collect();
        let mut replay = Self {
            world,
            app,
            device,
            script,
            methods,
            threads: BTreeMap::new(),
            attempts: BTreeMap::new(),
            jobs,
            zeros: Zeros::default(),
            busy: Duration::ZERO,
            radio_of_calls: Energy::ZERO,
            outcome: Outcome::default(),
            next: 0,
        };
        replay.await_next();
        replay
    }

    /// Solving takes that long in virtual time; see [`World::with_solving`].
    #[must_use]
    pub fn with_solving(mut self, time: Option<Duration>) -> Self {
        self.world = self.world.with_solving(time);
        self
    }

    /// Runs the clock to `until`, and on to the end of the calls that have begun by then. How it went.
    pub fn run(mut self, until: Timestamp) -> Outcome {
        self.run_until(until);
        self.into_outcome()
    }

    /// Runs the clock to `until`, and on to the end of the script's calls that have begun by then.
    pub fn run_until(&mut self, until: Timestamp) {
        loop {
            let unfinished = !self.threads.is_empty();
            let end = if unfinished { Timestamp::FAR_FUTURE } else { until };
            match self.world.step(end) {
                Some(happening) => self.take(happening),
                None => return,
            }
        }
    }

    /// The world, to look at.
    pub fn world(&self) -> &World<impl Sized + use<>> {
        &self.world
    }

    /// How it went.
    pub fn into_outcome(mut self) -> Outcome {
        let paths = || (0..self.jobs.servers()).filter_map(|server| self.world.path(server));
        let end = self.world.now();
        let radios: Vec<Energy> = paths().filter_map(|path| path.energy(end)).collect();
        self.outcome.upkeep = self.radio().saturating_sub(self.radio_of_calls);
        self.outcome.radio = (!radios.is_empty()).then(|| radios.iter().copied().sum());
        self.outcome.sent = paths().map(|path| path.bytes(Direction::Up)).sum();
        self.outcome.received = paths().map(|path| path.bytes(Direction::Down)).sum();
        self.outcome.plans = self.world.plans().len();
        self.outcome.end = end;
        let whole = self.device.idle(self.outcome.end - Timestamp::ZERO).zip(self.device.busy(self.busy));
        let radio = self.outcome.radio.unwrap_or(Energy::ZERO);
        self.outcome.energy = whole.map(|(idle, busy)| idle + busy + radio);
        self.outcome
    }

    fn take(&mut self, happening: Happening<Due>) {
        match happening {
            Happening::Due(Due::Begin) => self.begin(),
            Happening::Due(Due::Ran(thread)) => self.ran_own(thread),
            Happening::Due(Due::Bound(thread, attempt)) => self.bound_passed(thread, attempt),
            Happening::Due(Due::Hedged(thread, attempt)) => self.hedged(thread, attempt),
            Happening::Due(Due::Served(key)) => self.served(key),
            Happening::Delivered { attempt, event, radio } => {
                self.charge(attempt, radio);
                self.delivered(attempt, event);
            }
            Happening::Run(job, call) => self.queue(job, &call),
            Happening::Fenced(job) => self.let_go(&job),
            Happening::Answered(job, _) => self.answered(&job),
            Happening::Died(server) => self.jobs.died(server),
        }
    }

    /// Waits for the next call of the script, if it may begin beside those that are under way.
    fn await_next(&mut self) {
        let free = self.script.threads() == Threads::Each || self.threads.is_empty();
        if let Some(call) = self.script.calls().get(self.next).filter(|_| free) {
            let at = call.at;
            self.world.enter(at, Due::Begin);
        }
    }
}

impl Zeros {
    fn image(&mut self, size: outboard_core::ByteCount) -> Image {
        let size = usize::try_from(size.as_bytes()).unwrap_or(usize::MAX).min(Self::MOST);
        if self.0.len() < size {
            self.0 = vec![0; size.next_power_of_two()].into();
        }
        Image(self.0.slice(..size))
    }

    /// No frame carries more.
    const MOST: usize = 64 << 20;
}
