//! What a call would cost here and there.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Energy, Objective, ServerIndex, Timestamp};
use outboard_profiler::{
    EnergyModel, Exchange, MethodStatistics, NetworkEstimate, Quantile, QueueEstimate, RadioCost, RadioState,
    Spread,
};
use outboard_wire::Lane;

use crate::accuracy::Accuracy;
use crate::hedge::Hedge;
use crate::radio::RadioView;

/// What a quote is reckoned from, apart from the method.
#[derive(Clone, Copy)]
pub(crate) struct Market<'a> {
    pub(crate) now: Timestamp,
    pub(crate) network: &'a NetworkEstimate,
    pub(crate) energy: &'a EnergyModel,
    /// The device's radio at that time.
    pub(crate) radio: RadioView<'a>,
    /// The same as it usually is when a call comes; plans are made for that.
    pub(crate) usual_radio: RadioView<'a>,
    /// How many times as fast as the device the server is.
    pub(crate) speed_ratio: f64,
    /// How long a call waits at the server.
    pub(crate) queue: &'a QueueEstimate,
    /// How long a bulk frame waits for those of ours that are on their way.
    pub(crate) ahead: Duration,
}

impl Market<'_> {
    /// A run on the server and the wait before it.
    pub(crate) fn with_queue(&self, run: Spread<Duration>) -> Spread<Duration> {
        Spread::sum(&[self.queue.queueing(self.now, run.median()), run])
    }
}

/// Predicted costs of one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quote {
    /// A local run; `None` if there never was one.
    pub(crate) local: Option<Duration>,
    /// A remote run, at best, usually, and at worst (one in twenty takes longer); `None` if nothing is known.
    pub(crate) remote: Option<Range>,
    /// The part of a remote run's time that is taken as certain: waking the radio, and waiting for what was sent before.
    pub(crate) delay: Duration,
    /// How uncertain the other parts are together.
    pub(crate) deviation: f64,
    /// A local and a remote run's energy, where the device's figures are known.
    pub(crate) energy: Option<(Energy, Energy)>,
    /// What an attempt is expected to come to, with what runs here when it is late; `None` where that cannot be told.
    pub(crate) tried: Option<Tried>,
    /// How likely an attempt is in time.
    pub(crate) chance: f64,
    /// The remote run's energy where it goes as well as in one case of twenty.
    pub(crate) least_energy: Option<Energy>,
    /// What of the remote run's time goes into waking the radio, and into waiting for one that sleeps.
    pub(crate) waking: Duration,
    /// By itself a remote run would take less energy than a local one, were the radio as it usually is; now it takes more.
    pub(crate) spoilt: Option<Spoilt>,
    pub(crate) up: ByteCount,
    /// The rate at which the server usually receives. Predicting it takes longer than all else of a decision.
    pub(crate) goodput: Bandwidth,
    /// The part of a remote run that is not the server's.
    pub(crate) way: Duration,
    /// The longest that an attempt may take.
    pub(crate) limit: Duration,
    /// Most bytes that are worth encoding.
    pub(crate) budget: ByteCount,
}

/// What a call is expected to come to that is tried on a server first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tried {
    pub(crate) time: Duration,
    pub(crate) energy: Option<Energy>,
}

/// What the radio's silence does to a call that would be worth sending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spoilt {
    /// What it would save, were the radio as it usually is when a call comes.
    pub(crate) saves: Energy,
    /// What the radio takes more than that now.
    pub(crate) costs: Energy,
}

/// What a method accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Terms {
    /// ε.
    pub(crate) slowdown: f64,
    pub(crate) deadline: Option<Duration>,
    /// How far predictions were off.
    pub(crate) accuracy: Accuracy,
    /// How often a remote run calls the device back.
    pub(crate) backs: f64,
    /// When the device runs it too.
    pub(crate) hedge: Hedge,
}

/// A time at best (a quarter of the cases), usually, and at worst (all but one case in twenty).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) hoped: Duration,
    pub(crate) usual: Duration,
    pub(crate) worst: Duration,
}

/// The last quotes of a method: predictions change with samples and, slowly, with time.
///
/// Calls whose work differs by less than a fifth share a quote; it is reckoned in the middle between them. That is well
/// within what predictions are off by, and a look at the clock costs more than finding it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CachedQuotes {
    entries: [Option<Entry>; 4],
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Timestamp,
    generation: Generation,
    class: WorkClass,
    quote: Quote,
}

