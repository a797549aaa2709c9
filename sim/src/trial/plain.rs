//! Policies without an engine: each call is placed when it comes, and there is nothing else on the link.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Timestamp};
use outboard_wire::Lane;

use super::maui::Estimate;
use super::{Policy, Trial};
use crate::agenda::Agenda;
use crate::link::Direction;
use crate::outcome::{CallRecord, Outcome, Place, Went};
use crate::path::{Path, Reception};
use crate::script::Threads;

/// What is due.
#[derive(Clone, Copy, Debug)]
enum Due {
    Begin(usize),
    Probe,
    /// The server is done with that call.
    Served(usize),
    /// A reply reaches the radio.
    Reaches(usize, Reception),
    /// A call is done.
    Done(usize),
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
struct Under {
    began: Timestamp,
    work: Option<f64>,
    place: Place,
    predicted: Option<Duration>,
    radio: Energy,
}

/// A probe is no call of the script.
const PROBE: usize = usize::MAX;

pub(super) fn play(trial: &Trial, policy: Policy) -> Outcome {
    let mut run = Run {
        trial,
        policy,
        path: trial.path.clone(),
        agenda: Agenda::new(),
        under_way: Vec::new(),
        estimate: Estimate::new(),
        next: 0,
        busy: Duration::ZERO,
        outcome: Outcome::default(),
        radio_of_calls: Energy::ZERO,
    };
    run.under_way.resize(trial.script.calls().len(), None);
    if policy == Policy::Maui {
        run.agenda.enter(Timestamp::ZERO, Due::Probe);
    }
    run.await_next(Timestamp::ZERO);
    let mut now = Timestamp::ZERO;
    while let Some((at, due)) = run.agenda.take(Timestamp::FAR_FUTURE) {
        // Probes go on for ever, calls do not.
        if matches!(due, Due::Probe) && run.is_over() {
            continue;
        }
        now = at;
        run.happen(now, due);
    }
    run.end(now.max(trial.until))
}

struct Run<'a> {
    trial: &'a Trial,
    policy: Policy,
    path: Path,
    agenda: Agenda<Due>,
    under_way: Vec<Option<Under>>,
    estimate: Estimate,
    next: usize,
    busy: Duration,
    outcome: Outcome,
    radio_of_calls: Energy,
}

