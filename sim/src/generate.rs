//! Traces that are drawn instead of recorded, for tests that have no recordings.
//!
//! Each family is a model of the rate in log space, second by second:
//!
//! ```text
//!   ln rate = ln median + slow + level − dip, or nothing in an outage
//!
//!   slow    an autoregression of first order: its deviation, and its correlation from one second to the next
//!   level   where the network hands over in slots of 15 s: drawn for each slot, correlated with the one before
//!   dip     a two-state chain; the depth of each dip is exponential: what makes the lower tail heavy
//!   outage  a two-state chain: the share of time, and how long one lasts on average
//! ```
//!
//! The figures are fitted to recordings of `OUTBOARD_TRACES`, resampled to seconds: the median; the deviation of the
//! logarithm, robust (1.4826 × the median absolute deviation) for *slow* and *level*, with *dip* for what the plain one
//! has beyond; the correlation of neighbouring seconds outside of outages; share and mean length of seconds without traffic.
//! For Starlink the split between level and slow is that of the variance between and within slots of 15 s, at the phase
//! where it is sharpest. A test holds what is drawn against these figures. Quality: modelled.

use std::time::Duration;

use outboard_core::Bandwidth;

use crate::random::Random;
use crate::trace::{LONGEST, LinkStep, LinkTrace, MAX_STEPS, TraceEnd};

const SECOND: Duration = Duration::from_secs(1);
/// Starlink assigns satellites for 15 s (Mohan et al., WWW 2024, "15-second reconfiguration intervals").
const SLOT: usize = 15;

/// A family of networks of which traces can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// 3G in a car, EV-DO: Mahimahi's Verizon recording. Slow, with outages of seconds.
    EvdoDriving,
    /// 3G in a car, mostly HSPA+: the seconds below 5G of the Irish drive.
    HspaDriving,
    /// 3G on a way to work, HSDPA: the mean of four Norwegian rides by car, ferry, train and tram.
    HsdpaCommute,
    /// 5G in a car: the Irish drive. Its dips are far below its median.
    FiveGDriving,
    /// 5G at one place: the Irish static recording.
    FiveGStatic,
    /// A dish on a car under Starlink: another satellite every 15 s. Both directions.
    Starlink,
    /// Wi-Fi in a building: no recording but the standard's rates. See [`Preset::trace`].
    WifiBuilding,
}

/// The rate of one direction.
#[derive(Clone, Copy)]
struct RateModel {
    /// Mbit/s.
    median: f64,
    slow: Wander,
    level: Option<Wander>,
    dip: Option<Dip>,
    outage: Option<Spell>,
}

/// A stationary autoregression: its deviation, and its correlation from one step to the next.
#[derive(Clone, Copy)]
struct Wander {
    deviation: f64,
    correlation: f64,
}

/// A state that comes and goes: its share of time, and its mean length in seconds.
#[derive(Clone, Copy)]
struct Spell {
    share: f64,
    length: f64,
}

#[derive(Clone, Copy)]
struct Dip {
    spell: Spell,
    /// In natural logarithms, exponentially distributed.
    depth: f64,
}

/// The round trip: its median in ms, and the deviation of its logarithm.
#[derive(Clone, Copy)]
struct DelayModel {
    median: f64,
    deviation: f64,
}

struct Family {
    round_trip: DelayModel,
    down: RateModel,
    up: Option<RateModel>,
}

