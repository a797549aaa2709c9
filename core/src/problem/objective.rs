//! What a plan minimises, and within which bound.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::vertex::{Cost, micros};
use crate::{ByteCount, Energy, Power};

/// What a plan minimises, over all placements `x` of the call graph.
///
/// With `E(x)` the device's energy and `T(x)` the time of the run:
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// `E(x)`, whatever time it takes.
    Energy,
    /// `T(x)`, whatever energy it takes.
    Time,
    /// `E(x) + rate · T(x)`: a second is worth as much as that power spends in it, in whole milliwatts.
    Weighted {
        /// What a unit of time is worth.
        rate: Power,
    },
    /// `E(x)` where `T(x) ≤ L`: MAUI's objective (§6.2).
    EnergyWithin(TimeBound),
    /// `T(x)` where `E(x)` stays within a budget.
    TimeWithin(EnergyBound),
}

impl Default for Objective {
    fn default() -> Self {
        Self::EnergyWithin(TimeBound::default())
    }
}

/// The time that a placement may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeBound {
    /// That many thousandths of the all-local time.
    OfLocal {
        /// 1000 is the all-local time itself.
        thousandths: u32,
    },
    /// That time, in whole microseconds.
    Absolute(Duration),
}

impl Default for TimeBound {
    /// MAUI's `L`: 1.05 × the all-local time.
    fn default() -> Self {
        Self::OfLocal { thousandths: 1_050 }
    }
}

/// The energy that a placement may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnergyBound {
    /// That many thousandths of the all-local energy.
    OfLocal {
        /// 1000 is the all-local energy itself.
        thousandths: u32,
    },
    /// That energy.
    Absolute(Energy),
}

impl Objective {
    /// As many runs from one battery as possible: what leaves it during a run is the run's energy and, for as long as the
    /// run takes, the power that the device draws anyway. Energies of a problem are those above that base.
    pub const fn battery_life(base: Power) -> Self {
        Self::Weighted { rate: base }
    }

    /// Whether time alone is minimised.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Time | Self::TimeWithin(_))
    }

    /// The part of a cost that this objective minimises.
    pub fn value(self, cost: Cost) -> Value {
        self.value_of(self.measure(cost))
    }

    /// The part of a cost that this objective minimises, as a bare number: of microjoules, of microseconds, or, where
    /// the two are weighted, of nanojoules. The measure of a sum is the sum of the measures.
    pub fn measure(self, cost: Cost) -> u64 {
        match self {
            Self::Energy | Self::EnergyWithin(_) => cost.energy.as_microjoules(),
            Self::Time | Self::TimeWithin(_) => micros(cost.time),
            Self::Weighted { rate } => {
                let energy = cost.energy.as_microjoules().saturating_mul(1_000);
                // mW · µs = nJ.
                energy.saturating_add((rate.as_microwatts() / 1_000).saturating_mul(micros(cost.time)))
            }
        }
    }

    /// A value of this objective as a measure.
    pub fn measure_of(self, value: Value) -> u64 {
        let number = match value {
            Value::Energy(energy) => energy.as_microjoules(),
            Value::Time(time) => micros(time),
            Value::Memory(bytes) => bytes.as_bytes(),
        };
        if matches!(self, Self::Weighted { .. }) { number.saturating_mul(1_000) } else { number }
    }

    /// A measure of this objective as a value, rounded down to whole microjoules.
    pub fn value_of(self, measure: u64) -> Value {
        match self {
            Self::Energy | Self::EnergyWithin(_) => Value::Energy(Energy::from_microjoules(measure)),
            Self::Time | Self::TimeWithin(_) => Value::Time(Duration::from_micros(measure)),
            Self::Weighted { .. } => Value::Energy(Energy::from_microjoules(measure / 1_000)),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |thousandths: u32| f64::from(thousandths) / 10.0;
        match self {
            Self::Energy => f.write_str("energy"),
            Self::Time => f.write_str("time"),
            Self::Weighted { rate } => write!(f, "energy and time at {rate}"),
            Self::EnergyWithin(TimeBound::OfLocal { thousandths }) => {
                write!(f, "energy within {} % of the all-local time", percent(*thousandths))
            }
            Self::EnergyWithin(TimeBound::Absolute(time)) => write!(f, "energy within {time:?}"),
            Self::TimeWithin(EnergyBound::OfLocal { thousandths }) => {
                write!(f, "time within {} % of the all-local energy", percent(*thousandths))
            }
            Self::TimeWithin(EnergyBound::Absolute(energy)) => write!(f, "time within {energy}"),
        }
    }
}

/// A figure of an objective or of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// Of the device.
    Energy(Energy),
    /// Of a run, or of a method's calls.
    Time(Duration),
    /// Of a place.
    Memory(ByteCount),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Energy(energy) => energy.fmt(f),
            Self::Time(time) => fmt::Debug::fmt(time, f),
            Self::Memory(bytes) => bytes.fmt(f),
        }
    }
}
