//! `sim.speed`: how much faster than the clock a run is.

use std::time::{Duration, Instant};

use outboard_core::{ByteCount, Objective};
use outboard_sim::Policy;

use crate::decisions::{self, Workload};
use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::series::Series;

pub(crate) struct SimSpeed;

impl Experiment for SimSpeed {
    fn name(&self) -> &'static str {
        "sim.speed"
    }

    fn about(&self) -> &'static str {
        "virtual seconds in a second, both engines with all their frames"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let networks = decisions::all(effort)?;
        let Some(network) = networks.first() else { return Ok(()) };
        for (state, gap) in [(10, 5_000), (10, 500), (100, 500), (1_000, 500)] {
            let size = ByteCount::from_bytes(state * 1_000);
            let workload = Workload { state: size, gap: Duration::from_millis(gap), factor: 3.0 };
            let Some(trial) = workload.on(network, Objective::Time)? else { continue };
            let mut series = Series::default();
            for _ in 0..effort.turns() {
                let start = Instant::now();
                let outcome = trial.play(Policy::Outboard);
                let virtual_time = outcome.end - outboard_core::Timestamp::ZERO;
                series.push(virtual_time.as_secs_f64() / start.elapsed().as_secs_f64());
            }
            let target = (state == 10).then_some(Target::AtLeast(10_000.0));
            report.figure(format!("sim.speed/{state} kB every {gap} ms"), series, "s/s", target)?;
        }
        Ok(())
    }
}
