//! `energy.model`: how far models of a processor's power are from a meter, on the recordings of codecarbon.
//!
//! Each recording holds a processor at eleven loads, from idle to all cores, for half a minute each. A model is fitted to every
//! other load and tested on those in between, then the other way round, so that every load is predicted once by a model that
//! never saw it. The forms are compared in the same run: MAUI's straight line, a parabola, and the rising curve that
//! `outboard probe` writes.
//!
//! The power of a load is its energy over its time. The recordings have a column of power too, but it lags by one load: each of
//! its figures is the energy of the row before over that row's time. It is reported for comparison, and so is what is left when
//! the idle machine is left out, which that column has no figure of.

use std::path::{Path, PathBuf};

use outboard_core::Power;
use outboard_profiler::{CalibrationError, CpuModel, PowerSample, fit_curve, fit_line};

use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::series::Series;

const FOLDER: &str = "energy/energy-codecarbon";
const JOULES_PER_KILOWATT_HOUR: f64 = 3.6e6;
/// As in GOALS; MAUI reports below 6 %.
const TARGET: Target = Target::AtMost(5.0);

pub(crate) struct EnergyModel;

impl Experiment for EnergyModel {
    fn name(&self) -> &'static str {
        "energy.model"
    }

    fn about(&self) -> &'static str {
        "error of models of a processor's power at loads they were not fitted to, against RAPL"
    }

    fn run(&self, _: Effort, report: &mut Report) -> Result<(), Failure> {
        let Some(traces) = std::env::var_os("OUTBOARD_TRACES") else {
            let why = "OUTBOARD_TRACES names no folder of recordings";
            return report.not_measured(self.name(), "%", Some(TARGET), why);
        };
        let mut machines = Vec::new();
        for path in recordings(&Path::new(&traces).join(FOLDER))? {
            let text = std::fs::read_to_string(&path).map_err(Failure::of("reading a recording"))?;
            machines.push(Recording::parse(&path, &text)?);
        }
        let errors = |form: Form, samples: fn(&Recording) -> &[PowerSample]| -> Series {
            machines.iter().flat_map(|machine| cross(form, samples(machine))).collect()
        };
        let measured =
            |recording: &Recording| -> Series { cross(curve, &recording.levels).into_iter().collect() };
        let all = errors(curve, |recording| &recording.levels);
        report.figure("energy.model", all.clone(), "%", Some(TARGET))?;
        report.figure("energy.model/mean", [all.mean()].into_iter().collect(), "%", None)?;
        report.figure("energy.model/line", errors(line, |recording| &recording.levels), "%", None)?;
        report.figure("energy.model/parabola", errors(parabola, |recording| &recording.levels), "%", None)?;
        report.figure("energy.model/without-idle", errors(curve, busy), "%", None)?;
        report.figure("energy.model/without-idle/line", errors(line, busy), "%", None)?;
        for machine in &machines {
            report.figure(format!("energy.model/{}", machine.name), measured(machine), "%", None)?;
        }
        report.figure(
            "energy.model/lagging-column",
            errors(curve, |recording| &recording.column),
            "%",
            None,
        )?;
        report.figure(
            "energy.model/lagging-column/line",
            errors(line, |recording| &recording.column),
            "%",
            None,
        )
    }
}

fn busy(recording: &Recording) -> &[PowerSample] {
    recording.levels.get(1..).unwrap_or_default()
}

/// Watts at a load, as fitted to samples; `None` where they make no model.
type Form = fn(&[PowerSample]) -> Option<Box<dyn Fn(f64) -> f64>>;

fn curve(samples: &[PowerSample]) -> Option<Box<dyn Fn(f64) -> f64>> {
    model(fit_curve(samples))
}

fn line(samples: &[PowerSample]) -> Option<Box<dyn Fn(f64) -> f64>> {
    model(fit_line(samples))
}

fn model(fit: Result<CpuModel, CalibrationError>) -> Option<Box<dyn Fn(f64) -> f64>> {
    let model = fit.ok()?;
    Some(Box::new(move |load| model.power(load, None).map_or(f64::NAN, Power::as_watts_f64)))
}

/// Least squares with a term that bends, by the three normal equations.
fn parabola(samples: &[PowerSample]) -> Option<Box<dyn Fn(f64) -> f64>> {
    let terms = |load: f64| [1.0, load, load * load];
    let mut rows = [[0.0; 4]; 3];
    for sample in samples {
        let (terms, watts) = (terms(sample.utilisation), sample.power.as_watts_f64());
        for (row, own) in rows.iter_mut().zip(terms) {
            for (place, other) in terms.into_iter().enumerate() {
                row[place] += own * other;
            }
            row[3] += own * watts;
        }
    }
    for pivot in 0..3 {
        let best =
            (pivot..3).max_by(|one, other| rows[*one][pivot].abs().total_cmp(&rows[*other][pivot].abs()))?;
        rows.swap(pivot, best);
        if rows[pivot][pivot].abs() < 1e-9 {
            return None;
        }
        let from = rows[pivot];
        for (_, row) in rows.iter_mut().enumerate().filter(|(place, _)| *place != pivot) {
            let share = row[pivot] / from[pivot];
            row.iter_mut().zip(from).for_each(|(value, from)| *value -= share * from);
        }
    }
    let factor = |place: usize| rows[place][3] / rows[place][place];
    let factors = [factor(0), factor(1), factor(2)];
    Some(Box::new(move |load| factors.iter().zip(terms(load)).map(|(factor, term)| factor * term).sum()))
}

