//! A server, as the engine sees it: its session, its link, and how far it can be relied on.

use std::time::Duration;

use outboard_core::{ByteCount, InstanceId, MethodIndex, Timestamp};
use outboard_profiler::{NetworkEstimate, QueueEstimate, Spread};
use outboard_wire::device::Session;
use outboard_wire::frame::{Capacity, Load, MethodStatus, ServerCost};

use crate::backoff::Backoff;
use crate::decision::LocalReason;
use crate::settings::ServerSettings;

/// One configured server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) settings: ServerSettings,
    pub(crate) link: Link,
    /// Connections and sessions that failed, one after the other.
    pub(crate) failures: Backoff,
    /// Calls that it was too busy for, one after the other.
    pub(crate) refusals: Backoff,
    pub(crate) busy_until: Timestamp,
    pub(crate) network: NetworkEstimate,
    pub(crate) capacity: Capacity,
    pub(crate) instance: Option<InstanceId>,
    load: Load,
    queue: QueueEstimate,
    /// When anything came from it last.
    pub(crate) heard: Timestamp,
    /// When an attempt was given up as late that nothing had been heard since it was sent.
    pub(crate) silent_since: Option<Timestamp>,
    pub(crate) attached_at: Option<Timestamp>,
    /// What it makes of each method, by index; methods past the end were registered after the greeting.
    pub(crate) statuses: Vec<MethodStatus>,
    /// Close the session when nothing is under way: methods were registered that it does not list.
    pub(crate) renew: bool,
    pub(crate) last_trouble: Option<String>,
    /// The greeting was refused: wait at least so long.
    pub(crate) refused: Option<Duration>,
    /// Until when, as far as is known, bulk frames of ours occupy the way there.
    pub(crate) occupied_until: Timestamp,
    /// Changes with everything that a prediction depends on.
    pub(crate) generation: u64,
    /// Looks at the way to it.
    pub(crate) probes: u64,
    pub(crate) replied: u64,
    pub(crate) failed: u64,
}

/// The connection to a server.
#[derive(Debug)]
pub(crate) enum Link {
    /// None since then; when the next try is due, if anything is called meanwhile and if not.
    Down { since: Timestamp, retry_at: Timestamp, uncalled_at: Timestamp },
    /// The driver was asked to connect, and may have been given the session's greeting.
    Connecting(Option<Box<Session>>),
    /// Connected; the session is greeting, open or draining.
    Up(Box<Session>),
    /// The user left; nothing is tried any more.
    Closed,
}

/// A server that is there answers a ping within this time, or within four round trips where those take longer.
const ANSWER: Duration = Duration::from_millis(500);

impl Link {
    /// A connection that is to be made at once.
    pub(crate) fn due(now: Timestamp) -> Self {
        Self::Down { since: now, retry_at: now, uncalled_at: now }
    }
}

impl Server {
    pub(crate) fn new(now: Timestamp, settings: ServerSettings) -> Self {
        Self {
            settings,
            link: Link::due(now),
            failures: Backoff::new(Duration::from_millis(250), Duration::from_secs(60)),
            refusals: Backoff::new(Duration::from_millis(50), Duration::from_secs(5)),
            busy_until: now,
            network: NetworkEstimate::unknown(),
            capacity: Capacity::default(),
            instance: None,
            load: Load::default(),
            queue: QueueEstimate::default(),
            heard: now,
            silent_since: None,
            attached_at: None,
            statuses: Vec::new(),
            renew: false,
            last_trouble: None,
            refused: None,
            occupied_until: now,
            generation: 0,
            probes: 0,
            replied: 0,
            failed: 0,
        }
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        match &self.link {
            Link::Up(session) => Some(session),
            _ => None,
        }
    }

    pub(crate) fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.link {
            Link::Up(session) => Some(session),
            _ => None,
        }
    }

    /// Whether its session takes calls.
    pub(crate) fn is_attached(&self) -> bool {
        self.session().is_some_and(Session::is_open)
    }

    /// Why it does not take a call of that method now, if it does not.
    pub(crate) fn obstacle(&self, now: Timestamp, method: MethodIndex) -> Option<LocalReason> {
        let Some(session) = self.session() else { return Some(LocalReason::NotAttached) };
        if !session.is_open() {
            let draining = self.attached_at.is_some() && !session.is_over();
            return Some(if draining { LocalReason::Draining } else { LocalReason::NotAttached });
        }
        match self.statuses.get(method.position()) {
            Some(MethodStatus::Accepted) => {}
            Some(status) => return Some(LocalReason::NotOffered(*status)),
            None => return Some(LocalReason::Unlisted),
        }
        if self.silent_since.is_some()
            || session.unanswered_since().is_some_and(|asked| self.is_overdue(now, asked))
        {
            return Some(LocalReason::Silent);
        }
        (now < self.busy_until || session.credit() == 0).then_some(LocalReason::Busy)
    }

    /// Whether it should have answered by now what it was asked then. A call under way may wait for the session's own
    /// patience, which is long; a new one need not begin to.
    fn is_overdue(&self, now: Timestamp, asked: Timestamp) -> bool {
        now.since(asked) > ANSWER.max(self.network.round_trip(now).median() * 4)
    }

    /// Whether its session lists and accepts a method.
    pub(crate) fn offers(&self, method: MethodIndex) -> bool {
        self.statuses.get(method.position()) == Some(&MethodStatus::Accepted)
    }

    /// Anything came from it. Says whether it had fallen silent.
    pub(crate) fn heard(&mut self, now: Timestamp) -> bool {
        self.heard = now;
        self.silent_since.take().is_some()
    }

    pub(crate) fn loaded(&mut self, now: Timestamp, load: Load) {
        if load != self.load {
            self.generation += 1;
        }
        self.load = load;
        self.queue.observe_load(now, load.running, load.queued, self.capacity.cores);
    }

    /// A call came back from it.
    pub(crate) fn served(&mut self, now: Timestamp, cost: ServerCost) {
        self.queue.observe_call(now, cost.queued, cost.ran.saturating_sub(cost.called_back));
    }

    /// Another run of it has another queue.
    pub(crate) fn restarted(&mut self) {
        self.queue.forget();
    }

    /// How long calls wait there.
    pub(crate) fn queue(&self) -> &QueueEstimate {
        &self.queue
    }

    /// How long a call that comes now waits for a core, if calls run for `ran` there where none has come back yet.
    pub(crate) fn queueing(&self, now: Timestamp, ran: Duration) -> Spread<Duration> {
        self.queue.queueing(now, ran)
    }

    /// A bulk frame of that size is sent. How long it waits for those before it.
    pub(crate) fn occupy(&mut self, now: Timestamp, up: ByteCount) -> Duration {
        self.generation += 1;
        let begins = self.occupied_until.max(now);
        self.occupied_until = begins + up / self.network.goodput_up(now).median();
        begins.since(now)
    }

    /// How many times as fast as the device it is; 1 where either was not measured.
    pub(crate) fn speed_ratio(&self, device: Option<u64>) -> f64 {
        match (self.capacity.speed, device) {
            (0, _) | (_, None | Some(0)) => 1.0,
            (server, Some(device)) => (server as f64 / device as f64).clamp(1e-3, 1e3),
        }
    }

    /// The largest frame it takes.
    pub(crate) fn frame_limit(&self) -> ByteCount {
        let bytes = self.session().map_or(0, |session| session.limits().frame_bytes);
        // The frame's own fields take some of it.
        ByteCount::from_bytes(u64::from(bytes).saturating_sub(4 << 10))
    }
}
