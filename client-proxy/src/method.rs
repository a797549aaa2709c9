//! A method, as the engine sees it.

use std::fmt;
use std::time::Duration;

use outboard_core::{BodyHash, ByteCount, Energy, MethodId, Placement, SchemaHash, ServerIndex, Timestamp};
use outboard_wire::frame::MethodEntry;

use crate::accuracy::Accuracy;
use crate::backoff::Backoff;
use crate::decision::LocalReason;
use crate::hedge::Hedge;
use crate::quote::{CachedQuotes, Terms};

/// What the registry knows of a method.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodInfo {
    /// Its id.
    pub id: MethodId,
    /// Its path, for people.
    pub name: String,
    /// Where it may run.
    pub kind: Kind,
    /// At most once, also across failures.
    pub once: bool,
    /// It cannot run on the device.
    pub remote_only: bool,
    /// Another function stands in while servers are away or late.
    pub fallback: bool,
    /// Time that a call may take.
    pub deadline: Option<Duration>,
    /// Its body.
    pub body: BodyHash,
    /// Its slots and result.
    pub schema: SchemaHash,
    /// Whether another body is accepted on the server.
    pub compatible: bool,
    /// Its own ε, in place of the runtime's.
    pub slowdown: Option<f64>,
    /// Its own way to hedge, in place of the runtime's. Methods that may run only once or only remotely, or that have a fallback, are never hedged.
    pub hedge: Option<Hedge>,
    /// What keeps it on the device although it is remoteable: a skipped field beneath a container, say.
    pub obstacle: Option<String>,
    /// It is no part of the app: the making of plans, say. Plans place it like any other, but what is learned of it asks for
    /// no further plan, which would be learned of in turn; and it calls no method of the app back.
    pub aside: bool,
    /// The names of its slots in their order, for messages.
    pub slots: Vec<String>,
}

/// Where a method may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anywhere.
    Remoteable,
    /// On the device; remote code calls back.
    Device,
}

/// What the runtime does at a call before it asks anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Run it: nothing could make the call go to a server now.
    Local,
    /// Ask [`Engine::decide`](crate::Engine::decide).
    Consult,
}

impl MethodInfo {
    /// A plain re-runnable method.
    pub fn remoteable(id: MethodId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            kind: Kind::Remoteable,
            once: false,
            remote_only: false,
            fallback: false,
            deadline: None,
            body: BodyHash(0),
            schema: SchemaHash(0),
            compatible: false,
            slowdown: None,
            hedge: None,
            obstacle: None,
            aside: false,
            slots: Vec::new(),
        }
    }

    /// A slot as messages name it.
    pub(crate) fn slot(&self, slot: u16) -> String {
        let name = self.slots.get(usize::from(slot));
        name.map_or_else(|| format!("argument {slot}"), |name| format!("`{name}`"))
    }

    pub(crate) fn entry(&self) -> MethodEntry {
        MethodEntry { id: self.id, body: self.body, schema: self.schema, compatible: self.compatible }
    }
}

/// What the engine remembers of a method.
#[derive(Clone, Debug)]
pub(crate) struct MethodState {
    pub(crate) info: MethodInfo,
    pub(crate) slowdown: f64,
    hedge: Hedge,
    /// A run beside a server came to something that only happens once, or only in place.
    unhedgeable: bool,
    /// What keeps it on the device for good.
    pub(crate) pin: Option<Pin>,
    /// Where the plan has it.
    pub(crate) placement: Option<Placement>,
    /// How often a run on a server calls the device back, by what was seen of runs here.
    pub(crate) backs: f64,
    /// Whether the plan sends something that it calls.
    pub(crate) parts_away: bool,
    pub(crate) word: Word,
    pub(crate) quotes: CachedQuotes,
    /// Attempts that failed in a way that says something about the method.
    pub(crate) trouble: Trouble,
    /// Attempts that came too late, by server: another one may be faster.
    late: Vec<Trouble>,
    /// How far predictions were off, by server.
    accuracy: Vec<Accuracy>,
    pub(crate) largest_work: f64,
    pub(crate) last_reason: Option<LocalReason>,
    pub(crate) counts: MethodCounts,
}

/// What went wrong with a method lately.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    backoff: Backoff,
    pub(crate) held: Option<Held>,
    pub(crate) late_in_a_row: u32,
}

/// A method is left alone for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) until: Timestamp,
    pub(crate) reason: LocalReason,
}

/// Why a method stays on the device for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pin {
    /// It panicked on the server; what it does here is not known yet.
    PanicInQuestion(String),
    /// It panicked on the server and not here.
    Panicked(String),
    /// It changed a slot that it only borrows.
    SharedSlotChanged(String),
    /// It does something that only the device may do.
    NeedsDevice(String),
}

/// What happened to a method's attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MethodCounts {
    pub(crate) attempts: u64,
    pub(crate) late: u64,
    pub(crate) failed: u64,
    pub(crate) explored: u64,
    /// Runs on the device beside an attempt; those that were done first, and those that the server was faster than.
    pub(crate) hedges: u64,
    pub(crate) hedges_won: u64,
    pub(crate) hedges_lost: u64,
    /// Bytes of call-backs that came, and of the answers that went.
    pub(crate) called_back: ByteCount,
    pub(crate) answered: ByteCount,
    pub(crate) lost_time: Duration,
    /// Zero where the device's figures are unknown; the report leaves it out then.
    pub(crate) remote_energy: Energy,
}

