//! The command line.

mod solve;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::Parser;
use lexopt::prelude::*;

use crate::failure::Failure;

pub(crate) use solve::{Backend, Show, SolveOptions};

pub(crate) const HELP: &str = "\
Calibrates devices for Outboard, reads and writes their profiles, and solves placement problems.

Usage: outboard probe [OPTIONS]
       outboard profile import FILE [DEVICE_FILE] [--output FILE]
       outboard profile show NAME|FILE
       outboard profile list
       outboard solve FILE [OPTIONS]

  probe             measure what this machine draws at which load, and write a device profile
  profile import    make a device profile of an Android phone's power_profile.xml, or of ARO's or EnergyBox's radio files
  profile show      print a device profile that comes along, or check a file and print what was understood
  profile list      name the device profiles that come along
  solve             find the best placement for the methods of a problem in a file, and say why it is
  --help            print this; after a command, what that command does
";

pub(crate) const PROBE_HELP: &str = "\
Keeps this machine busy with integer, float and memory loads at several utilisations, reads its power meter, fits a
model by least squares, and writes a device profile in which every figure has its source. Without a meter nothing is
measured: the figures are those of a device profile, labelled `modelled`, or unknown.

Usage: outboard probe [OPTIONS]

  --seconds N               how long to measure, 15 to 3600 (default 30); many drivers look at a battery every few
                            seconds only, so take 300 for one
  --output FILE             write the profile to FILE (default: standard output)
  --device-profile PROFILE  where radio and battery, and without a meter all figures, are taken from: a file, or a name of
                            `outboard profile list` (default: none)
  --name TEXT               what the device is called (default: what its processor is called)
  --rail NAME               read this supply rail of a chip in hwmon (default: whichever meter sees most)
  --sysfs ROOT              where the system's files are (default /sys)
  --help                    print this
";

pub(crate) const PROFILE_HELP: &str = "\
Usage: outboard profile import FILE [DEVICE_FILE] [--output FILE]
       outboard profile show NAME|FILE
       outboard profile list

  import   make a device profile of an Android phone's power_profile.xml: processors by cluster and frequency, Wi-Fi and
           battery; or of the radio that a file of ARO (.conf) describes, or two of EnergyBox (.config), the
           network's first; every figure is `modelled`, with the item it comes from
  show     print a device profile that comes along, or check a file and print what was understood
  list     name the device profiles that come along
";

/// In less, a load is over before the system has counted what it kept busy, which it does five times in a second.
const SECONDS: std::ops::RangeInclusive<u64> = 15..=3_600;

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Help(&'static str),
    Probe(ProbeOptions),
    ImportProfile { file: PathBuf, device: Option<PathBuf>, output: Option<PathBuf> },
    ShowProfile { profile: PathBuf },
    ListProfiles,
    Solve(SolveOptions),
}

/// See [`PROBE_HELP`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProbeOptions {
    pub(crate) time: Duration,
    pub(crate) output: Option<PathBuf>,
    pub(crate) device_profile: Option<PathBuf>,
    pub(crate) name: Option<String>,
    pub(crate) rail: Option<String>,
    pub(crate) sysfs: PathBuf,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            output: None,
            device_profile: None,
            name: None,
            rail: None,
            sysfs: PathBuf::from("/sys"),
        }
    }
}

