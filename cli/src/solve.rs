//! `outboard solve`: from a problem in a file to a plan, with no app and no device.
//!
//! ```text
//! file ─▶ format ─▶ problem ─▶ core's Problem ─▶ a solver's Plan ─┬─▶ text
//!         figure    objective                                    └─▶ plan (JSON)
//! ```

mod error;
mod figure;
mod format;
mod objective;
mod plan;
mod problem;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;
use std::time::{Duration, Instant};

use outboard_core::{Condition, LinkPrice, Plan, Problem, Resource};
use outboard_solver::{Automatic, Exact, Exhaustive, Ilp, Limits, Solve, SolveError, outlook};

use crate::arguments::{Backend, Show, SolveOptions};
use crate::failure::Failure;
use crate::file::{self, Kind};

pub(crate) use error::ProblemFileError;
pub(crate) use objective::parse as parse_objective;

const PROBLEM: Kind = Kind { name: "problem", most: 64 << 20 };

/// How far conditions may change, as factors; the second where the first cannot be told, and so on.
const RANGES: [(f64, f64); 3] = [(0.03, 30.0), (0.1, 10.0), (0.5, 2.0)];

/// A plan, and what was found out about it.
struct Solved {
    plan: Plan,
    link: Option<LinkPrice>,
    unknown: Vec<Unknown>,
}

/// A condition of which nobody knows what it would change.
struct Unknown {
    condition: Condition,
    why: String,
}

/// Solves a problem and writes what was asked for.
pub(crate) fn run(options: &SolveOptions) -> Result<(), Failure> {
    let (text, name) = read(&options.problem)?;
    file::write(&answer(&text, &name, options)?, options.output.as_deref())
}

fn read(path: &Path) -> Result<(String, String), Failure> {
    if path.as_os_str() == "-" {
        let name = "standard input";
        return Ok((file::read_from(std::io::stdin().lock(), Path::new(name), PROBLEM)?, name.to_owned()));
    }
    Ok((file::read(path, PROBLEM)?, path.display().to_string()))
}

fn answer(text: &str, name: &str, options: &SolveOptions) -> Result<String, Failure> {
    let wrong = |error| Failure::Problem { file: name.to_owned(), error };
    let posed = problem::parse(text).map_err(wrong)?;
    let problem = match options.objective {
        Some(objective) => posed.problem.with_objective(objective).map_err(|error| wrong(error.into()))?,
        None => posed.problem,
    };
    let start = Instant::now();
    let clock = || start.elapsed();
    let limits = limits(options, &clock);
    let solve = || {
        let plan =
            solver(options.backend).solve(&problem, &limits).map_err(|error| no_plan(&problem, error))?;
        Ok::<_, Failure>(Solved { plan, link: posed.link, unknown: Vec::new() })
    };
    Ok(match options.show {
        Show::Table => text::table(&solve()?),
        Show::Explanation => text::sentences(&solve()?.looking_ahead(&problem, &limits)),
        Show::Json => plan::json(&solve()?.looking_ahead(&problem, &limits)),
        Show::Dot => text::dot(&problem, &solve()?.plan),
        Show::Lp => outboard_solver::lp(&problem),
    })
}

/// Without a time the steps bound the search, so that the answer is the same on every machine.
fn limits<'c>(options: &SolveOptions, clock: &'c dyn Fn() -> Duration) -> Limits<'c> {
    let limits = match options.time {
        Some(time) => Limits::within(time).by(clock).with_steps(u64::MAX),
        None => Limits::default(),
    };
    limits.with_gap(options.gap)
}

fn solver(backend: Backend) -> Box<dyn Solve> {
    match backend {
        Backend::Automatic => Box::new(Automatic),
        Backend::Exact => Box::new(Exact),
        Backend::Exhaustive => Box::new(Exhaustive),
        Backend::Program(name) => {
            let program = Ilp::all().find(|program| program.name() == name);
            Box::new(program.expect("its name was found among these"))
        }
    }
}

/// A solver's error, with the methods that it is about by name.
fn no_plan(problem: &Problem, error: SolveError) -> Failure {
    let name = |resource| match resource {
        Resource::Latency(method) => {
            let position = problem.position(method)?;
            Some(format!("the time of `{}` and what it calls", problem.vertices()[position].name))
        }
        _ => None,
    };
    match error {
        SolveError::Infeasible { resource, most, least } => match name(resource) {
            Some(resource) => Failure::Infeasible { resource, most, least },
            None => error.into(),
        },
        SolveError::NoneFound { resource, most } => match name(resource) {
            Some(resource) => Failure::NoneFound { resource, most },
            None => error.into(),
        },
        error => error.into(),
    }
}

impl Solved {
    /// The same, knowing under which conditions methods would change places.
    fn looking_ahead(mut self, problem: &Problem, limits: &Limits<'_>) -> Self {
        for condition in Condition::ALL {
            let ranges =
                RANGES.into_iter().map(|(from, until)| outlook(problem, condition, from..=until, limits));
            match first_told(ranges) {
                Ok(outlook) => self.plan = self.plan.with_outlook(outlook),
                Err(error) => {
                    let why = no_plan(problem, error).to_string();
                    self.unknown.push(Unknown { condition, why });
                }
            }
        }
        self
    }
}

/// The first that is known, or why the last is not. What takes too long is not tried again.
fn first_told<T>(attempts: impl Iterator<Item = Result<T, SolveError>>) -> Result<T, SolveError> {
    let mut last = SolveError::OutOfTime;
    for attempt in attempts {
        match attempt {
            Ok(found) => return Ok(found),
            Err(SolveError::OutOfTime) => return Err(SolveError::OutOfTime),
            Err(error) => last = error,
        }
    }
    Err(last)
}