/// A server, a number that changes with everything that its predictions depend on, and the state of the radio.
pub(crate) type Generation = (ServerIndex, u64, Option<RadioState>);

/// Longer than this a quote is not kept: certainty about the link fades by the second.
const KEPT: Duration = Duration::from_millis(250);

/// A range of work, a quarter of an octave wide: the exponent of the number and the first two bits of its fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkClass(Option<u64>);

impl WorkClass {
    const DROPPED: u32 = f64::MANTISSA_DIGITS - 1 - 2;

    pub(crate) fn of(work: Option<f64>) -> Self {
        let sound = work.filter(|work| work.is_normal() && *work > 0.0);
        Self(sound.map(|work| work.to_bits() >> Self::DROPPED))
    }

    /// The work in the middle of the range.
    pub(crate) fn middle(self) -> Option<f64> {
        self.0.map(|class| f64::from_bits(class << Self::DROPPED | 1 << (Self::DROPPED - 1)))
    }
}

/// Where a quote is kept. Servers that are asked one after the other do not drive out each other's.
fn slot((server, ..): Generation, WorkClass(class): WorkClass) -> usize {
    (class.map_or(0, |class| (class % 4) as usize) + server.position()) % 4
}

impl CachedQuotes {
    /// The quote of that generation for such work, if it is still good.
    pub(crate) fn get(&self, now: Timestamp, generation: Generation, class: WorkClass) -> Option<&Quote> {
        let entry = self.entries[slot(generation, class)].as_ref()?;
        let good = entry.generation == generation && entry.class == class && now.since(entry.at) < KEPT;
        good.then_some(&entry.quote)
    }

    pub(crate) fn set(&mut self, now: Timestamp, generation: Generation, class: WorkClass, quote: Quote) {
        self.entries[slot(generation, class)] = Some(Entry { at: now, generation, class, quote });
    }

    pub(crate) fn clear(&mut self) {
        self.entries = [None; 4];
    }
}

impl Terms {
    /// The longest that an attempt may take: ε times a local run and, where there is a deadline that a local run can
    /// keep, no longer than leaves the time for one.
    fn allow(self, local: Duration) -> Duration {
        let limit = scaled(local, self.slowdown);
        match self.deadline {
            None => limit,
            Some(deadline) if local < deadline => limit.min(deadline - local),
            Some(deadline) => limit.min(deadline),
        }
    }
}

impl Terms {
    /// How long such a call's attempt is under way on average.
    fn under_way(self, remote: Spread<Duration>, bound: Duration, local: Duration) -> Duration {
        remote.capped_mean(match self.hedge {
            Hedge::Always => local,
            Hedge::Late => bound.saturating_add(local),
            Hedge::Never => bound,
        })
    }

    /// What a call takes on average that is given up at `bound`, or run here too from then on, and then takes `local`; `late`
    /// is how likely that is.
    fn expected(self, remote: Spread<Duration>, bound: Duration, local: Duration, late: f64) -> Duration {
        let under_way = self.under_way(remote, bound, local);
        match self.hedge {
            // The server may still be the first to be done.
            Hedge::Always | Hedge::Late => under_way,
            Hedge::Never => under_way.saturating_add(scaled(local, late)),
        }
    }
}

impl Market<'_> {
    /// The same with the radio as awake as it usually is when a call comes.
    pub(crate) fn usually(self) -> Self {
        Self { radio: self.usual_radio, ..self }
    }

    /// The same with the radio just used.
    pub(crate) fn at_best(self) -> Self {
        Self { radio: self.radio.just_used(), ..self }
    }

    /// The device's energy of an exchange from beginning to end.
    fn remote_energy(&self, exchange: &Exchange, radio: RadioCost) -> Option<Energy> {
        self.energy.remote(exchange.time().saturating_add(radio.delay), radio.energy)
    }
}

/// Whether a frame with slots of that size has a stream of its own, where it waits for others of its kind.
pub(crate) fn is_bulk(slots: ByteCount) -> bool {
    Lane::of_size(slots.as_bytes()) == Lane::Bulk
}

