//! The sources of settings, and how they are laid over each other.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outboard_client_proxy::{Hedge, Policy};
use outboard_core::ByteCount;
use outboard_transport::{Host, ServerAddress};

use super::{
    ConfigError, DeviceConfig, FILE, Keep, Objective, Planning, Risk, ServerConfig, Setting, Source,
    mebibytes, unknown,
};

/// One source's values, each with where it came from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    pub(crate) server: Option<Set<Vec<ServerAddress>>>,
    pub(crate) policy: Option<Set<Policy>>,
    pub(crate) objective: Option<Set<Objective>>,
    pub(crate) risk: Option<Set<Risk>>,
    pub(crate) planning: Option<Set<Planning>>,
    pub(crate) slowdown: Option<Set<f64>>,
    pub(crate) exploration: Option<Set<f64>>,
    pub(crate) hedge: Option<Set<Hedge>>,
    pub(crate) device_profile: Option<Set<PathBuf>>,
    pub(crate) profile: Option<Set<PathBuf>>,
    pub(crate) profile_interval: Option<Set<u64>>,
    pub(crate) listen: Option<Set<SocketAddr>>,
    pub(crate) state_dir: Option<Set<PathBuf>>,
    pub(crate) workers: Option<Set<usize>>,
    pub(crate) public_host: Option<Set<Host>>,
    pub(crate) bases: Option<Set<ByteCount>>,
    pub(crate) session_bases: Option<Set<ByteCount>>,
}

/// A value and its source.
#[derive(Clone, Debug)]
pub(crate) struct Set<T> {
    pub(crate) value: T,
    pub(crate) origin: Source,
}

