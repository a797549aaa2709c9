//! When to look at the way to a server although no call does.
//!
//! A call teaches what its way is like, for nothing. Where calls stay on the device nobody looks, and what was known
//! grows old: a plan near its flip point is a guess then. A probe is sent where what it is expected to save is more than
//! what it costs; and only for an app that calls.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, MethodIndex, Objective, ServerIndex, Timestamp};
use outboard_profiler::{CallSample, Quantile, Quantity, Spread, expected, value_of_knowing};
use outboard_wire::device::{Probed, Session};
use outboard_wire::frame::ProbeFrame;

use super::Engine;
use crate::exploration::Purse;
use crate::quote::Quote;
use crate::settings::Policy;

/// A probe carries at least what MAUI's did (MobiSys 2010, section 4.3): 10 kB. On a fast link that passes within the
/// round trip's own noise and tells nothing, so it is as much as takes half a round trip, as far as known, up to the most.
const LEAST: ByteCount = ByteCount::from_bytes(10_000);
const MOST: ByteCount = ByteCount::from_bytes(ProbeFrame::MOST as u64);
/// An answer's size where nothing large comes back, and below which nothing large does.
const SHORT: ByteCount = ByteCount::from_bytes(100);
const LARGE: ByteCount = ByteCount::from_bytes(4_000);
/// Probes are at least so far apart, and twice as far after each that taught nothing.
const SPACING: Duration = Duration::from_secs(10);
/// A probe has taught something if what is not known of the rate shrank to this part.
const TAUGHT: f64 = 0.7;
/// Longer than this no look at a network is worth anything, however quiet it was; and MAUI's probes came as often.
const LASTS: Duration = Duration::from_secs(60);
/// How often a method is called is averaged over about so long.
const RATE_OVER: f64 = 30.0;
/// What waking a radio that sleeps is taken to cost, until the radio's own model says: an LTE promotion (Huang et al.,
/// MobiSys 2012, table 3).
const PROMOTION: Duration = Duration::from_millis(260);
/// A radio that moved something so lately is awake: the shortest tail there is, that of Wi-Fi (EnergyBox).
const HOT: Duration = Duration::from_millis(250);

/// Whether and when the engine probes.
#[derive(Debug)]
pub(super) struct Prober {
    purse: Purse,
    /// By method: calls at the last look, and calls a second of late.
    known: Vec<(u64, f64)>,
    looked: Option<Timestamp>,
    probed: Option<Timestamp>,
    /// Probes that taught nothing, one after the other.
    fruitless: u32,
}

/// A look at the way.
#[derive(Clone, Copy, Debug)]
struct Look {
    up: ByteCount,
    down: ByteCount,
    takes: Duration,
}

/// What a better look at the way would do for the calls of one method.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prospect {
    /// The way as it is believed, and as it would be known.
    pub(super) now: Spread<Duration>,
    pub(super) fresh: Spread<Duration>,
    /// The longest way with which a call goes there.
    pub(super) limit: Duration,
    /// What a remote run saves without the way.
    pub(super) gain: Duration,
    /// Calls expected while the look still holds.
    pub(super) calls: f64,
}

impl Prospect {
    /// What the calls together are expected to save: nothing where the flip point is out of reach. That the way is fifty
    /// times what it is believed to be is possible, and no reason to look.
    pub(super) fn saving(&self) -> Duration {
        if self.limit < self.now.at(Quantile::P05) || self.limit > self.now.at(Quantile::P95) {
            return Duration::ZERO;
        }
        Duration::from_number(
            value_of_knowing(self.limit, self.gain, self.now, self.fresh).to_number() * self.calls,
        )
    }
}

/// What a probe costs: the time it takes, in full. A call that comes meanwhile waits for it at most so long, and for an
/// app that saves energy it is the time for which the device would not have used its radio.
pub(super) fn price(way: Spread<Duration>, radio_is_hot: bool) -> Duration {
    let waking = if radio_is_hot { Duration::ZERO } else { PROMOTION };
    expected(way).saturating_add(waking)
}

impl Prober {
    pub(super) fn new(share: f64) -> Self {
        Self { purse: Purse::new(share), known: Vec::new(), looked: None, probed: None, fruitless: 0 }
    }

