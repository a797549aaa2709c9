//! What is around the device and the server of a process: the system, or a stage.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use outboard_core::{Problem, ServerIndex};
use outboard_transport::{CloseReason, LinkSender, SendError, ServerAddress};
use outboard_wire::{Lane, Lost};
use tokio::sync::{Notify, mpsc};

use crate::device::Command;
use crate::driver::{self, Work};
use crate::mailbox::Mailbox;
use crate::stage::{self, Stage, StagedLink};

/// What is around a device.
pub(crate) enum Outside {
    /// The system, behind the threads of the driver.
    System(System),
    /// A stage, which looks at the device whenever it has its turn.
    Stage(Weak<Stage>),
}

/// The way to the driver.
pub(crate) struct System {
    pub(crate) handle: tokio::runtime::Handle,
    /// The engine's next timeout may have changed.
    pub(crate) rearm: Notify,
    /// A session opened or ended.
    pub(crate) sessions: Notify,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) work: std::sync::mpsc::Sender<Work>,
    pub(crate) addresses: Mutex<Vec<ServerAddress>>,
}

impl Outside {
    /// The way to the driver, where there is one.
    pub(crate) fn system(&self) -> Option<&System> {
        match self {
            Self::System(system) => Some(system),
            Self::Stage(_) => None,
        }
    }

    /// Connects to a server.
    pub(crate) fn connect(&self, server: ServerIndex) {
        match self {
            Self::System(system) => {
                let addresses = system.addresses.lock().unwrap_or_else(PoisonError::into_inner);
                let address = Box::new(addresses[server.position()].clone());
                // A driver that has stopped connects nobody; the engine then stays without a server.
                let _ = system.commands.send(Command::Connect(server, address));
            }
            Self::Stage(stage) => {
                if let Some(stage) = stage.upgrade() {
                    stage.connect(server);
                }
            }
        }
    }

    /// The engine's next timeout is earlier than it was.
    pub(crate) fn rearm(&self) {
        if let Self::System(system) = self {
            system.rearm.notify_one();
        }
    }

    /// A session opened or ended.
    pub(crate) fn sessions_changed(&self) {
        match self {
            Self::System(system) => system.sessions.notify_waiters(),
            Self::Stage(_) => stage::changed(),
        }
    }

    /// Solves a problem, off the call path.
    pub(crate) fn solve(&self, problem: Problem) {
        match self {
            Self::System(system) => drop(system.work.send(Work::Solve(Box::new(problem)))),
            Self::Stage(stage) => {
                if let Some(stage) = stage.upgrade() {
                    stage.solve(problem);
                }
            }
        }
    }

    /// Closes a link whose session is over.
    pub(crate) fn close(&self, way: Way, reason: Lost) {
        match (self, way) {
            (Self::System(system), Way::Quic(link)) => drop(system.handle.spawn(driver::close(link, reason))),
            (_, way) => way.close(&reason),
        }
    }

    /// Sets the alarm that ends an async wait: the caller's executor, whichever it is, may have no timers.
    pub(crate) fn alarm(&self, at: Instant, mailbox: Arc<Mailbox>) -> Alarm {
        match self {
            Self::System(system) => {
                let alarm = system.handle.spawn(async move {
                    tokio::time::sleep_until(at.into()).await;
                    mailbox.pass_bound();
                });
                Alarm::System(alarm.abort_handle())
            }
            Self::Stage(stage) => {
                if let Some(stage) = stage.upgrade() {
                    stage.set_alarm(at, &mailbox);
                }
                Alarm::Staged
            }
        }
    }

    /// Timers and sockets for futures that a thread of this process polls by itself.
    pub(crate) fn timers(&self) -> Option<&tokio::runtime::Handle> {
        self.system().map(|system| &system.handle)
    }
}

/// An alarm that was set.
#[derive(Debug)]
pub(crate) enum Alarm {
    /// A task that sleeps.
    System(tokio::task::AbortHandle),
    /// Of a stage. When it goes off for a bound that was put off, nothing comes of it.
    Staged,
}

impl Alarm {
    pub(crate) fn abort(self) {
        if let Self::System(task) = self {
            task.abort();
        }
    }
}

/// One end of a link, as frames are handed over to it.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// A connection.
    Quic(LinkSender),
    /// A simulated one.
    Staged(StagedLink),
}

impl Way {
    pub(crate) fn send(&self, lane: Lane, frame: Vec<u8>) -> Result<(), SendError> {
        match self {
            Self::Quic(link) => link.send(lane, frame),
            Self::Staged(link) => {
                link.send(lane, frame);
                Ok(())
            }
        }
    }

    /// The connection, where it is one.
    pub(crate) fn quic(&self) -> Option<&LinkSender> {
        match self {
            Self::Quic(link) => Some(link),
            Self::Staged(_) => None,
        }
    }

    /// Closes it at once.
    pub(crate) fn close(&self, reason: &Lost) {
        match self {
            Self::Quic(link) => link.close(CloseReason::Done, &reason.to_string()),
            Self::Staged(link) => link.close(),
        }
    }
}
