//! `outboard probe`: from loads and a meter to a device profile.

mod fit;
mod measure;
#[cfg(test)]
mod tests;
mod unmeasured;

use std::io::Write;

use outboard_profiler::{DeviceProfile, Figure, FigureQuality, Hwmon, PowerMeter, detect_meter};

use crate::arguments::ProbeOptions;
use crate::failure::Failure;
use crate::file;
use crate::machine::Machine;
use crate::profile;

/// Probes a machine and writes its profile; what people want to know on the way goes to `log`.
pub(crate) fn run(
    options: &ProbeOptions,
    machine: &mut dyn Machine,
    log: &mut dyn Write,
) -> Result<(), Failure> {
    let base = options.device_profile.as_deref().map(profile::find).transpose()?;
    let meter = meter(options, log)?;
    let speed = machine.reference_speed();
    writeln!(log, "reference loop: {speed} steps a second on one core")?;
    let (profile, how) = match meter {
        Some(mut meter) => {
            let measured = measure::run(machine, meter.as_mut(), options.time, log)?;
            let profile = fit::profile(&measured, meter.label(), machine.cores(), base, log)?;
            (profile, format!("measured with {}", meter.label().source))
        }
        None => unmeasured::profile(machine.cores(), base, log)?,
    };
    let mut profile = named(profile, options, machine);
    // For this no meter is needed; that of another device's profile would be wrong.
    profile.cpu.speed = (speed > 0).then(|| Figure {
        value: speed,
        quality: FigureQuality::Measured,
        source: "outboard probe: the reference loop on one core of this machine".to_owned(),
    });
    let head = format!("# Written by `outboard probe`: {}.\n", printable(&how));
    let text = format!("{head}{}", profile.to_toml());
    // A meter can say what no profile may contain, a gigawatt say; better told now than when an app starts.
    DeviceProfile::parse("the profile that was made", &text)?;
    file::write(&text, options.output.as_deref())
}

/// The meter to read, after telling what was looked for.
fn meter(options: &ProbeOptions, log: &mut dyn Write) -> Result<Option<Box<dyn PowerMeter>>, Failure> {
    if let Some(rail) = &options.rail {
        let meter = Hwmon::rail(&options.sysfs, rail)?;
        writeln!(log, "meter: {}, which sees {}", meter.label().source, meter.label().covers)?;
        return Ok(Some(Box::new(meter)));
    }
    let detection = detect_meter(&options.sysfs);
    writeln!(log, "looked for meters below {}:", options.sysfs.display())?;
    for looked in &detection.looked_for {
        writeln!(log, "  {looked}")?;
    }
    if let Some(meter) = &detection.meter {
        writeln!(log, "meter: {}, which sees {}", meter.label().source, meter.label().covers)?;
    }
    Ok(detection.meter)
}

/// The profile under the name that was asked for, else that of the processor, else the one it has.
fn named(mut profile: DeviceProfile, options: &ProbeOptions, machine: &dyn Machine) -> DeviceProfile {
    let own = || if profile.name.is_empty() { machine.name() } else { None };
    if let Some(name) = options.name.clone().or_else(own) {
        profile.name = name;
    }
    if profile.name.is_empty() {
        profile.name = "unknown device".to_owned();
    }
    profile
}

/// Without what would end a comment of TOML.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
