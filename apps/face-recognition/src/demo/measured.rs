//! What a run of the device measured, as it is handed from process to process.

use std::time::Duration;

use outboard_core::{ByteCount, Energy};
use serde::{Deserialize, Serialize};

use crate::Sighting;

/// One run of the device: all photographs, all rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    /// "device alone", "with edge server".
    pub(super) title: String,
    pub(super) slowed: Slowed,
    /// How long each round took, by the device's clock.
    pub(super) rounds: Vec<Duration>,
    pub(super) methods: Vec<Method>,
    /// What was seen in the last round. The rounds before saw the same, or the run would have failed.
    pub(super) seen: Vec<Seen>,
}

/// How the device was slowed, and what that came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Slowed {
    /// In words: "by stop and continue every 20 ms".
    pub(super) how: String,
    pub(super) asked: f64,
    /// The reference loop's time at full speed, divided by its time on the device.
    pub(super) measured: f64,
}

/// One photograph and who is on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) photo: String,
    pub(super) people: Vec<Sighting>,
}

/// What the calls of one method took in all rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Method {
    pub(super) name: String,
    pub(super) calls_on_device: u64,
    pub(super) calls_on_server: u64,
    /// Why the next call would run where it would.
    pub(super) why: String,
    /// Without the methods it called.
    pub(super) time: Duration,
    /// Of the device, modelled; `None` without a device profile.
    pub(super) energy: Option<Energy>,
    pub(super) sent: ByteCount,
    pub(super) received: ByteCount,
}

impl Run {
    pub(super) fn time(&self) -> Duration {
        self.rounds.iter().sum()
    }

    /// `None` as soon as one method's energy is not known.
    pub(super) fn energy(&self) -> Option<Energy> {
        if self.methods.is_empty() { None } else { self.methods.iter().map(|method| method.energy).sum() }
    }

    pub(super) fn bytes(&self) -> ByteCount {
        self.methods.iter().map(|method| method.sent + method.received).sum()
    }
}

/// All runs, for programs that read them.
pub(super) fn to_json(runs: &[&Run]) -> String {
    serde_json::to_string_pretty(runs).expect("strings, numbers and lists can always be written as JSON")
}
