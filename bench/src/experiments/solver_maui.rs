//! `solver.maui`: the placement problems of MAUI's four applications.
//!
//! The face recogniser and the arcade game are those of the paper. Of the call graphs of the chess game and of the voice translator
//! it published no more than their size, about ten methods: the rest is drawn from a seed (`outboard_problems::maui`).

use std::hint::black_box;
use std::time::Instant;

use outboard_core::Problem;
use outboard_problems::maui::applications;
use outboard_solver::{Limits, Solve};

use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::solvers::entrants;

/// Solves in a turn of a full run.
const SOLVES: usize = 300;
/// What MAUI's own solver took is 18 ms for the chess game and 46 ms for the other one.
const MICROS: f64 = 50.0;

pub(crate) struct SolverMaui;

impl Experiment for SolverMaui {
    fn name(&self) -> &'static str {
        "solver.maui"
    }

    fn about(&self) -> &'static str {
        "solving MAUI's four applications under its default objective (MAUI: 18 to 46 ms); chess and translator are drawn"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let solves = effort.work(SOLVES);
        let entrants = entrants();
        for (application, problem) in applications() {
            let contender = |entrant| contender(entrant, &problem, solves);
            let mut contenders: Vec<Contender<'_>> =
                entrants.iter().map(|entrant| contender((entrant.name, &*entrant.solver))).collect();
            let series = side_by_side(effort, &mut contenders)?;
            let targets = std::iter::once(Some(Target::AtMost(MICROS))).chain(std::iter::repeat(None));
            for ((contender, series), target) in contenders.iter().zip(series).zip(targets) {
                report.figure(
                    format!("solver.maui/{application}/{}", contender.name),
                    series,
                    "µs",
                    target,
                )?;
            }
        }
        Ok(())
    }
}

fn contender<'a>(
    (name, solver): (&'static str, &'a dyn Solve),
    problem: &'a Problem,
    solves: usize,
) -> Contender<'a> {
    Contender::new(name, move || {
        let start = Instant::now();
        for _ in 0..solves {
            let plan = solver.solve(black_box(problem), &Limits::default());
            black_box(plan.map_err(Failure::of("solving"))?);
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / solves as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entrant_finds_the_same() {
        for (application, problem) in applications() {
            let value =
                |solver: &dyn Solve| solver.solve(&problem, &Limits::default()).map(|plan| plan.value());
            let entrants = entrants();
            let first = value(&*entrants[0].solver);
            assert!(first.is_ok(), "{application}: {first:?}");
            for entrant in &entrants {
                assert_eq!(value(&*entrant.solver), first, "{application}: {}", entrant.name);
            }
        }
    }
}
