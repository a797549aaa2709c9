//! What a caller may be told.

use crate::config::ConfigError;

/// Why a call that cannot simply run on the device has no result.
///
/// Only methods marked `once` or `remote_only` can meet it: every other call falls back to the device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum CallError {
    /// The method cannot run on the device, and no server takes it now. It did not run.
    #[error("`{method}` can only run on a server, and none takes it now: {reason}")]
    NoServer {
        /// The method.
        method: String,
        /// Why no server takes it.
        reason: String,
    },
    /// The method cannot run on the device, and the server did not answer in time.
    #[error("`{method}` got no answer from the server: {reason}")]
    NoAnswer {
        /// The method.
        method: String,
        /// What ended the attempt.
        reason: String,
    },
    /// The method is marked `once`, and it is not known whether it ran: the server or the link went away in between.
    #[error("`{method}` may have run: {reason}; find out by its effects before calling it again")]
    MaybeRan {
        /// The method.
        method: String,
        /// What ended the attempt.
        reason: String,
    },
    /// The method ran on the server, and its own error or its reply could not travel, or one of its call-backs failed on
    /// the way and ended it: what it did so far is done. This is the text of the error, or of what failed.
    #[error("{0}")]
    Remote(String),
}

/// Why a runtime or a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// This process has a runtime.
    #[error("this process has a runtime already: keep that one, or start this one with `start_isolated`")]
    AlreadyRunning,
    /// The device profile cannot be used.
    #[error(transparent)]
    Profile(#[from] outboard_profiler::ProfileError),
    /// The profile that the app brings along cannot be used.
    #[error("what the builder was given as a prior cannot be used: {0}")]
    Prior(#[from] outboard_profiler::SnapshotError),
    /// The socket cannot be had.
    #[error(transparent)]
    Bind(#[from] outboard_transport::BindError),
    /// The server's key cannot be had.
    #[error(transparent)]
    Identity(#[from] outboard_transport::IdentityError),
    /// The operating system refuses a thread, an event queue, a signal handler, or the address of a socket.
    #[error(
        "the operating system refuses what a runtime needs: {0}; look at this process's limits (`ulimit -a`)"
    )]
    System(std::io::Error),
}
