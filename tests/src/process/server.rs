//! A server as a process.

use std::io::{BufRead as _, BufReader};
use std::process::ExitStatus;

use super::{Log, Process, Signal, command};

/// A program that serves. Its key and its port stay the same when it is started again.
#[derive(Debug)]
pub struct ServerProcess {
    program: String,
    workers: usize,
    state: tempfile::TempDir,
    address: String,
    process: Process,
    log: Log,
}

impl ServerProcess {
    /// Starts `program` as a server on a free port and waits for its address.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str) -> Self {
        // A call that waits in the middle keeps its core: other calls must not wait for it.
        Self::start_with_workers(program, 8)
    }

    /// The same, for so many calls at once.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_with_workers(program: &str, workers: usize) -> Self {
        let state = tempfile::tempdir().expect("a directory for the key");
        let (process, log, address) = launch(program, &state, "127.0.0.1:0", workers);
        Self { program: program.to_owned(), workers, state, address, process, log }
    }

    /// The address, as it printed it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens.
    #[must_use]
    pub fn host_and_port(&self) -> &str {
        let (_, rest) = self.address.split_once("://").unwrap_or_default();
        rest.split('#').next().unwrap_or_default()
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it logs a line with that text, after those that were waited for before.
    #[track_caller]
    pub fn logs(&mut self, text: &str) -> String {
        self.log.wait_for(text)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// The most memory that it has had so far, in bytes; absent where the system does not tell.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
    }

    /// Ends it on the spot: nobody is told, and what it was doing is gone.
    pub fn kill(&mut self) {
        self.process.signal(Signal::KILL);
        self.process.wait();
    }

    /// Starts it again, on the same port and with the same key. The one before has ended.
    ///
    /// # Panics
    /// When it prints another address than before.
    pub fn start_again(&mut self) {
        let (process, log, address) = launch(&self.program, &self.state, self.host_and_port(), self.workers);
        assert_eq!(address, self.address, "the key and the token are kept");
        (self.process, self.log) = (process, log);
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.process.wait()
    }
}

fn launch(program: &str, state: &tempfile::TempDir, listen: &str, workers: usize) -> (Process, Log, String) {
    let mut command = command(program, state.path());
    command.args(["serve", "--listen", listen, "--state-dir"]).arg(state.path().join("key"));
    // Every call, and when a session begins and ends.
    command.args(["--workers", &workers.to_string()]).env("OUTBOARD_LOG", "outboard=debug");
    let mut child = command.spawn().expect("the program starts");
    let log = Log::of(child.stderr.take().expect("standard error is a pipe"));
    let mut said = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let process = Process(child);
    let mut address = String::new();
    said.read_line(&mut address).expect("the server prints text");
    let address = address.trim_end().to_owned();
    assert!(!address.is_empty(), "the server did not start: {log:?}");
    (process, log, address)
}
