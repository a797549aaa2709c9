//! Power at a number of loads.

use std::io::Write;
use std::time::Duration;

use outboard_core::{Energy, Frequency};
use outboard_profiler::{MeterError, PowerMeter, PowerSample};

use crate::failure::Failure;
use crate::machine::{Kind, Load, Machine};

/// Shares of time in which every thread is busy.
const DUTIES: [f64; 4] = [0.25, 0.5, 0.75, 1.0];
/// How often a meter is asked within a load: meters of power are taken to be straight in between.
const POLL: Duration = Duration::from_millis(50);
/// The first part of each load does not count: frequency and temperature follow it.
const SETTLING: u32 = 4;
/// Governors step by a hundred megahertz or so; a mean over a load is no more exact than that.
const FREQUENCY_STEP: u64 = 100_000_000;

/// What was drawn under a load; `load` is `None` for the machine left alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) load: Option<Load>,
    pub(super) sample: PowerSample,
}

/// Measures every load in turn, within about that time.
pub(super) fn run(
    machine: &mut dyn Machine,
    meter: &mut dyn PowerMeter,
    time: Duration,
    log: &mut dyn Write,
) -> Result<Vec<Measured>, Failure> {
    let plan = plan(machine.cores());
    let each = time / u32::try_from(plan.len()).unwrap_or(u32::MAX);
    writeln!(log, "measuring {} loads for {} ms each", plan.len(), each.as_millis())?;
    let mut measured = Vec::new();
    for load in plan {
        match load {
            Some(load) => machine.start(load),
            None => machine.stop(),
        }
        let sample = hold(machine, meter, load, each);
        machine.stop();
        if let Some(sample) = sample? {
            let power = sample.power.to_string();
            writeln!(log, "  {:<28} {:>5.1} % {power:>9}", describe(load), sample.utilisation * 100.0)?;
            measured.push(Measured { load, sample });
        }
    }
    Ok(measured)
}

/// Idle first and last, since a machine that is warm draws more; in between each kind of load, at rising utilisation.
fn plan(cores: u16) -> Vec<Option<Load>> {
    let mut plan = vec![None];
    for kind in Kind::ALL {
        if cores > 1 {
            plan.push(Some(Load { kind, threads: 1, duty: 1.0 }));
        }
        plan.extend(DUTIES.map(|duty| Some(Load { kind, threads: cores, duty })));
    }
    plan.push(None);
    plan
}

/// What is drawn while a load is up; `None` where the meter saw no time or no energy pass.
fn hold(
    machine: &mut dyn Machine,
    meter: &mut dyn PowerMeter,
    load: Option<Load>,
    time: Duration,
) -> Result<Option<PowerSample>, MeterError> {
    let settling = time / SETTLING;
    machine.pause(settling);
    // From here on it counts; what came before is taken off by asking.
    machine.utilisation();
    meter.read(machine.now())?;
    let (mut energy, mut metered_time, mut frequencies) = (Energy::ZERO, Duration::ZERO, Vec::new());
    let mut left = time.saturating_sub(settling);
    while !left.is_zero() {
        let pause = left.min(POLL);
        machine.pause(pause);
        left -= pause;
        if let Some(metered) = meter.read(machine.now())? {
            energy += metered.energy;
            metered_time += metered.time;
        }
        frequencies.extend(machine.frequency());
    }
    let meant =
        load.map_or(0.0, |load| load.duty * f64::from(load.threads) / f64::from(machine.cores().max(1)));
    let utilisation = machine.utilisation().unwrap_or(meant);
    let power = outboard_profiler::Metered { energy, time: metered_time }.power();
    let power = power.filter(|power| power.as_microwatts() > 0);
    Ok(power.map(|power| PowerSample { utilisation, frequency: mean(&frequencies), power }))
}

fn mean(frequencies: &[Frequency]) -> Option<Frequency> {
    let sum: Frequency = frequencies.iter().copied().sum();
    let mean = sum.as_hertz().checked_div(frequencies.len() as u64)?;
    Some(Frequency::from_hertz((mean + FREQUENCY_STEP / 2) / FREQUENCY_STEP * FREQUENCY_STEP))
}

fn describe(load: Option<Load>) -> String {
    match load {
        None => "idle".to_owned(),
        Some(Load { kind, threads, duty }) => {
            format!("{}, {threads} at {:.0} %", kind.name(), duty * 100.0)
        }
    }
}
