//! Figures of a problem file: none is negative, and each is taken to a whole number of the smallest unit.

use std::fmt;
use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Energy, Power, Problem};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A number of at least zero in that many parts of its unit, rounded to the nearest; halves away from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts<const PARTS: u64>(u64);

/// A count: fractions are refused.
pub(super) type Whole = Parts<1>;
/// Millijoules, milliseconds or milliwatts to a thousandth; factors as well.
pub(super) type Thousandths = Parts<1_000>;
/// Megabits a second to a bit.
pub(super) type Millionths = Parts<1_000_000>;

impl<const PARTS: u64> Parts<PARTS> {
    /// Of a number in whole units. `Err` says what is wrong with it.
    pub(super) fn of(number: f64) -> Result<Self, String> {
        if number.is_nan() {
            return Err("NaN is no number: give 0 or more".to_owned());
        }
        if number < 0.0 {
            return Err(format!("{number:?} is negative: give 0 or more"));
        }
        if PARTS == 1 && number.fract() != 0.0 {
            return Err(format!("{number:?} has a fraction: give a whole number"));
        }
        Self::within((number * PARTS as f64).round() as u64, number)
    }

    pub(super) const fn parts(self) -> u64 {
        self.0
    }

    fn within(parts: u64, number: impl fmt::Debug) -> Result<Self, String> {
        if parts > Problem::LARGEST_SUM {
            let most = Problem::LARGEST_SUM / PARTS;
            return Err(format!("{number:?} is more than anything can be: give {most} at most"));
        }
        Ok(Self(parts))
    }
}

impl Thousandths {
    pub(super) const fn energy(self) -> Energy {
        Energy::from_microjoules(self.0)
    }

    pub(super) const fn time(self) -> Duration {
        Duration::from_micros(self.0)
    }

    pub(super) const fn power(self) -> Power {
        Power::from_microwatts(self.0)
    }

    /// As a factor; `None` where it is past any.
    pub(super) fn thousandths(self) -> Option<u32> {
        u32::try_from(self.0).ok()
    }
}

impl Whole {
    pub(super) const fn bytes(self) -> ByteCount {
        ByteCount::from_bytes(self.0)
    }
}

impl Millionths {
    pub(super) const fn bandwidth(self) -> Bandwidth {
        Bandwidth::from_bits_per_second(self.0)
    }
}

impl From<Energy> for Thousandths {
    fn from(energy: Energy) -> Self {
        Self(energy.as_microjoules())
    }
}

impl From<Duration> for Thousandths {
    fn from(time: Duration) -> Self {
        Self(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }
}

impl<const PARTS: u64> From<u64> for Parts<PARTS> {
    fn from(parts: u64) -> Self {
        Self(parts)
    }
}

impl<const PARTS: u64> Serialize for Parts<PARTS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(PARTS) {
            return serializer.serialize_u64(self.0 / PARTS);
        }
        serializer.serialize_f64(self.0 as f64 / PARTS as f64)
    }
}

impl<'de, const PARTS: u64> Deserialize<'de> for Parts<PARTS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number<const PARTS: u64>;

        impl<const PARTS: u64> Visitor<'_> for Number<PARTS> {
            type Value = Parts<PARTS>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of 0 or more")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                Parts::within(number.saturating_mul(PARTS), number).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                Err(E::custom(format!("{number} is negative: give 0 or more")))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
                Parts::of(number).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Number)
    }
}