/// One direction's state from second to second.
struct RateWalk {
    model: RateModel,
    slow: f64,
    level: f64,
    /// Zero outside of dips.
    depth: f64,
    out: bool,
    random: Random,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::EvdoDriving,
        Self::HspaDriving,
        Self::HsdpaCommute,
        Self::FiveGDriving,
        Self::FiveGStatic,
        Self::Starlink,
        Self::WifiBuilding,
    ];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::EvdoDriving => "evdo-driving",
            Self::HspaDriving => "hspa-driving",
            Self::HsdpaCommute => "hsdpa-commute",
            Self::FiveGDriving => "5g-driving",
            Self::FiveGStatic => "5g-static",
            Self::Starlink => "starlink",
            Self::WifiBuilding => "wifi-building",
        }
    }

    /// Draws a trace of that length in steps of a second, at most four million; then it begins again. The same for the
    /// same seed, on every machine.
    ///
    /// The rate up is drawn for Starlink alone: no other recording has an uplink that was asked for all it could give.
    /// [`Missing::other`](crate::Missing::other) says what it is. Round trips: 3G 220 ms (MAUI §6.1); 5G as its pings;
    /// Starlink 33 ms and 65 ms at worst, taken as its 99th percentile (SpaceX's report of March 2024), for each slot; Wi-Fi
    /// 20 ms and beyond 100 ms for a tenth (Pei et al., INFOCOM 2016). They wander as slowly as the rate.
    ///
    /// Wi-Fi's rate is a model that was not fitted: the median and the spread of 802.11n's rates for one stream on 20 MHz
    /// (6.5 to 65 Mbit/s as 10th and 90th percentile), of which 60 % is left above IP, wandering as slowly as HSDPA does.
    pub fn trace(self, seed: u64, duration: Duration) -> LinkTrace {
        let family = self.family();
        let walk = |model, purpose| RateWalk::new(model, Random::for_purpose(seed, purpose));
        let mut down = walk(family.down, 0x646f_776e);
        let mut up = family.up.map(|model| walk(model, 0x7570));
        let mut delay_random = Random::for_purpose(seed, 0x0072_7474);
        let mut delay = delay_random.normal();
        let duration = duration.clamp(Duration::from_nanos(1), LONGEST).min(SECOND * MAX_STEPS as u32);
        let steps =
            u64::try_from(duration.as_nanos().div_ceil(SECOND.as_nanos())).unwrap_or(u64::MAX) as usize;
        let step = |index: usize| {
            let delay_wander = match family.down.level {
                Some(_) if !index.is_multiple_of(SLOT) => None,
                Some(_) => Some(Wander { deviation: 1.0, correlation: 0.0 }),
                None => Some(Wander { deviation: 1.0, ..family.down.slow }),
            };
            if let Some(wander) = delay_wander {
                delay = wander.next(delay, &mut delay_random);
            }
            let milliseconds = family.round_trip.median * libm::exp(family.round_trip.deviation * delay);
            LinkStep {
                at: SECOND * index as u32,
                // A cast from float to integer saturates.
                round_trip: Some(Duration::from_nanos(libm::round(milliseconds * 1e6) as u64)),
                up: up.as_mut().map(|walk| walk.next(index)),
                down: Some(down.next(index)),
                loss: None,
            }
        };
        let steps = (0..steps).map(step).collect();
        LinkTrace::new(steps, duration, TraceEnd::Loop).expect("a step each second, the first at zero")
    }

    fn family(self) -> Family {
        let slow = |deviation, correlation| Wander { deviation, correlation };
        let rate = |median, slow| RateModel { median, slow, level: None, dip: None, outage: None };
        let dip = |length, depth| Some(Dip { spell: Spell { share: 0.1, length }, depth });
        let outage = |share, length| Some(Spell { share, length });
        let threeg = DelayModel { median: 220.0, deviation: 0.0 };
        let alone = |round_trip, down| Family { round_trip, down, up: None };
        match self {
            Self::EvdoDriving => alone(
                threeg,
                RateModel { dip: dip(4.3, 1.6), outage: outage(0.041, 3.6), ..rate(0.46, slow(0.85, 0.8)) },
            ),
            Self::HspaDriving => {
                alone(threeg, RateModel { outage: outage(0.106, 1.7), ..rate(2.74, slow(1.02, 0.68)) })
            }
            Self::HsdpaCommute => alone(threeg, rate(1.05, slow(0.52, 0.885))),
            Self::FiveGDriving => alone(
                DelayModel { median: 82.0, deviation: 0.227 },
                RateModel { dip: dip(2.8, 1.96), outage: outage(0.078, 1.26), ..rate(19.2, slow(0.75, 0.8)) },
            ),
            Self::FiveGStatic => alone(
                DelayModel { median: 67.0, deviation: 0.026 },
                RateModel {
                    dip: dip(2.35, 2.65),
                    outage: outage(0.053, 1.28),
                    ..rate(178.0, slow(0.4, 0.8))
                },
            ),
            Self::Starlink => Family {
                round_trip: DelayModel { median: 33.0, deviation: 0.29 },
                down: RateModel {
                    level: Some(slow(0.61, 0.25)),
                    outage: outage(0.004, 2.0),
                    ..rate(229.0, slow(0.35, 0.32))
                },
                up: Some(RateModel {
                    level: Some(slow(0.6, 0.35)),
                    outage: outage(0.064, 10.3),
                    ..rate(16.7, slow(0.26, 0.36))
                }),
            },
            Self::WifiBuilding => {
                alone(DelayModel { median: 20.0, deviation: 1.256 }, rate(12.3, slow(0.9, 0.885)))
            }
        }
    }
}

impl Wander {
    /// The next value: correlated with the one before, with the same deviation for ever.
    fn next(self, before: f64, random: &mut Random) -> f64 {
        let fresh = libm::sqrt(1.0 - self.correlation * self.correlation);
        self.correlation * before + self.deviation * fresh * random.normal()
    }

    fn first(self, random: &mut Random) -> f64 {
        self.deviation * random.normal()
    }
}

impl Spell {
    /// Whether it holds in the next second.
    fn next(self, holds: bool, random: &mut Random) -> bool {
        let ends = 1.0 / self.length;
        let begins = ends * self.share / (1.0 - self.share);
        let drawn = random.uniform();
        if holds { drawn >= ends } else { drawn < begins }
    }
}

impl RateWalk {
    fn new(model: RateModel, mut random: Random) -> Self {
        let slow = model.slow.first(&mut random);
        let level = model.level.map_or(0.0, |level| level.first(&mut random));
        Self { model, slow, level, depth: 0.0, out: false, random }
    }

