//! From what a meter said at some loads to a model: least squares, in three forms.
//!
//! MAUI fits a straight line (section 4.1 of the paper: median error below 6 %, ignoring frequency). Processors that choose
//! their frequency by load do not draw along a line: power rises steeply where they speed up and hardly at all once their
//! budget is spent, and where that happens differs from one to the next. What holds for all is that more load does not
//! draw less, so [`fit_curve`] assumes just that. Where frequencies are known, [`fit_speeds`] takes a line for each.

use outboard_core::{Frequency, Power};
use thiserror::Error;

use crate::cpu::CpuModel;

/// Samples closer than this in utilisation are one level: a load is never held more exactly.
const SAME_LEVEL: f64 = 0.02;
/// A line through loads closer than this is made of noise.
const LEAST_SPREAD: f64 = 0.05;
const FEWEST: usize = 3;

/// What a meter said at a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerSample {
    /// The share of all processors that was in use, 0 to 1.
    pub utilisation: f64,
    /// The frequency they ran at, where it is known.
    pub frequency: Option<Frequency>,
    /// What the meter said, as a mean over the time of the load.
    pub power: Power,
}

/// How far a model is from samples, as shares of what the meter said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelError {
    /// Half of the samples are closer.
    pub median: f64,
    /// The mean of all.
    pub mean: f64,
}

/// Why samples make no model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// A line goes through any two points.
    #[error("{found} samples are too few for a model: measure at least {needed} loads")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many there have to be.
        needed: usize,
    },
    /// All samples are of about the same load.
    #[error("the loads of all samples are alike: measure loads from idle to busy, with nothing else running")]
    NoSpread,
    /// A sample that no meter can have said.
    #[error("sample {index} has no utilisation between 0 and 1, or no power: leave it out")]
    BadSample {
        /// Its place.
        index: usize,
    },
    /// A sample without the frequency that a fit by frequency needs.
    #[error("sample {index} has no frequency: leave it out, or fit without frequencies")]
    NoFrequency {
        /// Its place.
        index: usize,
    },
    /// The meter saw less power at more load, so it sees something else.
    #[error(
        "power falls with load: the meter does not see the processors, or something else drew more than they do"
    )]
    Falls,
}

/// The straight line of least squares, MAUI's model.
///
/// # Errors
/// Fewer than three samples, loads that are alike, a sample that cannot be, or power that falls with load.
pub fn fit_line(samples: &[PowerSample]) -> Result<CpuModel, CalibrationError> {
    let points = points(samples)?;
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (load, power) = (mean(|point| point.0), mean(|point| point.1));
    let covered: f64 = points.iter().map(|point| (point.0 - load) * (point.1 - power)).sum();
    let spread: f64 = points.iter().map(|point| (point.0 - load) * (point.0 - load)).sum();
    // The spread of loads was checked, so this is a number.
    let slope = covered / spread;
    if slope < 0.0 {
        return Err(CalibrationError::Falls);
    }
    Ok(CpuModel::line(power - slope * load, power - slope * load + slope))
}

/// The rising curve of least squares: isotonic regression, straight between the levels.
///
/// Levels that are not in order are replaced by their mean, until all are (pool adjacent violators; Barlow et al., Statistical
/// Inference under Order Restrictions, 1972), which is the closest curve that never falls.
///
/// # Errors
/// As for [`fit_line`]; power falls where no two levels are left.
pub fn fit_curve(samples: &[PowerSample]) -> Result<CpuModel, CalibrationError> {
    let mut points = points(samples)?;
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let levels = levels(&points);
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for level in &levels {
        let (mut power, mut weight, mut count) = (level.power, level.weight, 1);
        while let Some(&(before, before_weight, before_count)) = pools.last()
            && before > power
        {
            pools.pop();
            power = (power * weight + before * before_weight) / (weight + before_weight);
            weight += before_weight;
            count += before_count;
        }
        pools.push((power, weight, count));
    }
    if pools.len() < 2 {
        return Err(CalibrationError::Falls);
    }
    let powers = pools.iter().flat_map(|&(power, _, count)| std::iter::repeat_n(power, count));
    Ok(CpuModel::curve(levels.iter().map(|level| level.load).zip(powers).collect()))
}

