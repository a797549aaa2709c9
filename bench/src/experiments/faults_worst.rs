//! `faults.worst`: what the worst that can happen to a server or a network costs a program.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Objective, Timestamp};
use outboard_profiler::{DeviceProfile, RadioModel};
use outboard_sim::DeviceModel;
use outboard_sim::{
    Fault, Link, Loss, MethodModel, Outage, OutageKind, Outcome, Path, Policy, Script, ServerModel, Threads,
    Trial,
};

use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::series::Series;

pub(crate) struct FaultsWorst;

/// ε by default: where the objective is time, and where it is energy.
const SLOWDOWN: [(Objective, &str, f64, f64); 2] =
    [(Objective::Time, "time", 1.5, 1.05), (Objective::Energy, "energy", 1.0 + 1.05, f64::INFINITY)];

impl Experiment for FaultsWorst {
    fn name(&self) -> &'static str {
        "faults.worst"
    }

    fn about(&self) -> &'static str {
        "slowdown against local with servers killed, packets lost and black holes"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let seconds = match effort {
            Effort::Full => 3_000,
            Effort::Quick => 300,
        };
        for (objective, name, worst_call, whole_run) in SLOWDOWN {
            for fault in ["killed", "loss", "black holes"] {
                let (mut call, mut run) = (Series::default(), Series::default());
                for state in [10, 100, 1_000] {
                    for local in [100, 1_000] {
                        let trial = trial(fault, objective, state, Duration::from_millis(local), seconds)?;
                        let outcome = trial.play(Policy::Outboard);
                        let local = Duration::from_millis(local);
                        call.push(worst(&outcome) / local.as_secs_f64());
                        let all = local.as_secs_f64() * outcome.calls.len() as f64;
                        run.push(outcome.time().as_secs_f64() / all);
                    }
                }
                let most = |series: &Series| Series::from_iter([series.quantile(1.0)]);
                let of = |what| format!("faults.worst/{name}/{fault}/{what}");
                report.figure(of("worst call"), most(&call), "×", Some(Target::AtMost(worst_call)))?;
                let target = whole_run.is_finite().then_some(Target::AtMost(whole_run));
                report.figure(of("whole run"), most(&run), "×", target)?;
            }
        }
        Ok(())
    }
}

fn worst(outcome: &Outcome) -> f64 {
    outcome.worst().map_or(0.0, |call| call.took.as_secs_f64())
}

fn trial(
    fault: &str,
    objective: Objective,
    kilobytes: u64,
    local: Duration,
    seconds: u64,
) -> Result<Trial, Failure> {
    let profile = DeviceProfile::built_in("raspberry-pi-4b").map_err(Failure::of("a profile"))?;
    let (round_trip, rate) = (Duration::from_millis(20), Bandwidth::from_megabits_per_second(50));
    let at = |second: u64| Timestamp::ZERO + Duration::from_secs(second);
    let every_ten = || (1..seconds / 10).map(|tens| tens * 10);
    let mut server = ServerModel::of_speed(5.0);
    let mut link = Link::constant(round_trip, rate, rate);
    match fault {
        // It is away for two seconds each time.
        "killed" => {
            let faults = every_ten().flat_map(|s| [(at(s), Fault::Killed), (at(s + 2), Fault::Started)]);
            server = server.with_faults(faults);
        }
        "loss" => {
            let loss = Loss::from_parts_per_million(300_000);
            link = Link::constant_with_loss(round_trip, rate, rate, loss, 5);
        }
        // Every ten seconds nothing passes for five.
        _ => {
            let outage = |s| Outage { from: at(s), to: at(s + 5), kind: OutageKind::Silent };
            link = link.with_outages(every_ten().map(outage));
        }
    }
    let radio = RadioModel::new(&profile.radio, profile.cpu.idle.as_ref().map(|figure| figure.value));
    let until = at(seconds);
    Ok(Trial {
        method: MethodModel::new("work", local, ByteCount::ZERO)
            .taking(ByteCount::from_bytes(kilobytes * 1_000))
            .giving(ByteCount::from_bytes(1_000)),
        script: Script::poisson(11, Duration::from_millis(1_500), until, 0).on(Threads::One),
        device: DeviceModel::new(&profile),
        server,
        path: radio.into_iter().fold(Path::new(link), Path::with_radio),
        objective,
        until,
    })
}
