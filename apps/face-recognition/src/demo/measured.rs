//! What a run of the device measured, as it is handed from process to process.

use std::time::Duration;

use outboard::{MethodReport, Report, ServerReport};
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
    /// Of the device in all rounds, modelled; `None` without a complete device profile.
    pub(super) energy: Option<Energy>,
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
    /// With the methods it called.
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
            time: report.local_time + report.remote_time + report.lost_time,
            energy: report.local_energy.zip(report.remote_energy).map(|(here, there)| here + there),
            sent: report.sent,
            received: report.received,
        }
    }
}

/// The device's energy in all: running at the power of its processor, and, as long as a server worked for it, what the
/// attempts are said to have taken.
pub(super) fn energy(report: &Report) -> Option<Energy> {
    // What the user interface calls is part of its time.
    let outermost = report.methods.iter().find(|method| method.name.ends_with("::show_who_is_on"))?;
    let waiting: Duration = report.methods.iter().map(|method| method.remote_time + method.lost_time).sum();
    let attempts: Option<Energy> = report.methods.iter().map(|method| method.remote_energy).sum();
    let running = outermost.local_time.saturating_sub(waiting);
    let part = running.as_secs_f64() / outermost.local_time.as_secs_f64().max(f64::MIN_POSITIVE);
    Some(outermost.local_energy?.scaled(part) + attempts?)
}

/// A server in one line.
pub(super) fn described(server: &ServerReport) -> String {
    let speed = server.speed_ratio.map(|ratio| format!(", {ratio:.1} × as fast as the device"));
    let trip = server.round_trip.map(|trip| format!(", round trip {:.2} ms", trip.as_secs_f64() * 1e3));
    format!("{}: {}{}{}", server.name, server.state, speed.unwrap_or_default(), trip.unwrap_or_default())
}
