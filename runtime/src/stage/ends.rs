//! The device and the servers of a stage, and what happens to them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use outboard_core::{Problem, ServerIndex, Timestamp};
use outboard_server_proxy::Connection;
use outboard_solver::{Limits, plan_ahead};

use super::{Arrival, End, Happening, LinkId, Stage, StagedLink};
use crate::device::{Device, LinkNumber};
use crate::error::StartError;
use crate::outside::Way;
use crate::serve::Shared;

/// The device and the servers of a stage.
#[derive(Default)]
pub(super) struct Ends {
    device: Mutex<Weak<Device>>,
    servers: Mutex<Vec<Option<Arc<Shared>>>>,
    /// Starts a server, and how often that was done.
    start: Mutex<Option<(Start, u32)>>,
    joined: Mutex<Joined>,
    /// Problems to be solved when no engine is in the middle of something.
    problems: Mutex<VecDeque<Problem>>,
}

/// Makes a run of a server; `None` when the stage is gone.
pub(super) type Start = Box<dyn Fn(ServerIndex, u32) -> Result<Option<Arc<Shared>>, StartError> + Send>;

/// What each link joins.
#[derive(Debug, Default)]
struct Joined {
    made: u64,
    links: BTreeMap<LinkId, (ServerIndex, LinkNumber, Connection)>,
}

impl Ends {
    pub(super) fn set_device(&self, device: &Arc<Device>) {
        *lock(&self.device) = Arc::downgrade(device);
    }

    /// Starts that many servers.
    pub(super) fn start_servers(&self, count: u16, start: Start) -> Result<(), StartError> {
        let started: Result<_, _> = (0..count).map(|server| start(ServerIndex(server), 0)).collect();
        *lock(&self.servers) = started?;
        *lock(&self.start) = Some((start, 0));
        Ok(())
    }

    /// Everything is over: what holds on to the stage is let go.
    pub(super) fn clear(&self) {
        let servers = std::mem::take(&mut *lock(&self.servers));
        drop(servers);
        *lock(&self.start) = None;
    }

    /// A number for a link that the device wants.
    pub(super) fn next_link(&self) -> LinkId {
        let mut joined = lock(&self.joined);
        joined.made += 1;
        LinkId(joined.made)
    }

    pub(super) fn solve(&self, problem: Problem) {
        lock(&self.problems).push_back(problem);
    }

    /// When an engine wants to be woken.
    pub(super) fn timeout(&self) -> Option<Timestamp> {
        let device = self.device().and_then(|device| device.timeout());
        self.servers().iter().filter_map(|(_, server)| server.engine_timeout()).chain(device).min()
    }

    pub(super) fn handle_timeouts(&self, now: Timestamp) {
        if let Some(device) = self.device().filter(|device| device.timeout().is_some_and(|due| due <= now)) {
            device.with(|engine, now| engine.handle_timeout(now));
        }
        for (_, server) in self.servers() {
            if server.engine_timeout().is_some_and(|due| due <= now) {
                server.handle_timeout();
            }
        }
    }

    /// Solves what is to be solved. That takes no simulated time.
    pub(super) fn run_errands(&self) {
        // Only the newest problem is worth a plan.
        let Some(problem) = lock(&self.problems).drain(..).next_back() else { return };
        let Some(device) = self.device() else { return };
        match plan_ahead(&problem, &Limits::default()) {
            Ok(plan) => device.plan(plan),
            Err(error) => tracing::warn!(%error, "no plan was found; the last one stands"),
        }
    }

    pub(super) fn happen(&self, stage: &Arc<Stage>, happening: Happening) {
        match happening {
            Happening::Connected { link, server, round_trip } => {
                let (Some(device), Some(host)) = (self.device(), self.server(server)) else { return };
                let connection = host.join(Way::Staged(StagedLink::new(stage, link, End::Server)));
                let way = Way::Staged(StagedLink::new(stage, link, End::Device));
                // Before the device greets: its frames are of a link that is known.
                lock(&self.joined).links.insert(link, (server, LinkNumber::staged(link.0), connection));
                device.link_up_as(LinkNumber::staged(link.0), server, way, round_trip);
            }
            Happening::Refused { server, why } => {
                if let Some(device) = self.device() {
                    device.with(|engine, now| engine.link_failed(now, server, why));
                }
            }
            Happening::Arrived(Arrival { link, at, frame }) => {
                let Some((server, number, connection)) = self.joined_by(link) else { return };
                match at {
                    End::Device => {
                        if let Some(device) = self.device() {
                            device.received(server, number, &frame);
                        }
                    }
                    End::Server => {
                        if let Some(host) = self.server(server) {
                            host.received(connection, &frame);
                        }
                    }
                }
            }
            Happening::Broken { link, at } => {
                let Some((server, number, connection)) = self.joined_by(link) else { return };
                match at {
                    End::Device => {
                        if let Some(device) = self.device() {
                            device.link_lost(server, number);
                        }
                    }
                    End::Server => {
                        if let Some(host) = self.server(server) {
                            host.lost(connection);
                        }
                    }
                }
            }
            Happening::Killed { server } => {
                let killed = lock(&self.servers).get_mut(server.position()).and_then(Option::take);
                if let Some(killed) = killed {
                    // Its threads run on for nobody: nothing of it reaches a link any more.
                    killed.kill();
                }
            }
            Happening::Started { server } => {
                let started = lock(&self.start).as_mut().and_then(|(start, runs)| {
                    *runs += 1;
                    start(server, *runs).ok().flatten()
                });
                if let Some(place) = lock(&self.servers).get_mut(server.position()) {
                    *place = started;
                }
            }
        }
    }

    fn device(&self) -> Option<Arc<Device>> {
        lock(&self.device).upgrade()
    }

    fn server(&self, server: ServerIndex) -> Option<Arc<Shared>> {
        lock(&self.servers).get(server.position()).cloned().flatten()
    }

    fn servers(&self) -> Vec<(ServerIndex, Arc<Shared>)> {
        let servers = lock(&self.servers);
        let there = |(position, server): (usize, &Option<Arc<Shared>>)| {
            Some((ServerIndex(position as u16), Arc::clone(server.as_ref()?)))
        };
        servers.iter().enumerate().filter_map(there).collect()
    }

    fn joined_by(&self, link: LinkId) -> Option<(ServerIndex, LinkNumber, Connection)> {
        lock(&self.joined).links.get(&link).copied()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
