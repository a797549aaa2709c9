//! What can be said of a machine without a meter.

use std::io::Write;

use outboard_profiler::DeviceProfile;
use toml::{Table, Value};

use crate::failure::Failure;

/// A profile of nothing measured, and how it came about: `base` with every figure labelled `modelled`, or nothing.
pub(super) fn profile(
    cores: u16,
    base: Option<DeviceProfile>,
    log: &mut dyn Write,
) -> Result<(DeviceProfile, String), Failure> {
    writeln!(
        log,
        "no power meter of this machine can be used, for the reasons above: no power was measured"
    )?;
    let Some(base) = base else {
        writeln!(log, "every figure is unknown; --device-profile takes those of a similar device")?;
        let mut unknown = DeviceProfile::default();
        unknown.cpu.cores = Some(cores);
        return Ok((unknown, "no meter, and no device profile to go by: every figure is unknown".to_owned()));
    };
    writeln!(log, "the figures are those of the device profile `{}`, labelled `modelled`", base.name)?;
    if base.cpu.cores.is_some_and(|known| known != cores) {
        let known = base.cpu.cores.unwrap_or_default();
        writeln!(log, "that device has {known} cores, this machine {cores}: it is not of the same kind")?;
    }
    let how = format!("no meter; every figure is that of the device profile {}", base.name);
    Ok((modelled(&base)?, how))
}

/// The same figures, none of them measured here.
fn modelled(base: &DeviceProfile) -> Result<DeviceProfile, Failure> {
    let text = base.to_toml();
    // What was written by `to_toml` is TOML; were it not, reading it as a profile below says so.
    let mut table: Table = text.parse().unwrap_or_default();
    let note = format!("not measured on this machine; profile {}", base.name);
    table.iter_mut().for_each(|(_, value)| relabel(value, &note));
    Ok(DeviceProfile::parse(&base.name, &table.to_string())?)
}

/// Every figure is a table with a quality and a source, wherever it is.
fn relabel(value: &mut Value, note: &str) {
    match value {
        Value::Array(rows) => rows.iter_mut().for_each(|row| relabel(row, note)),
        Value::Table(table) => {
            if let Some(quality) = table.get_mut("quality") {
                *quality = Value::String("modelled".to_owned());
                if let Some(Value::String(source)) = table.get_mut("source") {
                    *source = format!("{note}: {source}");
                }
            }
            table.iter_mut().for_each(|(_, value)| relabel(value, note));
        }
        _ => {}
    }
}