impl Quote {
    /// Reckons one. `size` is that of the encoded slots where it is known already.
    pub(crate) fn reckon(
        method: &MethodStatistics,
        work: Option<f64>,
        size: Option<ByteCount>,
        terms: Terms,
        market: &Market<'_>,
    ) -> Self {
        let up = size
            .map(|size| Spread::around(size, 0.0))
            .or_else(|| method.up(work))
            .unwrap_or_else(unknown_size);
        // A reply nobody has seen is taken to be as large as what went up, very roughly.
        let down = method.down(work).unwrap_or_else(|| up.widened(1.0));
        let (rate_up, rate_down) =
            (market.network.goodput_up(market.now), market.network.goodput_down(market.now));
        // Each call-back is a round trip more, one after the other.
        let round_trip = market.network.round_trip(market.now).times(1.0 + terms.backs);
        let (up_time, down_time) = (up.over(rate_up), down.over(rate_down));
        let run = method.on_server(work, market.speed_ratio);
        let with_queue = run.map(|run| market.with_queue(run));
        let ahead = if is_bulk(up.median()) { market.ahead } else { Duration::ZERO };
        let sum = with_queue.map(|run| Spread::sum(&[round_trip, up_time, run, down_time]));
        let all = sum.map(|sum| terms.accuracy.correct(sum));
        let off = all.zip(sum).map_or(1.0, |(all, sum)| ratio(all.median(), sum.median()));
        let exchange = market.radio.is_known().then(|| {
            let exchange = Exchange {
                up: up.median(),
                down: down.median(),
                up_time: up_time.median(),
                wait: ahead
                    .saturating_add(round_trip.median())
                    .saturating_add(with_queue.map_or(Duration::ZERO, Spread::median)),
                down_time: down_time.median(),
            };
            exchange.stretched(off)
        });
        let radio = exchange.and_then(|exchange| market.radio.cost(market.now, &exchange));
        let waking = radio.map_or(Duration::ZERO, |radio| radio.delay);
        let delay = waking.saturating_add(ahead);
        let way = Spread::sum(&[round_trip, up_time, down_time]).median().saturating_add(delay);
        let range = all.map(|all| {
            let at = |time: Duration| time.saturating_add(delay);
            Range { hoped: at(all.at(HOPED)), usual: at(all.median()), worst: at(all.at(Quantile::P95)) }
        });
        let fixed =
            with_queue.map(|run| Spread::sum(&[round_trip, run, down_time]).at(HOPED).saturating_add(delay));
        let local = method.local(work).map(Spread::median);
        let energies =
            local.zip(with_queue).zip(exchange.zip(radio)).and_then(|((local, _), (exchange, radio))| {
                let here = market.energy.running(local)?;
                let there = |radio| market.remote_energy(&exchange, radio);
                let remote = there(radio)?;
                let spoilt = || {
                    let usually = there(market.usual_radio.cost(market.now, &exchange)?)?;
                    (usually < here).then(|| Spoilt { saves: here - usually, costs: remote - usually })
                };
                Some(((here, remote), if remote >= here { spoilt() } else { None }))
            });
        let limit = local.map_or(Duration::MAX, |local| terms.allow(local));
        let tried = all.zip(local).map(|(all, local)| {
            let bound = all.at(Quantile::P95).saturating_add(delay).min(limit).saturating_sub(delay);
            let late = 1.0 - all.share_up_to(bound);
            let time = terms.expected(all, bound, local, late).saturating_add(delay);
            // On average it is under way for longer than usual.
            let longer = ratio(terms.under_way(all, bound, local), all.median());
            // A run beside the server from the start is spent in any case.
            let here_too = if terms.hedge == Hedge::Always { 1.0 } else { late };
            let energy = energies.zip(exchange).and_then(|(((here, _), _), exchange)| {
                let exchange = exchange.stretched(longer);
                let there = market.remote_energy(&exchange, market.radio.cost(market.now, &exchange)?)?;
                // What the device draws in any case it draws once.
                let beside = match terms.hedge {
                    Hedge::Never => Energy::ZERO,
                    Hedge::Late | Hedge::Always => market.energy.waiting(local)?,
                };
                Some(there + here.saturating_sub(beside).scaled(here_too))
            });
            Tried { time, energy }
        });
        let in_time = |all: Spread<Duration>| match limit.checked_sub(delay) {
            // No server and no rate makes up for the round trip.
            Some(limit) if round_trip.at(Quantile::P05) < limit => all.share_up_to(limit),
            _ => 0.0,
        };
        let least_energy = all.zip(exchange).and_then(|(all, exchange)| {
            let exchange = exchange.stretched(ratio(all.at(Quantile::P05), all.median()));
            market.remote_energy(&exchange, market.radio.cost(market.now, &exchange)?)
        });
        // Generous on purpose: the true size is checked again, and encoding costs far less than sending.
        let fits = sent_in(limit.saturating_sub(fixed.unwrap_or(limit)), rate_up.at(Quantile::P75));
        let budget = fits.max(up.at(Quantile::P95));
        Self {
            local,
            remote: range,
            delay,
            deviation: sum.map_or(0.0, Spread::deviation),
            energy: energies.map(|(energy, _)| energy),
            tried,
            chance: all.map_or(0.0, in_time),
            least_energy,
            waking,
            spoilt: energies.and_then(|(_, spoilt)| spoilt),
            up: up.median(),
            goodput: rate_up.median(),
            way,
            limit,
            budget,
        }
    }

