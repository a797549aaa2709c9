//! Measurements of Outboard, side by side with its peers, as GOALS asks for them.
//!
//! ```text
//! cargo run --release -p outboard-bench -- list
//! cargo run --release -p outboard-bench -- run [NAME…] [--quick] [--json FILE] [--plots FOLDER]
//! ```
//!
//! An experiment is a file in `experiments/`, a system to compare with is a file in `peers/`. Whatever is compared is
//! measured in turns within one run, and what counts is the ratio within a turn: a machine that becomes slower half-way
//! slows both. Every figure is a median over turns with the quartiles beside it.
//!
//! Servers run in a process of their own: this program again, as `peer NAME` or, being an Outboard app like any other,
//! as `serve`.

mod arguments;
mod chart;
mod cores;
mod decisions;
mod experiment;
mod experiments;
mod failure;
mod peer;
mod peers;
mod report;
mod series;
mod solvers;
mod table;
mod traces;

use std::io::Write;
use std::process::ExitCode;

use arguments::{Command, USAGE};
use experiment::Experiment;
use failure::Failure;
use report::Report;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(peers::outboard::SERVE) {
        return peers::outboard::serve();
    }
    match arguments::parse(std::env::args().skip(1)).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to tell where standard error is closed.
            let _ = writeln!(std::io::stderr(), "outboard-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Help => Ok(writeln!(std::io::stdout(), "{USAGE}")?),
        Command::List => list(),
        Command::Peer { name } => peers::serve(&name),
        Command::Run { names, json, plots, effort } => {
            let chosen = choose(&names)?;
            let mut report = Report::new();
            for experiment in chosen {
                report.start(experiment.name(), experiment.about())?;
                experiment.run(effort, &mut report)?;
            }
            json.map_or(Ok(()), |path| report.write_json(&path))?;
            plots.map_or(Ok(()), |folder| report.write_plots(&folder))
        }
    }
}

fn list() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for experiment in experiments::all() {
        writeln!(out, "{:<16} {}", experiment.name(), experiment.about())?;
    }
    Ok(())
}

/// The experiments of these names, in the order of the list; all without names.
fn choose(names: &[String]) -> Result<Vec<Box<dyn Experiment>>, Failure> {
    let mut all = experiments::all();
    let known = || experiments::all().iter().map(|experiment| experiment.name()).collect::<Vec<_>>();
    if let Some(name) = names.iter().find(|name| !known().contains(&name.as_str())) {
        return Err(Failure::UnknownName { name: name.clone(), known: known().join(", ") });
    }
    all.retain(|experiment| names.is_empty() || names.iter().any(|name| name == experiment.name()));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_experiment_is_answered_with_the_known_ones() {
        let Err(failure) = choose(&["codec".into(), "codecs".into()]) else { panic!("`codecs` was found") };
        let text = failure.to_string();
        assert!(text.contains("`codecs`") && text.contains("codec, "), "{text}");
    }

    #[test]
    fn experiments_run_in_the_order_of_the_list() {
        let every: Vec<_> = choose(&[]).unwrap().iter().map(|experiment| experiment.name()).collect();
        let (first, last) = (every[0], every[every.len() - 1]);
        let chosen = choose(&[last.into(), first.into()]).unwrap();
        assert_eq!(chosen.iter().map(|experiment| experiment.name()).collect::<Vec<_>>(), [first, last]);
    }
}
