//! A device, its servers, and the links between them, in virtual time.
//!
//! [`World`] does what the runtime does around the engine: it runs the methods' bodies (as waits), encodes their slots
//! (as zeros), keeps the bound of an attempt, carries frames, and solves problems at once.

use std::collections::BTreeMap;
use std::time::Duration;

use outboard_client_proxy::{
    AbandonReason, AttemptEvent, Decision, Engine, LocalReason, MethodInfo, Notice, Offer, Output, Request,
    Rerun, ServerSettings, Settings, Word,
};
use outboard_core::{
    Bandwidth, ByteCount, CallId, InstanceId, MethodId, MethodIndex, Objective, Placement, Plan, ServerIndex,
    Timestamp,
};
use outboard_profiler::{DeviceProfile, EnergyModel, LocalCalls};
use outboard_solver::{Automatic, Limits, Solve};
use outboard_wire::Timing;
use outboard_wire::frame::{
    AppIdentity, Attempt, Capacity, FailedFrame, Failure, Image, Load, MethodStatus, Refusal, ReplyFrame,
    ServerCost, SlotImage, Welcome,
};
use outboard_wire::server::{Event as ServerEvent, Output as ServerOutput, Session};

pub(crate) const DEVICE_SPEED: u64 = 1_000_000;

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A method of the app: what it costs on the device, and what its slots weigh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) local: Duration,
    pub(crate) up: u64,
    pub(crate) down: u64,
}

impl Cost {
    pub(crate) const fn of(millis: u64, up: u64, down: u64) -> Self {
        Self { local: Duration::from_millis(millis), up, down }
    }
}

/// How a server is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Nobody listens on its port.
    Absent,
    /// It neither hears nor says anything, and nobody is told.
    Stalled,
    /// It sends bytes that are no frames.
    Garbling,
}

/// What a call of a method comes to on the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    Reply,
    Fail(Failure),
    /// It takes that many times as long as it should.
    Slow(f64),
}

pub(crate) struct Server {
    pub(crate) mood: Mood,
    pub(crate) round_trip: Duration,
    pub(crate) rate: Bandwidth,
    /// How many times as fast as the device it is.
    pub(crate) speed: f64,
    pub(crate) statuses: BTreeMap<MethodId, MethodStatus>,
    pub(crate) fates: BTreeMap<MethodId, Fate>,
    pub(crate) refuse: Option<Refusal>,
    pub(crate) instance: InstanceId,
    pub(crate) connects: u64,
    /// Calls that have returned, for those who ask.
    finished: BTreeMap<CallId, (MethodId, Duration)>,
    connection: u64,
    session: Option<Session>,
}

enum Happening {
    LinkUp(u64),
    LinkFailed(u64),
    LinkLost(u64),
    ToServer(u64, Vec<u8>),
    ToDevice(u64, Vec<u8>),
    ServerLost(u64),
    Finish(u64, Attempt, MethodId, Duration),
    BreakLink,
    Kill,
    Stall,
    Leave,
}

/// How a call went.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Went {
    pub(crate) took: Duration,
    pub(crate) how: How,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum How {
    Local(LocalReason),
    /// On the server, the whole reply committed.
    Remote,
    /// Here, after an attempt that ended like this.
    FellBack(Ended),
    Refused(LocalReason),
    /// Remote only, and the attempt ended like this.
    Error(Ended),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ended {
    Late,
    Lost,
    Failed(Failure),
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) engine: Engine,
    pub(crate) servers: Vec<Server>,
    pub(crate) words: BTreeMap<MethodIndex, Word>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) problems: u64,
    /// How often a plan moved a method.
    pub(crate) moves: u64,
    pub(crate) bytes_up: u64,
    placements: BTreeMap<MethodIndex, Placement>,
    costs: BTreeMap<MethodId, Cost>,
    works: BTreeMap<Attempt, f64>,
    delivered: BTreeMap<Attempt, Vec<AttemptEvent>>,
    queue: BTreeMap<(Timestamp, u64), (usize, Happening)>,
    sequence: u64,
}

impl World {
    /// A device with one server, four times as fast, over a good link; energy as of a Raspberry Pi 4B.
    pub(crate) fn new(objective: Objective) -> Self {
        Self::with(objective, |_| {})
    }

