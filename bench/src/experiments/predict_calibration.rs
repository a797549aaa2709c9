//! `predict.calibration`: how often the bounds of predictions hold, and how far predictions are off.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use outboard_core::ByteCount;
use outboard_profiler::{Predictor, Prior, Score, Workload};

use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::series::Series;

/// Calls of a workload, of which the first few are only learned from.
const CALLS: usize = 1_000;
const LEARNED_FROM: usize = 10;
/// Seeds of a full run; the spread of a figure is over them.
const SEEDS: usize = 200;
/// Predictions that are timed in a full run.
const TIMED: usize = 2_000_000;
/// A recorded workload: requests to a language model with their tokens.
const RECORDED: &str = "load/azure_llm_code_arrivals.csv";

pub(crate) struct PredictCalibration;

impl Experiment for PredictCalibration {
    fn name(&self) -> &'static str {
        "predict.calibration"
    }

    fn about(&self) -> &'static str {
        "how often the 90 % and 95 % bounds of the next call's time hold, and the mean error, on seeded workloads; what \
         learning and predicting takes"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let mut furthest: f64 = 0.0;
        for workload in Workload::ALL {
            let score = |seed| {
                let calls = workload.calls(seed as u64).take(CALLS);
                Score::of(Prior::TIME, calls, LEARNED_FROM)
            };
            let scores: Vec<Score> = (0..effort.work(SEEDS)).map(score).collect();
            let held = told(report, &format!("{workload:?}"), &scores)?;
            // What is the same each time stays below any bound.
            if workload.is_stationary() && workload != Workload::Constant {
                furthest = furthest.max((held - 90.0).abs());
            }
        }
        let name = "predict.calibration/furthest-from-90";
        report.figure(name, Series::from_iter([furthest]), "points", Some(Target::AtMost(4.0)))?;
        recorded(report)?;
        timed(effort, report)
    }
}

/// Reports a workload's figures, and gives how often its 90 % bound held.
fn told(report: &mut Report, workload: &str, scores: &[Score]) -> Result<f64, Failure> {
    let percent = |of: fn(&Score) -> f64| scores.iter().map(|score| 100.0 * of(score)).collect::<Series>();
    let held = percent(|score| score.held_90);
    let name = |figure| format!("predict.calibration/{}/{figure}", workload.to_lowercase());
    report.figure(name("90"), held.clone(), "%", None)?;
    report.figure(name("95"), percent(|score| score.held_95), "%", None)?;
    report.figure(name("error"), percent(|score| score.error), "%", None)?;
    Ok(held.median())
}

/// Tokens that a language model generated, with the tokens of the request as work: a cost that depends little on its input.
fn recorded(report: &mut Report) -> Result<(), Failure> {
    let Some(folder) = std::env::var_os("OUTBOARD_TRACES") else {
        return report.note("recorded requests are skipped: OUTBOARD_TRACES names no folder");
    };
    let path = Path::new(&folder).join(RECORDED);
    let Ok(text) = std::fs::read_to_string(&path) else {
        return report.note("recorded requests are skipped: OUTBOARD_TRACES has none");
    };
    let call = |line: &str| {
        let mut columns = line.split(',').skip(1);
        let work = columns.next()?.parse::<f64>().ok()?;
        let tokens = columns.next()?.parse().ok()?;
        Some((ByteCount::from_bytes(tokens), Some(work)))
    };
    let score = Score::of(Prior::SIZE, text.lines().filter_map(call), LEARNED_FROM);
    told(report, "recorded", &[score])?;
    Ok(())
}

fn timed(effort: Effort, report: &mut Report) -> Result<(), Failure> {
    let times = effort.work(TIMED);
    let calls: Vec<_> = Workload::Affine.calls(1).take(1_000).collect();
    let mut predictor = Predictor::<Duration>::new(Prior::TIME);
    let start = Instant::now();
    for (time, work) in calls.iter().cycle().take(times) {
        predictor.observe(black_box(*time), black_box(*work));
    }
    let observe = start.elapsed().as_secs_f64() * 1e9 / times as f64;
    let start = Instant::now();
    for (_, work) in calls.iter().cycle().take(times) {
        black_box(predictor.predict(black_box(*work)));
    }
    let predict = start.elapsed().as_secs_f64() * 1e9 / times as f64;
    report.figure("predict.calibration/learning", Series::from_iter([observe]), "ns", None)?;
    report.figure(
        "predict.calibration/predicting",
        Series::from_iter([predict]),
        "ns",
        Some(Target::AtMost(100.0)),
    )
}
