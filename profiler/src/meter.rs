//! How much energy this machine uses: a port, and its adapters over files of Linux and over recorded traces.
//!
//! All of Linux's files are below a root that is an argument, `/sys` on a real machine and a folder of a test's own
//! otherwise. Time is an argument too: a meter is asked, and says what was used since it was asked last.
//!
//! | adapter | where | what it sees |
//! |---|---|---|
//! | [`Rapl`] | `class/powercap` | processor packages and memory, or the whole system (psys) |
//! | [`PowerSupply`] | `class/power_supply` | the whole device, on its battery |
//! | [`Hwmon`] | `class/hwmon` | a supply rail, by the names of chip and rail |
//! | [`RecordedPower`] | a text | whatever was recorded |
//!
//! What a file contains is taken for hostile: it is read up to a bound, and what makes no sense is an error.

mod detect;
mod error;
mod frequency;
mod hwmon;
mod powercap;
mod recorded;
mod supply;
mod sysfs;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use outboard_core::{Energy, Power, Timestamp};

pub use detect::{Detection, LookedFor, detect};
pub use error::MeterError;
pub use frequency::processor_frequency;
pub use hwmon::Hwmon;
pub use powercap::Rapl;
pub use recorded::RecordedPower;
pub use supply::PowerSupply;

/// Tells how much energy was used.
pub trait PowerMeter {
    /// What the meter sees, and where its figures come from.
    fn label(&self) -> &MeterLabel;

    /// The energy since the last question; `None` to the first one, which has nothing to differ from.
    ///
    /// A meter of power takes it to be straight between two questions, so it has to be asked often.
    ///
    /// # Errors
    /// What the meter reads is not there, not permitted, or makes no sense. The next question is then answered with what
    /// was used since the last one that went well; where a counter went back, since then.
    fn read(&mut self, now: Timestamp) -> Result<Option<Metered>, MeterError>;
}

/// Energy over a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metered {
    /// What was used.
    pub energy: Energy,
    /// In how long.
    pub time: Duration,
}

impl Metered {
    /// The mean power; `None` over no time at all.
    pub fn power(self) -> Option<Power> {
        let seconds = self.time.as_secs_f64();
        (seconds > 0.0).then(|| Power::from_watts_f64(self.energy.as_joules_f64() / seconds))
    }
}

/// What a meter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterLabel {
    /// What it sees.
    pub covers: Coverage,
    /// Where its figures come from, for people and for the sources in a device profile.
    pub source: String,
}

/// What a meter sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All that the device draws.
    Device,
    /// The processors, with or without memory: no screen, radio or disk.
    Processors,
    /// One supply rail; what hangs on it, the board's maker knows.
    Rail,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Device => "the whole device",
            Self::Processors => "the processors only",
            Self::Rail => "one supply rail",
        })
    }
}

/// Energy from powers that are read now and then: straight in between.
#[derive(Debug, Default)]
struct Trapezoid {
    last: Option<(Timestamp, Power)>,
}

impl Trapezoid {
    fn read(&mut self, now: Timestamp, power: Power) -> Option<Metered> {
        let (then, before) = self.last.replace((now, power))?;
        let time = now.since(then);
        Some(Metered { energy: (before + power).scaled(0.5) * time, time })
    }
}
