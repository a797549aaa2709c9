//! From the `power_profile.xml` of an Android phone to a profile.
//!
//! The format: <https://source.android.com/docs/core/power/values>. Its figures are milliamperes that the phone's maker
//! measured, each on top of those of the states around it.

mod items;

use outboard_core::{Energy, Frequency, Power};

use super::{
    CpuCluster, CpuProfile, CpuSpeed, DeviceProfile, Figure, FigureQuality, ProfileError, RadioProfile,
};
use items::Items;

/// The nominal voltage of a lithium-ion cell, for files that state none.
const NOMINAL_MILLIVOLTS: f64 = 3_700.0;

impl DeviceProfile {
    /// Reads a `power_profile.xml` of Android; `file` is its name in errors and in the sources of the figures.
    ///
    /// Milliamperes become watts at the voltage that the file states for Wi-Fi, or at 3.7 V, the nominal voltage of a
    /// lithium-ion cell. The device is taken with its screen off and its Wi-Fi controller awake; every figure is
    /// *modelled*. Items that have no place in a profile (screen, camera, modem, …) are left out.
    ///
    /// # Errors
    /// Text that is not XML, an item that is out of range, or no `cpu.clusters.cores`; the error names file, line and
    /// item.
    pub fn import_android(file: &str, text: &str) -> Result<Self, ProfileError> {
        let items = Items::read(file, text)?;
        let import = Import { stated: items.number("wifi.controller.voltage")?, items };
        let radio = import.radio()?;
        let capacity = import.items.number("battery.capacity")?;
        // A milliampere-hour is 3.6 coulombs, at a millivolt 3600 µJ.
        let capacity = capacity.map(|hours| (hours * import.millivolts() * 3_600.0).round() as u64);
        let profile = Self {
            name: import.items.device().to_owned(),
            cpu: import.cpu(&radio)?,
            battery: capacity
                .map(|capacity| import.figure(Energy::from_microjoules(capacity), "battery.capacity")),
            radio,
        };
        // Items that are in range one by one can make a device of a gigawatt; it is refused as in a file of our own.
        Self::parse(file, &profile.to_toml())
    }
}

struct Import<'a> {
    items: Items<'a>,
    /// The voltage that the file has, in millivolts.
    stated: Option<f64>,
}

impl Import<'_> {
    fn cpu(&self, radio: &RadioProfile) -> Result<CpuProfile, ProfileError> {
        let counts = self.items.required("cpu.clusters.cores")?;
        let mut clusters = Vec::new();
        for (index, count) in counts.numbers()?.into_iter().enumerate() {
            if !(1.0..=64.0).contains(&count) || count.fract() != 0.0 {
                return Err(counts.bad("made of whole numbers from 1 to 64"));
            }
            clusters.push(self.cluster(index, count as u16)?);
        }
        let active = self.power("cpu.active")?;
        let idle = self.idle(radio)?;
        let busy = idle.as_ref().map(|idle| {
            let one =
                |figure: &Option<Figure<Power>>| figure.as_ref().map_or(Power::ZERO, |figure| figure.value);
            let cluster = |cluster: &CpuCluster| {
                let fastest = cluster.speeds.last().map_or(Power::ZERO, |speed| speed.core.value);
                one(&cluster.shared) + fastest * u64::from(cluster.cores)
            };
            let busy = idle.value + one(&active) + clusters.iter().map(cluster).sum();
            self.figure(busy, "idle, cpu.active, and all clusters with every core at its fastest")
        });
        let cores = clusters.iter().map(|cluster| cluster.cores).fold(0, u16::saturating_add);
        Ok(CpuProfile { cores: Some(cores), idle, busy, active, clusters, ..CpuProfile::default() })
    }

    /// What the device draws with processors idle, screen off and radio silent.
    fn idle(&self, radio: &RadioProfile) -> Result<Option<Figure<Power>>, ProfileError> {
        let (suspend, idle) = (self.power("cpu.suspend")?, self.power("cpu.idle")?);
        let parts = suspend.zip(idle).zip(radio.idle.as_ref());
        Ok(parts.map(|((suspend, idle), radio)| {
            let power = suspend.value + idle.value + radio.value;
            self.figure(power, "cpu.suspend, cpu.idle and wifi.controller.idle")
        }))
    }

    fn cluster(&self, index: usize, cores: u16) -> Result<CpuCluster, ProfileError> {
        // The second name is that of Android 6 and 7.
        let named = |now: &str, then: &str| {
            let (now, then) = (format!("{now}{index}"), format!("{then}{index}"));
            if self.items.has(&now) || !self.items.has(&then) { now } else { then }
        };
        let powers = named("cpu.core_power.cluster", "cpu.active.cluster");
        let frequencies = self.items.required(&named("cpu.core_speeds.cluster", "cpu.speeds.cluster"))?;
        let currents = self.items.required(&powers)?;
        let (kilohertz, milliamperes) = (frequencies.numbers()?, currents.numbers()?);
        if milliamperes.len() != kilohertz.len() {
            let count = kilohertz.len();
            return Err(currents.bad(&format!("a list of {count} values, one for each frequency")));
        }
        let mut speeds: Vec<CpuSpeed> = Vec::new();
        for (kilohertz, milliamperes) in kilohertz.into_iter().zip(milliamperes) {
            let frequency = Frequency::from_hertz((kilohertz * 1e3).round() as u64);
            if speeds.last().is_some_and(|last| last.frequency >= frequency) {
                return Err(frequencies.bad("a list of rising frequencies"));
            }
            speeds.push(CpuSpeed { frequency, core: self.figure(self.watts(milliamperes), &powers) });
        }
        Ok(CpuCluster { cores, shared: self.power(&format!("cpu.cluster_power.cluster{index}"))?, speeds })
    }

    fn radio(&self) -> Result<RadioProfile, ProfileError> {
        let (idle, receive, transmit) = (
            self.power("wifi.controller.idle")?,
            self.power("wifi.controller.rx")?,
            self.power("wifi.controller.tx")?,
        );
        let known = idle.is_some() || receive.is_some() || transmit.is_some();
        let kind = known.then(|| "wifi".to_owned());
        Ok(RadioProfile { kind, idle, receive, transmit, ..RadioProfile::default() })
    }

    fn power(&self, item: &str) -> Result<Option<Figure<Power>>, ProfileError> {
        Ok(self.items.number(item)?.map(|milliamperes| self.figure(self.watts(milliamperes), item)))
    }

    fn watts(&self, milliamperes: f64) -> Power {
        // A milliampere at a millivolt is a microwatt.
        Power::from_microwatts((milliamperes * self.millivolts()).round() as u64)
    }

    fn millivolts(&self) -> f64 {
        self.stated.unwrap_or(NOMINAL_MILLIVOLTS)
    }

    fn figure<T>(&self, value: T, items: &str) -> Figure<T> {
        let volts = self.millivolts() / 1e3;
        let whose = if self.stated.is_some() { "as the file states for Wi-Fi" } else { "nominal" };
        let source = format!("{}: {items}, at {volts} V {whose}", self.items.file());
        Figure { value, quality: FigureQuality::Modelled, source }
    }
}

#[cfg(test)]
mod tests;
