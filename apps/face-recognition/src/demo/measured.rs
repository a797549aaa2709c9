//! What a run of the device measured, as it is handed from process to process.

use std::time::Duration;

use outboard::{ByteCount, Energy};
use outboard::{MethodReport, ServerReport};
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
    /// The servers, described.
    pub(super) servers: Vec<String>,
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
    /// Where the next usual call would run.
    pub(super) next: String,
    /// Why there.
    pub(super) why: String,
    /// Without the methods it called on the device: these times add up.
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

    /// `None` as soon as that of one method is not known.
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

impl From<&MethodReport> for Method {
    fn from(report: &MethodReport) -> Self {
        // The methods of this app have names enough of their own.
        let name = report.name.rsplit("::").next().unwrap_or(&report.name);
        Self {
            name: name.to_owned(),
            calls_on_device: report.local_calls,
            calls_on_server: report.remote_calls,
            next: report.placement.to_string(),
            why: report.why.clone(),
            time: report.own_time + report.remote_time + report.lost_time,
            energy: report.local_energy.zip(report.remote_energy).map(|(here, there)| here + there),
            sent: report.sent,
            received: report.received,
        }
    }
}

/// A server in one line.
pub(super) fn described(server: &ServerReport) -> String {
    let speed = server.speed_ratio.map(|ratio| format!(", {ratio:.1} × as fast as the device"));
    let trip = server.round_trip.map(|trip| format!(", round trip {:.2} ms", trip.as_secs_f64() * 1e3));
    format!("{}: {}{}{}", server.name, server.state, speed.unwrap_or_default(), trip.unwrap_or_default())
}