    /// Counts what was called since the last look; whether anything was.
    fn count(&mut self, now: Timestamp, calls: impl Iterator<Item = u64>) -> bool {
        let since = self.looked.map_or(0.0, |looked| now.since(looked).as_secs_f64());
        let mut any = false;
        for (position, calls) in calls.enumerate() {
            let Some((known, rate)) = self.known.get_mut(position) else {
                self.known.push((calls, 0.0));
                continue;
            };
            let new = calls.saturating_sub(*known);
            any |= new > 0;
            if since > 0.0 {
                // A share of the new rate that grows with the time it was measured over.
                let gain = since / (since + RATE_OVER);
                *rate += gain * (new as f64 / since - *rate);
            }
            *known = calls;
        }
        // Probes may take a share of the time that passes, however much of it goes into calls.
        self.purse.earn(since);
        if since > 0.0 || self.looked.is_none() {
            self.looked = Some(now);
        }
        any
    }

    fn allows(&self, now: Timestamp) -> bool {
        let spacing = SPACING * (1 << self.fruitless.min(6));
        self.purse.allows() && self.probed.is_none_or(|probed| now.since(probed) >= spacing)
    }
}

impl Engine {
    /// Probes the servers for which that is worth it. Called when the plan is looked at anyway, which is after calls
    /// only: an idle device is not woken for it.
    pub(super) fn probe_if_worth_it(&mut self, now: Timestamp) {
        let counts = (0..self.methods.len()).map(|position| {
            let local =
                self.profile.method(MethodIndex(position as u32)).map_or(0, |known| known.local_calls());
            local.saturating_add(self.methods[position].counts.attempts)
        });
        let called = self.prober.count(now, counts);
        if !called || self.settings.policy != Policy::Plan {
            return;
        }
        for position in 0..self.servers.len() {
            let heard = || now.since(self.servers[position].heard) <= HOT;
            let radio_is_hot = self.radio.is_awake(now).unwrap_or_else(heard);
            if self.prober.allows(now)
                && self.is_idle(position)
                && let Some(look) = self.look_worth_it(now, ServerIndex(position as u16), radio_is_hot)
            {
                self.probe(now, position, look);
            }
        }
    }

    /// What to send, if it is worth it.
    fn look_worth_it(&self, now: Timestamp, server: ServerIndex, radio_is_hot: bool) -> Option<Look> {
        if !self.servers[server.position()].is_attached() {
            return None;
        }
        let network = &self.servers[server.position()].network;
        let figures = (network.round_trip(now), network.goodput_up(now), network.goodput_down(now));
        let half = figures.0.median() / 2;
        let (mut saving, mut down) = (Duration::ZERO, SHORT);
        for position in 0..self.methods.len() {
            let method = MethodIndex(position as u32);
            let Some(prospect) = self.prospect(now, server, method) else { continue };
            let saved = prospect.saving();
            saving = saving.saturating_add(saved);
            let large = |size: Spread<ByteCount>| size.median() >= LARGE;
            if !saved.is_zero() && self.profile.method(method)?.down(None).is_none_or(large) {
                down = carried(figures.2.median(), half);
            }
        }
        let up = carried(figures.1.median(), half);
        let way = way(figures, up, down);
        (saving > price(way, radio_is_hot)).then(|| Look { up, down, takes: way.median() })
    }

    /// What knowing the way better would do for a method; `None` where its placement does not depend on it.
    pub(super) fn prospect(
        &self,
        now: Timestamp,
        server: ServerIndex,
        method: MethodIndex,
    ) -> Option<Prospect> {
        let state = self.methods.get(method.position())?;
        let entry = &self.servers[server.position()];
        if state.bound_here().is_some()
            || state.held(now, server).is_some()
            || self.is_forced(state)
            || !entry.offers(method)
        {
            return None;
        }
        let (_, rate) = *self.prober.known.get(method.position())?;
        let statistics = self.profile.method(method)?;
        let market = self.market(now, server);
        let local = statistics.local(None)?.median();
        let run = statistics.on_server(None, market.speed_ratio)?;
        let run = market.with_queue(run).median();
        let up = statistics.up(None)?.median();
        let down = statistics.down(None).map_or(up, Spread::median);
        let network = &entry.network;
        let figures = (network.round_trip(now), network.goodput_up(now), network.goodput_down(now));
        let (believed, fresh) = (way(figures, up, down), way(network.when_fresh(), up, down));
        let quote = Quote::reckon(statistics, None, None, state.terms(server), &market);
        let accepted = quote.limit.saturating_sub(run);
        let gain = match self.objective {
            Objective::Time | Objective::TimeWithin(_) => local.saturating_sub(run),
            Objective::Energy | Objective::EnergyWithin(_) | Objective::Weighted { .. } => {
                let (here, there) = quote.energy?;
                // Of a remote run's energy all but the wait for the server goes with the way.
                let base = market.energy.waiting(run)?;
                let on_way = there.saturating_sub(base).as_joules_f64();
                let spare = here.saturating_sub(base).as_joules_f64();
                if on_way <= 0.0 {
                    return None;
                }
                Duration::from_number(believed.median().to_number() * spare / on_way)
            }
        };
        // What is learned holds about as long as what was known before did, until now.
        let holds = network.age(now).map_or(LASTS, |age| age.min(LASTS));
        Some(Prospect {
            now: believed,
            fresh,
            limit: accepted.min(gain),
            gain,
            calls: rate * holds.as_secs_f64(),
        })
    }

