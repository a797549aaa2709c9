//! Energy counters of Intel's and AMD's processors (RAPL), through Linux's powercap.

use std::path::{Path, PathBuf};

use outboard_core::{Energy, Timestamp};

use super::{Coverage, MeterError, MeterLabel, Metered, PowerMeter, sysfs};

/// The counters of `class/powercap`: packages and memory, or psys where there is no package.
///
/// Zones contain each other: psys has the packages in it, a package its cores, and some machines show the same package a
/// second time through memory-mapped registers. Their sum would count energy twice and more.
#[derive(Debug)]
pub struct Rapl {
    label: MeterLabel,
    zones: Vec<Zone>,
    last: Option<(Timestamp, Vec<u64>)>,
}

/// A counter in microjoules, which begins again after its range.
#[derive(Debug)]
struct Zone {
    counter: PathBuf,
    range: PathBuf,
}

impl Rapl {
    /// Finds the zones below a root, `/sys` on a real machine, and reads each once.
    ///
    /// # Errors
    /// No such folder, no zone that would do, or counters that cannot be read, which most systems allow to root only.
    pub fn open(root: &Path) -> Result<Self, MeterError> {
        let class = root.join("class/powercap");
        let mut named: Vec<(String, PathBuf)> = Vec::new();
        for folder in sysfs::folders(&class)? {
            // The control type itself (`intel-rapl`) and other kinds of caps have no name or no counter.
            let Ok(name) = sysfs::text(&folder.join("name")) else { continue };
            let repeated = named.iter().any(|(known, _)| *known == name);
            // In order of names, `intel-rapl-mmio:0` comes before `intel-rapl:0`, of which it is a second view.
            let second_view = folder.file_name().is_some_and(|name| name.to_string_lossy().contains("mmio"));
            // The memory of each package is a zone called `dram`; a repeated package is the same one again.
            if folder.join("energy_uj").exists() && !second_view && (!repeated || name == "dram") {
                named.push((name, folder));
            }
        }
        let of = |wanted: fn(&str) -> bool| {
            named.iter().filter(|(name, _)| wanted(name)).cloned().collect::<Vec<_>>()
        };
        let packages = of(|name| name.starts_with("package"));
        let (covers, chosen) = if packages.is_empty() {
            (Coverage::Device, of(|name| name == "psys").into_iter().take(1).collect())
        } else {
            (Coverage::Processors, [packages, of(|name| name == "dram")].concat())
        };
        if chosen.is_empty() {
            let wanted = "a zone named package-…, or psys";
            return Err(MeterError::NoneSuitable { place: class, wanted });
        }
        let names: Vec<_> = chosen.iter().map(|(name, _)| name.as_str()).collect();
        let source = format!("RAPL through {}: {}", class.display(), names.join(", "));
        let zone = |(_, folder): (_, PathBuf)| Zone {
            counter: folder.join("energy_uj"),
            range: folder.join("max_energy_range_uj"),
        };
        let zones = chosen.into_iter().map(zone).collect();
        let rapl = Self { label: MeterLabel { covers, source }, zones, last: None };
        rapl.counters()?;
        Ok(rapl)
    }

    fn counters(&self) -> Result<Vec<u64>, MeterError> {
        self.zones.iter().map(|zone| sysfs::count(&zone.counter)).collect()
    }
}

impl PowerMeter for Rapl {
    fn label(&self) -> &MeterLabel {
        &self.label
    }

    fn read(&mut self, now: Timestamp) -> Result<Option<Metered>, MeterError> {
        let counters = self.counters()?;
        let Some((then, before)) = &self.last else {
            self.last = Some((now, counters));
            return Ok(None);
        };
        let turned = self.zones.iter().zip(before).zip(&counters);
        let turned: Result<Vec<u64>, _> =
            turned.map(|((zone, &before), &counter)| zone.turned(before, counter)).collect();
        let time = now.since(*then);
        // Also where a counter went back: what it said before tells nothing any more.
        self.last = Some((now, counters));
        Ok(Some(Metered { energy: turned?.into_iter().map(Energy::from_microjoules).sum(), time }))
    }
}

impl Zone {
    /// From one state of the counter to the next. More than one turn in between cannot be told; a turn takes minutes.
    fn turned(&self, before: u64, counter: u64) -> Result<u64, MeterError> {
        if counter >= before {
            return Ok(counter - before);
        }
        let range = sysfs::count(&self.range)?;
        let rest = range.checked_sub(before).and_then(|rest| rest.checked_add(counter));
        rest.ok_or_else(|| MeterError::WentBack { path: self.counter.clone() })
    }
}
