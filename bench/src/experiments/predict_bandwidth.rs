//! `predict.bandwidth`: how far forecasts of a network's next second are off, beside those that others use.
//!
//! A network is watched second by second, and what it carries a second, five seconds and a minute after the newest sample is
//! forecast. An error is `|ln(forecast / actual)|`: 0.1 is about 10 %. Seconds in which nothing was carried are samples like
//! any, and nothing is forecast of them, since no ratio says how far off that is.
//!
//! The constants of our forecast were chosen on the first halves of the shared recordings. So only the second halves
//! count here, and every forecast begins anew with them. Networks drawn from a seed count whole.

use std::time::Duration;

use outboard_core::{Bandwidth, Timestamp};
use outboard_profiler::{NetworkEstimate, Quantile};
use outboard_sim::{Direction, LinkTrace};

use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::Report;
use crate::series::Series;
use crate::traces::{self, Family};

/// Ages of the newest sample, in seconds.
const AGES: [usize; 3] = [1, 5, 60];
/// Samples before the first forecast that counts.
const BEGIN: usize = 5;
/// What is told from nothing, in bits per second: forecasts are no smaller.
const LEAST: f64 = 1_000.0;
const NAME: &str = "predict.bandwidth";

/// A forecast from what was seen so far, which is never nothing; the newest is last.
type Predictor = (&'static str, fn(&[f64]) -> f64);

/// Those of others: the predictors that networks are usually compared with. MAUI's is a mean.
const OTHERS: [Predictor; 5] = [
    ("last-sample", |seen| seen[seen.len() - 1]),
    ("ewma-half", |seen| seen.iter().copied().fold(seen[0], |mean, rate| mean + (rate - mean) / 2.0)),
    ("log-kalman", log_kalman),
    ("harmonic-5", |seen| {
        let last = latest(seen, 5);
        last.len() as f64 / last.iter().map(|rate| 1.0 / rate.max(LEAST)).sum::<f64>()
    }),
    ("mean-20", |seen| {
        let last = latest(seen, 20);
        last.iter().sum::<f64>() / last.len() as f64
    }),
];

pub(crate) struct PredictBandwidth;

impl Experiment for PredictBandwidth {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "|ln(forecast / actual)| of a network's rate, and how often our bound of nine in ten holds"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        match traces::recorded(&traces::folder()) {
            Err(Failure::NoTraces { .. }) => {
                report.not_measured(NAME, "ln", None, "there is no folder of recordings")?;
            }
            families => compare(report, "", &families?, 2)?,
        }
        let drawn = traces::generated(0..effort.work(10) as u64, Duration::from_secs(600));
        compare(report, "drawn-", &drawn, 1)
    }
}

/// Compares on the last of so many parts of each trace.
fn compare(report: &mut Report, kind: &str, families: &[Family], parts: usize) -> Result<(), Failure> {
    for family in families {
        for age in AGES {
            let mut found = Found::default();
            for trace in &family.traces {
                for direction in [Direction::Down, Direction::Up] {
                    let rates = by_second(&trace.trace, direction);
                    found.add(&rates[rates.len() - rates.len() / parts..], age);
                }
            }
            let name = |what: &str| format!("{NAME}/{kind}{}/{age}s/{what}", family.name);
            if found.held.median().is_nan() {
                report.not_measured(&name("ours"), "ln", None, "the recordings are too short")?;
                continue;
            }
            for ((other, _), errors) in OTHERS.iter().zip(found.others) {
                report.figure(name(other), errors, "ln", None)?;
            }
            report.figure(name("ours"), found.ours, "ln", None)?;
            // A share has no quartiles: it is one figure.
            let held: Series = [found.held.mean()].into_iter().collect();
            report.figure(name("bound-held"), held, "%", None)?;
        }
    }
    Ok(())
}

/// Errors of every forecast.
#[derive(Default)]
struct Found {
    others: [Series; OTHERS.len()],
    ours: Series,
    /// 100 where the actual rate was at least what nine in ten should be, and else 0.
    held: Series,
}

