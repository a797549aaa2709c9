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

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use outboard_core::{Condition, Conditions, Cost, LinkPrice, Outlook, Plan, Problem, Resource, Shipping};
use outboard_solver::{Automatic, Exact, Exhaustive, Ilp, Limits, Solve, SolveError, outlook};

use crate::arguments::{Backend, Show, SolveOptions};
use crate::failure::Failure;
use crate::file::{self, Kind};

pub(crate) use error::ProblemFileError;
pub(crate) use objective::parse as parse_objective;

const PROBLEM: Kind = Kind { name: "problem", most: 64 << 20 };

/// How far down and up conditions may change, as factors: nearer where that far nothing keeps the problem's limits.
const DOWN: [f64; 5] = [0.03, 0.1, 0.3, 0.7, 1.0];
const UP: [f64; 5] = [30.0, 10.0, 3.0, 1.5, 1.0];

/// For each condition, where nobody says how long: there may be as many points to look at as there are methods, and steps bound only
/// each of them. A thousand methods took 3 s, 5,000 took 20 s; what takes longer is told as not known.
const LOOK: Duration = Duration::from_secs(30);

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
    let solve = || {
        let plan = within(options.time, |limits| {
            solver(options.backend).solve(&problem, &limits.with_gap(options.gap))
        });
        let plan = plan.map_err(|error| no_plan(&problem, error))?;
        Ok::<_, Failure>(Solved { plan, link: posed.link, unknown: Vec::new() })
    };
    Ok(match options.show {
        Show::Table => text::table(&solve()?),
        Show::Explanation => text::sentences(&solve()?.looking_ahead(&problem, options.time)),
        Show::Json => plan::json(&solve()?.looking_ahead(&problem, options.time)),
        Show::Dot => text::dot(&problem, &solve()?.plan),
        Show::Lp => outboard_solver::lp(&problem),
    })
}

/// Searches, once or several times, for so long. Without a time the steps bound each exact search, so that its answer is the
/// same on every machine; a 0/1 program has a second.
fn within<T>(time: Option<Duration>, search: impl FnOnce(&Limits<'_>) -> T) -> T {
    let Some(time) = time else { return search(&Limits::default()) };
    let (start, beyond) = (Instant::now(), Cell::new(Duration::ZERO));
    // Each of several searches counts from its own begin. Once the time of all is up, the clock leaps, so that none begins.
    let clock = || {
        let passed = start.elapsed();
        if passed >= time {
            beyond.set(beyond.get().saturating_add(time));
        }
        passed.saturating_add(beyond.get())
    };
    search(&Limits::within(time).by(&clock).with_steps(u64::MAX))
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
    /// The same, knowing under which conditions methods would change places. With a gap some of these points would be those at which
    /// a search happened to stop, so there is none.
    fn looking_ahead(mut self, problem: &Problem, time: Option<Duration>) -> Self {
        for condition in Condition::ALL {
            if let Some(why) = untold(problem, condition) {
                self.unknown.push(Unknown { condition, why: why.to_owned() });
                continue;
            }
            let found = within(Some(time.unwrap_or(LOOK)), |limits| look(problem, condition, limits));
            match found {
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

/// Why a problem does not say what another link would change: all that shipping costs is given as one sum. To look anyway would find that
/// nothing changes.
fn untold(problem: &Problem, condition: Condition) -> Option<&'static str> {
    let of_edges = problem.edges().map(|(_, _, edge)| edge.shipping);
    let of_states = problem.vertices().iter().filter_map(|vertex| vertex.resident).map(|state| state.fetch);
    let mut shipped = of_edges.chain(of_states).filter(|it| it.total() != Cost::ZERO).peekable();
    shipped.peek()?;
    let is_link = matches!(condition, Condition::Bandwidth | Condition::RoundTrip);
    let has_parts = |it: Shipping| it.round_trips != Cost::ZERO || it.payload != Cost::ZERO;
    (is_link && !shipped.any(has_parts))
        .then_some("the problem has no round_trips, payload or calls that say what shipping costs on it")
}

/// The outlook over as much of the range as there are plans for. A limit often stands in the way on one side only.
fn look(problem: &Problem, condition: Condition, limits: &Limits<'_>) -> Result<Outlook, SolveError> {
    let solve = |factor| {
        let changed = problem.under(&Conditions::but(condition, factor))?;
        // Without limits everything is allowed, and what it costs to find the best is the outlook's affair.
        if changed.limits().is_empty() { Ok(()) } else { Automatic.solve(&changed, limits).map(|_| ()) }
    };
    let first = |factors: [f64; 5]| {
        let numbered = factors.into_iter().enumerate();
        first_told(numbered.map(|(number, factor)| solve(factor).map(|()| number)))
    };
    let (down, up) = (first(DOWN)?, first(UP)?);
    // There may be gaps between the ends as well.
    let narrower = (down.min(up)..DOWN.len()).map(|least| (DOWN[down.max(least)], UP[up.max(least)]));
    first_told(narrower.map(|(from, until)| outlook(problem, condition, from..=until, limits)))
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
