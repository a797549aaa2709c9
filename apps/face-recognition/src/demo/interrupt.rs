//! Ctrl-C: the device may be standing still at that moment, and nobody but this process can end it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

/// Whether the user wants to stop, and the process to end then.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    happened: AtomicBool,
    /// Taken away again before the process is reaped, so that its number cannot have got another owner.
    running: Mutex<Option<Pid>>,
}

/// From now on Ctrl-C and SIGTERM end the running device, and with it this process in good order. Where signals cannot
/// be watched they do what they do by default.
pub(super) fn watch() -> Interrupt {
    let interrupt = Interrupt::default();
    let watcher = interrupt.clone();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        if runtime.is_ok_and(|runtime| runtime.block_on(interrupted()).is_some()) {
            watcher.happen();
        }
    });
    interrupt
}

async fn interrupted() -> Option<()> {
    let mut keyboard = signal(SignalKind::interrupt()).ok()?;
    let mut terminated = signal(SignalKind::terminate()).ok()?;
    tokio::select! {
        got = keyboard.recv() => got,
        got = terminated.recv() => got,
    }
}

impl Interrupt {
    pub(super) fn happened(&self) -> bool {
        self.shared.happened.load(Ordering::SeqCst)
    }

    /// This process is to be ended when the user wants to stop; at once if that was so already.
    pub(super) fn set_running(&self, running: Option<Pid>) {
        *self.shared.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
        if self.happened() {
            self.end();
        }
    }

    fn happen(&self) {
        self.shared.happened.store(true, Ordering::SeqCst);
        self.end();
    }

    fn end(&self) {
        let running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = *running {
            // A stopped process dies of this as well. If it has ended by itself, there is nothing left to do.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};

    use super::*;

    fn sleeper() -> (Child, Pid) {
        let child = Command::new("sleep").arg("600").spawn().expect("every Unix can sleep");
        let pid = Pid::from_child(&child);
        (child, pid)
    }

    #[test]
    fn an_interrupt_ends_the_running_process_even_if_it_stands_still() {
        let (mut child, pid) = sleeper();
        let interrupt = Interrupt::default();
        interrupt.set_running(Some(pid));
        kill_process(pid, Signal::STOP).expect("the child is ours");
        interrupt.happen();
        assert_eq!(child.wait().expect("it ends").signal(), Some(Signal::KILL.as_raw()));
    }

    #[test]
    fn a_process_started_after_the_interrupt_ends_at_once() {
        let interrupt = Interrupt::default();
        interrupt.happen();
        let (mut child, pid) = sleeper();
        interrupt.set_running(Some(pid));
        assert_eq!(child.wait().expect("it ends").signal(), Some(Signal::KILL.as_raw()));
    }
}
