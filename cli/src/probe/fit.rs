//! From what was measured to a profile.

use std::io::Write;

use outboard_core::{Frequency, Power};
use outboard_profiler::{
    CalibrationError, Coverage, CpuCluster, CpuLevel, CpuModel, CpuSpeed, DeviceProfile, Figure,
    FigureQuality, MeterLabel, ModelError, PowerSample, fit_curve, fit_line, fit_speeds,
};

use super::measure::Measured;
use crate::failure::Failure;
use crate::machine::Kind;

/// The utilisations at which the profile says what the device draws.
const LEVELS: [f64; 9] = [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0];

type Fit = fn(&[PowerSample]) -> Result<CpuModel, CalibrationError>;

/// A profile with the figures of the processors that were measured; all else is taken from `base`.
pub(super) fn profile(
    measured: &[Measured],
    meter: &MeterLabel,
    cores: u16,
    base: Option<DeviceProfile>,
    log: &mut dyn Write,
) -> Result<DeviceProfile, Failure> {
    let samples: Vec<_> = measured.iter().map(|measured| measured.sample).collect();
    let curve = fit_curve(&samples)?;
    let fitted = curve.error(&samples);
    tell(log, "error at the loads it was fitted to", fitted)?;
    tell(log, "error at kinds of load it was not fitted to", unseen(measured, fit_curve))?;
    tell(log, "the same of a straight line", unseen(measured, fit_line))?;
    // A meter that sees a part of the device tells nothing of the whole: then the figure is a model's.
    let quality = match meter.covers {
        Coverage::Device => FigureQuality::Measured,
        _ => FigureQuality::Modelled,
    };
    let error = fitted.map_or("unknown".to_owned(), |error| format!("{:.1} %", error.median * 100.0));
    let source = format!(
        "outboard probe: {}, which sees {}; rising curve of least squares through {} loads, median error {error}",
        meter.source,
        meter.covers,
        samples.len(),
    );
    let figure = |value: Power| Figure { value, quality, source: source.clone() };
    let at = |utilisation: f64| curve.power(utilisation, None).map(figure);
    let mut profile = base.unwrap_or_default();
    let cpu = &mut profile.cpu;
    cpu.cores = Some(cores);
    cpu.idle = at(0.0);
    cpu.busy = at(1.0);
    let level = |utilisation| at(utilisation).map(|power| CpuLevel { utilisation, power });
    cpu.levels = LEVELS.into_iter().filter_map(level).collect();
    cpu.active = None;
    cpu.clusters = speeds(&samples, cores, log)?.into_iter().collect();
    if meter.covers != Coverage::Device {
        writeln!(
            log,
            "the meter sees {}: the figures are labelled `modelled`, not `measured`",
            meter.covers
        )?;
    }
    Ok(profile)
}

/// The cores by frequency, where the processors ran at several and these could be read.
fn speeds(samples: &[PowerSample], cores: u16, log: &mut dyn Write) -> Result<Option<CpuCluster>, Failure> {
    let mut frequencies: Vec<Frequency> = samples.iter().filter_map(|sample| sample.frequency).collect();
    frequencies.sort();
    frequencies.dedup();
    if frequencies.len() < 2 {
        return Ok(None);
    }
    let model = match fit_speeds(samples) {
        Ok(model) => model,
        Err(error) => {
            writeln!(log, "no figures by frequency: {error}")?;
            return Ok(None);
        }
    };
    let error = model.error(samples);
    tell(log, "error of lines by frequency", error)?;
    let median = error.map_or("unknown".to_owned(), |error| format!("{:.1} %", error.median * 100.0));
    let source = format!(
        "outboard probe: lines of least squares, one for each frequency, median error {median}, shared by {cores} cores"
    );
    let speed = |frequency: Frequency| {
        let idle = model.power(0.0, Some(frequency))?;
        let all = model.power(1.0, Some(frequency))?;
        let value = all.saturating_sub(idle).scaled(1.0 / f64::from(cores.max(1)));
        let core = Figure { value, quality: FigureQuality::Modelled, source: source.clone() };
        Some(CpuSpeed { frequency, core })
    };
    let speeds: Vec<_> = frequencies.into_iter().filter_map(speed).collect();
    Ok(Some(CpuCluster::new(cores, None, speeds)))
}

/// The error at each kind of load of a model that was fitted to the others and to the idle machine.
fn unseen(measured: &[Measured], fit: Fit) -> Option<ModelError> {
    let mut errors = Vec::new();
    for kind in Kind::ALL {
        let of_kind = |measured: &&Measured| measured.load.is_some_and(|load| load.kind == kind);
        let others: Vec<_> = measured.iter().filter(|one| !of_kind(one)).map(|one| one.sample).collect();
        let model = fit(&others).ok()?;
        errors.extend(measured.iter().filter(of_kind).filter_map(|one| model.error_of(&one.sample)));
    }
    ModelError::of(errors)
}

fn tell(log: &mut dyn Write, what: &str, error: Option<ModelError>) -> Result<(), Failure> {
    match error {
        Some(ModelError { median, mean, .. }) => {
            writeln!(log, "{what}: median {:.1} %, mean {:.1} %", median * 100.0, mean * 100.0)?;
        }
        None => writeln!(log, "{what}: unknown")?,
    }
    Ok(())
}
