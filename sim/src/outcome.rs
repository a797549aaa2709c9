//! How a run went.

use std::fmt;
use std::time::Duration;

use outboard_client_proxy::LocalReason;
use outboard_core::{ByteCount, Energy, Timestamp};

/// How a run went: every call, and the whole.
///
/// Two runs of the same thing are equal, on every machine.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The calls that the script made, in the order in which they ended.
    pub calls: Vec<CallRecord>,
    /// When the run ended.
    pub end: Timestamp,
    /// What the device spent on everything from its start to its end: silence, processors, radio. `None` where a part is
    /// not known.
    pub energy: Option<Energy>,
    /// The radio's part of it.
    pub radio: Option<Energy>,
    /// What the radio was charged apart from calls: greetings, pings, fences.
    pub upkeep: Energy,
    /// Everything that was sent to servers: greetings, pings and attempts in vain as well.
    pub sent: ByteCount,
    /// Everything that servers sent.
    pub received: ByteCount,
    /// How many plans were made.
    pub plans: usize,
}

/// How a call went.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CallRecord {
    /// The place of its method in the app.
    pub method: usize,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Where it ran, and why there.
    pub went: Went,
    /// What the device spent on it: silence while it lasted, the processor, and the radio for its own frames. `None` where
    /// a part is not known.
    pub energy: Option<Energy>,
    /// What it was expected to take on a server, if it was sent to one.
    pub predicted: Option<Duration>,
    /// What its attempts carried, inner calls included.
    pub sent: ByteCount,
    /// What came back.
    pub received: ByteCount,
    /// How many calls within it a server ran that were sent by themselves.
    pub inner_remote: u64,
}

/// Where a call ran.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Went {
    /// On the device: its method's word said so, and nobody was asked.
    Unasked,
    /// On the device, for that reason.
    Local(LocalReason),
    /// On a server.
    Remote,
    /// On the device, after an attempt that ended like this.
    FellBack(String),
    /// On the device, beside an attempt that took longer.
    Hedged,
    /// On the device or on a server, as a policy without an engine has it.
    Chosen(Place),
}

/// A place where a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The device.
    Device,
    /// A server.
    Server,
}

impl Outcome {
    /// Time of all calls together.
    pub fn time(&self) -> Duration {
        self.calls.iter().map(|call| call.took).fold(Duration::ZERO, Duration::saturating_add)
    }

    /// What the device spent on all calls, and on its radio between them. `None` where a part is not known.
    pub fn spent(&self) -> Option<Energy> {
        let calls: Energy = self.calls.iter().map(|call| call.energy).sum::<Option<Energy>>()?;
        Some(calls + self.upkeep)
    }

    /// How many calls ended on a server.
    pub fn remote(&self) -> usize {
        let remote = |call: &&CallRecord| matches!(call.went, Went::Remote | Went::Chosen(Place::Server));
        self.calls.iter().filter(remote).count()
    }

    /// The longest call.
    pub fn worst(&self) -> Option<&CallRecord> {
        self.calls.iter().max_by_key(|call| call.took)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |energy: Option<Energy>| energy.map_or("energy unknown".to_owned(), |it| it.to_string());
        writeln!(
            f,
            "{} calls, {} of them remote, in {:.1?}; {} sent, {} received, {}",
            self.calls.len(),
            self.remote(),
            self.time(),
            self.sent,
            self.received,
            shown(self.energy),
        )?;
        for call in &self.calls {
            writeln!(f, "{:>12.3?} {:>10.3?} {}", call.began - Timestamp::ZERO, call.took, call.went)?;
        }
        Ok(())
    }
}

impl fmt::Display for Went {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unasked => f.write_str("on the device, unasked"),
            Self::Local(reason) => write!(f, "on the device: {reason}"),
            Self::Remote => f.write_str("on a server"),
            Self::FellBack(ended) => write!(f, "on the device, after an attempt: {ended}"),
            Self::Hedged => f.write_str("on the device, beside an attempt"),
            Self::Chosen(Place::Device) => f.write_str("on the device, by choice"),
            Self::Chosen(Place::Server) => f.write_str("on a server, by choice"),
        }
    }
}
