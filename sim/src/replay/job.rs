//! What servers run: a queue, cores, and calls in parts between their call-backs.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use outboard_core::{ByteCount, MethodId, Timestamp};
use outboard_server_proxy::Reply;
use outboard_wire::frame::{BackFrame, BackSlot, CallFrame, ServerCost};

use super::{Due, Replay};
use crate::app::ModelApp;
use crate::world::Job;

/// Names a part of a job: parts of jobs that were given up are not taken for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    job: Job,
    part: usize,
}

/// All that the servers have to run.
#[derive(Debug)]
pub(super) struct Jobs {
    work: BTreeMap<Job, Work>,
    queues: Vec<VecDeque<Job>>,
    running: Vec<u16>,
}

/// A call that a server has.
#[derive(Debug)]
struct Work {
    method: usize,
    work: Option<f64>,
    parts: Vec<Part>,
    place: usize,
    arrived: Timestamp,
    started: Option<Timestamp>,
    /// Since when it waits for a call-back, and how long it has waited for earlier ones.
    waits: Option<Timestamp>,
    waited: Duration,
    backs: u32,
}

/// A part of a call on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// It runs for what would take so long on the device.
    Run(Duration),
    /// It calls that method of the device back.
    Back(usize),
}

impl Jobs {
    pub(super) fn new(servers: usize) -> Self {
        let queues = (0..servers).map(|_| VecDeque::new()).collect();
        Self { work: BTreeMap::new(), queues, running: vec![0; servers] }
    }

    pub(super) fn servers(&self) -> usize {
        self.queues.len()
    }

    /// A server's process has died.
    pub(super) fn died(&mut self, server: usize) {
        self.work.retain(|job, _| job.server != server);
        self.queues[server].clear();
        self.running[server] = 0;
    }
}

impl Replay {
    /// A call came to a server.
    pub(super) fn queue(&mut self, job: Job, call: &CallFrame) {
        // The device may have given it up while it was on its way; the server does not know that yet.
        let known = self.attempts.get(&job.attempt).copied();
        let Some(method) = self.app.methods().iter().position(|it| it.id() == call.method) else { return };
        let work = known.and_then(|(thread, _)| self.top(thread).and_then(|level| level.request.work));
        let parts = parts(&self.app, method, work, &call.on_device);
        let arrived = self.world.now();
        let entry = Work {
            method,
            work,
            parts,
            place: 0,
            arrived,
            started: None,
            waits: None,
            waited: Duration::ZERO,
            backs: 0,
        };
        self.jobs.work.insert(job, entry);
        self.jobs.queues[job.server].push_back(job);
        self.schedule(job.server);
    }

    /// Nobody wants a job any more. What runs runs on; what waits ends.
    pub(super) fn let_go(&mut self, job: &Job) {
        self.jobs.queues[job.server].retain(|queued| queued != job);
        let Some(work) = self.jobs.work.get(job) else { return };
        if work.waits.is_some() {
            self.jobs.work.remove(job);
            self.world.fail(job, Self::failure_of_server());
        } else if work.started.is_none() {
            self.jobs.work.remove(job);
        }
    }

    /// Gives free cores to those who wait.
    fn schedule(&mut self, server: usize) {
        let cores = self.world.server(server).map_or(1, |model| model.cores.max(1));
        while self.jobs.running[server] < cores {
            let Some(job) = self.jobs.queues[server].pop_front() else { return };
            let Some(work) = self.jobs.work.get_mut(&job) else { continue };
            let now = self.world.now();
            if let Some(since) = work.waits.take() {
                work.waited += now - since;
                self.world.resume(&job);
            } else if self.world.start(&job).is_ok() {
                work.started = Some(now);
            } else {
                self.jobs.work.remove(&job);
                continue;
            }
            self.jobs.running[server] += 1;
            self.run_part(job);
        }
    }

    /// A job that has a core does its next part, or is done.
    fn run_part(&mut self, job: Job) {
        let Some(work) = self.jobs.work.get_mut(&job) else { return };
        let part = work.parts.get(work.place).copied();
        work.place += 1;
        match part {
            Some(Part::Run(time)) => {
                let key = Key { job, part: work.place };
                let time = self.world.server(job.server).map_or(time, |model| model.takes(time));
                let due = self.world.now() + time;
                self.world.enter(due, Due::Served(key));
            }
            Some(Part::Back(method)) => {
                let sequence = work.backs;
                work.backs += 1;
                work.waits = Some(self.world.now());
                let (work, model) = (work.work, &self.app.methods()[method]);
                let slots = vec![BackSlot::Copy(self.zeros.image(model.up(work)).into())];
                let frame =
                    BackFrame { attempt: job.attempt, sequence, method: model.id(), slots, onces: None };
                if self.world.call_back(&job, frame).is_err() {
                    self.jobs.work.remove(&job);
                    self.world.fail(&job, Self::failure_of_server());
                }
                self.free(job.server);
            }
            None => {
                self.finish(job);
                self.free(job.server);
            }
        }
    }

