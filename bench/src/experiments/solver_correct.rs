//! `solver.correct`: every solver against one that tries every placement.
//!
//! A problem is drawn from its seed by `outboard_problems::any`, whatever the machine and the number of threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use outboard_core::{Plan, Problem, Quality};
use outboard_problems::any;
use outboard_solver::{Exhaustive, Limits, Solve, SolveError};

use crate::experiment::{Effort, Experiment};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::solvers::{Entrant, entrants};

const PROBLEMS: u64 = 100_000;
const PROBLEMS_QUICK: u64 = 2_000;
/// The most methods of a problem.
const METHODS: usize = 16;
/// Problems that a thread takes at a time.
const BATCH: u64 = 50;

pub(crate) struct SolverCorrect;

impl Experiment for SolverCorrect {
    fn name(&self) -> &'static str {
        "solver.correct"
    }

    fn about(&self) -> &'static str {
        "up to 16 methods, all objectives and constraints, beside trying every placement: answers that are wrong, and plans \
         that are right but not proven best"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let problems = match effort {
            Effort::Full => PROBLEMS,
            Effort::Quick => PROBLEMS_QUICK,
        };
        let entrants = entrants();
        let tallies = compare_all(&entrants, problems);
        report.figure("solver.correct/problems", one(problems), "", None)?;
        for (entrant, tally) in entrants.iter().zip(tallies) {
            let target = entrant.is_ours.then_some(Target::AtMost(0.0));
            report.figure(format!("solver.correct/{}", entrant.name), one(tally.wrong), "wrong", target)?;
            report.figure(format!("solver.correct/{} open", entrant.name), one(tally.open), "open", None)?;
            if let Some(seed) = tally.first {
                report.note(&format!("{}: the first wrong answer is that to seed {seed}", entrant.name))?;
            }
        }
        Ok(())
    }
}

/// What came of a range of seeds. It is the same however the seeds are shared out among threads.
#[derive(Clone, Copy, Default)]
struct Tally {
    wrong: u64,
    open: u64,
    /// The smallest seed that was answered wrongly.
    first: Option<u64>,
}

impl Tally {
    fn and(self, other: Self) -> Self {
        let first = self.first.into_iter().chain(other.first).min();
        Self { wrong: self.wrong + other.wrong, open: self.open + other.open, first }
    }
}

/// Compares on all problems with seeds below this, on all processors.
fn compare_all(entrants: &[Entrant], problems: u64) -> Vec<Tally> {
    let next = AtomicU64::new(0);
    let run = || {
        let mut tallies = vec![Tally::default(); entrants.len()];
        loop {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= problems {
                return tallies;
            }
            for seed in first..problems.min(first + BATCH) {
                compare(entrants, seed, &mut tallies);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let joined = threads.into_iter().map(|thread| thread.join().expect("no solver panics"));
        joined.fold(vec![Tally::default(); entrants.len()], |sum, more| {
            sum.into_iter().zip(more).map(|(one, other)| one.and(other)).collect()
        })
    })
}

fn compare(entrants: &[Entrant], seed: u64, tallies: &mut [Tally]) {
    let problem = any(METHODS, seed);
    let limits = Limits::default();
    let oracle = Exhaustive.solve(&problem, &limits);
    for (entrant, tally) in entrants.iter().zip(tallies) {
        match verdict(&problem, &entrant.solver.solve(&problem, &limits), &oracle) {
            Verdict::Best => {}
            Verdict::Open => tally.open += 1,
            Verdict::Wrong => {
                tally.wrong += 1;
                tally.first = tally.first.into_iter().chain([seed]).min();
            }
        }
    }
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The best there is, and known to be; or rightly nothing.
    Best,
    /// True, but not all of the truth: not known to be the best, or nothing found.
    Open,
    /// It says what is not so.
    Wrong,
}

type Answer = Result<Plan, SolveError>;

fn verdict(problem: &Problem, answer: &Answer, oracle: &Answer) -> Verdict {
    let measure = |plan: &Plan| problem.objective().measure(plan.cost());
    match (answer, oracle) {
        (Ok(plan), Ok(best)) => {
            let local = problem.all_local();
            let stays = problem.exceeded(&local).is_none();
            let is_worse = stays && measure(plan) > problem.objective().measure(problem.cost(&local));
            // The floor of a plan that is called optimal is its own measure.
            if measure(plan) < measure(best) || plan.floor() > measure(best) || is_worse {
                Verdict::Wrong
            } else if plan.quality() == Quality::Optimal {
                Verdict::Best
            } else {
                Verdict::Open
            }
        }
        (
            Err(SolveError::Infeasible { resource, least, .. }),
            Err(SolveError::Infeasible { resource: other, least: best, .. }),
        ) if resource != other || least == best => Verdict::Best,
        (Err(SolveError::Contradiction), Err(SolveError::Contradiction)) => Verdict::Best,
        (Err(SolveError::NoneFound { .. }), _) => Verdict::Open,
        _ => Verdict::Wrong,
    }
}

fn one(count: u64) -> crate::series::Series {
    [count as f64].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use outboard_core::{Energy, MethodIndex, Objective, Placement, Vertex};

    #[test]
    fn a_verdict_tells_false_from_open() {
        let method =
            Vertex { local_energy: Energy::from_millijoules(10), ..Vertex::new(MethodIndex(0), "f") };
        let problem = Problem::new(vec![method], vec![], Objective::Energy).unwrap();
        let plan = |place: Placement, quality| Ok(Plan::new(&problem, &[place], quality).unwrap());
        let value = |millijoules| outboard_core::Value::Energy(Energy::from_millijoules(millijoules));
        let oracle: Answer = plan(Placement::Server, Quality::Optimal);
        let of = |answer: Answer| verdict(&problem, &answer, &oracle);
        assert_eq!(of(plan(Placement::Server, Quality::Optimal)), Verdict::Best);
        assert_eq!(of(plan(Placement::Server, Quality::TimeLimit { bound: value(0) })), Verdict::Open);
        assert_eq!(of(plan(Placement::Device, Quality::TimeLimit { bound: value(0) })), Verdict::Open);
        assert_eq!(of(plan(Placement::Device, Quality::TimeLimit { bound: value(1) })), Verdict::Wrong);
        assert_eq!(of(plan(Placement::Device, Quality::Optimal)), Verdict::Wrong);
        assert_eq!(of(Err(SolveError::Contradiction)), Verdict::Wrong);
    }

    #[test]
    fn tallies_do_not_depend_on_threads() {
        let entrants = entrants();
        let tallies = compare_all(&entrants, 200);
        let mut alone = vec![Tally::default(); entrants.len()];
        (0..200).for_each(|seed| compare(&entrants, seed, &mut alone));
        for ((entrant, one), other) in entrants.iter().zip(tallies).zip(alone) {
            assert_eq!((one.wrong, one.open), (other.wrong, other.open), "{}", entrant.name);
            assert_eq!(one.wrong, 0, "{}: {:?}", entrant.name, one.first);
        }
    }
}
