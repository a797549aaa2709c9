//! A process that runs slower than the machine could, for real: its times are measured, not invented.
//!
//! Where the kernel lets this user limit a control group (cgroup v2 with the processor's controller handed down), the
//! process gets a quota every 10 ms. Elsewhere it is stopped and continued in turn. Whichever it is, the process is
//! never left behind stopped, nor the group: see [`Slowed`].

mod cycle;
mod quota;

use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use self::cycle::Cycle;
use self::quota::Quota;
use super::interrupt::Interrupt;
use crate::options::DeviceSpeed;

/// How long one turn of running and standing takes: shorter than what anybody measures in the demo, longer than it takes
/// to switch.
const PERIOD: Duration = Duration::from_millis(10);

/// A child that may be slowed until it ends. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Slowed {
    child: Child,
    pid: Pid,
    means: Means,
    interrupt: Interrupt,
    reaped: bool,
}

#[derive(Debug)]
enum Means {
    FullSpeed,
    Quota {
        /// Never read, but its end ends the group.
        _group: Quota,
    },
    Cycle(Cycle),
}

impl Slowed {
    /// Looks after this child, which runs at full speed for now. It must not have been waited for.
    pub(super) fn new(child: Child, interrupt: &Interrupt) -> Self {
        let pid = Pid::from_child(&child);
        interrupt.set_running(Some(pid));
        Self { child, pid, means: Means::FullSpeed, interrupt: interrupt.clone(), reaped: false }
    }

    /// Slows the child from now on.
    pub(super) fn slow_down(&mut self, speed: DeviceSpeed) {
        self.means = match speed.is_full() {
            true => Means::FullSpeed,
            false => Quota::impose(Path::new("/"), self.pid, speed, PERIOD).map_or_else(
                || Means::Cycle(Cycle::start(self.pid, speed, PERIOD)),
                |group| Means::Quota { _group: group },
            ),
        };
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the child ends.
    pub(super) fn finish(mut self) -> io::Result<ExitStatus> {
        self.reap()
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        // The child's number is its own until it is reaped. So: wait without reaping, end whatever sends signals to that
        // number, and reap then.
        waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        self.interrupt.set_running(None);
        if let Means::Cycle(cycle) = &mut self.means {
            cycle.end();
        }
        let status = self.child.wait();
        self.reaped = true;
        self.means = Means::FullSpeed;
        status
    }
}

impl Drop for Slowed {
    fn drop(&mut self) {
        if !self.reaped {
            // If it has ended by itself, both fail, and nothing is left to do.
            let _ = self.child.kill();
            let _ = self.reap();
        }
    }
}

/// How the child is slowed, to be read after "device at 0.2 of this machine's speed".
impl fmt::Display for Slowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.means {
            Means::FullSpeed => f.write_str("(not slowed)"),
            Means::Quota { .. } => write!(f, "by a cgroup quota every {} ms", PERIOD.as_millis()),
            Means::Cycle(_) => write!(f, "by stop and continue every {} ms", PERIOD.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use rustix::process::test_kill_process;

    use super::*;

    fn slowed(program: &str, argument: &str) -> Slowed {
        let child = Command::new(program).arg(argument).spawn().expect("every Unix has it");
        let mut slowed = Slowed::new(child, &Interrupt::default());
        slowed.slow_down(DeviceSpeed::new(0.05).expect("in range"));
        slowed
    }

    #[test]
    fn a_slowed_child_comes_to_its_end() {
        assert!(slowed("true", "").finish().expect("it ends").success());
        assert_eq!(slowed("false", "").finish().expect("it ends").code(), Some(1));
    }

    #[test]
    fn dropping_ends_the_child_whatever_state_it_is_in() {
        let slowed = slowed("sleep", "600");
        let pid = slowed.pid;
        drop(slowed);
        assert!(test_kill_process(pid).is_err(), "the child is still there");
    }

    #[test]
    fn a_child_that_is_killed_from_outside_is_reaped() {
        let slowed = slowed("sleep", "600");
        rustix::process::kill_process(slowed.pid, rustix::process::Signal::KILL).expect("the child is ours");
        assert_eq!(slowed.finish().expect("it ended").signal(), Some(9));
    }

    #[test]
    fn at_full_speed_nothing_is_slowed() {
        let child = Command::new("true").spawn().expect("every Unix has it");
        let mut slowed = Slowed::new(child, &Interrupt::default());
        slowed.slow_down(DeviceSpeed::new(1.0).expect("in range"));
        assert_eq!(slowed.to_string(), "(not slowed)");
        assert!(slowed.finish().expect("it ends").success());
    }
}
