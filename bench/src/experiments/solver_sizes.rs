//! `solver.sizes`: time against size.

use std::time::Duration;

use outboard_core::Problem;
use outboard_problems::{Recipe, Shape};

use crate::chart::{Chart, Line};
use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::Report;
use crate::series::Series;
use crate::solvers::{Entrant, binding, entrants, solve};

const SIZES: [usize; 8] = [10, 30, 100, 300, 1_000, 3_000, 10_000, 20_000];

/// Where the last digits are a subset sum, and none of them worth the time.
const GAP: u32 = 100;

pub(crate) struct SolverSizes;

impl Experiment for SolverSizes {
    fn name(&self) -> &'static str {
        "solver.sizes"
    }

    fn about(&self) -> &'static str {
        "time against size, 10 to 20,000 methods, for trees, layers and recursion, with a loose bound and one that binds"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let extent = match effort {
            Effort::Full => Extent { largest: 20_000, problems: 5, time: Duration::from_secs(10) },
            Effort::Quick => Extent { largest: 1_000, problems: 1, time: Duration::from_millis(100) },
        };
        for shape in Shape::ALL {
            let loose = |methods, seed| Recipe { shape, methods, seed }.loose();
            let bound = |methods, seed| binding(shape, methods, seed);
            let kinds: [(&str, &Draw<'_>); 2] = [("loose", &loose), ("binding", &bound)];
            for (kind, problem) in kinds {
                report.chart(Chart {
                    name: format!("solver.sizes.{}.{kind}", shape.name()),
                    about: format!("solving {} call graphs with a {kind} time bound", shape.name()),
                    across: "methods",
                    up: "ms",
                    lines: extent.lines(&entrants(), problem)?,
                })?;
            }
        }
        Ok(())
    }
}

/// The problem of so many methods and a seed.
type Draw<'a> = dyn Fn(usize, u64) -> Problem + 'a;

/// How far it goes.
struct Extent {
    largest: usize,
    problems: u64,
    /// For a solve. Who needs more gets no larger problems.
    time: Duration,
}

impl Extent {
    /// The medians of each entrant as far as it comes.
    fn lines(&self, entrants: &[Entrant], problem: &Draw<'_>) -> Result<Vec<Line>, Failure> {
        let mut lines: Vec<Line> =
            entrants.iter().map(|entrant| Line { name: entrant.name.into(), points: vec![] }).collect();
        let mut is_out = vec![false; entrants.len()];
        for methods in SIZES.into_iter().filter(|methods| *methods <= self.largest) {
            let problems: Vec<Problem> = (0..self.problems).map(|seed| problem(methods, seed)).collect();
            for ((entrant, line), is_out) in entrants.iter().zip(&mut lines).zip(&mut is_out) {
                let mut millis = Series::default();
                for problem in &problems {
                    if *is_out {
                        break;
                    }
                    let solved = solve(&*entrant.solver, problem, self.time, GAP)?;
                    *is_out = !solved.is_finished;
                    millis.push(solved.millis);
                }
                if !*is_out {
                    line.points.push((methods as f64, millis.median()));
                }
            }
        }
        Ok(lines)
    }
}