impl Found {
    /// Adds what the seconds of one network say.
    fn add(&mut self, rates: &[f64], age: usize) {
        let mut network = NetworkEstimate::unknown();
        for (second, pair) in rates.windows(age + 1).enumerate() {
            network.observe_goodput_down(at(second), Bandwidth::from_bits_per_second(pair[0] as u64));
            let actual = pair[age];
            if second + 1 < BEGIN || actual <= 0.0 {
                continue;
            }
            let error = |forecast: f64| (forecast.max(LEAST) / actual).ln().abs();
            for (errors, (_, forecast)) in self.others.iter_mut().zip(OTHERS) {
                errors.push(error(forecast(&rates[..=second])));
            }
            let forecast = network.goodput_down(at(second + age));
            let centre = forecast.median().as_bits_per_second() as f64;
            let bound = centre * (-Quantile::P90.deviations() * forecast.deviation()).exp();
            self.ours.push(error(centre));
            self.held.push(if actual >= bound { 100.0 } else { 0.0 });
        }
    }
}

/// A random walk of the logarithm that is seen through noise, with constants that suit no network in particular: variances of
/// 0.02 a second and of 0.04.
fn log_kalman(seen: &[f64]) -> f64 {
    let (mut centre, mut variance) = (seen[0].max(LEAST).ln(), 0.04);
    for rate in &seen[1..] {
        variance += 0.02;
        let gain = variance / (variance + 0.04);
        centre += gain * (rate.max(LEAST).ln() - centre);
        variance *= 1.0 - gain;
    }
    centre.exp()
}

fn latest(seen: &[f64], count: usize) -> &[f64] {
    &seen[seen.len().saturating_sub(count)..]
}

fn at(second: usize) -> Timestamp {
    Timestamp::ZERO + Duration::from_secs(second as u64)
}

/// What a trace carries in each of its whole seconds, in bits; nothing where the direction was not recorded.
fn by_second(trace: &LinkTrace, direction: Direction) -> Vec<f64> {
    let rates = trace.steps().iter().map(|step| {
        let rate = match direction {
            Direction::Up => step.up,
            Direction::Down => step.down,
        };
        (step.at.as_secs_f64(), rate.map(|rate| rate.as_bits_per_second() as f64))
    });
    let steps: Vec<(f64, Option<f64>)> = rates.collect();
    if steps.iter().all(|(_, rate)| rate.is_none()) {
        return Vec::new();
    }
    let mut bits = vec![0.0; trace.duration().as_secs() as usize];
    let ends = steps.iter().skip(1).map(|(at, _)| *at).chain([trace.duration().as_secs_f64()]);
    let mut known = 0.0;
    for (&(from, rate), to) in steps.iter().zip(ends) {
        known = rate.unwrap_or(known);
        let mut begin = from;
        while begin < to {
            let end = (begin.floor() + 1.0).min(to);
            if let Some(second) = bits.get_mut(begin as usize) {
                *second += known * (end - begin);
            }
            begin = end;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use outboard_sim::{LinkStep, TraceEnd};

    use super::*;

    fn step(millis: u64, kilobits: u64) -> LinkStep {
        let down = Some(Bandwidth::from_kilobits_per_second(kilobits));
        LinkStep { down, ..LinkStep::at(Duration::from_millis(millis)) }
    }

    #[test]
    fn steps_are_added_up_by_the_second() {
        let steps = vec![step(0, 8), step(500, 4), step(2_250, 0)];
        let trace = LinkTrace::new(steps, Duration::from_millis(4_300), TraceEnd::Stop).unwrap();
        assert_eq!(by_second(&trace, Direction::Down), [6_000.0, 4_000.0, 1_000.0, 0.0]);
        assert_eq!(by_second(&trace, Direction::Up), [0.0; 0]);
    }

    #[test]
    fn every_forecast_knows_a_network_that_stands_still() {
        let mut found = Found::default();
        found.add(&[5e6; 100], 5);
        assert!(found.ours.quantile(1.0) < 1e-6 && found.held.mean() == 100.0);
        assert!(found.others.iter().all(|errors| errors.quantile(1.0) < 1e-6));
        assert_eq!(found.held, vec![100.0; 91].into_iter().collect());
    }

    #[test]
    fn a_network_that_switches_is_best_forecast_by_what_was_last() {
        let rates: Vec<f64> = (0..400).map(|second| if second / 20 % 2 == 0 { 1e6 } else { 8e6 }).collect();
        let mut found = Found::default();
        found.add(&rates, 1);
        let means = found.others.each_ref().map(Series::mean);
        assert!(means[1..].iter().all(|mean| *mean > means[0]), "{means:?}");
        assert!(found.ours.median() < 0.01);
    }
}
