//! The servers of a [`World`] and the links to them: how they are, what becomes of them, and what they answer.

use super::*;

pub(crate) struct Server {
    pub(crate) mood: Mood,
    pub(crate) round_trip: Duration,
    pub(crate) rate: Bandwidth,
    /// How many times as fast as the device it is.
    pub(crate) speed: f64,
    /// How fast it says it is, where its measurement was disturbed.
    pub(crate) claims: Option<f64>,
    pub(crate) statuses: BTreeMap<MethodId, MethodStatus>,
    pub(crate) fates: BTreeMap<MethodId, Fate>,
    pub(crate) refuse: Option<Refusal>,
    /// How busy it says it is with its replies.
    load: Load,
    pub(crate) instance: InstanceId,
    pub(crate) connects: u64,
    /// Calls that have returned, for those who ask.
    pub(crate) finished: BTreeMap<CallId, (MethodId, Duration)>,
    connection: u64,
    pub(super) session: Option<Session>,
}

pub(super) enum Happening {
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

impl World {
    pub(super) fn connect(&mut self, position: usize) {
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

    /// The driver asks for the greeting at once, instead of when the handshake is done.
    pub(crate) fn greet_now(&mut self) {
        let greeting =
            self.engine.greeting(self.now, ServerIndex(0)).expect("the server is being connected to");
        let (connection, round_trip) = (self.servers[0].connection, self.servers[0].round_trip);
        self.later(round_trip, 0, Happening::ToServer(connection, greeting));
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

    /// How busy the server is from now on.
    pub(crate) fn load(&mut self, running: u32, queued: u32) {
        let server = &mut self.servers[0];
        server.load = Load { running, queued };
        server.session.as_mut().expect("it is attached").set_load(server.load);
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

    pub(super) fn happen(&mut self, position: usize, happening: Happening) {
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
        if let Happening::ToDevice(connection, bytes) = &happening {
            let waking = self.radio_passes(ByteCount::ZERO, ByteCount::from_bytes(bytes.len() as u64));
            if waking > Duration::ZERO {
                // It is awake then.
                let again = Happening::ToDevice(*connection, bytes.clone());
                self.later(waking, position, again);
                return;
            }
        }
        let server = &mut self.servers[position];
        match happening {
            Happening::LinkUp(connection) if connection == current && server.mood == Mood::Absent => {
                self.engine.link_failed(now, index, "connection refused");
            }
            Happening::LinkUp(connection) if connection == current => {
                server.session = Some(Session::new(now, outboard_wire::Limits::default(), Timing::default()));
                let round_trip = server.round_trip;
                // The greeting comes along with the handshake.
                if let Some(greeting) = self.engine.greeting(now, index) {
                    self.later(Duration::ZERO, position, Happening::ToServer(connection, greeting));
                }
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

    pub(super) fn drain_server(&mut self, position: usize) {
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

    pub(super) fn serve(&mut self, position: usize, event: ServerEvent) {
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
                    capacity: Capacity {
                        cores: 4,
                        speed: (DEVICE_SPEED as f64 * server.claims.unwrap_or(server.speed)) as u64,
                    },
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
                let ran = match fate {
                    // What it does not run it says at once.
                    Fate::Fail(Failure::NotRun(_)) => Duration::ZERO,
                    _ => self.costs[&call.method].local.mul_f64(work * factor / server.speed),
                };
                if let Fate::CallBack(method) = fate {
                    let attempt = call.attempt;
                    let back = BackFrame { attempt, sequence: 0, method, slots: Vec::new(), onces: None };
                    session.back(now, back).expect("nothing stands against it");
                    return;
                }
                let connection = server.connection;
                self.later(ran, position, Happening::Finish(connection, call.attempt, call.method, ran));
            }
            ServerEvent::Answer(AnswerFrame { attempt, outcome: Err(text), .. }) => {
                let (failure, load) = (Failure::CallBack(text), Load::default());
                session.fail(now, FailedFrame { attempt, failure, load });
            }
            ServerEvent::Answer(AnswerFrame { attempt, outcome: Ok(_), .. }) => {
                let reply = ReplyFrame {
                    attempt,
                    result: Vec::new().into(),
                    exclusive: Vec::new(),
                    onces: 0,
                    cost: ServerCost::default(),
                    load: Load::default(),
                };
                session.reply(now, reply);
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

    pub(super) fn finish(&mut self, position: usize, attempt: Attempt, method: MethodId, ran: Duration) {
        let server = &mut self.servers[position];
        let load = server.load;
        let Some(session) = &mut server.session else { return };
        if let Some(Fate::Fail(failure)) = server.fates.get(&method) {
            session.fail(self.now, FailedFrame { attempt, failure: failure.clone(), load });
            return;
        }
        let result = vec![0; self.costs[&method].down as usize].into();
        let cost = ServerCost { ran, ..ServerCost::default() };
        session.reply(self.now, ReplyFrame { attempt, result, exclusive: Vec::new(), onces: 0, cost, load });
    }
}

impl Server {
    pub(super) fn good() -> Self {
        Self {
            mood: Mood::Well,
            round_trip: millis(10),
            rate: Bandwidth::from_megabits_per_second(100),
            speed: 4.0,
            claims: None,
            statuses: BTreeMap::new(),
            fates: BTreeMap::new(),
            refuse: None,
            load: Load::default(),
            instance: InstanceId(100),
            connects: 0,
            finished: BTreeMap::new(),
            connection: 0,
            session: None,
        }
    }

    /// How long that many bytes are under way, and on which connection.
    pub(super) fn carry(&self, bytes: usize) -> (Duration, u64) {
        let transfer = ByteCount::from_bytes(bytes as u64) / self.rate;
        (self.round_trip / 2 + transfer, self.connection)
    }
}
