//! `solver.20000`: twenty thousand methods under a time bound that binds, to within a thousandth.

use std::time::Duration;

use outboard_problems::Shape;

use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::Report;
use crate::solvers::{Entrant, Goals, Race, binding, entrants, report as report_race};

const METHODS: usize = 20_000;
const GOALS: Goals = Goals { millis: 1_000.0, gap: 1_000, faster: None };

pub(crate) struct Solver20000;

impl Experiment for Solver20000 {
    fn name(&self) -> &'static str {
        "solver.20000"
    }

    fn about(&self) -> &'static str {
        "20,000 methods, a fifth of them pinned, heavy-tailed costs, a time bound that binds; another problem every turn"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        // The others take so long that they get few problems; microlp, whose pivots are too slow here to keep any limit, none.
        let (turns, theirs, time) = match effort {
            Effort::Full => (effort.turns(), 2, Duration::from_secs(60)),
            Effort::Quick => (1, 0, Duration::from_secs(3)),
        };
        let entrants: Vec<Entrant> = entrants().into_iter().filter(|it| it.name != "microlp").collect();
        for shape in Shape::ALL {
            let problems = (0..turns as u64).map(|seed| binding(shape, METHODS, seed)).collect();
            let runs = Race { problems, time, gap: GOALS.gap, theirs }.run(&entrants)?;
            report_race(&format!("solver.20000/{}", shape.name()), &runs, &GOALS, report)?;
        }
        Ok(())
    }
}
