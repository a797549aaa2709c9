//! A process that runs and stands in turn.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::options::DeviceSpeed;

/// A thread that stops and continues a process until it is ended; the process runs from then on.
#[derive(Debug)]
pub(super) struct Cycle {
    /// Dropping it ends the thread.
    enough: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Cycle {
    /// The process must not be reaped before [`Cycle::end`]: its number might get another owner.
    pub(super) fn start(pid: Pid, speed: DeviceSpeed, period: Duration) -> Self {
        let (enough, end) = mpsc::channel::<()>();
        let run = period.mul_f64(speed.as_f64());
        let turn = move || -> Result<(), Ended> {
            kill_process(pid, Signal::CONT).map_err(|_| Ended)?;
            let running = Instant::now();
            pause(&end, run)?;
            kill_process(pid, Signal::STOP).map_err(|_| Ended)?;
            // What it ran too long, because this thread came late, it stands longer: the share is kept on the whole.
            let ran = running.elapsed().max(run);
            pause(&end, ran.mul_f64(1.0 / speed.as_f64() - 1.0))
        };
        let thread = thread::spawn(move || {
            while turn().is_ok() {}
            // If it has ended, nothing has to go on.
            let _ = kill_process(pid, Signal::CONT);
        });
        Self { enough: Some(enough), thread: Some(thread) }
    }

    /// Lets the process run, and sends it no signal any more.
    pub(super) fn end(&mut self) {
        self.enough = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the thread has nothing to panic about");
        }
    }
}

impl Drop for Cycle {
    fn drop(&mut self) {
        self.end();
    }
}

/// The process is gone, or shall run.
struct Ended;

fn pause(end: &mpsc::Receiver<()>, time: Duration) -> Result<(), Ended> {
    match end.recv_timeout(time) {
        Err(RecvTimeoutError::Timeout) => Ok(()),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Ended),
    }
}
