//! What a run has cost, call by call, and what it would have cost elsewhere.

use std::collections::BTreeSet;
use std::time::Duration;

use outboard_core::{ByteCount, Energy, Timestamp};
use outboard_runtime::stage::{EndedCall, Performance, Ran, Site};
use outboard_runtime::support::Kind;
use outboard_wire::Lane;

use super::{Call, Figures, Route, Simulated, Simulation};
use crate::battery::Battery;
use crate::device::DeviceModel;
use crate::link::Direction;
use crate::path::Path;
use crate::server::ServerModel;

/// What a run has cost so far.
pub(super) struct Account {
    device: DeviceModel,
    battery: Option<Battery>,
    /// The first server: what calls are compared with.
    server: Option<ServerModel>,
    pub(super) paths: Vec<Path>,
    /// Time of the device's processors, in methods.
    busy: Duration,
    open: Option<Open>,
    calls: Vec<Call>,
    /// Methods that ran and have no cost.
    pub(super) unpriced: BTreeSet<&'static str>,
}

/// A call of the app's code that is under way.
struct Open {
    /// The ways as they were when it began, for what might have been.
    paths: Vec<Path>,
    busy: Duration,
    /// What ran for it, in time on the device: in place on the device, beside an attempt, and on servers.
    here: Duration,
    beside: Duration,
    there: Duration,
    /// What has to run on the device, in place, and in how many runs.
    device: Duration,
    call_backs: u32,
}

impl Open {
    /// What the call takes on the device, by the run whose result was the call's.
    fn whole(&self, ended: &EndedCall) -> Duration {
        let in_place = self.here - self.device;
        match ended.server {
            Some(_) => self.there + self.device,
            None if in_place.is_zero() => self.beside,
            None => self.here,
        }
    }
}

/// Bytes around the slots of a call, and around its reply: ids, times, lengths.
const AROUND: ByteCount = ByteCount::from_bytes(100);

impl Account {
    pub(super) fn new(simulation: &Simulation) -> Self {
        Self {
            device: simulation.device.clone(),
            battery: simulation.battery.clone(),
            server: simulation.servers.first().map(|(server, _)| server.clone()),
            paths: simulation.servers.iter().map(|(_, route)| route.path(&simulation.device)).collect(),
            busy: Duration::ZERO,
            open: None,
            calls: Vec::new(),
            unpriced: BTreeSet::new(),
        }
    }

    /// A call of the app's code begins.
    pub(super) fn began(&mut self) {
        self.open = Some(Open {
            paths: self.paths.clone(),
            busy: self.busy,
            here: Duration::ZERO,
            beside: Duration::ZERO,
            there: Duration::ZERO,
            device: Duration::ZERO,
            call_backs: 0,
        });
    }

    /// A method's body ran that takes so long on the device.
    pub(super) fn ran(&mut self, ran: &Ran, time: Duration) {
        if ran.site == Site::Device {
            self.busy += time;
        }
        let Some(open) = &mut self.open else { return };
        match ran.site {
            Site::Server(_) => open.there += time,
            Site::Device if ran.hedge => open.beside += time,
            Site::Device => open.here += time,
        }
        if !ran.hedge && ran.method.descriptor().kind == Kind::Device {
            open.device += time;
            open.call_backs += 1;
        }
    }

    pub(super) fn ended(&mut self, now: Timestamp, ended: EndedCall) {
        let took = now.since(ended.began);
        let open = self.open.take_if(|_| ended.depth == 0 && !ended.hedge);
        let energy = open.as_ref().and_then(|open| {
            let radio = spent(&self.paths)?.saturating_sub(spent(&open.paths)?);
            Some(self.device.idle(took)? + self.device.busy(self.busy - open.busy)? + radio)
        });
        let here = open.as_ref().map(|open| {
            let time = open.whole(&ended);
            Figures { time, energy: self.running(time) }
        });
        let there = open.and_then(|open| match ended.server {
            Some(_) => Some(Figures { time: took, energy }),
            None => self.there(open, &ended),
        });
        self.calls.push(Call {
            method: ended.method.descriptor().title(),
            work: ended.work,
            depth: ended.depth,
            began: ended.began,
            took,
            server: ended.server,
            in_vain: ended.in_vain,
            hedge: ended.hedge,
            why: ended.why,
            energy,
            here,
            there,
        });
    }

    /// What a call that ran here would have been on the first server.
    fn there(&self, mut open: Open, ended: &EndedCall) -> Option<Figures> {
        let (up, down) = ended.size?;
        let before = spent(&open.paths);
        let work = open.whole(ended) - open.device;
        let path = open.paths.first_mut()?;
        let lane = |size: ByteCount| Lane::of_size(size.as_bytes());
        let (up, down) = (up + AROUND, down + AROUND);
        let arrived = path.up(ended.began, up, lane(up))?;
        let server = self.server.as_ref()?.takes(work);
        let back = path.round_trip(arrived) * open.call_backs + open.device;
        let reception = path.down(arrived + server + back, down, lane(down))?;
        let time = path.receive(reception.begins, &reception).since(ended.began);
        let radio = spent(&open.paths).zip(before).map(|(after, before)| after.saturating_sub(before));
        let waiting = self.device.idle(time).zip(self.device.busy(open.device));
        let energy = radio.zip(waiting).map(|(radio, (idle, busy))| radio + idle + busy);
        Some(Figures { time, energy })
    }

    /// What the device spends on running for that long.
    fn running(&self, time: Duration) -> Option<Energy> {
        Some(self.device.idle(time)? + self.device.busy(time)?)
    }

    pub(super) fn outcome<T>(&mut self, performed: Performance<T>) -> Simulated<T> {
        let Performance { value, began, ended, report, .. } = performed;
        let bytes = |direction| self.paths.iter().map(|path| path.bytes(direction)).sum();
        let radio = spent(&self.paths);
        let idle = self.device.idle(ended - Timestamp::ZERO);
        let energy = idle.zip(self.device.busy(self.busy)).zip(radio);
        let energy = energy.map(|((idle, busy), radio)| idle + busy + radio);
        let left = self.battery.take().zip(energy).map(|(mut battery, energy)| {
            battery.advance(ended);
            battery.drain(energy);
            battery.left()
        });
        Simulated {
            value,
            elapsed: ended.since(began),
            energy,
            radio,
            left,
            sent: bytes(Direction::Up),
            received: bytes(Direction::Down),
            calls: std::mem::take(&mut self.calls),
            report,
        }
    }
}

/// What the radio took for all transfers so far, the tail that is still to come included.
fn spent(paths: &[Path]) -> Option<Energy> {
    paths.iter().map(Path::charged).sum()
}

impl Route {
    fn path(&self, device: &DeviceModel) -> Path {
        match (self, device.radio) {
            (Self::Path(path), _) => Path::clone(path),
            (Self::Link(link), None) => Path::new(link.clone()),
            (Self::Link(link), Some(radio)) => Path::new(link.clone()).with_radio(radio),
        }
    }
}
