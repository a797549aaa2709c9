//! The device's background thread: sockets and timers; and the one beside it for slow work.

mod ways;

use std::ops::Deref;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use outboard_core::{Problem, ServerIndex};
use outboard_transport::{CloseReason, Connector, Link, LinkSender, ServerAddress, TransportConfig};
use outboard_wire::Lost;
use tokio::sync::mpsc;
use tracing::Instrument as _;

use crate::device::{Command, Device, LinkNumber};
use crate::error::StartError;
use crate::keep::Keeper;
use crate::outside::Way;
use crate::planning::Planner;
use crate::speed;
use ways::Ways;

/// Time that a stopping driver gives its links to tell their peers.
const FAREWELL: Duration = Duration::from_millis(500);
/// Time that the other end has to close a link by itself.
const LINGER: Duration = Duration::from_millis(300);

/// Drives a device until it is told to stop, or until the device is gone.
pub(crate) async fn drive(
    device: Weak<Device>,
    connector: Connector,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let connector = Arc::new(connector);
    let mut ways = Ways::default();
    loop {
        let Some(strong) = device.upgrade() else { break };
        let due = strong.arm();
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Connect(server, address)) => {
                    tokio::spawn(connect(device.clone(), Arc::clone(&connector), server, address));
                }
                Some(Command::Stop) | None => break,
            },
            () = rearmed(&strong) => {}
            () = sleep_until(due) => {
                strong.look_at_paths();
                strong.with(|engine, now| engine.handle_timeout(now));
                ways.look(Instant::now(), &strong, &connector);
            }
        }
    }
    let _ = tokio::time::timeout(FAREWELL, connector.wait_idle()).await;
}

/// Waits until the engine's next timeout may have changed.
async fn rearmed(device: &Device) {
    match device.outside.system() {
        Some(system) => system.rearm.notified().await,
        None => std::future::pending().await,
    }
}

/// Slow work that the engine asks for.
#[derive(Debug)]
pub(crate) enum Work {
    /// Solve a placement problem.
    Solve(Box<Problem>),
    /// Measure how fast this machine is.
    Measure,
}

/// Does the slow work, on a thread of its own, and saves now and then what was learned.
pub(crate) fn work(
    device: &Weak<Device>,
    work: &Receiver<Work>,
    keeper: Option<&Keeper>,
    mut planner: Planner,
) {
    let mut measured = false;
    let mut save_at = keeper.map(|keeper| Instant::now() + keeper.interval());
    loop {
        let received = match save_at {
            None => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => work.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        if let Some((keeper, at)) = keeper.zip(save_at)
            && at <= Instant::now()
        {
            let Some(device) = device.upgrade() else { return };
            keeper.save(device.snapshot(keeper.device()));
            save_at = Some(Instant::now() + keeper.interval());
        }
        let first = match received {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut problem = None;
        for next in std::iter::once(first).chain(work.try_iter()) {
            match next {
                // Only the newest problem is worth a plan.
                Work::Solve(newer) => problem = Some(newer),
                Work::Measure if !measured => {
                    measured = true;
                    let speed = speed::measure();
                    let Some(device) = device.upgrade() else { return };
                    device.with(|engine, now| engine.device_speed(now, speed));
                }
                Work::Measure => {}
            }
        }
        let Some(problem) = problem else { continue };
        let solved = planner.plan(device, &problem);
        let Some(device) = device.upgrade() else { return };
        match solved {
            Ok(plan) => device.plan(plan),
            Err(error) => tracing::warn!(%error, "no plan was found; the last one stands"),
        }
    }
}

/// The thread's own runtime.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, StartError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::System)
}

/// A runtime that may be dropped anywhere, in async code too, and that waits for nothing then: a name resolver that
/// hangs must not keep the app from ending. Present until it is dropped.
pub(crate) struct Background(pub(crate) Option<tokio::runtime::Runtime>);

impl Deref for Background {
    type Target = tokio::runtime::Runtime;

    fn deref(&self) -> &tokio::runtime::Runtime {
        self.0.as_ref().expect("the runtime is there until it is dropped")
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The connector of a device whose idle sessions are silent for so long; called within the thread's runtime.
pub(crate) fn connector(heartbeat: Duration) -> Result<Connector, StartError> {
    Ok(Connector::new(bearing(heartbeat))?)
}

/// Links that bear such a silence, and a ping that is late. Servers' links bear more.
fn bearing(heartbeat: Duration) -> TransportConfig {
    let mut config = TransportConfig::default();
    config.idle_timeout = config.idle_timeout.max(heartbeat.saturating_mul(2));
    config
}

/// Closes a link whose session is over. Of a session that this end left, the other end closes the link, as it received
/// last; closing at once might lose the good-bye.
pub(crate) async fn close(link: LinkSender, reason: Lost) {
    if reason == Lost::WeLeft {
        tokio::time::sleep(LINGER).await;
    }
    link.close(CloseReason::Done, &reason.to_string());
}

pub(crate) async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Connects to a server and carries its frames to the engine until the connection ends.
async fn connect(
    device: Weak<Device>,
    connector: Arc<Connector>,
    server: ServerIndex,
    address: Box<ServerAddress>,
) {
    let Some(strong) = device.upgrade() else { return };
    let greeting = strong.with(|engine, now| engine.greeting(now, server));
    drop(strong);
    let connected = match greeting {
        Some(greeting) => connector.connect_and_greet(&address, greeting).await,
        None => connector.connect(&address).await,
    };
    let Some(strong) = device.upgrade() else { return };
    match connected {
        Ok(link) => {
            let number = strong.link_up(server, Way::Quic(link.sender()), link.rtt());
            drop(strong);
            let session = tracing::info_span!("session", server = %address.host, port = address.port);
            receive(&device, server, number, link).instrument(session).await;
        }
        Err(error) => strong.with(|engine, now| engine.link_failed(now, server, error.to_string())),
    }
}

async fn receive(device: &Weak<Device>, server: ServerIndex, number: LinkNumber, mut link: Link) {
    loop {
        let received = link.recv().await;
        let Some(device) = device.upgrade() else { return };
        match received {
            Ok(frame) => device.received(server, number, &frame),
            Err(error) => {
                tracing::debug!(%error, "the link ended");
                return device.link_lost(server, number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_bear_the_silence_of_their_sessions_and_no_longer_one_than_they_need() {
        let timing = outboard_wire::Timing::default();
        assert_eq!(bearing(timing.heartbeat), TransportConfig::default(), "who pings often is missed soon");
        let quiet = bearing(Duration::from_secs(600)).idle_timeout;
        assert!(quiet > Duration::from_secs(600) + timing.silence);
        assert!(quiet <= outboard_wire::Limits::default().silence, "the server's end gives up first");
    }

    #[test]
    fn a_start_that_fails_in_async_code_leaves_no_panic() {
        let callers = runtime().unwrap();
        callers.block_on(async { drop(Background(Some(runtime().unwrap()))) });
    }
}