    pub(crate) fn with(objective: Objective, adjust: impl FnOnce(&mut Settings)) -> Self {
        let app = AppIdentity { name: "app".into(), version: "1".into(), build: String::new() };
        let mut settings = Settings::new(app, InstanceId(1));
        settings.objective = objective;
        settings.device_speed = Some(DEVICE_SPEED);
        settings.energy = EnergyModel::new(&DeviceProfile::built_in("raspberry-pi-4b").expect("built in"));
        settings.servers = vec![ServerSettings { name: "edge".into(), token: "token".into() }];
        adjust(&mut settings);
        let servers = settings.servers.iter().map(|_| Server::good()).collect();
        let now = Timestamp::ZERO;
        let mut world = Self {
            now,
            engine: Engine::new(settings, now),
            servers,
            words: BTreeMap::new(),
            notices: Vec::new(),
            offers: Vec::new(),
            problems: 0,
            moves: 0,
            bytes_up: 0,
            placements: BTreeMap::new(),
            costs: BTreeMap::new(),
            works: BTreeMap::new(),
            delivered: BTreeMap::new(),
            queue: BTreeMap::new(),
            sequence: 0,
        };
        world.drain();
        world
    }

    /// From now on a call costs so much.
    pub(crate) fn costs(&mut self, method: MethodIndex, cost: Cost) {
        let id = self.engine.method_info(method).expect("it is registered").id;
        self.costs.insert(id, cost);
    }

    pub(crate) fn method(&mut self, name: &str, cost: Cost) -> MethodIndex {
        self.register(MethodInfo::remoteable(MethodId::named(name), name), cost)
    }

    pub(crate) fn register(&mut self, info: MethodInfo, cost: Cost) -> MethodIndex {
        let id = info.id;
        let index = self.engine.register(self.now, info);
        self.costs.insert(id, cost);
        self.drain();
        index
    }

    pub(crate) fn server(&mut self) -> &mut Server {
        &mut self.servers[0]
    }

    pub(crate) fn add_server(&mut self, name: &str) {
        self.servers.push(Server::good());
        self.engine.add_server(self.now, ServerSettings { name: name.into(), token: "token".into() });
        self.drain();
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until(end, |_| false);
    }

    /// Calls a method from code without annotations, as the app would.
    pub(crate) fn call(&mut self, method: MethodIndex) -> Went {
        self.call_as(Request::new(method))
    }

    pub(crate) fn calls(&mut self, method: MethodIndex, times: usize) -> Vec<Went> {
        (0..times).map(|_| self.call(method)).collect()
    }

    pub(crate) fn call_as(&mut self, request: Request) -> Went {
        // The driver has done by now what was due.
        self.pass(Duration::ZERO);
        let started = self.now;
        let how = self.carry_out(request);
        Went { took: self.now - started, how }
    }

    fn carry_out(&mut self, request: Request) -> How {
        let cost = self.cost_of(&request);
        match self.engine.decide(self.now, &request) {
            Decision::Local(reason) => {
                if self.engine.wants_size(self.now, request.method) {
                    let returning = ByteCount::from_bytes(cost.down);
                    self.engine.sized(self.now, &request, ByteCount::from_bytes(cost.up), returning);
                }
                self.run_here(&request);
                How::Local(reason)
            }
            Decision::Refused(reason) => How::Refused(reason),
            Decision::Remote(mut offer) => {
                let size = ByteCount::from_bytes(cost.up);
                if size > offer.budget {
                    let reason = self.engine.over_budget(self.now, &offer);
                    self.run_here(&request);
                    return How::Local(reason);
                }
                if let Err(reason) = self.engine.confirm(self.now, &mut offer, size) {
                    self.run_here(&request);
                    return How::Local(reason);
                }
                self.offers.push(offer);
                let slots = vec![SlotImage::Whole(Image(vec![0; cost.up as usize]))];
                match self.engine.attempt(self.now, &offer, slots) {
                    Ok(attempt) => self.await_attempt(attempt, &offer),
                    Err(reason) => {
                        self.run_here(&request);
                        How::Local(reason)
                    }
                }
            }
        }
    }

