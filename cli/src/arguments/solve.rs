//! The command line of `outboard solve`.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::Parser;
use lexopt::prelude::*;
use outboard_core::Objective;
use outboard_solver::Ilp;

use super::Command;
use crate::failure::Failure;
use crate::solve::parse_objective;

pub(crate) const SOLVE_HELP: &str = "\
Finds the best placement for the methods of a problem: where each runs, why, what that saves, and what would have to change.
The format of problems and of plans is described in cli/README.md.

Usage: outboard solve FILE [OPTIONS]

  FILE                the problem, as JSON; - for standard input
  --explain           write sentences: why each method is where it is, and at which bandwidth, round trip, server speed or
                      work it would be elsewhere (default: a table)
  --json              write the plan as JSON, with all of that
  --dot               write a graph for Graphviz, with calls between the places dashed
  --lp                write the problem, unsolved, as an LP file for HiGHS, CBC or GLPK
  --output FILE       write to FILE (default: standard output)
  --objective WORD    minimise something else than the file says: energy, time, energy-within=1.05 (of the all-local time),
                      energy-within=200ms, time-within=0.8 (of the all-local energy), time-within=90mJ, weighted=500mW
                      (what a second is worth), battery-life=500mW (what the device draws anyway)
  --backend NAME      automatic, exact, microlp or exhaustive, and highs and cbc where the command was built with them
                      (default automatic)
  --gap PERCENT       accept a plan that is this much worse than the best, 0 to 100 (default 0)
  --seconds N         stop the search after so long, and each look at another condition, 0.001 to 86400 (default: the search
                      after 200 million steps, which are the same on every machine, and each look after 30 seconds)
  --help              print this

Ends with status 1 where the problem is wrong or has no plan, and says where or what the least possible is.
";

/// See [`SOLVE_HELP`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SolveOptions {
    pub(crate) problem: PathBuf,
    pub(crate) show: Show,
    pub(crate) output: Option<PathBuf>,
    pub(crate) objective: Option<Objective>,
    pub(crate) backend: Backend,
    /// In millionths.
    pub(crate) gap: u32,
    pub(crate) time: Option<Duration>,
}

/// How the plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Show {
    #[default]
    Table,
    Explanation,
    Json,
    Dot,
    Lp,
}

/// Who solves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Backend {
    #[default]
    Automatic,
    Exact,
    Exhaustive,
    /// A solver of 0/1 programs, by its name.
    Program(&'static str),
}

impl Default for SolveOptions {
    fn default() -> Self {
        Self {
            problem: PathBuf::new(),
            show: Show::default(),
            output: None,
            objective: None,
            backend: Backend::default(),
            gap: 0,
            time: None,
        }
    }
}

pub(super) fn solve(parser: &mut Parser) -> Result<Command, Failure> {
    let (mut options, mut problem, mut show) = (SolveOptions::default(), None, None);
    while let Some(argument) = parser.next()? {
        let shown = match argument {
            Long("explain") => Show::Explanation,
            Long("json") => Show::Json,
            Long("dot") => Show::Dot,
            Long("lp") => Show::Lp,
            Long("help") | Short('h') => return Ok(Command::Help(SOLVE_HELP)),
            Value(file) if problem.is_none() => {
                problem = Some(PathBuf::from(file));
                continue;
            }
            Long("output") => {
                options.output = Some(parser.value()?.into());
                continue;
            }
            Long("objective") => {
                options.objective = Some(objective(&parser.value()?.string()?)?);
                continue;
            }
            Long("backend") => {
                options.backend = backend(&parser.value()?.string()?)?;
                continue;
            }
            Long("gap") => {
                options.gap = gap(&parser.value()?.string()?)?;
                continue;
            }
            Long("seconds") => {
                options.time = Some(seconds(&parser.value()?.string()?)?);
                continue;
            }
            other => return Err(other.unexpected().into()),
        };
        if show.is_some_and(|known| known != shown) {
            return Err(Failure::Incomplete {
                command: "solve",
                needed: "one of --explain, --json, --dot and --lp at a time",
            });
        }
        show = Some(shown);
    }
    let problem = problem.ok_or(Failure::Incomplete { command: "solve", needed: "a problem file, or -" })?;
    Ok(Command::Solve(SolveOptions { problem, show: show.unwrap_or_default(), ..options }))
}

fn objective(given: &str) -> Result<Objective, Failure> {
    parse_objective(given).ok_or_else(|| Failure::BadOption {
        option: "--objective",
        given: given.to_owned(),
        expected: "energy, time, energy-within=1.05 or =200ms, time-within=0.8 or =90mJ, weighted=500mW or \
                   battery-life=500mW",
    })
}

fn backend(given: &str) -> Result<Backend, Failure> {
    match given {
        "automatic" => Ok(Backend::Automatic),
        "exact" => Ok(Backend::Exact),
        "exhaustive" => Ok(Backend::Exhaustive),
        _ => {
            let program = Ilp::all().map(Ilp::name).find(|name| *name == given);
            program.map(Backend::Program).ok_or_else(|| Failure::BadOption {
                option: "--backend",
                given: given.to_owned(),
                expected: "automatic, exact, microlp or exhaustive; highs and cbc come with features of outboard-solver",
            })
        }
    }
}

