//! Why a meter cannot be read.

use std::path::PathBuf;

use thiserror::Error;

/// Why a meter cannot be read, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MeterError {
    /// The system has no such meters at all.
    #[error("there is no {}: this machine, a virtual one perhaps, has no such meter", place.display())]
    Absent {
        /// Where they would be.
        place: PathBuf,
    },
    /// There are others, but none that would do.
    #[error("nothing in {} is {wanted}", place.display())]
    NoneSuitable {
        /// Where was looked.
        place: PathBuf,
        /// What was looked for.
        wanted: &'static str,
    },
    /// A file that only root may read.
    #[error("{} may not be read by this user: run as root, or let a group that this user is in read it", path.display())]
    NotPermitted {
        /// The file.
        path: PathBuf,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A file that the system's driver cannot have written.
    #[error("{} does not contain {expected}: its driver is at fault", path.display())]
    BadContent {
        /// The file.
        path: PathBuf,
        /// What should stand there.
        expected: &'static str,
    },
    /// The counter became smaller by more than one turn.
    #[error("the counter {} went back: another program, or the driver, has set it anew", path.display())]
    WentBack {
        /// The counter.
        path: PathBuf,
    },
    /// A battery tells what the device draws only while nothing else supplies it.
    #[error("the battery {} is `{status}`: unplug the charger", path.display())]
    NotDischarging {
        /// The battery.
        path: PathBuf,
        /// What it does instead.
        status: String,
    },
    /// Several rails, and nothing says which of them feeds the others.
    #[error("{} has several rails and none of them is the input: name one of {rails}", chip.display())]
    Ambiguous {
        /// The chip.
        chip: PathBuf,
        /// Their names.
        rails: String,
    },
    /// No chip has a rail of that name.
    #[error("no chip in {} has a rail `{rail}`: known are {known}", place.display())]
    NoSuchRail {
        /// Where was looked.
        place: PathBuf,
        /// The name asked for.
        rail: String,
        /// The names there are.
        known: String,
    },
    /// A row of a recorded trace.
    #[error("{file}, line {line}: expected {expected}")]
    BadRow {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// The recorded trace is over.
    #[error("the recording {file} is over: take a longer one, or stop before its end")]
    TraceEnded {
        /// The file.
        file: String,
    },
}