/// Reads the command line without the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let mut parser = Parser::from_args(arguments);
    match parser.next()? {
        None => Err(Failure::Incomplete { command: "outboard", needed: "a command" }),
        Some(Long("help") | Short('h')) => Ok(Command::Help(HELP)),
        Some(Value(command)) if command == "probe" => probe(&mut parser),
        Some(Value(command)) if command == "profile" => profile(&mut parser),
        Some(Value(command)) if command == "solve" => solve::solve(&mut parser),
        Some(Value(command)) => {
            Err(Failure::UnknownCommand { given: command.to_string_lossy().into_owned() })
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

fn probe(parser: &mut Parser) -> Result<Command, Failure> {
    let mut options = ProbeOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("seconds") => options.time = seconds(&parser.value()?.string()?)?,
            Long("output") => options.output = Some(parser.value()?.into()),
            Long("device-profile") => options.device_profile = Some(parser.value()?.into()),
            Long("name") => options.name = Some(parser.value()?.string()?),
            Long("rail") => options.rail = Some(parser.value()?.string()?),
            Long("sysfs") => options.sysfs = parser.value()?.into(),
            Long("help") | Short('h') => return Ok(Command::Help(PROBE_HELP)),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Probe(options))
}

fn profile(parser: &mut Parser) -> Result<Command, Failure> {
    let (mut words, mut output) = (Vec::new(), None);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(word) if words.len() < 3 => words.push(word),
            Long("output") => output = Some(PathBuf::from(parser.value()?)),
            Long("help") | Short('h') => return Ok(Command::Help(PROFILE_HELP)),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut words = words.into_iter();
    let command = words.next();
    let command = command.as_ref().and_then(|command| command.to_str());
    let (word, third) = (words.next(), words.next());
    match (command, word) {
        (Some("import"), Some(file)) => {
            Ok(Command::ImportProfile { file: file.into(), device: third.map(PathBuf::from), output })
        }
        _ if third.is_some() => Err(Failure::Incomplete {
            command: "profile",
            needed: "fewer words, but for `import FILE DEVICE_FILE`",
        }),
        (Some("import"), None) => Err(Failure::Incomplete { command: "profile import", needed: "a file" }),
        _ if output.is_some() => {
            Err(Failure::Incomplete { command: "--output", needed: "`profile import FILE` before it" })
        }
        (Some("show"), Some(profile)) => Ok(Command::ShowProfile { profile: profile.into() }),
        (Some("show"), None) => {
            Err(Failure::Incomplete { command: "profile show", needed: "a name or a file" })
        }
        (Some("list"), None) => Ok(Command::ListProfiles),
        _ => Err(Failure::Incomplete { command: "profile", needed: "`import FILE`, `show NAME` or `list`" }),
    }
}

fn seconds(given: &str) -> Result<Duration, Failure> {
    let parsed = given.parse::<u64>().ok().filter(|seconds| SECONDS.contains(seconds));
    parsed.map(Duration::from_secs).ok_or_else(|| Failure::BadOption {
        option: "--seconds",
        given: given.to_owned(),
        expected: "a whole number from 15 to 3600",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn every_option_is_read() {
        let line =
            "probe --seconds 15 --output=o --device-profile pi --name robot --rail VDD_IN --sysfs root";
        let options = ProbeOptions {
            time: Duration::from_secs(15),
            output: Some("o".into()),
            device_profile: Some("pi".into()),
            name: Some("robot".to_owned()),
            rail: Some("VDD_IN".to_owned()),
            sysfs: "root".into(),
        };
        assert_eq!(command(line), Ok(Command::Probe(options)));
        assert_eq!(command("probe"), Ok(Command::Probe(ProbeOptions::default())));
        let import =
            Command::ImportProfile { file: "phone.xml".into(), device: None, output: Some("o".into()) };
        assert_eq!(command("profile import phone.xml --output o"), Ok(import));
        assert_eq!(command("profile show pi"), Ok(Command::ShowProfile { profile: "pi".into() }));
        assert_eq!(command("profile list"), Ok(Command::ListProfiles));
    }

    #[test]
    fn every_command_has_help() {
        for line in ["--help", "-h", "probe --seconds 50 --help", "profile -h", "profile import --help"] {
            assert!(matches!(command(line), Ok(Command::Help(_))), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_answered_with_what_does() {
        for (line, part) in [
            ("", "needs a command"),
            ("prob", "there is no command `prob`: known are probe"),
            ("probe --second 5", "invalid option '--second'"),
            ("probe --seconds", "missing argument"),
            ("probe --seconds 14", "--seconds 14: give a whole number from 15 to 3600"),
            ("probe --seconds soon", "--seconds soon: give"),
            ("probe now", "unexpected argument"),
            ("profile", "profile needs `import FILE`"),
            ("profile import", "profile import needs a file"),
            ("profile import a b c", "unexpected argument"),
            ("profile list pi", "profile needs"),
            ("profile list --output o", "--output needs"),
        ] {
            let error = command(line).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