/// Percent in millionths.
fn gap(given: &str) -> Result<u32, Failure> {
    let percent = number(given, 0.0..=100.0);
    percent.map(|percent| (percent * 1e4).round() as u32).ok_or_else(|| Failure::BadOption {
        option: "--gap",
        given: given.to_owned(),
        expected: "a number of percent from 0 to 100",
    })
}

fn seconds(given: &str) -> Result<Duration, Failure> {
    number(given, 0.001..=86_400.0).map(Duration::from_secs_f64).ok_or_else(|| Failure::BadOption {
        option: "--seconds",
        given: given.to_owned(),
        expected: "a number from 0.001 to 86400",
    })
}

fn number(given: &str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
    given.parse().ok().filter(|number| range.contains(number))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use outboard_core::{Energy, EnergyBound, Power, TimeBound};

    use super::*;

    fn command(line: &str) -> Result<Command, String> {
        super::super::parse(line.split_whitespace().map(OsString::from))
            .map_err(|failure| failure.to_string())
    }

    fn objective(word: &str) -> Objective {
        match command(&format!("solve - --objective {word}")) {
            Ok(Command::Solve(SolveOptions { objective: Some(objective), .. })) => objective,
            other => panic!("{word}: {other:?}"),
        }
    }

    #[test]
    fn every_option_is_read() {
        let line =
            "solve p.json --json --output o --objective time --backend exhaustive --gap 0.5 --seconds 2.5";
        let options = SolveOptions {
            problem: "p.json".into(),
            show: Show::Json,
            output: Some("o".into()),
            objective: Some(Objective::Time),
            backend: Backend::Exhaustive,
            gap: 5_000,
            time: Some(Duration::from_millis(2_500)),
        };
        assert_eq!(command(line), Ok(Command::Solve(options)));
        let lp = SolveOptions { problem: "p".into(), show: Show::Lp, ..SolveOptions::default() };
        assert_eq!(command("solve --lp p"), Ok(Command::Solve(lp)));
        let program = Backend::Program("microlp");
        let microlp = SolveOptions { problem: "p".into(), backend: program, ..SolveOptions::default() };
        assert_eq!(command("solve p --backend microlp"), Ok(Command::Solve(microlp)));
        let options = SolveOptions { problem: "-".into(), ..SolveOptions::default() };
        assert_eq!(command("solve -"), Ok(Command::Solve(options)));
        assert!(matches!(command("solve -h"), Ok(Command::Help(SOLVE_HELP))));
    }

    #[test]
    fn every_objective_has_a_word() {
        let thousandths = |thousandths| TimeBound::OfLocal { thousandths };
        assert_eq!(objective("energy"), Objective::Energy);
        assert_eq!(objective("energy-within=1.05"), Objective::default());
        assert_eq!(objective("energy-within=2"), Objective::EnergyWithin(thousandths(2_000)));
        let absolute = TimeBound::Absolute(Duration::from_micros(12_500));
        assert_eq!(objective("energy-within=12.5ms"), Objective::EnergyWithin(absolute));
        let share = EnergyBound::OfLocal { thousandths: 800 };
        assert_eq!(objective("time-within=0.8"), Objective::TimeWithin(share));
        let budget = EnergyBound::Absolute(Energy::from_millijoules(90));
        assert_eq!(objective("time-within=90mJ"), Objective::TimeWithin(budget));
        assert_eq!(objective("weighted=500mW"), Objective::Weighted { rate: Power::from_milliwatts(500) });
        assert_eq!(objective("battery-life=3mW"), Objective::battery_life(Power::from_milliwatts(3)));
    }

    #[test]
    fn what_makes_no_sense_is_answered_with_what_does() {
        for (line, part) in [
            ("solve", "solve needs a problem file, or -"),
            ("solve a b", "unexpected argument"),
            ("solve a --lpx", "invalid option '--lpx'"),
            ("solve a --json --dot", "solve needs one of --explain, --json, --dot and --lp at a time"),
            ("solve a --backend simplex", "--backend simplex: give automatic, exact, microlp or exhaustive"),
            ("solve a --gap -1", "--gap -1: give a number of percent"),
            ("solve a --gap nan", "--gap nan: give a number"),
            ("solve a --seconds 0", "--seconds 0: give a number from 0.001"),
            ("solve a --seconds inf", "--seconds inf: give"),
        ] {
            let error = command(line).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
        for word in [
            "power",
            "energy=1",
            "time-within",
            "energy-within=",
            "energy-within=-1",
            "energy-within=5mJ",
            "energy-within=nan",
            "time-within=5ms",
            "time-within=1e300",
            "weighted=0.5mW",
            "weighted=5",
            "battery-life",
        ] {
            let error = command(&format!("solve a --objective {word}")).expect_err(word);
            assert!(error.contains(&format!("--objective {word}: give energy, time, ")), "{error}");
        }
    }
}
