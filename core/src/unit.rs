//! Units with arithmetic: `Power * Duration = Energy`, `ByteCount / Bandwidth = Duration`.
//!
//! Every unit is an integer of its smallest useful part, so that sums are exact and the same on every machine.
//! Arithmetic saturates: a figure that does not fit is larger than anything that can be measured here. kB is 1000 bytes,
//! KiB is 1024.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $part:ident, $read:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(u64);

        impl $name {
            /// None of it.
            pub const ZERO: Self = Self(0);

            #[doc = concat!("From ", $what, ".")]
            pub const fn $part(value: u64) -> Self {
                Self(value)
            }

            #[doc = concat!("In ", $what, ".")]
            pub const fn $read(self) -> u64 {
                self.0
            }

            /// The part above `other`, zero if there is none.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// This much times a factor; a negative factor or one that is not a number counts as zero.
            #[must_use]
            pub fn scaled(self, factor: f64) -> Self {
                // A cast from float to integer saturates and maps NaN to zero.
                Self((self.0 as f64 * factor).round() as u64)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                self.saturating_sub(other)
            }
        }

        impl Mul<u64> for $name {
            type Output = Self;
            fn mul(self, times: u64) -> Self {
                Self(self.0.saturating_mul(times))
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Add::add)
            }
        }
    };
}

unit!(
    /// An amount of energy, kept in microjoules.
    Energy, from_microjoules, as_microjoules, "microjoules"
);
unit!(
    /// A rate of energy, kept in microwatts.
    Power, from_microwatts, as_microwatts, "microwatts"
);
unit!(
    /// A number of bytes.
    ByteCount, from_bytes, as_bytes, "bytes"
);
unit!(
    /// A rate of data, kept in bits per second.
    Bandwidth, from_bits_per_second, as_bits_per_second, "bits per second"
);
unit!(
    /// The clock rate of a processor, kept in hertz.
    Frequency, from_hertz, as_hertz, "hertz"
);

impl Energy {
    /// From millijoules.
    pub const fn from_millijoules(millijoules: u64) -> Self {
        Self(millijoules.saturating_mul(1_000))
    }

    /// In millijoules, with fractions.
    pub fn as_millijoules_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// In joules, with fractions.
    pub fn as_joules_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Power {
    /// From milliwatts.
    pub const fn from_milliwatts(milliwatts: u64) -> Self {
        Self(milliwatts.saturating_mul(1_000))
    }

    /// From watts; a negative value or one that is not a number counts as zero.
    pub fn from_watts_f64(watts: f64) -> Self {
        Self((watts * 1e6).round() as u64)
    }

    /// In watts, with fractions.
    pub fn as_watts_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Bandwidth {
    /// From kilobits per second (1000 bit/s).
    pub const fn from_kilobits_per_second(kilobits: u64) -> Self {
        Self(kilobits.saturating_mul(1_000))
    }

    /// From megabits per second (10⁶ bit/s).
    pub const fn from_megabits_per_second(megabits: u64) -> Self {
        Self(megabits.saturating_mul(1_000_000))
    }

    /// The rate at which `bytes` passed in `time`; `None` for no time at all.
    pub fn of(bytes: ByteCount, time: Duration) -> Option<Self> {
        let nanos = time.as_nanos();
        (nanos > 0).then(|| Self(narrow(u128::from(bytes.0) * 8 * NANOS_PER_SECOND / nanos)))
    }
}

impl Frequency {
    /// From kilohertz, the unit of Linux's cpufreq and of Android's power profiles.
    pub const fn from_kilohertz(kilohertz: u64) -> Self {
        Self(kilohertz.saturating_mul(1_000))
    }

    /// In megahertz, with fractions.
    pub fn as_megahertz_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Mul<Duration> for Power {
    type Output = Energy;

    #[expect(clippy::suspicious_arithmetic_impl, reason = "the division turns nanoseconds into seconds")]
    fn mul(self, time: Duration) -> Energy {
        Energy(narrow(u128::from(self.0).saturating_mul(time.as_nanos()) / NANOS_PER_SECOND))
    }
}

impl Mul<Power> for Duration {
    type Output = Energy;

    fn mul(self, power: Power) -> Energy {
        power * self
    }
}

/// Time to pass that many bytes; [`Duration::MAX`] where no bit ever passes.
impl Div<Bandwidth> for ByteCount {
    type Output = Duration;

    fn div(self, bandwidth: Bandwidth) -> Duration {
        match u128::from(self.0) * 8 * NANOS_PER_SECOND {
            0 => Duration::ZERO,
            bits => bits.checked_div(u128::from(bandwidth.0)).map_or(Duration::MAX, from_nanos),
        }
    }
}

impl fmt::Display for Energy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, &[(1_000_000, "J"), (1_000, "mJ"), (1, "µJ")])
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, &[(1_000_000, "W"), (1_000, "mW"), (1, "µW")])
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, &[(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"), (1, "B")])
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000, "Gbit/s"), (1_000_000, "Mbit/s"), (1_000, "kbit/s"), (1, "bit/s")];
        scaled(f, self.0, &units)
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, &[(1_000_000_000, "GHz"), (1_000_000, "MHz"), (1_000, "kHz"), (1, "Hz")])
    }
}

