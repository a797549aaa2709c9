//! `solver.maui`: the placement problem of MAUI's face recogniser.

use std::hint::black_box;
use std::time::{Duration, Instant};

use outboard_core::{
    CallFigures, CallGraph, Energy, MethodFigures, MethodIndex, Objective, Placement, Problem, Shipping,
};
use outboard_solver::{Automatic, Ilp, Limits, Solve};

use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::report::{Report, Target};

/// Solves in a turn of a full run.
const SOLVES: usize = 300;

pub(crate) struct SolverMaui;

impl Experiment for SolverMaui {
    fn name(&self) -> &'static str {
        "solver.maui"
    }

    fn about(&self) -> &'static str {
        "solving MAUI's face recogniser under its default objective (MAUI: 18 to 46 ms for its applications)"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let problem = face_recognition()?;
        let solves = effort.work(SOLVES);
        let ilp = Ilp::microlp();
        let mut contenders =
            [contender("automatic", &Automatic, &problem, solves), contender("ilp", &ilp, &problem, solves)];
        let series = side_by_side(effort, &mut contenders)?;
        for ((contender, series), target) in
            contenders.iter().zip(series).zip([Some(Target::AtMost(50.0)), None])
        {
            report.figure(format!("solver.maui/{}", contender.name), series, "µs", target)?;
        }
        Ok(())
    }
}

fn contender<'a>(
    name: &'static str,
    solver: &'a dyn Solve,
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

/// Figure 8 of the paper.
fn face_recognition() -> Result<Problem, Failure> {
    let mut graph = CallGraph::new();
    let methods = [
        ("UserInterface", 0, 0, Some(Placement::Device)),
        ("FindMatch", 900, 15, None),
        ("InitializeFaceRecognizer", 5_000, 3_000, None),
        ("DetectAndExtractFaces", 15_000, 12_000, None),
    ];
    for (index, (name, millijoules, milliseconds, pin)) in (0..).zip(methods) {
        let local_time = Duration::from_millis(milliseconds);
        graph.insert(
            MethodIndex(index),
            MethodFigures {
                name: name.into(),
                calls: 1,
                local_energy: Energy::from_millijoules(millijoules),
                local_time,
                remote_time: local_time / 10,
                pin,
                ..Default::default()
            },
        );
    }
    for (caller, callee, millijoules) in [(0, 1, 1_000), (1, 2, 10_000), (1, 3, 25_000)] {
        let shipping = Shipping::fixed(Energy::from_millijoules(millijoules), Duration::ZERO);
        graph
            .add_calls(
                MethodIndex(caller),
                MethodIndex(callee),
                CallFigures { calls: 1, shipping, ..Default::default() },
            )
            .map_err(Failure::of("the call graph"))?;
    }
    graph.problem(Objective::default()).map_err(Failure::of("the problem"))
}
