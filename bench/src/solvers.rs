//! The solvers that are measured beside each other: ours, then each backend of the 0/1 program that this build has.
//!
//! `--features highs,cbc` adds those two; `outboard-solver` says what they need to build.

use std::time::{Duration, Instant};

use outboard_core::{Placement, Problem, Quality};
use outboard_problems::{Recipe, Shape};
use outboard_solver::{Automatic, Exact, Ilp, Limits, Solve};

use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::series::Series;

/// Somebody who solves.
pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    pub(crate) solver: Box<dyn Solve + Sync>,
    /// Not a backend of somebody else's.
    pub(crate) is_ours: bool,
}

/// Ours first, and of ours the one that apps use.
pub(crate) fn entrants() -> Vec<Entrant> {
    let ours = |name, solver| Entrant { name, solver, is_ours: true };
    let mut entrants = vec![ours("automatic", Box::new(Automatic) as _), ours("exact", Box::new(Exact))];
    let theirs = Ilp::all();
    entrants.extend(theirs.map(|ilp| Entrant { name: ilp.name(), solver: Box::new(ilp), is_ours: false }));
    entrants
}

/// The placement of least energy, whatever time it takes: to make a bound that it does not keep.
pub(crate) fn cheapest(problem: &Problem) -> Vec<Placement> {
    let unlimited = problem.clone().unlimited();
    let plan = Exact.solve(&unlimited, &Limits::default().with_steps(u64::MAX));
    plan.expect("without limits every placement is allowed").placements()
}

/// A problem with a bound that binds.
pub(crate) fn binding(shape: Shape, methods: usize, seed: u64) -> Problem {
    Recipe { shape, methods, seed }.binding(cheapest)
}

/// What a solve took and gave.
pub(crate) struct Solved {
    pub(crate) millis: f64,
    /// How far from the best the plan may be, in millionths of it.
    pub(crate) gap: f64,
    /// It ended before its time did.
    pub(crate) is_finished: bool,
}

/// Solves once, by the clock, to within so many millionths.
pub(crate) fn solve(
    solver: &dyn Solve,
    problem: &Problem,
    time: Duration,
    gap: u32,
) -> Result<Solved, Failure> {
    let start = Instant::now();
    let clock = || start.elapsed();
    let limits = Limits::within(time).with_gap(gap).by(&clock).with_steps(u64::MAX);
    let plan = solver.solve(problem, &limits).map_err(Failure::of("solving"))?;
    let millis = start.elapsed().as_secs_f64() * 1e3;
    let is_finished = !matches!(plan.quality(), Quality::TimeLimit { .. });
    Ok(Solved { millis, gap: plan.gap() * 1e6, is_finished })
}

/// Problems that every entrant solves, one after the other.
pub(crate) struct Race {
    pub(crate) problems: Vec<Problem>,
    /// For each solve.
    pub(crate) time: Duration,
    /// How good an answer has to be, in millionths.
    pub(crate) gap: u32,
    /// How many of the problems the others get. They take long.
    pub(crate) theirs: usize,
}

/// What an entrant did in a race, problem by problem.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) name: &'static str,
    pub(crate) is_ours: bool,
    pub(crate) millis: Series,
    pub(crate) gaps: Series,
    /// Solves that took all the time there was: others would have taken longer still.
    pub(crate) unfinished: usize,
}

impl Race {
    /// Each problem in turn, by every entrant in turn, after a small one that does not count.
    pub(crate) fn run(&self, entrants: &[Entrant]) -> Result<Vec<Run>, Failure> {
        let small = binding(Shape::Tree, 10, 0);
        let mut runs = Vec::new();
        for entrant in entrants {
            solve(&*entrant.solver, &small, self.time, self.gap)?;
            runs.push(Run { name: entrant.name, is_ours: entrant.is_ours, ..Run::default() });
        }
        for (number, problem) in self.problems.iter().enumerate() {
            for (entrant, run) in entrants.iter().zip(&mut runs) {
                if entrant.is_ours || number < self.theirs {
                    run.take(&solve(&*entrant.solver, problem, self.time, self.gap)?);
                }
            }
        }
        Ok(runs)
    }
}

impl Run {
    fn take(&mut self, solved: &Solved) {
        self.millis.push(solved.millis);
        self.gaps.push(solved.gap);
        self.unfinished += usize::from(!solved.is_finished);
    }

    /// Says how many solves were not done in time, if any.
    pub(crate) fn note(&self, report: &Report) -> Result<(), Failure> {
        if self.unfinished == 0 {
            return Ok(());
        }
        let (unfinished, all) = (self.unfinished, self.millis.len());
        report.note(&format!("{}: {unfinished} of {all} ended at their time limit", self.name))
    }
}

/// What GOALS asks of ours.
pub(crate) struct Goals {
    pub(crate) millis: f64,
    /// In millionths.
    pub(crate) gap: u32,
    /// How often the time of ours has to fit into that of others.
    pub(crate) faster: Option<f64>,
}

/// Reports times, the worst gaps, and how much longer the others took for the same problem.
pub(crate) fn report(name: &str, runs: &[Run], goals: &Goals, report: &mut Report) -> Result<(), Failure> {
    let first = &runs[0];
    for run in runs.iter().filter(|run| run.millis.len() > 0) {
        let is_first = run.name == first.name;
        let target = |most| is_first.then_some(Target::AtMost(most));
        report.figure(format!("{name}/{}", run.name), run.millis.clone(), "ms", target(goals.millis))?;
        let gap = [run.gaps.most()].into_iter().collect();
        report.figure(format!("{name}/{} worst gap", run.name), gap, "ppm", target(goals.gap.into()))?;
        run.note(report)?;
    }
    for run in runs.iter().filter(|run| !run.is_ours && run.millis.len() > 0) {
        // microlp is the fallback, not somebody to beat.
        let target = goals.faster.filter(|_| run.name != Ilp::microlp().name()).map(Target::AtLeast);
        let ratio = run.millis.over(&first.millis);
        report.figure(format!("{name}/{} over {}", run.name, first.name), ratio, "×", target)?;
    }
    Ok(())
}
