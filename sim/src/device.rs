//! What a device is like.

use std::time::Duration;

use outboard_core::Energy;
use outboard_profiler::{DeviceProfile, EnergyModel, RadioModel};

/// A device, as a run has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeviceModel {
    /// What it draws. An energy that it does not know is not in the outcome.
    pub energy: EnergyModel,
    /// Its radio. `None`: not known, or none.
    pub radio: Option<RadioModel>,
    /// How many cores it has: as many calls run beside their attempts at once. Default 1.
    pub cores: u16,
    /// How fast it runs the reference loop, in steps per second: a server's speed is told in the same unit. Default 10⁸.
    pub steps_per_second: u64,
}

impl DeviceModel {
    /// A device whose power is known by its profile.
    pub fn new(profile: &DeviceProfile) -> Self {
        let idle = profile.cpu.idle.as_ref().map(|figure| figure.value);
        let radio = RadioModel::new(&profile.radio, idle);
        let cores = profile.cpu.cores.unwrap_or(1);
        Self { energy: EnergyModel::new(profile), radio, cores, ..Self::default() }
    }

    /// What its processors draw above silence while one of them is busy for that long.
    pub fn busy(&self, time: Duration) -> Option<Energy> {
        Some(self.energy.running(time)?.saturating_sub(self.energy.waiting(time)?))
    }

    /// What it draws in that time whatever it does.
    pub fn idle(&self, time: Duration) -> Option<Energy> {
        self.energy.waiting(time)
    }
}

impl Default for DeviceModel {
    fn default() -> Self {
        Self { energy: EnergyModel::default(), radio: None, cores: 1, steps_per_second: 100_000_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_idle_power_and_a_busy_core() {
        let pi = DeviceModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in"));
        let second = Duration::from_secs(1);
        let run = pi.busy(second).zip(pi.idle(second)).map(|(busy, idle)| busy + idle);
        assert_eq!(run, pi.energy.running(second));
        assert_eq!(DeviceModel::default().busy(second), None);
    }
}
