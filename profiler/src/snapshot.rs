//! What was learned of a program, to be kept beyond its run.
//!
//! A snapshot is of one build of an app on one device. It names methods by their ids, holds what was learned of each in
//! a few figures, and nothing of networks: those are of the place and the hour. Two snapshots merge into one, in either
//! order. `snapshot/text.rs` documents the file.

mod read;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use outboard_core::{BodyHash, ByteCount, MethodId};
use thiserror::Error;

use crate::predictor::Summary;
use crate::spread::Quantity;

/// What was learned of a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Of which program, where.
    pub origin: Origin,
    /// Its methods.
    pub methods: BTreeMap<MethodId, MethodSnapshot>,
    /// How often a caller (`None` is code that is not annotated) called a method, here and there.
    pub edges: BTreeMap<(Option<MethodId>, MethodId), u64>,
}

/// An app, a build of it, and a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The app's name.
    pub app: String,
    /// Its version.
    pub version: String,
    /// Its build identity; empty where it has none.
    pub build: String,
    /// The device's name.
    pub device: String,
}

/// What was learned of a method.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodSnapshot {
    /// Its name, for people.
    pub name: String,
    /// Its body: with another one it is another method.
    pub body: BodyHash,
    /// Runs on the device.
    pub local_calls: u64,
    /// Runs on servers.
    pub remote_calls: u64,
    /// Its time on the device, with what it calls.
    pub local: Option<Summary<Duration>>,
    /// The same without what it calls.
    pub own: Option<Summary<Duration>>,
    /// Its CPU time on the device.
    pub cpu: Option<Summary<Duration>>,
    /// Its time on servers, as if they were as fast as the device.
    pub server: Option<Summary<Duration>>,
    /// Bytes to servers.
    pub up: Option<Summary<ByteCount>>,
    /// Bytes from servers.
    pub down: Option<Summary<ByteCount>>,
}

/// What is wrong with a kept profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file is not TOML.
    #[error("{file} is not valid TOML: {message}; delete it, and it is learned anew")]
    Syntax {
        /// The file.
        file: String,
        /// Where, and what the parser says.
        message: String,
    },
    /// Another version of this program wrote it.
    #[error(
        "{file} has format {found}, and this program reads format {}; use the program that wrote it",
        Snapshot::FORMAT
    )]
    Foreign {
        /// The file.
        file: String,
        /// Its format.
        found: i64,
    },
    /// A key that no profile has.
    #[error("{file}: `{key}` is not a key of a profile: use one of {allowed}")]
    UnknownKey {
        /// The file.
        file: String,
        /// The key with its sections.
        key: String,
        /// What may stand there.
        allowed: String,
    },
    /// A value that is missing or cannot be.
    #[error("{file}: `{key}` has to be {allowed}")]
    Value {
        /// The file.
        file: String,
        /// The key with its sections.
        key: String,
        /// What may stand there.
        allowed: String,
    },
    /// More than anybody has.
    #[error("{file} has more than {most} {what}; delete it, and it is learned anew")]
    TooMuch {
        /// The file.
        file: String,
        /// Of what.
        what: &'static str,
        /// The bound.
        most: usize,
    },
}

impl Snapshot {
    /// The format that is written and read.
    pub const FORMAT: i64 = 1;
    /// Longest file that is read.
    pub const MOST_BYTES: usize = 4 << 20;
    /// Most methods.
    pub const MOST_METHODS: usize = 10_000;
    /// Most edges.
    pub const MOST_EDGES: usize = 50_000;

    /// Reads one; `file` is for messages.
    ///
    /// # Errors
    /// It is no profile of this format; which key is wrong, and what may stand there.
    pub fn parse(file: &str, text: &str) -> Result<Self, SnapshotError> {
        read::snapshot(file, text)
    }

    /// As a file.
    pub fn to_text(&self) -> String {
        text::of(self)
    }

    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.methods.is_empty() && self.edges.is_empty()
    }

    /// Both. The same whichever comes first; of a method with two bodies the one that ran more often is kept.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (id, method) in other.methods {
            let merged = match self.methods.remove(&id) {
                Some(own) => own.merge(method),
                None => method,
            };
            self.methods.insert(id, merged);
        }
        for (edge, calls) in other.edges {
            let sum = self.edges.entry(edge).or_default();
            *sum = sum.saturating_add(calls);
        }
        self
    }

    /// What was learned since an earlier snapshot of the same run.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let methods = self.methods.iter().filter_map(|(id, method)| {
            let since = method.since(earlier.methods.get(id));
            since.map(|since| (*id, since))
        });
        let edges = self.edges.iter().filter_map(|(edge, calls)| {
            let since = calls.saturating_sub(earlier.edges.get(edge).copied().unwrap_or(0));
            (since > 0).then_some((*edge, since))
        });
        Self { origin: self.origin.clone(), methods: methods.collect(), edges: edges.collect() }
    }

    /// Forgets methods whose body is another one in `present`: what was learned of those is of no use to it.
    pub fn forget_changed(&mut self, present: &Self) {
        self.methods
            .retain(|id, method| present.methods.get(id).is_none_or(|present| present.body == method.body));
    }
}

impl MethodSnapshot {
    /// Nothing was learned of it.
    pub fn new(name: impl Into<String>, body: BodyHash) -> Self {
        Self {
            name: name.into(),
            body,
            local_calls: 0,
            remote_calls: 0,
            local: None,
            own: None,
            cpu: None,
            server: None,
            up: None,
            down: None,
        }
    }

    /// Both.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if self.body != other.body {
            let weight = |method: &Self| (method.runs(), method.body);
            return if weight(&self) >= weight(&other) { self } else { other };
        }
        Self {
            name: self.name.max(other.name),
            body: self.body,
            local_calls: self.local_calls.saturating_add(other.local_calls),
            remote_calls: self.remote_calls.saturating_add(other.remote_calls),
            local: merged(self.local, other.local),
            own: merged(self.own, other.own),
            cpu: merged(self.cpu, other.cpu),
            server: merged(self.server, other.server),
            up: merged(self.up, other.up),
            down: merged(self.down, other.down),
        }
    }

    /// `None` if nothing was.
    fn since(&self, earlier: Option<&Self>) -> Option<Self> {
        let Some(earlier) = earlier else { return Some(self.clone()) };
        let since = Self {
            name: self.name.clone(),
            body: self.body,
            local_calls: self.local_calls.saturating_sub(earlier.local_calls),
            remote_calls: self.remote_calls.saturating_sub(earlier.remote_calls),
            local: since(&self.local, &earlier.local),
            own: since(&self.own, &earlier.own),
            cpu: since(&self.cpu, &earlier.cpu),
            server: since(&self.server, &earlier.server),
            up: since(&self.up, &earlier.up),
            down: since(&self.down, &earlier.down),
        };
        (since != Self::new(self.name.clone(), self.body)).then_some(since)
    }

    fn runs(&self) -> u64 {
        self.local_calls.saturating_add(self.remote_calls)
    }
}

fn merged<T: Quantity>(one: Option<Summary<T>>, other: Option<Summary<T>>) -> Option<Summary<T>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.merge(&other)),
        (one, other) => one.or(other),
    }
}

fn since<T: Quantity>(now: &Option<Summary<T>>, earlier: &Option<Summary<T>>) -> Option<Summary<T>> {
    now.as_ref().and_then(|now| now.since(earlier.as_ref()))
}