    /// Whether a remote run of this call alone is usually better than a local one.
    pub(crate) fn pays(&self, objective: Objective) -> bool {
        match (objective, self.energy) {
            (objective, Some((local, remote))) if !objective.is_time() => remote < local,
            _ => self.local.zip(self.remote).is_some_and(|(local, remote)| remote.usual < local),
        }
    }

    /// Whether it may be in time: where a plan speaks for it that is worth a look, as the figures get better by it.
    pub(crate) fn may_be_in_time(&self) -> bool {
        self.remote.is_some_and(|remote| remote.hoped <= self.limit)
    }

    /// How likely it is better than a local run, at least where all goes well.
    pub(crate) fn hope(&self, objective: Objective) -> f64 {
        match (objective, self.energy, self.least_energy) {
            (objective, Some((here, _)), Some(least)) if !objective.is_time() && least >= here => 0.0,
            _ => self.chance,
        }
    }

    /// Whether an attempt is expected to come to clearly less than a local run, with what it costs when it is late.
    pub(crate) fn is_worth_a_try(&self, objective: Objective) -> bool {
        let Some((local, tried)) = self.local.zip(self.tried) else { return false };
        match (objective, self.energy.zip(tried.energy)) {
            (objective, Some(((here, _), tried))) if !objective.is_time() => tried < here.scaled(CLEARLY),
            _ => tried.time < scaled(local, CLEARLY),
        }
    }

    /// Whether it would be better if it went as well as can be hoped.
    pub(crate) fn may_pay(&self, objective: Objective) -> bool {
        let Some((local, remote)) = self.local.zip(self.remote) else { return false };
        match (objective, self.energy) {
            (objective, Some((here, there))) if !objective.is_time() => {
                let hope = remote.hoped.as_secs_f64() / remote.usual.as_secs_f64().max(1e-9);
                there.scaled(hope) < here
            }
            _ => remote.hoped < local,
        }
    }
}

/// What goes in that time at that rate.
fn sent_in(time: Duration, rate: Bandwidth) -> ByteCount {
    let bits = u128::from(rate.as_bits_per_second()).saturating_mul(time.as_nanos()) / 1_000_000_000;
    ByteCount::from_bytes(u64::try_from(bits / 8).unwrap_or(u64::MAX))
}

/// What is clearly less than a local run: a smaller gain is less than how well anything is known.
const CLEARLY: f64 = 0.95;

/// One in four: what a method can reasonably be hoped to do.
const HOPED: Quantile = Quantile::P25;

/// How many times as long one time is as another.
fn ratio(time: Duration, other: Duration) -> f64 {
    time.as_secs_f64() / other.as_secs_f64().max(1e-9)
}

/// A time times a factor that is not negative; what does not fit is the longest time.
pub(crate) fn scaled(time: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64((time.as_secs_f64() * factor).max(0.0)).unwrap_or(Duration::MAX)
}

/// Sizes nobody has seen do not stand in the way: encoding tells before anything is sent.
fn unknown_size() -> Spread<ByteCount> {
    Spread::around(ByteCount::from_bytes(10_000), 0.5)
}
