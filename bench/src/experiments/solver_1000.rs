//! `solver.1000`: a thousand methods under a time bound that binds, to within a ten-thousandth.

use std::time::Duration;

use outboard_problems::Shape;

use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::Report;
use crate::solvers::{Goals, Race, binding, entrants, report as report_race};

const METHODS: usize = 1_000;
const GOALS: Goals = Goals { millis: 20.0, gap: 100, faster: Some(10.0) };

pub(crate) struct Solver1000;

impl Experiment for Solver1000 {
    fn name(&self) -> &'static str {
        "solver.1000"
    }

    fn about(&self) -> &'static str {
        "1,000 methods, a fifth of them pinned, heavy-tailed costs, a time bound that binds; another problem every turn"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let (time, theirs) = match effort {
            Effort::Full => (Duration::from_secs(10), effort.turns()),
            Effort::Quick => (Duration::from_millis(250), 1),
        };
        for shape in Shape::ALL {
            let name = format!("solver.1000/{}", shape.name());
            let problems = (0..effort.turns() as u64).map(|seed| binding(shape, METHODS, seed)).collect();
            let mut race = Race { problems, time, gap: GOALS.gap, theirs };
            report_race(&name, &race.run(&entrants())?, &GOALS, report)?;
            // To the last microjoule, as far as that comes in the time.
            race.gap = 0;
            for run in race.run(&entrants()[..1])? {
                report.figure(
                    format!("{name}/{} without a gap", run.name),
                    run.millis.clone(),
                    "ms",
                    None,
                )?;
                run.note(report)?;
            }
        }
        Ok(())
    }
}