impl MethodState {
    pub(crate) fn new(info: MethodInfo, default_slowdown: f64, default_hedge: Hedge) -> Self {
        let own = info.slowdown.filter(|slowdown| slowdown.is_finite() && *slowdown >= 0.0);
        Self {
            slowdown: own.unwrap_or(default_slowdown),
            hedge: if info.once || info.remote_only || info.fallback {
                Hedge::Never
            } else {
                info.hedge.unwrap_or(default_hedge)
            },
            info,
            unhedgeable: false,
            pin: None,
            placement: None,
            backs: 0.0,
            parts_away: false,
            // What every word says until the engine has looked.
            word: Word::Consult,
            quotes: CachedQuotes::default(),
            trouble: Trouble::new(),
            late: Vec::new(),
            accuracy: Vec::new(),
            largest_work: 0.0,
            last_reason: None,
            counts: MethodCounts::default(),
        }
    }

    pub(crate) fn terms(&self, server: ServerIndex) -> Terms {
        let accuracy = self.accuracy.get(server.position()).copied().unwrap_or(Accuracy::UNKNOWN);
        Terms {
            slowdown: self.slowdown,
            deadline: self.info.deadline,
            hedge: self.hedge(),
            accuracy,
            backs: self.backs,
        }
    }

    /// When the device runs it too: not where that would end at a call of a method that only runs in place, having lost the
    /// time until then.
    pub(crate) fn hedge(&self) -> Hedge {
        if self.unhedgeable || self.backs > 0.0 { Hedge::Never } else { self.hedge }
    }

    /// A run beside a server ended at such a call.
    pub(crate) fn cannot_be_hedged(&mut self) {
        self.unhedgeable = true;
        self.quotes.clear();
    }

    /// How far predictions for that server were off.
    pub(crate) fn accuracy_mut(&mut self, server: ServerIndex) -> &mut Accuracy {
        let least = server.position() + 1;
        if self.accuracy.len() < least {
            self.accuracy.resize(least, Accuracy::UNKNOWN);
        }
        &mut self.accuracy[server.position()]
    }

    /// What keeps it on the device whatever the servers do.
    pub(crate) fn bound_here(&self) -> Option<LocalReason> {
        match (self.info.kind, &self.info.obstacle, &self.pin) {
            (Kind::Device, ..) => Some(LocalReason::DeviceMethod),
            (_, Some(_), _) => Some(LocalReason::CannotTravel),
            (.., Some(_)) => Some(LocalReason::TakenBack),
            _ => None,
        }
    }

    /// Why it is left alone for now, with any server or with that one.
    pub(crate) fn held(&self, now: Timestamp, server: ServerIndex) -> Option<LocalReason> {
        let late = || self.late.get(server.position()).and_then(|late| late.held(now));
        self.trouble.held(now).or_else(late)
    }

    /// Until when it is left alone with that server, for people.
    pub(crate) fn hold(&self, server: ServerIndex) -> Option<Held> {
        self.trouble.held.or_else(|| self.late.get(server.position())?.held)
    }

    /// How many attempts came too late from that server, one after the other.
    pub(crate) fn late_in_a_row(&self, server: ServerIndex) -> u32 {
        self.late.get(server.position()).map_or(0, |late| late.late_in_a_row)
    }

    /// What went wrong with that server.
    pub(crate) fn trouble_with(&mut self, server: ServerIndex) -> &mut Trouble {
        let least = server.position() + 1;
        if self.late.len() < least {
            self.late.resize_with(least, Trouble::new);
        }
        &mut self.late[server.position()]
    }

    /// An attempt came back whole from that server: what went wrong before is over.
    pub(crate) fn recovered(&mut self, server: ServerIndex) {
        self.trouble = Trouble::new();
        if let Some(late) = self.late.get_mut(server.position()) {
            *late = Trouble::new();
        }
    }
}

impl Trouble {
    fn new() -> Self {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(120));
        Self { backoff, held: None, late_in_a_row: 0 }
    }

    /// Leaves the method alone for a while that grows with each time in a row.
    pub(crate) fn hold(&mut self, now: Timestamp, reason: LocalReason, jitter: f64) {
        let until = now + self.backoff.next(jitter);
        self.held = Some(Held { until, reason });
    }

    pub(crate) fn held(&self, now: Timestamp) -> Option<LocalReason> {
        self.held.filter(|held| now < held.until).map(|held| held.reason)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PanicInQuestion(message) => write!(f, "it panicked on the server: {message}"),
            Self::Panicked(message) => write!(f, "it panicked on the server and not here: {message}"),
            Self::NeedsDevice(reason) => write!(f, "it has to run on the device: {reason}"),
            Self::SharedSlotChanged(slot) => {
                write!(f, "it changed {slot}, which it only borrows; a remoteable method must not")
            }
        }
    }
}
