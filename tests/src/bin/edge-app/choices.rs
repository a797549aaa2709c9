//! Methods that only a server runs, that have a fallback, or that the device runs beside the server.

use std::sync::atomic::{AtomicU64, Ordering};

use outboard::{CallError, remoteable};

use crate::methods::{Ran, knock, ran};

#[remoteable(name = "only-there", remote_only)]
pub(crate) fn only_there(value: u64, gate: &str) -> Result<Ran, CallError> {
    knock(gate);
    Ok(ran(value))
}

#[remoteable(name = "exactly", fallback = roughly)]
pub(crate) fn exactly(value: u64, gate: &str) -> Ran {
    knock(gate);
    ran(value)
}

fn roughly(value: u64, _gate: &str) -> Ran {
    ran(value / 10 * 10)
}

#[remoteable(name = "race", hedge = always)]
pub(crate) fn race(value: u64, gate: &str) -> Ran {
    knock(gate);
    ran(value)
}

static SHOWN: AtomicU64 = AtomicU64::new(0);

/// How often the device has shown something so far.
#[outboard::device]
pub(crate) fn show() -> u64 {
    SHOWN.fetch_add(1, Ordering::Relaxed) + 1
}

/// What it shows it shows on the device, wherever it runs.
#[remoteable(name = "race-and-show", hedge = always)]
pub(crate) fn race_and_show(gate: &str) -> Ran {
    knock(gate);
    ran(show())
}
