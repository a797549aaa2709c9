//! What the methods and calls of a profile cost, and which figure of what is uncertain counts.

use std::time::Duration;

use outboard_core::{ByteCount, CallFigures, Cost, Energy, MethodFigures, Placement, Shipping, Timestamp};

use crate::energy::EnergyModel;
use crate::method::MethodStatistics;
use crate::network::NetworkEstimate;
use crate::radio::Exchange;
use crate::spread::{Quantile, Quantity, Spread};

/// What the costs of a call graph are reckoned with.
#[derive(Clone, Copy, Debug)]
pub struct Costing<'a> {
    /// The present.
    pub now: Timestamp,
    /// The link to the server.
    pub network: &'a NetworkEstimate,
    /// What the device spends.
    pub energy: &'a EnergyModel,
    /// How many times as fast as the device the server is.
    pub speed_ratio: f64,
    /// How long the radio has usually been silent when a call comes.
    pub silence: Duration,
    /// Which figure of what is uncertain counts.
    pub risk: Risk,
}

/// Which figure of an uncertain cost a plan is made with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Risk {
    /// The median: what happens most often, whatever else may.
    #[default]
    Usual,
    /// The mean: plans save most in the long run. What is uncertain counts for more than it usually takes.
    Expected,
    /// Of a server and the way to it what they seldom pass, of the device the mean: plans send only what saves even then.
    Averse(Quantile),
}

impl Risk {
    /// Of a server or the way to it.
    fn away<T: Quantity>(self, spread: Spread<T>) -> T {
        match self {
            Self::Usual => spread.median(),
            Self::Expected => spread.mean(),
            Self::Averse(quantile) => spread.at(quantile),
        }
    }

    /// Of the device.
    fn here<T: Quantity>(self, spread: Spread<T>) -> T {
        match self {
            Self::Usual => spread.median(),
            Self::Expected | Self::Averse(_) => spread.mean(),
        }
    }
}

impl Costing<'_> {
    pub(super) fn figures(
        &self,
        method: &MethodStatistics,
        runs: f64,
        pin: Option<Placement>,
    ) -> MethodFigures {
        let local = method.exclusive(None).map_or(Duration::ZERO, |local| self.risk.here(local));
        // The ratio that this method showed, where it showed one; else that of the machines.
        let shown = method.local(None).zip(method.on_server(None, self.speed_ratio));
        let ratio = shown.map_or(1.0 / self.speed_ratio, |(local, remote)| {
            self.risk.away(remote).to_number() / self.risk.here(local).to_number().max(1e-9)
        });
        let (local_time, remote_time) = (scaled(local, runs), scaled(local, runs * ratio));
        MethodFigures {
            name: method.name().to_owned(),
            calls: runs as u64,
            local_energy: self.energy.running(local_time).unwrap_or(Energy::ZERO),
            local_time,
            remote_time,
            remote_energy: self.energy.waiting(remote_time).unwrap_or(Energy::ZERO),
            pin,
        }
    }

    pub(super) fn shipping(&self, method: &MethodStatistics, calls: f64) -> CallFigures {
        let up = method.up(None).unwrap_or_else(|| Spread::around(UNKNOWN_SIZE, 0.0));
        let down = method.down(None).unwrap_or(up);
        let (rate_up, rate_down) = (self.network.goodput_up(self.now), self.network.goodput_down(self.now));
        // The radio is awake while the server runs, though the time is the method's.
        let run = method.on_server(None, self.speed_ratio);
        let run = run.map_or(Duration::ZERO, |run| self.risk.away(run));
        let round_trip = self.risk.away(self.network.round_trip(self.now));
        let whole = Exchange {
            up: self.risk.away(up),
            down: self.risk.away(down),
            up_time: self.risk.away(up.over(rate_up)),
            wait: round_trip.saturating_add(run),
            down_time: self.risk.away(down.over(rate_down)),
        };
        let bytes = (up.median() + down.median()).scaled(calls);
        let empty = Exchange {
            up: ByteCount::ZERO,
            down: ByteCount::ZERO,
            up_time: Duration::ZERO,
            down_time: Duration::ZERO,
            ..whole
        };
        let instant = Exchange { wait: run, ..empty };
        let [whole, empty, instant] = [whole, empty, instant].map(|exchange| self.cost(&exchange, run));
        // Each part is what the exchange costs less without it; of the whole each leaves off only what it has.
        let round_trips = less(empty, instant);
        let payload = less(whole, empty);
        let fixed = less(less(whole, payload), round_trips);
        let all = |cost: Cost| Cost { energy: cost.energy.scaled(calls), time: scaled(cost.time, calls) };
        CallFigures {
            calls: calls as u64,
            bytes,
            shipping: Shipping { fixed: all(fixed), round_trips: all(round_trips), payload: all(payload) },
        }
    }

    /// What an exchange costs beside what the server's run of that time costs.
    fn cost(&self, exchange: &Exchange, run: Duration) -> Cost {
        let radio = self.energy.radio().map(|radio| radio.marginal(Some(self.silence), exchange));
        let radio = radio.unwrap_or_default();
        let time = exchange.time().saturating_sub(run).saturating_add(radio.delay);
        Cost { energy: self.energy.remote(time, radio.energy).unwrap_or(Energy::ZERO), time }
    }
}

fn less(cost: Cost, part: Cost) -> Cost {
    Cost { energy: cost.energy.saturating_sub(part.energy), time: cost.time.saturating_sub(part.time) }
}

/// What slots are taken to be until they were encoded once.
const UNKNOWN_SIZE: ByteCount = ByteCount::from_bytes(10_000);

fn scaled(time: Duration, factor: f64) -> Duration {
    Duration::from_number(time.to_number() * factor)
}
