//! The `[cpu]` section.

use outboard_core::Frequency;
use toml::Value;

use super::Section;
use crate::device::{CpuCluster, CpuLevel, CpuProfile, CpuSpeed, Figure, ProfileError};

pub(super) fn profile(section: &Section<'_>) -> Result<CpuProfile, ProfileError> {
    section.only(&["active", "busy", "cluster", "cores", "idle", "levels", "speed"])?;
    let cpu = CpuProfile {
        cores: cores(section)?,
        idle: section.power("idle")?,
        busy: section.power("busy")?,
        speed: speed(section)?,
        levels: levels(section)?,
        active: section.power("active")?,
        clusters: section.list("cluster")?.iter().map(cluster).collect::<Result<_, _>>()?,
    };
    if cpu.idle.as_ref().zip(cpu.busy.as_ref()).is_some_and(|(idle, busy)| busy.value < idle.value) {
        return Err(section.bad("busy", "at least `cpu.idle`"));
    }
    let clustered: u32 = cpu.clusters.iter().map(|cluster| u32::from(cluster.cores)).sum();
    if !cpu.clusters.is_empty() && cpu.cores.is_some_and(|cores| u32::from(cores) != clustered) {
        return Err(section.bad("cores", "the sum of the clusters' cores"));
    }
    Ok(cpu)
}

fn cores(section: &Section<'_>) -> Result<Option<u16>, ProfileError> {
    match section.table.get("cores") {
        None => Ok(None),
        Some(Value::Integer(cores @ 1..=1024)) => Ok(Some(*cores as u16)),
        Some(_) => Err(section.bad("cores", "a whole number from 1 to 1024")),
    }
}

fn speed(section: &Section<'_>) -> Result<Option<Figure<u64>>, ProfileError> {
    let Some(section) = section.section("speed")? else { return Ok(None) };
    section.only(&["quality", "source", "steps_per_second"])?;
    let value = match section.table.get("steps_per_second") {
        None => return Err(section.missing("steps_per_second")),
        Some(Value::Integer(steps @ 1..=1_000_000_000_000)) => *steps as u64,
        Some(_) => return Err(section.bad("steps_per_second", "a whole number from 1 to 1000000000000")),
    };
    let (quality, source) = section.origin()?;
    Ok(Some(Figure { value, quality, source }))
}

fn levels(section: &Section<'_>) -> Result<Vec<CpuLevel>, ProfileError> {
    let mut levels: Vec<CpuLevel> = Vec::new();
    for row in section.list("levels")? {
        row.only(&["quality", "source", "utilisation", "watts"])?;
        let utilisation = row.number_up_to("utilisation", 1.0, "a number from 0 to 1")?;
        let utilisation = utilisation.ok_or_else(|| row.missing("utilisation"))?;
        let level = CpuLevel { utilisation, power: row.power_here()? };
        if let Some(last) = levels.last() {
            if level.utilisation <= last.utilisation {
                return Err(row.bad("utilisation", "above that of the row before"));
            }
            // More load that draws less is noise of the meter; whoever calibrates smooths it.
            if level.power.value < last.power.value {
                return Err(row.bad("watts", "at least that of the row before"));
            }
        }
        levels.push(level);
    }
    Ok(levels)
}

fn cluster(section: &Section<'_>) -> Result<CpuCluster, ProfileError> {
    section.only(&["cores", "shared", "speeds"])?;
    let cores = cores(section)?.ok_or_else(|| section.missing("cores"))?;
    let mut speeds: Vec<CpuSpeed> = Vec::new();
    for row in section.list("speeds")? {
        row.only(&["megahertz", "quality", "source", "watts"])?;
        let frequency = Frequency::from_hertz((row.number("megahertz")? * 1e6).round() as u64);
        if speeds.last().is_some_and(|last| frequency <= last.frequency) {
            return Err(row.bad("megahertz", "above that of the row before"));
        }
        speeds.push(CpuSpeed { frequency, core: row.power_here()? });
    }
    if speeds.is_empty() {
        return Err(section.missing("speeds"));
    }
    Ok(CpuCluster { cores, shared: section.power("shared")?, speeds })
}
