//! Why a run could not be done. Missing a target is not a failure.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::arguments::USAGE;

#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{problem}\n{USAGE}")]
    Usage { problem: String },
    #[error("there is no experiment `{name}`: known are {known}")]
    UnknownName { name: String, known: String },
    #[error("there is no peer `{name}`: known are {known}")]
    UnknownPeer { name: String, known: String },
    #[error("{peer}: {source}")]
    Peer { peer: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{peer}: its server process said {said:?} instead of where it listens")]
    Greeting { peer: &'static str, said: String },
    #[error("cannot choose a processor: {0}")]
    Affinity(io::Error),
    #[error(
        "there are no recordings in {}: set OUTBOARD_TRACES to a folder that has some (its `network/` holds mahimahi, \
         5g-ireland, merina or starlink), or measure on generated traces", folder.display()
    )]
    NoTraces { folder: PathBuf },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot replay a recording: {0}")]
    Trace(#[from] outboard_sim::TraceError),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{what} failed: {source}")]
    Subject { what: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Turns an error of a peer into a failure, for `map_err`.
    pub(crate) fn of_peer<E>(peer: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Peer { peer, source: source.into() }
    }

    /// Turns an error of what is measured into a failure, for `map_err`.
    pub(crate) fn of<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Subject { what, source: source.into() }
    }
}
