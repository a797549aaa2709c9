//! Methods and calls as the solver sees them, and what they cost in either place.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ByteCount, Energy, MethodIndex};

/// One of the two places where code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// The machine that the app runs on.
    Device,
    /// The machine that it offloads to.
    Server,
}

impl Placement {
    /// The place that this one is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Device => Self::Server,
            Self::Server => Self::Device,
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Device => "device",
            Self::Server => "server",
        })
    }
}

/// Energy and time: of a method, of a call, or of a placement of the whole call graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// What the device spends.
    pub energy: Energy,
    /// What the run takes.
    pub time: Duration,
}

impl Cost {
    /// Nothing at all.
    pub const ZERO: Self = Self { energy: Energy::ZERO, time: Duration::ZERO };

    /// This much times a factor, to the next microjoule and microsecond. A negative factor or one that is not a number
    /// counts as zero.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        // A cast from float to integer saturates and maps NaN to zero.
        let micros = (self.time.as_micros() as f64 * factor).round() as u64;
        Self { energy: self.energy.scaled(factor), time: Duration::from_micros(micros) }
    }

    /// The same with its time cut to whole microseconds.
    pub(crate) fn in_whole_micros(self) -> Self {
        Self { time: whole_micros(self.time), ..self }
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.energy += other.energy;
        self.time = self.time.saturating_add(other.time);
    }
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {:?}", self.energy, self.time)
    }
}

/// A method as the solver sees it; figures are sums over the profiled run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vertex {
    /// Which method.
    pub method: MethodIndex,
    /// Its name, for people and errors.
    pub name: String,
    /// Energy of running it on the device (MAUI's `E_v`).
    pub local_energy: Energy,
    /// Time of running it on the device (`Tl_v`).
    pub local_time: Duration,
    /// Time of running it on the server (`Tr_v`).
    pub remote_time: Duration,
    /// Energy that the device spends while it runs on the server.
    pub remote_energy: Energy,
    /// Where it must run (`r_v`, and its opposite for what only the server can run).
    pub pin: Option<Placement>,
    /// What it holds in memory at the place where it runs.
    pub memory: ByteCount,
    /// Where its state is now; `None` where it is wherever the method runs.
    pub resident: Option<Resident>,
}

/// State that already sits somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// Where.
    pub place: Placement,
    /// What it costs to bring it to the other place.
    pub fetch: Shipping,
}

impl Vertex {
    /// A method that costs nothing and may run anywhere.
    pub fn new(method: MethodIndex, name: impl Into<String>) -> Self {
        Self {
            method,
            name: name.into(),
            local_energy: Energy::ZERO,
            local_time: Duration::ZERO,
            remote_time: Duration::ZERO,
            remote_energy: Energy::ZERO,
            pin: None,
            memory: ByteCount::ZERO,
            resident: None,
        }
    }

    /// What the method itself costs in that place, the fetching of its state included.
    pub fn cost(&self, placement: Placement) -> Cost {
        let own = match placement {
            Placement::Device => Cost { energy: self.local_energy, time: self.local_time },
            Placement::Server => Cost { energy: self.remote_energy, time: self.remote_time },
        };
        match self.resident {
            Some(resident) if resident.place != placement => own + resident.fetch.total(),
            _ => own,
        }
    }
}

/// What it costs when a caller and a callee run in different places, whichever of the two is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// Who calls.
    pub caller: MethodIndex,
    /// Who is called.
    pub callee: MethodIndex,
    /// What all the calls cost that way.
    pub shipping: Shipping,
}

impl Edge {
    /// What shipping costs when the two ends are apart (MAUI's `C_uv` and `B_uv`).
    pub fn cost(&self) -> Cost {
        self.shipping.total()
    }
}

/// What shipping costs, by what it depends on, so that a plan can tell at which link another one is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipping {
    /// Whatever the link is: waking a radio, sealing packets.
    pub fixed: Cost,
    /// For as many round trips as it takes: in proportion to the round-trip time.
    pub round_trips: Cost,
    /// For the bytes: in inverse proportion to the bandwidth.
    pub payload: Cost,
}

impl Shipping {
    /// Costs of which nothing is known but their sum.
    pub const fn fixed(energy: Energy, time: Duration) -> Self {
        Self { fixed: Cost { energy, time }, round_trips: Cost::ZERO, payload: Cost::ZERO }
    }

    /// All of it.
    pub fn total(&self) -> Cost {
        self.fixed + self.round_trips + self.payload
    }

    pub(super) fn in_whole_micros(self) -> Self {
        Self {
            fixed: self.fixed.in_whole_micros(),
            round_trips: self.round_trips.in_whole_micros(),
            payload: self.payload.in_whole_micros(),
        }
    }
}

impl std::ops::AddAssign for Shipping {
    fn add_assign(&mut self, other: Self) {
        self.fixed += other.fixed;
        self.round_trips += other.round_trips;
        self.payload += other.payload;
    }
}

pub(super) fn whole_micros(time: Duration) -> Duration {
    Duration::from_micros(micros(time))
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