    fn probe(&mut self, now: Timestamp, position: usize, look: Look) {
        let Some(session) = self.servers[position].session_mut() else { return };
        if session.probe(now, look.up, look.down) {
            tracing::debug!(server = %self.servers[position].settings.name, ?look, "probing");
            // Charged as it was expected, whatever becomes of it: an answer may never come.
            self.prober.purse.settle(0.0, look.takes.as_secs_f64());
            self.prober.probed = Some(now);
            self.prober.fruitless += 1;
            self.servers[position].probes += 1;
            self.pump(now, position);
        }
    }

    /// A probe was answered.
    pub(super) fn probed(&mut self, now: Timestamp, position: usize, probed: Probed) {
        let Probed { up, down, elapsed } = probed;
        let server = &mut self.servers[position];
        let before = server.network.goodput_up(now).deviation();
        server.network.observe_call(now, CallSample { up, down, elapsed, server: Duration::ZERO });
        server.generation += 1;
        if server.network.goodput_up(now).deviation() < before * TAUGHT {
            self.prober.fruitless = 0;
        }
        self.learned(now);
    }

    /// Whether nothing is under way to a server.
    fn is_idle(&self, position: usize) -> bool {
        self.servers[position].session().is_some_and(Session::is_idle)
    }
}

/// What passes in that time at that rate, within the bounds of a probe.
fn carried(rate: Bandwidth, time: Duration) -> ByteCount {
    let bytes = rate.as_bits_per_second() as f64 / 8.0 * time.as_secs_f64();
    ByteCount::from_number(bytes).clamp(LEAST, MOST)
}

/// How long so many bytes take, there and back. What is unknown about the sizes no look at the network tells.
fn way(
    (round_trip, rate_up, rate_down): (Spread<Duration>, Spread<Bandwidth>, Spread<Bandwidth>),
    up: ByteCount,
    down: ByteCount,
) -> Spread<Duration> {
    let bytes = |size: ByteCount| Spread::around(size, 0.0);
    Spread::sum(&[round_trip, bytes(up).over(rate_up), bytes(down).over(rate_down)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    fn way_of(millis: u64, deviation: f64) -> Spread<Duration> {
        Spread::around(Duration::from_millis(millis), deviation)
    }

    fn prospect(limit: u64, calls: f64) -> Prospect {
        Prospect {
            now: way_of(100, 0.8),
            fresh: way_of(100, 0.2),
            limit: Duration::from_millis(limit),
            gain: Duration::from_millis(limit),
            calls,
        }
    }

    #[test]
    fn a_look_is_worth_it_near_the_flip_point_and_for_calls_that_come() {
        let price = price(way_of(100, 0.2), true);
        assert!(prospect(110, 30.0).saving() > price);
        assert!(prospect(110, 1.0).saving() < price, "a single call is not worth it");
        assert!(prospect(110, 0.0).saving().is_zero());
        assert!(prospect(10_000, 30.0).saving() < price, "it goes there whatever the way is like");
        assert!(prospect(2, 30.0).saving() < price, "it stays whatever the way is like");
    }

    #[test]
    fn a_radio_that_is_awake_is_preferred() {
        let saving = prospect(110, 8.0).saving();
        assert!(saving > price(way_of(100, 0.2), true), "{saving:?}");
        assert!(saving < price(way_of(100, 0.2), false), "{saving:?}");
    }

    #[test]
    fn calls_a_second_are_those_of_late() {
        let mut prober = Prober::new(0.01);
        assert!(!prober.count(at(0), [5].into_iter()), "nothing is known of when they were");
        for second in 1..200 {
            assert!(prober.count(at(second), [5 + second * 3].into_iter()));
        }
        let rate = prober.known[0].1;
        assert!((rate - 3.0).abs() < 0.1, "{rate}");
        assert!(!prober.count(at(400), [602].into_iter()));
        assert!(prober.known[0].1 < rate / 5.0);
    }
}
