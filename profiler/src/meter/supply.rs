//! What batteries say of their discharge, through Linux's power_supply.

use std::path::{Path, PathBuf};

use outboard_core::{Power, Timestamp};

use super::{Coverage, MeterError, MeterLabel, Metered, PowerMeter, Trapezoid, sysfs};

/// The device's own batteries in `class/power_supply`, while they discharge.
///
/// Power is `power_now` (µW), or `current_now` (µA) times `voltage_now` (µV). Drivers differ in the sign of a discharge,
/// so it is left out, and the `status` says which way the current goes.
#[derive(Debug)]
pub struct PowerSupply {
    label: MeterLabel,
    batteries: Vec<PathBuf>,
    energy: Trapezoid,
}

impl PowerSupply {
    /// Finds the batteries below a root, `/sys` on a real machine, and reads each once.
    ///
    /// # Errors
    /// No such folder, no battery of the device itself, none that discharges, or a file that cannot be read.
    pub fn open(root: &Path) -> Result<Self, MeterError> {
        let class = root.join("class/power_supply");
        let is = |folder: &Path, file: &str, word: &str| {
            sysfs::text(&folder.join(file)).is_ok_and(|text| text == word)
        };
        // Mice and keyboards show their batteries here as well, as of the scope `Device`.
        let own = |folder: &PathBuf| is(folder, "type", "Battery") && !is(folder, "scope", "Device");
        let batteries: Vec<_> = sysfs::folders(&class)?.into_iter().filter(own).collect();
        if batteries.is_empty() {
            return Err(MeterError::NoneSuitable { place: class, wanted: "a battery of this device" });
        }
        let names = batteries.iter().filter_map(|battery| battery.file_name());
        let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
        let source = format!("discharge of the battery, {}: {}", class.display(), names.join(", "));
        let label = MeterLabel { covers: Coverage::Device, source };
        let supply = Self { label, batteries, energy: Trapezoid::default() };
        supply.power()?;
        Ok(supply)
    }

    fn power(&self) -> Result<Power, MeterError> {
        let mut power = None;
        let mut idle = None;
        for battery in &self.batteries {
            match sysfs::text(&battery.join("status"))?.as_str() {
                "Discharging" => power = Some(power.unwrap_or(Power::ZERO) + discharge(battery)?),
                // The second battery of two that are emptied one after the other.
                status @ ("Full" | "Not charging" | "Unknown") => {
                    idle.get_or_insert((battery, status.to_owned()));
                }
                status => {
                    let status = status.to_owned();
                    return Err(MeterError::NotDischarging { path: battery.clone(), status });
                }
            }
        }
        match (power, idle) {
            (None, Some((battery, status))) => {
                Err(MeterError::NotDischarging { path: battery.clone(), status })
            }
            (power, _) => Ok(power.unwrap_or(Power::ZERO)),
        }
    }
}

impl PowerMeter for PowerSupply {
    fn label(&self) -> &MeterLabel {
        &self.label
    }

    fn read(&mut self, now: Timestamp) -> Result<Option<Metered>, MeterError> {
        let power = self.power()?;
        Ok(self.energy.read(now, power))
    }
}

fn discharge(battery: &Path) -> Result<Power, MeterError> {
    let power = battery.join("power_now");
    if power.exists() {
        return Ok(Power::from_microwatts(sysfs::number(&power)?.unsigned_abs()));
    }
    let microamperes = sysfs::number(&battery.join("current_now"))?.unsigned_abs();
    let microvolts = sysfs::number(&battery.join("voltage_now"))?.unsigned_abs();
    let microwatts = u128::from(microamperes) * u128::from(microvolts) / 1_000_000;
    Ok(Power::from_microwatts(u64::try_from(microwatts).unwrap_or(u64::MAX)))
}