/// The file as written: text and numbers, not yet checked.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    server: Option<OneOrMore>,
    policy: Option<String>,
    objective: Option<String>,
    risk: Option<String>,
    planning: Option<String>,
    slowdown: Option<f64>,
    exploration: Option<f64>,
    hedge: Option<String>,
    device_profile: Option<PathBuf>,
    profile: Option<PathBuf>,
    profile_interval: Option<u64>,
    listen: Option<String>,
    state_dir: Option<PathBuf>,
    workers: Option<u64>,
    public_host: Option<String>,
    bases: Option<u64>,
    session_bases: Option<u64>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Values {
    /// Reads the file and the environment of this process.
    pub(crate) fn of_process() -> Result<Self, ConfigError> {
        unknown::warn();
        Self::gather(|name| std::env::var(name).ok())
    }

    /// Reads the file and the environment. `variable` looks up an environment variable.
    fn gather(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let named = variable("OUTBOARD_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        let path = named.clone().unwrap_or_else(|| PathBuf::from(FILE));
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => Self::from_file(&path, &text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => Self::default(),
            Err(error) => return Err(ConfigError::Unreadable { path, error }),
        };
        Ok(Self::from_environment(variable)?.over(file))
    }

    pub(super) fn from_file(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let raw: Raw = toml::from_str(text).map_err(|error| ConfigError::File {
            path: path.to_owned(),
            reason: error.message().to_owned(),
        })?;
        let origin = || Source::File(path.to_owned());
        let servers = raw.server.map(|server| match server {
            OneOrMore::One(server) => vec![server],
            OneOrMore::More(servers) => servers,
        });
        Ok(Self {
            server: servers.map(|servers| parse_servers(&servers, origin())).transpose()?,
            policy: raw.policy.map(|text| parse("policy", &text, origin())).transpose()?,
            objective: raw.objective.map(|text| parse("objective", &text, origin())).transpose()?,
            risk: raw.risk.map(|text| parse("risk", &text, origin())).transpose()?,
            planning: raw.planning.map(|text| parse("planning", &text, origin())).transpose()?,
            slowdown: raw.slowdown.map(|value| Set { value, origin: origin() }),
            exploration: raw.exploration.map(|value| Set { value, origin: origin() }),
            hedge: raw.hedge.map(|text| parse("hedge", &text, origin())).transpose()?,
            device_profile: raw.device_profile.map(|value| Set { value, origin: origin() }),
            profile: raw.profile.map(|value| Set { value, origin: origin() }),
            profile_interval: raw.profile_interval.map(|value| Set { value, origin: origin() }),
            listen: raw.listen.map(|text| parse_listen(&text, origin())).transpose()?,
            state_dir: raw.state_dir.map(|value| Set { value, origin: origin() }),
            workers: raw
                .workers
                .map(|count| Set { value: usize::try_from(count).unwrap_or(usize::MAX), origin: origin() }),
            public_host: raw.public_host.map(|text| parse_host(&text, origin())).transpose()?,
            bases: raw.bases.map(|count| Set { value: mebibytes(count), origin: origin() }),
            session_bases: raw.session_bases.map(|count| Set { value: mebibytes(count), origin: origin() }),
        })
    }

    pub(super) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        // An empty variable is one that was not set: shells make that hard to tell apart.
        let set = |name: &'static str| {
            variable(name).filter(|text| !text.is_empty()).map(|text| (text, Source::Variable(name)))
        };
        let path = |name| set(name).map(|(text, origin)| Set { value: PathBuf::from(text), origin });
        let servers = set("OUTBOARD_SERVER").map(|(text, origin)| {
            let list: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            parse_servers(&list, origin)
        });
        Ok(Self {
            server: servers.transpose()?,
            policy: set("OUTBOARD_POLICY").map(|(text, o)| parse("policy", &text, o)).transpose()?,
            objective: set("OUTBOARD_OBJECTIVE").map(|(text, o)| parse("objective", &text, o)).transpose()?,
            risk: set("OUTBOARD_RISK").map(|(text, o)| parse("risk", &text, o)).transpose()?,
            planning: set("OUTBOARD_PLANNING").map(|(text, o)| parse("planning", &text, o)).transpose()?,
            slowdown: set("OUTBOARD_SLOWDOWN").map(|(text, o)| parse("slowdown", &text, o)).transpose()?,
            exploration: set("OUTBOARD_EXPLORATION")
                .map(|(text, o)| parse("exploration", &text, o))
                .transpose()?,
            hedge: set("OUTBOARD_HEDGE").map(|(text, o)| parse("hedge", &text, o)).transpose()?,
            device_profile: path("OUTBOARD_DEVICE_PROFILE"),
            profile: path("OUTBOARD_PROFILE"),
            profile_interval: set("OUTBOARD_PROFILE_INTERVAL")
                .map(|(text, o)| parse("profile_interval", &text, o))
                .transpose()?,
            listen: set("OUTBOARD_LISTEN").map(|(text, o)| parse_listen(&text, o)).transpose()?,
            state_dir: path("OUTBOARD_STATE_DIR"),
            workers: set("OUTBOARD_WORKERS").map(|(text, o)| parse("workers", &text, o)).transpose()?,
            public_host: set("OUTBOARD_PUBLIC_HOST").map(|(text, o)| parse_host(&text, o)).transpose()?,
            bases: set("OUTBOARD_BASES").map(|(text, o)| parse("bases", &text, o)).transpose()?,
            session_bases: set("OUTBOARD_SESSION_BASES")
                .map(|(text, o)| parse("session_bases", &text, o))
                .transpose()?,
        })
    }

    /// These values where they are set, `below` elsewhere.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            server: self.server.or(below.server),
            policy: self.policy.or(below.policy),
            objective: self.objective.or(below.objective),
            risk: self.risk.or(below.risk),
            planning: self.planning.or(below.planning),
            slowdown: self.slowdown.or(below.slowdown),
            exploration: self.exploration.or(below.exploration),
            hedge: self.hedge.or(below.hedge),
            device_profile: self.device_profile.or(below.device_profile),
            profile: self.profile.or(below.profile),
            profile_interval: self.profile_interval.or(below.profile_interval),
            listen: self.listen.or(below.listen),
            state_dir: self.state_dir.or(below.state_dir),
            workers: self.workers.or(below.workers),
            public_host: self.public_host.or(below.public_host),
            bases: self.bases.or(below.bases),
            session_bases: self.session_bases.or(below.session_bases),
        }
    }

    /// The settings of a device of the app named `app`.
    pub(crate) fn device(
        self,
        app: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<DeviceConfig, ConfigError> {
        let profile = match self.profile {
            Some(set) if set.value.as_os_str() == "off" => Keep::Off,
            Some(set) => Keep::File(set.value),
            // Without a home there is no place, and an app without a place learns anew.
            None => {
                let folder = self.state_dir.map(|set| set.value).or_else(|| default_state_dir(app, variable));
                folder.map_or(Keep::Off, Keep::In)
            }
        };
        let profile_interval = match self.profile_interval {
            None => Duration::from_secs(60),
            Some(Set { value: seconds @ 1..=86_400, .. }) => Duration::from_secs(seconds),
            Some(Set { value, origin }) => {
                let (key, allowed) =
                    ("profile_interval", "use a number of seconds from 1 to 86400".to_owned());
                return Err(ConfigError::Value { key, origin, value: value.to_string(), allowed });
            }
        };
        let exploration = match self.exploration {
            None => 0.02,
            Some(set) => within("exploration", &set, 0.0, 1.0)?,
        };
        let slowdown = self.slowdown.map(|set| within("slowdown", &set, 0.0, 100.0)).transpose()?;
        Ok(DeviceConfig {
            servers: self.server.map(|set| set.value).unwrap_or_default(),
            policy: self.policy.map(|set| set.value).unwrap_or_default(),
            objective: self.objective.map(|set| set.value).unwrap_or_default(),
            risk: self.risk.map(|set| set.value).unwrap_or_default(),
            planning: self.planning.map(|set| set.value).unwrap_or_default(),
            slowdown,
            exploration,
            hedge: self.hedge.map(|set| set.value).unwrap_or_default(),
            bases: self.bases.map_or(mebibytes(64), |set| set.value),
            device_profile: self.device_profile.map(|set| set.value),
            profile,
            profile_interval,
        })
    }

    /// The settings of a server of the app named `app`.
    pub(crate) fn server(
        self,
        app: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<ServerConfig, ConfigError> {
        let state_dir = match self.state_dir {
            Some(set) => set.value,
            None => default_state_dir(app, variable).ok_or(ConfigError::NoStateDir)?,
        };
        let mut config = ServerConfig::new(state_dir);
        match self.workers {
            None => {}
            Some(Set { value: workers @ 1..=4096, .. }) => config.workers = workers,
            Some(Set { value, origin }) => {
                let allowed = "use a number of calls from 1 to 4096".to_owned();
                return Err(ConfigError::Value { key: "workers", origin, value: value.to_string(), allowed });
            }
        }
        config.listen = self.listen.map_or(config.listen, |set| set.value);
        config.bases = self.bases.map_or(config.bases, |set| set.value);
        config.session_bases = self.session_bases.map_or(config.session_bases, |set| set.value);
        config.public_host = self.public_host.map(|set| set.value);
        Ok(config)
    }
}

pub(crate) fn parse<T: Setting>(
    key: &'static str,
    text: &str,
    origin: Source,
) -> Result<Set<T>, ConfigError> {
    match T::from_text(text.trim()) {
        Some(value) => Ok(Set { value, origin }),
        None => {
            let allowed = T::ALLOWED.to_owned();
            Err(ConfigError::Value { key, origin, value: text.to_owned(), allowed })
        }
    }
}

pub(crate) fn parse_servers(list: &[String], origin: Source) -> Result<Set<Vec<ServerAddress>>, ConfigError> {
    let parse = |text: &String| {
        text.parse().map_err(|error| ConfigError::Value {
            key: "server",
            origin: origin.clone(),
            // The token is a secret: the message shows the address without it.
            value: text.split('#').next().unwrap_or_default().to_owned(),
            allowed: format!("{error}"),
        })
    };
    let value = list.iter().map(parse).collect::<Result<_, _>>()?;
    Ok(Set { value, origin })
}

pub(crate) fn parse_listen(text: &str, origin: Source) -> Result<Set<SocketAddr>, ConfigError> {
    let allowed = "use an IP address and a port, such as 127.0.0.1:4433, or 0.0.0.0:4433 for every interface";
    text.parse().map(|value| Set { value, origin: origin.clone() }).map_err(|_| ConfigError::Value {
        key: "listen",
        origin,
        value: text.to_owned(),
        allowed: allowed.to_owned(),
    })
}

pub(crate) fn parse_host(text: &str, origin: Source) -> Result<Set<Host>, ConfigError> {
    text.parse().map(|value| Set { value, origin: origin.clone() }).map_err(|_| ConfigError::Value {
        key: "public_host",
        origin,
        value: text.to_owned(),
        allowed: "use a host name or an IP address, without a port".to_owned(),
    })
}

fn within(key: &'static str, set: &Set<f64>, low: f64, high: f64) -> Result<f64, ConfigError> {
    if set.value >= low && set.value <= high {
        return Ok(set.value);
    }
    let allowed = format!("use a number from {low} to {high}");
    Err(ConfigError::Value { key, origin: set.origin.clone(), value: set.value.to_string(), allowed })
}

fn default_state_dir(app: &str, variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(base.join("outboard").join(app))
}
