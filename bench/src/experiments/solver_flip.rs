//! `solver.flip`: where a plan changes as the bandwidth does.

use std::hint::black_box;
use std::time::Instant;

use outboard_core::{Condition, Objective, Problem};
use outboard_problems::{Recipe, Shape};
use outboard_solver::{Limits, outlook};

use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::report::{Report, Target};

const METHODS: usize = 100;
/// Different problems in a turn.
const PROBLEMS: u64 = 10;
const MILLIS: f64 = 5.0;
/// Three decades about the present bandwidth.
const RANGE: std::ops::RangeInclusive<f64> = 0.031..=31.0;

pub(crate) struct SolverFlip;

impl Experiment for SolverFlip {
    fn name(&self) -> &'static str {
        "solver.flip"
    }

    fn about(&self) -> &'static str {
        "all flip points over three decades of bandwidth, 100 methods: of energy alone, and within MAUI's time bound"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        for shape in Shape::ALL {
            let within: Vec<Problem> =
                (0..PROBLEMS).map(|seed| Recipe { shape, methods: METHODS, seed }.loose()).collect();
            let energy: Result<Vec<Problem>, _> =
                within.iter().cloned().map(|problem| problem.with_objective(Objective::Energy)).collect();
            let energy = energy.map_err(Failure::of("the problem"))?;
            let mut contenders = [contender("energy", &energy), contender("within", &within)];
            let series = side_by_side(effort, &mut contenders)?;
            for (contender, series) in contenders.iter().zip(series) {
                let name = format!("solver.flip/{}/{}", shape.name(), contender.name);
                report.figure(name, series, "ms", Some(Target::AtMost(MILLIS)))?;
            }
            let pieces = energy.iter().map(pieces).collect::<Result<_, _>>()?;
            report.figure(format!("solver.flip/{}/pieces", shape.name()), pieces, "", None)?;
        }
        Ok(())
    }
}

/// Milliseconds for a problem.
fn contender<'a>(name: &'static str, problems: &'a [Problem]) -> Contender<'a> {
    Contender::new(name, move || {
        let start = Instant::now();
        for problem in problems {
            black_box(pieces(black_box(problem))?);
        }
        Ok(start.elapsed().as_secs_f64() * 1e3 / problems.len() as f64)
    })
}

/// In how many parts the range falls.
fn pieces(problem: &Problem) -> Result<f64, Failure> {
    let outlook = outlook(problem, Condition::Bandwidth, RANGE, &Limits::default());
    Ok(outlook.map_err(Failure::of("looking for flip points"))?.pieces().len() as f64)
}
