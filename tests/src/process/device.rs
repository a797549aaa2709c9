//! A device as a process: it is told calls, one by one, and says what came of them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::{GUARD, Log, Process, Signal, command};

/// A program that makes the calls it is told to.
#[derive(Debug)]
pub struct DeviceProcess {
    process: Process,
    /// `None` after it was told that no more calls come.
    calls: Option<ChildStdin>,
    said: Receiver<(usize, Outcome)>,
    /// What came of calls that nobody has asked about yet.
    kept: BTreeMap<usize, Outcome>,
    asked: usize,
    log: Log,
    _directory: tempfile::TempDir,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its result.
    pub value: String,
    /// The process that ran it.
    pub process: u32,
    /// How long it took, as the device says.
    pub elapsed: Duration,
}

/// A call that was begun.
#[derive(Debug)]
#[must_use]
pub struct Pending(usize);

impl DeviceProcess {
    /// Starts `program`, with further settings.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(program: &str, set: impl FnOnce(&mut Command)) -> Self {
        let directory = tempfile::tempdir().expect("a directory to run in");
        let mut command = command(program, directory.path());
        // Every attempt that leaves, and every notice that people read.
        command.env("OUTBOARD_LOG", "outboard_runtime=debug");
        set(&mut command);
        let mut child = command.spawn().expect("the program starts");
        let log = Log::of(child.stderr.take().expect("standard error is a pipe"));
        let out = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let (sender, said) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(parse(&line)).is_err() {
                    return;
                }
            }
        });
        let calls = child.stdin.take();
        let process = Process(child);
        Self { process, calls, said, kept: BTreeMap::new(), asked: 0, log, _directory: directory }
    }

    /// A device of that server, to which every call goes that can; waits until it is attached.
    #[must_use]
    pub fn attached(program: &str, server: &str) -> Self {
        let mut device = Self::start(program, |command| {
            command.env("OUTBOARD_SERVER", server).env("OUTBOARD_POLICY", "server");
        });
        device.attaches();
        device
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until it logs a line with that text, after those that were waited for before.
    #[track_caller]
    pub fn logs(&mut self, text: &str) -> String {
        self.log.wait_for(text)
    }

    /// Waits until it is attached, or attached once more: calls can go to the server from now on.
    #[track_caller]
    pub fn attaches(&mut self) {
        self.log.wait_for("outboard_runtime::device: attached");
    }

    /// Begins a call; the next one waits for it.
    ///
    /// # Panics
    /// When the device has ended.
    pub fn begin(&mut self, call: &str) -> Pending {
        let number = self.asked;
        self.asked += 1;
        writeln!(self.calls.as_mut().expect("it was not told to end"), "{call}").expect("the device listens");
        Pending(number)
    }

    /// Begins a call on a thread of its own.
    pub fn begin_beside(&mut self, call: &str) -> Pending {
        self.begin(&format!("&{call}"))
    }

    /// Waits for what comes of a call.
    ///
    /// # Panics
    /// When nothing does.
    #[track_caller]
    pub fn outcome(&mut self, pending: Pending) -> Outcome {
        loop {
            if let Some(outcome) = self.kept.remove(&pending.0) {
                return outcome;
            }
            match self.said.recv_timeout(GUARD) {
                Ok((number, outcome)) => self.kept.insert(number, outcome),
                Err(_) => panic!("nothing came of call {}: {:?}", pending.0, self.log),
            };
        }
    }

    /// Makes a call.
    #[track_caller]
    pub fn call(&mut self, call: &str) -> Outcome {
        let pending = self.begin(call);
        self.outcome(pending)
    }

    /// Makes a call that has to run here: what comes out.
    #[track_caller]
    pub fn call_here(&mut self, call: &str) -> String {
        let outcome = self.call(call);
        assert_eq!(outcome.process, self.id(), "`{call}` should have run on the device: {:?}", self.log);
        outcome.value
    }

    /// Makes a call again and again, with the same result, until that process has run it.
    ///
    /// # Panics
    /// When it never does.
    #[track_caller]
    pub fn call_until_on(&mut self, process: u32, call: &str) -> String {
        let begun = Instant::now();
        let first = self.call(call);
        let mut outcome = first.clone();
        while outcome.process != process {
            assert!(begun.elapsed() < GUARD, "`{call}` stays on the device: {:?}", self.log);
            outcome = self.call(call);
            assert_eq!(outcome.value, first.value, "the result does not depend on where it runs");
        }
        first.value
    }

    /// Tells it that no more calls come, waits for its end, and gives all that it has logged.
    ///
    /// # Panics
    /// When it does not end well.
    #[track_caller]
    #[must_use]
    pub fn end(mut self) -> Vec<String> {
        let (status, lines) = self.ended();
        assert!(status.success(), "{status}:\n{}", lines.join("\n"));
        lines
    }

    /// The same, however it ends.
    #[must_use]
    pub fn ended(&mut self) -> (ExitStatus, Vec<String>) {
        drop(self.calls.take());
        let status = self.process.wait();
        (status, self.log.whole())
    }
}

fn parse(line: &str) -> (usize, Outcome) {
    let mut fields = line.split('\t');
    let mut field = || fields.next().unwrap_or_else(|| panic!("`{line}` is not what came of a call"));
    let number = field().parse().expect("the number of the call");
    let value = field().to_owned();
    let process = field().parse().expect("a process");
    let elapsed = Duration::from_micros(field().parse().expect("microseconds"));
    (number, Outcome { value, process, elapsed })
}