/// A line for each frequency, all from the same idle power, of least squares together.
///
/// # Errors
/// As for [`fit_line`], or a sample without frequency.
pub fn fit_speeds(samples: &[PowerSample]) -> Result<CpuModel, CalibrationError> {
    let points = points(samples)?;
    let mut sums: Vec<(Frequency, f64, f64, f64)> = Vec::new();
    for (index, (sample, (load, power))) in samples.iter().zip(&points).enumerate() {
        let frequency = sample.frequency.ok_or(CalibrationError::NoFrequency { index })?;
        let place = sums.binary_search_by_key(&frequency, |sums| sums.0);
        let place = place.unwrap_or_else(|place| {
            sums.insert(place, (frequency, 0.0, 0.0, 0.0));
            place
        });
        let (_, loads, squares, powers) = &mut sums[place];
        *loads += load;
        *squares += load * load;
        *powers += load * power;
    }
    // An idle device tells nothing of its frequency.
    sums.retain(|(_, _, squares, _)| *squares > LEAST_SPREAD * LEAST_SPREAD);
    // For a given idle power, the best slope of a frequency is (Σup − idle Σu) / Σu²; put in, idle alone is left.
    let (mut count, mut total) = (points.len() as f64, points.iter().map(|point| point.1).sum::<f64>());
    for (_, loads, squares, powers) in &sums {
        count -= loads * loads / squares;
        total -= loads * powers / squares;
    }
    if sums.is_empty() || count < LEAST_SPREAD {
        return Err(CalibrationError::NoSpread);
    }
    let idle = total / count;
    let slopes = sums.iter().map(|(frequency, loads, squares, powers)| {
        (frequency.as_hertz() as f64, (powers - idle * loads) / squares)
    });
    let slopes: Vec<_> = slopes.collect();
    if slopes.iter().any(|(_, slope)| *slope < 0.0) {
        return Err(CalibrationError::Falls);
    }
    Ok(CpuModel::speeds(idle, slopes))
}

impl ModelError {
    /// Of errors at single samples; `None` without any.
    pub fn of(mut errors: Vec<f64>) -> Option<Self> {
        errors.sort_by(f64::total_cmp);
        let last = errors.len().checked_sub(1)?;
        let median = (errors[last / 2] + errors[last.div_ceil(2)]) / 2.0;
        Some(Self { median, mean: errors.iter().sum::<f64>() / errors.len() as f64 })
    }
}

impl CpuModel {
    /// How far the model is from samples; `None` without any that it can answer.
    pub fn error(&self, samples: &[PowerSample]) -> Option<ModelError> {
        ModelError::of(samples.iter().filter_map(|sample| self.error_of(sample)).collect())
    }

    /// How far the model is from one sample, as a share of what the meter said.
    pub fn error_of(&self, sample: &PowerSample) -> Option<f64> {
        let said = sample.power.as_watts_f64();
        let predicted = self.power(sample.utilisation, sample.frequency)?.as_watts_f64();
        (said > 0.0).then(|| (predicted - said).abs() / said)
    }
}

struct Level {
    load: f64,
    power: f64,
    weight: f64,
}

/// Neighbours in load become one level, their mean.
fn levels(points: &[(f64, f64)]) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    let mut start = f64::NEG_INFINITY;
    for &(load, power) in points {
        match levels.last_mut() {
            Some(level) if load - start < SAME_LEVEL => {
                level.weight += 1.0;
                level.load += (load - level.load) / level.weight;
                level.power += (power - level.power) / level.weight;
            }
            _ => {
                start = load;
                levels.push(Level { load, power, weight: 1.0 });
            }
        }
    }
    levels
}

/// Samples as utilisation and watts, once it is clear that they can make a model.
fn points(samples: &[PowerSample]) -> Result<Vec<(f64, f64)>, CalibrationError> {
    let bad =
        |sample: &PowerSample| !(0.0..=1.0).contains(&sample.utilisation) || sample.power == Power::ZERO;
    if let Some(index) = samples.iter().position(bad) {
        return Err(CalibrationError::BadSample { index });
    }
    if samples.len() < FEWEST {
        return Err(CalibrationError::TooFew { found: samples.len(), needed: FEWEST });
    }
    let loads = || samples.iter().map(|sample| sample.utilisation);
    let (least, most) = (loads().fold(1.0, f64::min), loads().fold(0.0, f64::max));
    if most - least < LEAST_SPREAD {
        return Err(CalibrationError::NoSpread);
    }
    Ok(samples.iter().map(|sample| (sample.utilisation, sample.power.as_watts_f64())).collect())
}

#[cfg(test)]
mod tests;