/// Three significant digits in the largest unit that the value reaches.
fn scaled(f: &mut fmt::Formatter<'_>, value: u64, units: &[(u64, &str)]) -> fmt::Result {
    let smallest = units[units.len() - 1];
    let (size, name) = units.iter().copied().find(|(size, _)| value >= *size).unwrap_or(smallest);
    let shown = value as f64 / size as f64;
    let digits = match shown {
        _ if size == smallest.0 => 0,
        shown if shown < 10.0 => 2,
        shown if shown < 100.0 => 1,
        _ => 0,
    };
    f.pad(&format!("{shown:.digits$} {name}"))
}

fn narrow(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn from_nanos(nanos: u128) -> Duration {
    u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_over_time_is_energy() {
        assert_eq!(
            Power::from_milliwatts(1_210) * Duration::from_millis(260),
            Energy::from_microjoules(314_600)
        );
    }

    #[test]
    fn bytes_over_bandwidth_is_time() {
        let time = ByteCount::from_bytes(10_000) / Bandwidth::from_megabits_per_second(8);
        assert_eq!(time, Duration::from_millis(10));
        assert_eq!(ByteCount::from_bytes(1) / Bandwidth::ZERO, Duration::MAX);
        assert_eq!(ByteCount::ZERO / Bandwidth::ZERO, Duration::ZERO);
    }

    #[test]
    fn bytes_in_time_are_bandwidth() {
        let rate = Bandwidth::of(ByteCount::from_bytes(125_000), Duration::from_secs(1));
        assert_eq!(rate, Some(Bandwidth::from_megabits_per_second(1)));
        assert_eq!(Bandwidth::of(ByteCount::from_bytes(1), Duration::ZERO), None);
    }

    #[test]
    fn figures_are_shown_in_the_unit_they_reach() {
        assert_eq!(Energy::from_microjoules(20_900_000).to_string(), "20.9 J");
        assert_eq!(ByteCount::from_bytes(999).to_string(), "999 B");
        assert_eq!(ByteCount::from_bytes(11_000).to_string(), "11.0 kB");
        assert_eq!(Bandwidth::from_kilobits_per_second(400).to_string(), "400 kbit/s");
        assert_eq!(Frequency::from_kilohertz(1_804_800).to_string(), "1.80 GHz");
    }

    #[test]
    fn scaling_never_goes_below_zero_or_past_the_end() {
        let energy = Energy::from_microjoules(7);
        assert_eq!(energy.scaled(-1.0), Energy::ZERO);
        assert_eq!(energy.scaled(f64::NAN), Energy::ZERO);
        assert_eq!(energy.scaled(f64::INFINITY), Energy::from_microjoules(u64::MAX));
    }
}