    fn await_attempt(&mut self, attempt: Attempt, offer: &Offer) -> How {
        self.works.insert(attempt, offer.request.work.unwrap_or(1.0));
        self.drain();
        let give_up = offer.bound.map_or(Timestamp::FAR_FUTURE, |bound| self.now + bound);
        let came = |world: &Self| world.delivered.contains_key(&attempt);
        self.run_until(give_up, came);
        let event = self.delivered.remove(&attempt).and_then(|mut events| events.pop());
        let ended = match event {
            Some(AttemptEvent::Replied(_)) => {
                self.engine.committed(self.now, attempt);
                self.drain();
                return How::Remote;
            }
            Some(AttemptEvent::Failed(failure)) => Ended::Failed(failure),
            Some(AttemptEvent::Lost(_)) => Ended::Lost,
            Some(AttemptEvent::Back(_)) | None => {
                self.engine.abandon(self.now, attempt, AbandonReason::Late);
                self.drain();
                Ended::Late
            }
        };
        let info = self.engine.method_info(offer.request.method).expect("registered");
        let ran_perhaps = !matches!(&ended, Ended::Failed(failure) if failure.never_started());
        if info.remote_only || info.once && ran_perhaps {
            return How::Error(ended);
        }
        self.run_here(&offer.request);
        self.engine.reran(self.now, offer.request.method, Rerun::Returned);
        self.drain();
        How::FellBack(ended)
    }

    /// Runs a method's body on the device.
    fn run_here(&mut self, request: &Request) {
        let time = self.cost_of(request).local;
        self.pass(time);
        self.engine.ran_locally(
            self.now,
            &LocalCalls {
                method: request.method,
                caller: request.caller,
                calls: 1,
                timed: 1,
                inclusive: time,
                exclusive: time,
                cpu: Some(time),
                work: request.work,
                offloaded_within: false,
            },
        );
        self.drain();
    }

    /// A method's cost is that of one unit of work.
    fn cost_of(&self, request: &Request) -> Cost {
        let id = self.engine.method_info(request.method).expect("registered").id;
        let cost = self.costs[&id];
        Cost { local: cost.local.mul_f64(request.work.unwrap_or(1.0)), ..cost }
    }

