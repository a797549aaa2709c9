//! Configuration in rising priority: defaults, `outboard.toml`, `OUTBOARD_*` variables, the builder.
//!
//! Each source is read into the same set of optional [`Values`]; they are laid over each other and resolved once. Every
//! error names the key, where it was set, and what it may be.

mod text;
mod unknown;
mod values;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use outboard_client_proxy::{Hedge, Policy};
use outboard_core::ByteCount;
use outboard_transport::{Host, ServerAddress};

pub(crate) use text::Setting;
pub(crate) use values::{Set, Values, parse, parse_host, parse_listen, parse_servers};

/// The file that is read from the working directory when `OUTBOARD_CONFIG` names no other.
pub(crate) const FILE: &str = "outboard.toml";

/// What the device saves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Objective {
    /// Time: a call goes to the server where that is faster.
    #[default]
    Time,
    /// The device's energy, within MAUI's bound on time (1.05 × the time of running everything locally).
    Energy,
    /// The battery: as many runs from one charge as possible, whatever time they take. What the device draws anyway while a
    /// run goes on counts, and there is no bound on the time of a run; each call keeps its own
    /// ([`slowdown`](DeviceConfig::slowdown)).
    Battery,
}

/// Which figure of an uncertain cost plans are made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Risk {
    /// The median: what happens most often.
    #[default]
    Usual,
    /// The mean: plans save most in the long run.
    Expected,
    /// Of a server and the way to it what nine calls in ten do not pass, of the device the mean: what goes saves even then.
    Averse,
}

/// Where plans are made: which of the app's methods run where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Planning {
    /// On the device, on a thread of its own.
    #[default]
    Device,
    /// On a server, where that is expected to cost less. It is a call like any other, and falls back to the device like any
    /// other; no call of the app waits for it in either case.
    Server,
}

/// Settings of a device, resolved.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeviceConfig {
    /// Servers in order of preference. Default: none, and everything runs locally.
    pub servers: Vec<ServerAddress>,
    /// Who decides where calls run. Default: the plan.
    pub policy: Policy,
    /// What to save. Default: time. Without a device profile that knows the powers of processors and radio it is time in any case,
    /// and the log says so.
    pub objective: Objective,
    /// Which figure of what is uncertain plans count. Default: what is usual. A single call is bounded all the same.
    pub risk: Risk,
    /// Where plans are made. Default: on the device.
    pub planning: Planning,
    /// The slowdown ε that a call may suffer when things go wrong, as a share of its local time. Default: 0.4 when the
    /// objective is time, 1.05 when it is energy or the battery. Larger values offload more and risk more.
    pub slowdown: Option<f64>,
    /// The share of what calls cost, by the objective, that may be lost on tries: calls that are expected to pay on a
    /// server, and may not. Default 0.02; zero never tries.
    pub exploration: f64,
    /// When the device runs a call too that is under way to a server. Default: when it is late.
    pub hedge: Hedge,
    /// Most bytes of state that are kept so that they need not be sent again. What is used least goes first, and is sent
    /// whole when it is needed again. Default: 64 MiB.
    pub bases: ByteCount,
    /// A device profile, for energy. Default: none, and energy is unknown.
    pub device_profile: Option<PathBuf>,
    /// Where what was learned of the program is kept for its next run. Default: in `profiles` of the state folder.
    pub profile: Keep,
    /// How often that is saved while the app runs; it is also saved when the runtime is dropped. Default: every minute.
    pub profile_interval: Duration,
}

/// Where what was learned of a program is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep {
    /// Nowhere: each run learns anew.
    Off,
    /// In this file, for whichever build and device.
    File(PathBuf),
    /// In this state folder, one file for each build and device.
    In(PathBuf),
}

/// Settings of a server, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Where to listen. Default: a free port of the loopback interface.
    pub listen: SocketAddr,
    /// Where the server's key and access token are kept. Default: `$XDG_STATE_HOME/outboard/<app>`, or
    /// `~/.local/state/outboard/<app>`.
    pub state_dir: PathBuf,
    /// Calls that run at once. Default: the number of cores.
    pub workers: usize,
    /// Most bytes of state that are kept of one session, so that it need not be sent again. Default: 64 MiB.
    pub session_bases: ByteCount,
    /// The same for all sessions together. What is used least goes first, and is sent whole when it is needed again.
    /// Default: 512 MiB.
    pub bases: ByteCount,
    /// The host that the printed address names. Default: the address listened on.
    pub public_host: Option<Host>,
}

impl ServerConfig {
    /// The defaults, with the key kept in `state_dir`.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            state_dir: state_dir.into(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            session_bases: mebibytes(64),
            bases: mebibytes(512),
            public_host: None,
        }
    }
}

/// So many MiB, as the configuration counts them.
const fn mebibytes(count: u64) -> ByteCount {
    ByteCount::from_bytes(count.saturating_mul(1 << 20))
}

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In this file.
    File(PathBuf),
    /// In this environment variable.
    Variable(&'static str),
    /// On the command line, in this option.
    Argument(&'static str),
    /// By a call of the builder.
    Builder,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value does not fit its key.
    #[error("`{key}` in {origin} is `{value}`: {allowed}")]
    Value {
        /// The key.
        key: &'static str,
        /// Where it was set.
        origin: Source,
        /// What it was set to.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// The file is not TOML, or has a key that does not exist.
    #[error("{} cannot be used: {reason}; the keys are {}", path.display(), KEYS.join(", "))]
    File {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {error}; make it readable, or unset OUTBOARD_CONFIG", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is no directory for the server's key.
    #[error("no place for the server's key: set HOME, or `state_dir`, or OUTBOARD_STATE_DIR")]
    NoStateDir,
}

/// The keys of the file, for messages.
const KEYS: [&str; 17] = [
    "server",
    "policy",
    "objective",
    "risk",
    "planning",
    "slowdown",
    "exploration",
    "hedge",
    "device_profile",
    "profile",
    "profile_interval",
    "listen",
    "state_dir",
    "workers",
    "public_host",
    "bases",
    "session_bases",
];

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::Energy => "energy",
            Self::Battery => "battery",
        })
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usual => "usual",
            Self::Expected => "expected",
            Self::Averse => "averse",
        })
    }
}

impl fmt::Display for Planning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Device => "device",
            Self::Server => "server",
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "the environment ({name})"),
            Self::Argument(option) => write!(f, "the command line ({option})"),
            Self::Builder => f.write_str("the builder"),
        }
    }
}

#[cfg(test)]
mod tests;