impl Run<'_> {
    fn await_next(&mut self, now: Timestamp) {
        if let Some(call) = self.trial.script.calls().get(self.next) {
            self.agenda.enter(call.at.max(now), Due::Begin(self.next));
            self.next += 1;
        }
    }

    fn is_over(&self) -> bool {
        self.next == self.trial.script.calls().len() && self.under_way.iter().all(Option::is_none)
    }

    fn happen(&mut self, now: Timestamp, due: Due) {
        match due {
            Due::Begin(call) => self.begin(now, call),
            Due::Probe => self.probe(now),
            Due::Served(call) => {
                let work = self.under_way[call].and_then(|under| under.work);
                let down = self.trial.method.down(work);
                // A reply that never comes never ends its call.
                if let Some(reception) = self.path.down(now, down, Lane::Bulk) {
                    self.agenda.enter(reception.begins, Due::Reaches(call, reception));
                }
            }
            Due::Reaches(call, reception) => {
                let before = self.charged();
                let arrives = self.path.receive(now, &reception);
                let spent = self.charged().saturating_sub(before);
                if let Some(under) = self.under_way.get_mut(call).and_then(Option::as_mut) {
                    under.radio += spent;
                }
                self.agenda.enter(arrives, Due::Done(call));
            }
            Due::Done(PROBE) => self.estimate.probed(now),
            Due::Done(call) => self.done(now, call),
        }
    }

    fn begin(&mut self, now: Timestamp, call: usize) {
        let work = self.trial.script.calls()[call].work;
        let local = self.trial.method.own.of(work);
        let (place, predicted) = self.place(now, work, local);
        let mut under = Under { began: now, work, place, predicted, radio: Energy::ZERO };
        match place {
            Place::Device => {
                self.busy += local;
                self.agenda.enter(now + local, Due::Done(call));
            }
            Place::Server => {
                let before = self.charged();
                let arrives = self.path.up(now, self.trial.method.up(work), Lane::Bulk);
                under.radio = self.charged().saturating_sub(before);
                if let Some(arrives) = arrives {
                    self.agenda.enter(arrives + self.trial.server.takes(local), Due::Served(call));
                }
            }
        }
        self.under_way[call] = Some(under);
        if self.trial.script.threads() == Threads::Each {
            self.await_next(now);
        }
    }

    fn place(&mut self, now: Timestamp, work: Option<f64>, local: Duration) -> (Place, Option<Duration>) {
        match self.policy {
            Policy::Remote => (Place::Server, None),
            Policy::Oracle => (self.oracle(now, work, local), None),
            Policy::Maui => {
                let (up, down) = (self.trial.method.up(work), self.trial.method.down(work));
                let served = self.trial.server.takes(local);
                let Some(predicted) = self.estimate.predict(up + down, served) else {
                    return (Place::Device, None);
                };
                let better = match self.trial.counts_energy() {
                    false => predicted < local,
                    true => self.estimate.saves(self.trial, (up, down), (predicted, served), local),
                };
                (if better { Place::Server } else { Place::Device }, Some(predicted))
            }
            _ => (Place::Device, None),
        }
    }

    /// The cheaper place, tried out.
    fn oracle(&self, now: Timestamp, work: Option<f64>, local: Duration) -> Place {
        let remote = self.tried(now, work, local);
        let Some((took, radio)) = remote else { return Place::Device };
        let device = &self.trial.device;
        let better = match self.trial.counts_energy() {
            false => took < local,
            true => {
                let there = device.idle(took).map(|idle| idle + radio);
                let here = device.idle(local).zip(device.busy(local)).map(|(idle, busy)| idle + busy);
                there.zip(here).is_some_and(|(there, here)| there < here)
            }
        };
        if better { Place::Server } else { Place::Device }
    }

    /// What a call would take on the server, and what the radio would.
    fn tried(&self, now: Timestamp, work: Option<f64>, local: Duration) -> Option<(Duration, Energy)> {
        let mut path = self.path.clone();
        let before = path.charged().unwrap_or(Energy::ZERO);
        let there = path.up(now, self.trial.method.up(work), Lane::Bulk)?;
        let served = there + self.trial.server.takes(local);
        let reception = path.down(served, self.trial.method.down(work), Lane::Bulk)?;
        let back = path.receive(reception.begins, &reception);
        let radio = path.charged().unwrap_or(Energy::ZERO).saturating_sub(before);
        Some((back - now, radio))
    }

    /// MAUI's probe, if nothing else told of the network for a minute.
    fn probe(&mut self, now: Timestamp) {
        let due = self.estimate.next_probe();
        if due > now {
            return self.agenda.enter(due, Due::Probe);
        }
        self.estimate.probing(now);
        if let Some(arrives) = self.path.up(now, Estimate::PROBE, Lane::Bulk)
            && let Some(reception) = self.path.down(arrives, ACKNOWLEDGED, Lane::Small)
        {
            self.agenda.enter(reception.begins, Due::Reaches(PROBE, reception));
        }
        self.agenda.enter(self.estimate.next_probe(), Due::Probe);
    }

    fn done(&mut self, now: Timestamp, call: usize) {
        let Some(under) = self.under_way[call].take() else { return };
        let took = now - under.began;
        let local = self.trial.method.own.of(under.work);
        let remote = under.place == Place::Server;
        let (up, down) = (self.trial.method.up(under.work), self.trial.method.down(under.work));
        if remote {
            self.estimate.offloaded(now, up + down, took.saturating_sub(self.trial.server.takes(local)));
        }
        let device = &self.trial.device;
        let busy = if remote { Duration::ZERO } else { local };
        let energy = device.idle(took).zip(device.busy(busy)).map(|(idle, busy)| idle + busy + under.radio);
        let carried = |bytes| if remote { bytes } else { ByteCount::ZERO };
        self.radio_of_calls += under.radio;
        self.outcome.calls.push(CallRecord {
            method: 0,
            began: under.began,
            took,
            went: Went::Chosen(under.place),
            energy,
            predicted: under.predicted,
            sent: carried(up),
            received: carried(down),
            inner_remote: 0,
        });
        if self.trial.script.threads() == Threads::One {
            self.await_next(now);
        }
    }

    fn charged(&self) -> Energy {
        self.path.charged().unwrap_or(Energy::ZERO)
    }

    fn end(mut self, end: Timestamp) -> Outcome {
        let device = &self.trial.device;
        self.outcome.end = end;
        self.outcome.radio = self.path.energy(end);
        self.outcome.upkeep = self.charged().saturating_sub(self.radio_of_calls);
        let radio = self.outcome.radio.unwrap_or(Energy::ZERO);
        let whole = device.idle(end - Timestamp::ZERO).zip(device.busy(self.busy));
        self.outcome.energy = whole.map(|(idle, busy)| idle + busy + radio);
        self.outcome.sent = self.path.bytes(Direction::Up);
        self.outcome.received = self.path.bytes(Direction::Down);
        self.outcome
    }
}

/// What a probe is answered with.
const ACKNOWLEDGED: ByteCount = ByteCount::from_bytes(100);