    fn run_until(&mut self, end: Timestamp, done: impl Fn(&Self) -> bool) {
        self.drain();
        while !done(self) {
            let next = [
                self.queue.first_key_value().map(|((at, _), _)| *at),
                self.engine.timeout(),
                self.servers.iter().filter_map(|server| server.session.as_ref()?.timeout()).min(),
            ];
            let next = next.into_iter().flatten().min().filter(|next| *next <= end);
            let Some(next) = next else {
                self.now = self.now.max(end);
                return;
            };
            self.now = self.now.max(next);
            if let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (server, happening) = entry.remove();
                self.happen(server, happening);
            } else {
                self.engine.handle_timeout(self.now);
                for server in 0..self.servers.len() {
                    if let Some(session) = &mut self.servers[server].session {
                        session.handle_timeout(self.now);
                    }
                    self.drain_server(server);
                }
            }
            self.drain();
        }
    }

    fn later(&mut self, after: Duration, server: usize, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), (server, happening));
    }

    /// Carries out what the engine wants done.
    fn drain(&mut self) {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Connect { server } => self.connect(server.position()),
                Output::Transmit { server, bytes, .. } => {
                    let server = server.position();
                    self.bytes_up += bytes.len() as u64;
                    let (delay, connection) = self.servers[server].carry(bytes.len());
                    self.later(delay, server, Happening::ToServer(connection, bytes));
                }
                Output::Disconnect { server, .. } => {
                    let (delay, connection) = self.servers[server.position()].carry(0);
                    self.later(delay, server.position(), Happening::ServerLost(connection));
                }
                Output::Deliver { attempt, event } => self.delivered.entry(attempt).or_default().push(event),
                Output::Replan(problem) => {
                    self.problems += 1;
                    if let Ok(plan) = Automatic.solve(&problem, &Limits::default()) {
                        self.count_moves(&plan);
                        self.engine.plan(self.now, plan);
                    }
                }
                Output::Word { method, word } => {
                    self.words.insert(method, word);
                }
                Output::Notice(notice) => self.notices.push(notice),
                _ => {}
            }
        }
    }

    fn count_moves(&mut self, plan: &Plan) {
        for choice in plan.choices() {
            let before = self.placements.insert(choice.method, choice.placement);
            self.moves += u64::from(before.is_some_and(|before| before != choice.placement));
        }
    }

    fn connect(&mut self, position: usize) {
        let server = &mut self.servers[position];
        server.connects += 1;
        server.connection += 1;
        let (connection, mood, round_trip) = (server.connection, server.mood, server.round_trip);
        match mood {
            Mood::Absent => self.later(round_trip, position, Happening::LinkFailed(connection)),
            // A transport gives a silent host up after a while.
            Mood::Stalled => self.later(Duration::from_secs(5), position, Happening::LinkFailed(connection)),
            Mood::Well | Mood::Garbling => self.later(round_trip, position, Happening::LinkUp(connection)),
        }
    }

    /// The connection breaks in a while; the server lives.
    pub(crate) fn break_link_in(&mut self, time: Duration) {
        self.later(time, 0, Happening::BreakLink);
    }

    /// The server process dies in a while.
    pub(crate) fn kill_server_in(&mut self, time: Duration) {
        self.later(time, 0, Happening::Kill);
    }

    /// The app itself leaves in a while.
    pub(crate) fn leave_in(&mut self, time: Duration) {
        self.later(time, 0, Happening::Leave);
    }

    /// The server neither hears nor says anything in a while.
    pub(crate) fn stall_server_in(&mut self, time: Duration) {
        self.later(time, 0, Happening::Stall);
    }

    /// The server process dies: connections break at once.
    pub(crate) fn kill_server(&mut self) {
        let server = &mut self.servers[0];
        server.finished.clear();
        server.mood = Mood::Absent;
        server.session = None;
        let connection = server.connection;
        let delay = server.round_trip / 2;
        self.later(delay, 0, Happening::LinkLost(connection));
    }

    /// The server takes no new calls; those under way finish.
    pub(crate) fn drain_sessions(&mut self) {
        let now = self.now;
        if let Some(session) = &mut self.servers[0].session {
            session.drain(now);
        }
        self.drain_server(0);
    }

    /// It is started again: another run of it.
    pub(crate) fn restart_server(&mut self) {
        let server = &mut self.servers[0];
        server.mood = Mood::Well;
        server.instance = InstanceId(server.instance.0 + 1);
        server.fates.clear();
    }

    fn happen(&mut self, position: usize, happening: Happening) {
        let now = self.now;
        let index = ServerIndex(position as u16);
        let server = &mut self.servers[position];
        let current = server.connection;
        if server.mood == Mood::Stalled
            && matches!(happening, Happening::ToDevice(..) | Happening::ToServer(..))
        {
            // A transport sends it again and again.
            self.later(millis(200), position, happening);
            return;
        }
        match happening {
            Happening::LinkUp(connection) if connection == current && server.mood == Mood::Absent => {
                self.engine.link_failed(now, index, "connection refused");
            }
            Happening::LinkUp(connection) if connection == current => {
                server.session = Some(Session::new(now, outboard_wire::Limits::default(), Timing::default()));
                let round_trip = server.round_trip;
                self.engine.link_up(now, index, Some(round_trip));
            }
            Happening::LinkFailed(connection) if connection == current => {
                self.engine.link_failed(now, index, "connection refused");
            }
            Happening::LinkLost(connection) if connection == current => self.engine.link_lost(now, index),
            Happening::ToDevice(connection, bytes) if connection == current => {
                self.engine.handle_frame(now, index, &bytes);
            }
            Happening::ToServer(connection, bytes) if connection == current => {
                if let Some(session) = &mut server.session {
                    session.handle_frame(now, &bytes);
                }
            }
            Happening::ServerLost(connection) if connection == current => {
                if let Some(session) = &mut server.session {
                    session.handle_lost(now);
                }
            }
            Happening::Finish(connection, attempt, method, ran) => {
                server.finished.insert(attempt.call, (method, ran));
                if connection == current {
                    self.finish(position, attempt, method, ran);
                }
            }
            Happening::BreakLink => {
                if let Some(session) = &mut server.session {
                    session.handle_lost(now);
                }
                self.engine.link_lost(now, index);
            }
            Happening::Kill => self.kill_server(),
            Happening::Leave => self.engine.shutdown(now),
            Happening::Stall => server.mood = Mood::Stalled,
            _ => {}
        }
        self.drain_server(position);
    }

    fn drain_server(&mut self, position: usize) {
        while let Some(output) = self.servers[position].session.as_mut().and_then(Session::poll) {
            match output {
                ServerOutput::Transmit { mut bytes, .. } => {
                    if self.servers[position].mood == Mood::Garbling {
                        bytes.fill(0xff);
                    }
                    let (delay, connection) = self.servers[position].carry(bytes.len());
                    self.later(delay, position, Happening::ToDevice(connection, bytes));
                }
                ServerOutput::Close(_) => {
                    // What was sent before arrives before.
                    let (delay, connection) = self.servers[position].carry(20_000);
                    self.later(delay, position, Happening::LinkLost(connection));
                }
                ServerOutput::Event(event) => self.serve(position, event),
            }
        }
    }

    fn serve(&mut self, position: usize, event: ServerEvent) {
        let now = self.now;
        let server = &mut self.servers[position];
        let Some(session) = &mut server.session else { return };
        match event {
            ServerEvent::Hello(hello) => {
                if let Some(refusal) = server.refuse.clone() {
                    session.refuse(now, refusal);
                    return;
                }
                let status = |entry: &outboard_wire::frame::MethodEntry| {
                    server.statuses.get(&entry.id).copied().unwrap_or(MethodStatus::Accepted)
                };
                let welcome = Welcome {
                    protocol: 1,
                    session: outboard_core::SessionId(1),
                    server: server.instance,
                    limits: outboard_wire::Limits::default(),
                    methods: hello.methods.iter().map(status).collect(),
                    capacity: Capacity { cores: 4, speed: (DEVICE_SPEED as f64 * server.speed) as u64 },
                    load: Load::default(),
                };
                session.accept(now, welcome);
            }
            ServerEvent::Call(call) => {
                if session.start(now, call.attempt).is_err() {
                    return;
                }
                let fate = server.fates.get(&call.method).cloned().unwrap_or(Fate::Reply);
                let factor = if let Fate::Slow(factor) = fate { factor } else { 1.0 };
                let work = self.works.get(&call.attempt).copied().unwrap_or(1.0);
                let ran = self.costs[&call.method].local.mul_f64(work * factor / server.speed);
                let connection = server.connection;
                self.later(ran, position, Happening::Finish(connection, call.attempt, call.method, ran));
            }
            ServerEvent::Ask(ask) => {
                let known = server.finished.get(&ask.about).copied();
                if session.start(now, ask.attempt).is_err() {
                    return;
                }
                match known {
                    Some((method, ran)) => self.finish(position, ask.attempt, method, ran),
                    None => {
                        let (failure, load) = (Failure::Forgotten, Load::default());
                        session.fail(now, FailedFrame { attempt: ask.attempt, failure, load });
                    }
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, position: usize, attempt: Attempt, method: MethodId, ran: Duration) {
        let server = &mut self.servers[position];
        let Some(session) = &mut server.session else { return };
        let load = Load::default();
        if let Some(Fate::Fail(failure)) = server.fates.get(&method) {
            session.fail(self.now, FailedFrame { attempt, failure: failure.clone(), load });
            return;
        }
        let result = Image(vec![0; self.costs[&method].down as usize]);
        let cost = ServerCost { ran, ..ServerCost::default() };
        session.reply(self.now, ReplyFrame { attempt, result, exclusive: Vec::new(), cost, load });
    }
}

impl Server {
    fn good() -> Self {
        Self {
            mood: Mood::Well,
            round_trip: millis(10),
            rate: Bandwidth::from_megabits_per_second(100),
            speed: 4.0,
            statuses: BTreeMap::new(),
            fates: BTreeMap::new(),
            refuse: None,
            instance: InstanceId(100),
            connects: 0,
            finished: BTreeMap::new(),
            connection: 0,
            session: None,
        }
    }

    /// How long that many bytes are under way, and on which connection.
    fn carry(&self, bytes: usize) -> (Duration, u64) {
        let transfer = ByteCount::from_bytes(bytes as u64) / self.rate;
        (self.round_trip / 2 + transfer, self.connection)
    }
}
