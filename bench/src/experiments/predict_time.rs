//! `predict.time`: how far off the predicted time of remote calls is on a network that does not change.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Objective};
use outboard_sim::{Link, Policy, Went};

use crate::decisions::{Network, Workload};
use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::series::Series;

pub(crate) struct PredictTime;

impl Experiment for PredictTime {
    fn name(&self) -> &'static str {
        "predict.time"
    }

    fn about(&self) -> &'static str {
        "mean error of the predicted time of remote calls on steady networks"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let duration = match effort {
            Effort::Full => Duration::from_secs(1_000),
            Effort::Quick => Duration::from_secs(100),
        };
        let mut all = Vec::new();
        for (round_trip, megabits) in [(5, 50), (20, 20), (65, 5), (150, 1)] {
            let rate = Bandwidth::from_megabits_per_second(megabits);
            let network = Network {
                family: "steady".to_owned(),
                name: format!("{round_trip} ms, {rate}"),
                link: Link::constant(Duration::from_millis(round_trip), rate, rate),
                radio: "wifi",
                duration,
            };
            let mut errors = Vec::new();
            for state in [10, 100, 1_000] {
                let state = ByteCount::from_bytes(state * 1_000);
                let workload = Workload { state, gap: Duration::from_secs(5), factor: 3.0 };
                let Some(trial) = workload.on(&network, Objective::Time)? else { continue };
                for call in trial.play(Policy::Outboard).calls.iter().filter(|call| call.went == Went::Remote)
                {
                    let Some(predicted) = call.predicted else { continue };
                    let took = call.took.as_secs_f64();
                    errors.push(100.0 * (predicted.as_secs_f64() - took).abs() / took);
                }
            }
            all.extend_from_slice(&errors);
            report.figure(format!("predict.time/{}", network.name), mean(&errors), "%", None)?;
        }
        report.figure("predict.time/all", mean(&all), "%", Some(Target::AtMost(5.0)))
    }
}

fn mean(errors: &[f64]) -> Series {
    [errors.iter().sum::<f64>() / errors.len() as f64].into_iter().collect()
}
