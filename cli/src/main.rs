//! The `outboard` command: what is done to a device, or about one, outside of any app, and placement problems without one.
//!
//! ```text
//! outboard probe                measures what this machine draws at which load, and writes a device profile
//! outboard profile import FILE  makes a device profile of an Android phone's file, or of a radio's
//! outboard profile show NAME    prints a profile that comes along, or checks a file
//! outboard profile list         names those that come along
//! outboard solve FILE           finds the best placement for a problem, and says why it is
//! ```

mod arguments;
mod failure;
mod file;
mod machine;
mod probe;
mod profile;
mod solve;

use std::io::Write as _;
use std::process::ExitCode;

use arguments::Command;
use failure::Failure;
use machine::ThisMachine;

fn main() -> ExitCode {
    match arguments::parse(std::env::args_os().skip(1)).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to tell where standard error is closed.
            let _ = writeln!(std::io::stderr(), "outboard: {failure}");
            failure.exit_code()
        }
    }
}

fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Help(text) => Ok(std::io::stdout().write_all(text.as_bytes())?),
        Command::Probe(options) => {
            let mut machine = ThisMachine::new(&options.sysfs);
            probe::run(&options, &mut machine, &mut std::io::stderr())
        }
        Command::ImportProfile { file, device, output } => {
            profile::import(&file, device.as_deref(), output.as_deref())
        }
        Command::ShowProfile { profile } => profile::show(&profile),
        Command::ListProfiles => profile::list(),
        Command::Solve(options) => solve::run(&options),
    }
}
