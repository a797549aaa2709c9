//! Chips that measure a board's supply rails (INA3221, INA219, INA226, …), through Linux's hwmon.

use std::path::{Path, PathBuf};

use outboard_core::{Power, Timestamp};

use super::{Coverage, MeterError, MeterLabel, Metered, PowerMeter, Trapezoid, sysfs};

/// The channels that are looked at; no such chip has more.
const CHANNELS: std::ops::RangeInclusive<u8> = 0..=15;

/// A supply rail, by the names of its chip and of the rail: numbers of chips change from boot to boot.
///
/// Power is `power*_input` (µW), or `in*_input` (mV) times `curr*_input` (mA) of the same channel.
#[derive(Debug)]
pub struct Hwmon {
    label: MeterLabel,
    rail: Rail,
    energy: Trapezoid,
}

#[derive(Clone, Debug)]
struct Rail {
    chip: PathBuf,
    chip_name: String,
    name: String,
    source: Source,
}

/// What a rail's power is read from.
#[derive(Clone, Debug)]
enum Source {
    Power(PathBuf),
    VoltageAndCurrent(PathBuf, PathBuf),
}

impl Hwmon {
    /// Finds the rail that feeds the board, below a root, `/sys` on a real machine, and reads it once.
    ///
    /// That is the rail whose name says so (`VDD_IN`, `POM_5V_IN`, …), or the only one there is. The others hang on it, so a
    /// sum would count them twice.
    ///
    /// # Errors
    /// No such folder, no chip that is known, several rails of which none is the input, or a file that cannot be read.
    pub fn open(root: &Path) -> Result<Self, MeterError> {
        let class = root.join("class/hwmon");
        let rails = rails(&class)?;
        let input = rails.iter().find(|rail| rail.is_input());
        match (input, rails.as_slice()) {
            (Some(rail), _) => Self::of(rail.clone(), Coverage::Device),
            (None, [rail]) => Self::of(rail.clone(), Coverage::Rail),
            (None, []) => {
                let wanted = "a chip that measures power (ina…) with a rail that has voltage and current";
                Err(MeterError::NoneSuitable { place: class, wanted })
            }
            (None, [first, ..]) => {
                Err(MeterError::Ambiguous { chip: first.chip.clone(), rails: names(&rails) })
            }
        }
    }

    /// The rail of that name, whatever hangs on it.
    ///
    /// # Errors
    /// No such folder or rail, or a file that cannot be read.
    pub fn rail(root: &Path, name: &str) -> Result<Self, MeterError> {
        let class = root.join("class/hwmon");
        let rails = rails(&class)?;
        let Some(rail) = rails.iter().find(|rail| rail.name == name) else {
            let known = names(&rails);
            return Err(MeterError::NoSuchRail { place: class, rail: name.to_owned(), known });
        };
        let covers = if rail.is_input() { Coverage::Device } else { Coverage::Rail };
        Self::of(rail.clone(), covers)
    }

    fn of(rail: Rail, covers: Coverage) -> Result<Self, MeterError> {
        rail.power()?;
        let source = format!("rail {} of the chip {} in hwmon", rail.name, rail.chip_name);
        Ok(Self { label: MeterLabel { covers, source }, rail, energy: Trapezoid::default() })
    }
}

impl PowerMeter for Hwmon {
    fn label(&self) -> &MeterLabel {
        &self.label
    }

    fn read(&mut self, now: Timestamp) -> Result<Option<Metered>, MeterError> {
        let power = self.rail.power()?;
        Ok(self.energy.read(now, power))
    }
}

impl Rail {
    /// NVIDIA's boards name it so, and others after them.
    fn is_input(&self) -> bool {
        let name = self.name.to_ascii_uppercase();
        name == "VIN" || name.ends_with("_IN")
    }

    fn power(&self) -> Result<Power, MeterError> {
        match &self.source {
            Source::Power(path) => Ok(Power::from_microwatts(sysfs::number(path)?.unsigned_abs())),
            Source::VoltageAndCurrent(voltage, current) => {
                let millivolts = sysfs::number(voltage)?.unsigned_abs();
                let milliamperes = sysfs::number(current)?.unsigned_abs();
                // A milliampere at a millivolt is a microwatt.
                Ok(Power::from_microwatts(millivolts.saturating_mul(milliamperes)))
            }
        }
    }
}

/// The rails of all chips that are known to measure supplies.
fn rails(class: &Path) -> Result<Vec<Rail>, MeterError> {
    let mut rails = Vec::new();
    for chip in sysfs::folders(class)? {
        let Ok(chip_name) = sysfs::text(&chip.join("name")) else { continue };
        let known =
            chip_name.strip_prefix("ina").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !known {
            continue;
        }
        // The INA3221 has three channels. What its driver numbers on from there are voltages across shunts and sums.
        let channels = if chip_name == "ina3221" { 1..=3 } else { CHANNELS };
        for channel in channels {
            let file = |kind: &str| chip.join(format!("{kind}{channel}_input"));
            let (voltage, current, power) = (file("in"), file("curr"), file("power"));
            let source = if power.exists() {
                Source::Power(power)
            } else if voltage.exists() && current.exists() {
                Source::VoltageAndCurrent(voltage, current)
            } else {
                continue;
            };
            let label = |kind: &str| sysfs::text(&chip.join(format!("{kind}{channel}_label"))).ok();
            let name = label("power").or_else(|| label("in")).or_else(|| label("curr"));
            let name =
                name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{chip_name}/{channel}"));
            rails.push(Rail { chip: chip.clone(), chip_name: chip_name.clone(), name, source });
        }
    }
    Ok(rails)
}

fn names(rails: &[Rail]) -> String {
    let names: Vec<_> = rails.iter().map(|rail| rail.name.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