    fn free(&mut self, server: usize) {
        self.jobs.running[server] = self.jobs.running[server].saturating_sub(1);
        self.schedule(server);
    }

    /// A part of a job is over.
    pub(super) fn served(&mut self, key: Key) {
        if self.jobs.work.get(&key.job).is_some_and(|work| work.place == key.part) {
            self.run_part(key.job);
        }
    }

    /// The device has answered a job's call-back: it waits for a core again.
    pub(super) fn answered(&mut self, job: &Job) {
        if self.jobs.work.get(job).is_some_and(|work| work.waits.is_some()) {
            self.jobs.queues[job.server].push_back(*job);
            self.schedule(job.server);
        }
    }

    fn finish(&mut self, job: Job) {
        let Some(work) = self.jobs.work.remove(&job) else { return };
        let now = self.world.now();
        let started = work.started.unwrap_or(now);
        let model = &self.app.methods()[work.method];
        let cost =
            ServerCost { queued: started - work.arrived, ran: now - started, called_back: work.waited };
        let (state, result) = (model.state.of(work.work), model.result.of(work.work));
        let exclusive = match state {
            ByteCount::ZERO => Vec::new(),
            state => vec![self.zeros.image(state).into()],
        };
        let result = self.zeros.image(result).into();
        self.world.reply(&job, Reply { attempt: job.attempt, result, exclusive, onces: 0, cost });
    }
}

/// What a server does to run a method with all that it calls, between call-backs.
fn parts(app: &ModelApp, method: usize, work: Option<f64>, on_device: &[MethodId]) -> Vec<Part> {
    let mut parts = Vec::new();
    follow(app, method, work, on_device, &mut parts);
    parts
}

fn follow(app: &ModelApp, method: usize, work: Option<f64>, on_device: &[MethodId], parts: &mut Vec<Part>) {
    let model = &app.methods()[method];
    run(parts, model.own.of(work));
    for calls in model.inner(method) {
        let inner = &app.methods()[calls.method];
        if inner.on_device || on_device.contains(&inner.id()) {
            // Every call-back is one of its own; more than this nobody replays.
            parts.extend((0..calls.times.min(MOST_BACKS)).map(|_| Part::Back(calls.method)));
            continue;
        }
        let mut round = Vec::new();
        follow(app, calls.method, work, on_device, &mut round);
        match round[..] {
            [Part::Run(time)] => {
                run(parts, time.saturating_mul(u32::try_from(calls.times).unwrap_or(u32::MAX)));
            }
            _ => {
                let rounds = (0..calls.times.min(MOST_BACKS)).flat_map(|_| round.iter().copied());
                parts.extend(rounds.collect::<Vec<_>>());
            }
        }
    }
}

const MOST_BACKS: u64 = 10_000;

/// Runs that follow each other are one.
fn run(parts: &mut Vec<Part>, time: Duration) {
    match parts.last_mut() {
        Some(Part::Run(last)) => *last = last.saturating_add(time),
        _ => parts.push(Part::Run(time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::MethodModel;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn what_runs_on_the_server_is_cut_only_where_it_calls_back() {
        let mut app = ModelApp::new();
        let zero = ByteCount::ZERO;
        let show = app.add(MethodModel::on_device("show", ms(1)));
        let inner = app.add(MethodModel::new("inner", ms(2), zero));
        let outer = app.add(
            MethodModel::new("outer", ms(5), zero).calling(inner, 10).calling(show, 2).calling(inner, 1),
        );
        let whole = parts(&app, outer, None, &[]);
        let cut = [Part::Run(ms(25)), Part::Back(show), Part::Back(show), Part::Run(ms(2))];
        assert_eq!(whole, cut);
        // A plan may have the inner method on the device as well.
        let planned = parts(&app, outer, None, &[app.methods()[inner].id()]);
        assert_eq!(planned.iter().filter(|part| **part == Part::Back(inner)).count(), 11);
    }
}
