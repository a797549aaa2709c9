//! The command line.

use std::path::PathBuf;

use crate::experiment::Effort;
use crate::failure::Failure;

pub(crate) const USAGE: &str = "\
usage: outboard-bench list
       outboard-bench run [NAME…] [--quick] [--json FILE] [--plots FOLDER]

run      measures the named experiments, all of them without a name
--quick  fewer and shorter turns: to see that it works, not to quote
--json   also writes [{\"name\", \"value\", \"unit\", \"target\", \"met\"}] to FILE
--plots  also writes each table and chart as NAME.csv and NAME.svg to FOLDER";

/// The command that makes this program the server of a peer; not for people.
pub(crate) const PEER: &str = "peer";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    List,
    Run {
        names: Vec<String>,
        json: Option<PathBuf>,
        plots: Option<PathBuf>,
        effort: Effort,
    },
    /// Be the server of a peer until standard input closes.
    Peer {
        name: String,
    },
}

pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, Failure> {
    let mut arguments = arguments.into_iter();
    let usage = |problem: String| Failure::Usage { problem };
    let command = match arguments.next().as_deref() {
        Some("list") => Command::List,
        Some("run") => return parse_run(arguments),
        Some(PEER) => {
            let name = arguments.next().ok_or_else(|| usage(format!("`{PEER}` needs a name")))?;
            Command::Peer { name }
        }
        None | Some("help" | "--help" | "-h") => Command::Help,
        Some(other) => return Err(usage(format!("there is no command `{other}`"))),
    };
    match arguments.next() {
        Some(extra) => Err(usage(format!("`{extra}` is one argument too many"))),
        None => Ok(command),
    }
}

fn parse_run(mut arguments: impl Iterator<Item = String>) -> Result<Command, Failure> {
    let (mut names, mut json, mut plots, mut effort) = (Vec::new(), None, None, Effort::Full);
    while let Some(argument) = arguments.next() {
        let problem = match argument.as_str() {
            "--quick" => {
                effort = Effort::Quick;
                continue;
            }
            "--json" => match arguments.next() {
                Some(path) => {
                    json = Some(PathBuf::from(path));
                    continue;
                }
                None => "`--json` needs a file".to_owned(),
            },
            "--plots" => match arguments.next() {
                Some(path) => {
                    plots = Some(PathBuf::from(path));
                    continue;
                }
                None => "`--plots` needs a folder".to_owned(),
            },
            option if option.starts_with('-') => format!("there is no option `{option}`"),
            _ => {
                names.push(argument);
                continue;
            }
        };
        return Err(Failure::Usage { problem });
    }
    Ok(Command::Run { names, json, plots, effort })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn names_and_options_mix() {
        let names = vec!["codec".to_owned(), "remote.latency".to_owned()];
        let json = Some(PathBuf::from("out.json"));
        assert_eq!(
            words("run codec --json out.json --plots out remote.latency --quick"),
            Ok(Command::Run { names, json, plots: Some(PathBuf::from("out")), effort: Effort::Quick })
        );
        assert_eq!(
            words("run"),
            Ok(Command::Run { names: vec![], json: None, plots: None, effort: Effort::Full })
        );
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, culprit) in [
            ("walk", "`walk`"),
            ("run --json", "`--json`"),
            ("run --plots", "`--plots`"),
            ("run --fast", "`--fast`"),
            ("list all", "`all`"),
        ] {
            let problem = words(line).expect_err(line);
            assert!(problem.contains(culprit), "{problem}");
        }
    }
}
