//! How a simulated run went.

use std::fmt;
use std::time::Duration;

use outboard_client_proxy::Report;
use outboard_core::{ByteCount, Energy, ServerIndex, Timestamp};
use outboard_runtime::Method;

/// How a simulated run of an app went.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Simulated<T> {
    /// What the app's code returned.
    pub value: T,
    /// How long it took.
    pub elapsed: Duration,
    /// What the device spent from when it connected until the end: silence, processors and radio, the tail of the last
    /// transfer included. `None` where a part is not known.
    pub energy: Option<Energy>,
    /// The radio's part of it. `None` where the radio is not known.
    pub radio: Option<Energy>,
    /// What is left in the battery. `None` without one, or where the device's energy is not known.
    pub left: Option<Energy>,
    /// Everything that was sent to servers: greetings, pings and attempts in vain as well.
    pub sent: ByteCount,
    /// Everything that servers sent.
    pub received: ByteCount,
    /// The calls of the device, in the order in which they ended.
    pub calls: Vec<Call>,
    /// What the engine made of it: every method with its counts and the reason for its place.
    pub report: Report,
}

/// A call of the device.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// Its size hint.
    pub work: Option<f64>,
    /// How deep it was: 0 for one that the app's code made, 1 for one that such a call made on the device.
    pub depth: usize,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The server that ran it; `None` for the device.
    pub server: Option<ServerIndex>,
    /// Whether it was sent to a server in vain before the device ran it.
    pub in_vain: bool,
    /// Whether it ran beside an attempt, as a hedge: one more run of a call that has an entry of its own.
    pub hedge: bool,
    /// Why it ran there.
    pub why: String,
    /// What the device spent on it: silence while it lasted, processors, and the radio with its tail. Only of calls that
    /// the app's code made. `None` where it is not known.
    pub energy: Option<Energy>,
    /// What it would have been on the device, with all that it called; only of calls that the app's code made.
    pub here: Option<Figures>,
    /// What it would have been on the first server, sent whole when it began, by whoever knew the network's future. What
    /// it was, where a server did run it. Only of calls that the app's code made; `None` where the size of its slots
    /// is not known, or where nothing would ever have come back.
    pub there: Option<Figures>,
}

/// What a call costs in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// How long it takes.
    pub time: Duration,
    /// What the device spends on it. `None` where it is not known.
    pub energy: Option<Energy>,
}

impl<T> Simulated<T> {
    /// The calls that the app's code made.
    pub fn outer_calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.depth == 0 && !call.hedge)
    }

    /// Calls of that method by where they ran: on the device, and on servers. Hedges are not among them.
    pub fn counts(&self, method: &'static Method) -> (usize, usize) {
        let title = method.descriptor().title();
        let of_method = self.calls.iter().filter(|call| call.method == title && !call.hedge);
        let remote = of_method.clone().filter(|call| call.server.is_some()).count();
        (of_method.count() - remote, remote)
    }

    /// The time of all calls that the app's code made, over that of an oracle that knew the network's future and chose
    /// the faster place for each; 1 is perfect. `None` without calls.
    pub fn regret_time(&self) -> Option<f64> {
        let best = |call: &Call| {
            let places = call.here.iter().chain(&call.there).map(|place| place.time);
            places.min().map_or(call.took, |best| best.min(call.took))
        };
        let best: Duration = self.outer_calls().map(best).sum();
        let took: Duration = self.outer_calls().map(|call| call.took).sum();
        (!best.is_zero()).then(|| took.as_secs_f64() / best.as_secs_f64())
    }

    /// The same for energy. `None` where a part is not known.
    pub fn regret_energy(&self) -> Option<f64> {
        let (mut best, mut spent) = (Energy::ZERO, Energy::ZERO);
        for call in self.outer_calls() {
            let energy = call.energy?;
            let places = call.here.iter().chain(&call.there).filter_map(|place| place.energy);
            best += places.min().map_or(energy, |best| best.min(energy));
            spent += energy;
        }
        (best > Energy::ZERO).then(|| spent.as_joules_f64() / best.as_joules_f64())
    }

    /// The longest of the calls that the app's code made.
    pub fn worst(&self) -> Option<&Call> {
        self.outer_calls().max_by_key(|call| call.took)
    }
}

/// The sums, then a line for each call; in the alternate form (`{:#}`) with the reason for its place.
impl<T> fmt::Display for Simulated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let energy = self.energy.map_or("energy unknown".to_owned(), |energy| energy.to_string());
        writeln!(f, "{:.3?}, {energy}, {} sent, {} received", self.elapsed, self.sent, self.received)?;
        self.calls.iter().try_for_each(|call| {
            call.fmt(f)?;
            writeln!(f)
        })
    }
}

/// In the alternate form (`{:#}`) with the reason for its place.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match (self.server, self.in_vain) {
            (Some(server), _) => format!("server {}", server.0),
            (None, true) => "device, after an attempt".to_owned(),
            (None, false) if self.hedge => "device, as a hedge".to_owned(),
            (None, false) => "device".to_owned(),
        };
        let (began, indent) = (self.began - Timestamp::ZERO, "  ".repeat(self.depth));
        write!(f, "{began:>12.3?} {:>10.3?} {indent}{} on {place}", self.took, self.method)?;
        match f.alternate() && !self.why.is_empty() {
            true => write!(f, ": {}", self.why),
            false => Ok(()),
        }
    }
}
