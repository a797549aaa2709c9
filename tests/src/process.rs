//! Servers and devices as processes of their own, on loopback, and what they say.

mod device;
mod gate;
mod log;
mod server;

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

pub use device::{DeviceProcess, Outcome, Pending};
pub use gate::{Gate, OpenGate, Visitor};
pub use log::Log;
pub use server::ServerProcess;

/// Longest wait for anything: a guard against hanging, not a measure.
pub const GUARD: Duration = Duration::from_secs(120);

/// A program with an environment of its own: neither the variables nor the files of whoever runs the tests count.
fn command(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OUTBOARD_") {
            command.env_remove(name);
        }
    }
    command.current_dir(directory).env("HOME", directory).env_remove("XDG_STATE_HOME");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A process that does not outlive the test.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn id(&self) -> u32 {
        self.0.id()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("the process is there");
    }

    fn wait(&mut self) -> ExitStatus {
        self.0.wait().expect("the process is ours")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already, or that is stopped, does not mind.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