    fn next(&mut self, second: usize) -> Bandwidth {
        let Self { model, random, .. } = self;
        self.slow = model.slow.next(self.slow, random);
        if let Some(level) = model.level
            && second.is_multiple_of(SLOT)
        {
            self.level = level.next(self.level, random);
        }
        if let Some(dip) = model.dip {
            let held = self.depth > 0.0;
            self.depth = match (held, dip.spell.next(held, random)) {
                (true, true) => self.depth,
                (false, true) => dip.depth * random.exponential(),
                (_, false) => 0.0,
            };
        }
        if let Some(outage) = model.outage {
            self.out = outage.next(self.out, random);
        }
        if self.out {
            return Bandwidth::ZERO;
        }
        let megabits = model.median * libm::exp(self.slow + self.level - self.depth);
        // A cast from float to integer saturates.
        Bandwidth::from_bits_per_second(libm::round(megabits * 1e6) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Median in Mbit/s, deviation and correlation of logarithms, share of seconds without traffic.
    struct Fit(f64, f64, f64, f64);

    fn fit(rates: &[f64]) -> Fit {
        let mut logs: Vec<f64> =
            rates.iter().filter(|rate| **rate > 0.0).map(|rate| libm::log(*rate)).collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let variance = logs.iter().map(|log| (log - mean) * (log - mean)).sum::<f64>() / logs.len() as f64;
        let both = rates.windows(2).filter(|pair| pair[0] > 0.0 && pair[1] > 0.0);
        let products: Vec<f64> =
            both.map(|pair| (libm::log(pair[0]) - mean) * (libm::log(pair[1]) - mean)).collect();
        let covariance = products.iter().sum::<f64>() / products.len() as f64;
        logs.sort_by(f64::total_cmp);
        let out = 1.0 - logs.len() as f64 / rates.len() as f64;
        Fit(libm::exp(logs[logs.len() / 2]), variance.sqrt(), covariance / variance, out)
    }

    fn rates(trace: &LinkTrace, of: impl Fn(&LinkStep) -> Option<Bandwidth>) -> Vec<f64> {
        let megabits = |step| of(step).map(|rate| rate.as_bits_per_second() as f64 / 1e6);
        trace.steps().iter().filter_map(megabits).collect()
    }

    #[test]
    fn what_is_drawn_has_the_figures_of_what_was_recorded() {
        // As the module's documentation says, from the recordings.
        let recorded = [
            (Preset::EvdoDriving, Fit(0.432, 1.097, 0.786, 0.041)),
            (Preset::HspaDriving, Fit(2.737, 1.015, 0.678, 0.106)),
            (Preset::HsdpaCommute, Fit(1.05, 0.517, 0.885, 0.0)),
            (Preset::FiveGDriving, Fit(17.709, 1.135, 0.714, 0.078)),
            (Preset::FiveGStatic, Fit(169.3, 1.221, 0.598, 0.053)),
            (Preset::Starlink, Fit(229.2, 0.706, 0.809, 0.004)),
        ];
        for (preset, expected) in recorded {
            let drawn = fit(&rates(&preset.trace(1, SECOND * 50_000), |step| step.down));
            let name = preset.name();
            assert!(
                (drawn.0 / expected.0 - 1.0).abs() < 0.1,
                "{name}: median {} for {}",
                drawn.0,
                expected.0
            );
            assert!((drawn.1 - expected.1).abs() < 0.08, "{name}: deviation {} for {}", drawn.1, expected.1);
            assert!(
                (drawn.2 - expected.2).abs() < 0.06,
                "{name}: correlation {} for {}",
                drawn.2,
                expected.2
            );
            assert!((drawn.3 - expected.3).abs() < 0.01, "{name}: outages {} for {}", drawn.3, expected.3);
        }
    }

    #[test]
    fn starlink_changes_most_where_satellites_do() {
        let rates = rates(&Preset::Starlink.trace(2, SECOND * 30_000), |step| step.down);
        let change = |second: usize| {
            (libm::log(rates[second].max(1e-3)) - libm::log(rates[second - 1].max(1e-3))).abs()
        };
        let mean = |of: &mut dyn Iterator<Item = usize>| {
            let changes: Vec<f64> = of.map(change).collect();
            changes.iter().sum::<f64>() / changes.len() as f64
        };
        let handed_over = mean(&mut (15..30_000).step_by(15));
        let held = mean(&mut (16..30_000).step_by(15));
        assert!(handed_over > 1.8 * held, "{handed_over} at a handover, {held} within a slot");
    }

    #[test]
    fn a_seed_draws_the_same_trace_and_another_one_another() {
        for preset in Preset::ALL {
            let trace = preset.trace(5, Duration::from_millis(10_500));
            assert_eq!(trace, preset.trace(5, Duration::from_millis(10_500)));
            assert_ne!(trace, preset.trace(6, Duration::from_millis(10_500)));
            assert_eq!((trace.steps().len(), trace.duration()), (11, Duration::from_millis(10_500)));
        }
        assert_eq!(Preset::Starlink.trace(1, Duration::ZERO).steps().len(), 1);
    }
}