/// The errors, in per cent of the meter's figure, of each half of the samples by the model of the other half.
fn cross(form: Form, samples: &[PowerSample]) -> Vec<f64> {
    let half = |which: usize| samples.iter().skip(which).step_by(2).copied().collect::<Vec<_>>();
    let mut errors = Vec::new();
    for which in [0, 1] {
        let model = form(&half(which));
        for sample in half(1 - which) {
            let said = sample.power.as_watts_f64();
            // Samples that make no model are as far off as can be: they must not make the median better.
            let predicted = model.as_ref().map_or(f64::INFINITY, |model| model(sample.utilisation));
            errors.push((predicted - said).abs() / said * 100.0);
        }
    }
    errors
}

/// What codecarbon recorded of a processor.
struct Recording {
    name: String,
    /// Energy over time, with every load.
    levels: Vec<PowerSample>,
    /// The column of power, without its first row: that one holds the time before the recording.
    column: Vec<PowerSample>,
}

impl Recording {
    fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let bad = |what: String| Failure::of("reading a recording")(format!("{}: {what}", path.display()));
        let mut lines = text.lines();
        let header: Vec<_> = lines.next().unwrap_or_default().split(',').collect();
        let place = |name: &str| {
            let place = header.iter().position(|column| *column == name);
            place.ok_or_else(|| bad(format!("it has no column `{name}`")))
        };
        let places = [place("cpu_load")?, place("rapl_energy")?, place("duration")?, place("rapl_power")?];
        let (mut levels, mut column) = (Vec::new(), Vec::new());
        for (row, line) in lines.enumerate() {
            let cells: Vec<_> = line.split(',').collect();
            let number = |place: usize| cells.get(place).and_then(|cell| cell.parse::<f64>().ok());
            let numbers: Option<Vec<f64>> = places.iter().map(|place| number(*place)).collect();
            let Some([load, energy, duration, power]) = numbers.as_deref() else {
                return Err(bad(format!("line {} has no number where one should be", row + 2)));
            };
            let sample = |watts: f64| PowerSample {
                utilisation: load / 100.0,
                frequency: None,
                power: Power::from_watts_f64(watts),
            };
            levels.push(sample(energy * JOULES_PER_KILOWATT_HOUR / duration));
            column.push(sample(*power));
        }
        column.drain(..1.min(column.len()));
        for samples in [&mut levels, &mut column] {
            samples.sort_by(|one, other| one.utilisation.total_cmp(&other.utilisation));
        }
        let name = stem.trim_end_matches("-all_cores").to_owned();
        Ok(Self { name, levels, column })
    }
}

/// The recordings in a folder, by name.
fn recordings(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(Failure::of("looking for recordings"))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "csv")).collect();
    paths.sort();
    if paths.is_empty() {
        let none = format!("{} has no CSV files", folder.display());
        return Err(Failure::of("looking for recordings")(none));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(watts: impl Fn(f64) -> f64) -> Vec<PowerSample> {
        let sample = |step: u32| {
            let utilisation = f64::from(step) / 10.0;
            PowerSample { utilisation, frequency: None, power: Power::from_watts_f64(watts(utilisation)) }
        };
        (0..=10).map(sample).collect()
    }

    fn worst(form: Form, samples: &[PowerSample]) -> f64 {
        cross(form, samples).into_iter().fold(0.0, f64::max)
    }

    #[test]
    fn every_form_predicts_what_is_of_its_form() {
        let straight = samples(|load| 2.0 + 3.0 * load);
        for form in [curve, line, parabola] {
            assert_eq!(cross(form, &straight).len(), straight.len());
            assert!(worst(form, &straight) < 1e-3);
        }
        let bent = samples(|load| 2.0 + 3.0 * load - load * load);
        assert!(worst(parabola, &bent) < 1e-3);
        assert!(worst(line, &bent) > 1.0);
        // A processor that speeds up at half load.
        let step = samples(|load| if load < 0.45 { 2.0 + load } else { 8.0 + load });
        let median = |form: Form| cross(form, &step).into_iter().collect::<Series>().median();
        assert!(median(curve) < median(parabola) && median(curve) < median(line));
    }

    #[test]
    fn a_load_is_predicted_without_having_been_seen() {
        // Nobody could know of the one load that is unlike its neighbours.
        let odd = samples(|load| if (load - 0.5).abs() < 0.01 { 30.0 } else { 3.0 });
        assert!(cross(line, &odd).iter().any(|error| *error > 80.0));
    }

    #[test]
    fn samples_without_a_model_are_not_left_out() {
        assert_eq!(cross(line, &samples(|_| 1.0)[..3]), [f64::INFINITY; 3]);
    }

    #[test]
    fn power_is_energy_over_time_and_the_column_lags() {
        let text = "cpu_load,rapl_power,rapl_energy,duration\n0,0.1,0.0001,36\n50,10,0.0002,36\n";
        let recording = Recording::parse(Path::new("a/cpu-all_cores.csv"), text).unwrap();
        let watts = |samples: &[PowerSample]| {
            samples.iter().map(|sample| sample.power.as_watts_f64()).collect::<Vec<_>>()
        };
        assert_eq!((recording.name.as_str(), watts(&recording.levels)), ("cpu", vec![10.0, 20.0]));
        assert_eq!(watts(&recording.column), [10.0]);
        let broken = Recording::parse(Path::new("cpu.csv"), &text.replace("36\n50", "x\n50"));
        assert!(broken.err().unwrap().to_string().contains("cpu.csv: line 2"));
    }
}
