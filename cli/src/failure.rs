//! Why a command could not be done.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use outboard_core::Value;
use outboard_profiler::{CalibrationError, MeterError, ProfileError, RadioImportError};
use outboard_solver::SolveError;
use thiserror::Error;

use crate::file::Kind;
use crate::solve::ProblemFileError;

#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum Failure {
    #[error("{0}: see outboard --help")]
    Arguments(#[from] lexopt::Error),
    #[error("there is no command `{given}`: known are probe, profile and solve; see outboard --help")]
    UnknownCommand { given: String },
    #[error("{option} {given}: give {expected}")]
    BadOption { option: &'static str, given: String, expected: &'static str },
    #[error("{command} needs {needed}: see outboard --help")]
    Incomplete { command: &'static str, needed: &'static str },
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Radio(#[from] RadioImportError),
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} has more than {} bytes: no {} is that long", path.display(), kind.most, kind.name)]
    TooLong { path: PathBuf, kind: Kind },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the meter failed while it was read: {0}")]
    Meter(#[from] MeterError),
    #[error("the figures of the meter make no model: {0}")]
    Calibration(#[from] CalibrationError),
    #[error("{file}: {error}")]
    Problem { file: String, error: ProblemFileError },
    #[error("no placement keeps {resource} below {least}: allow that much instead of {most}, or minimise it")]
    Infeasible { resource: String, most: Value, least: Value },
    #[error(
        "no placement was found that keeps {resource} within {most}: allow more time to search, or raise the limit"
    )]
    NoneFound { resource: String, most: Value },
    #[error(transparent)]
    Solve(#[from] SolveError),
    #[error("cannot write what was found: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// 2 where the command line is wrong, as shells' own commands do; 1 where the work could not be done.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Arguments(_)
            | Self::UnknownCommand { .. }
            | Self::BadOption { .. }
            | Self::Incomplete { .. } => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
