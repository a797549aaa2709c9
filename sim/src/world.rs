//! A device, its servers and the ways between them, in virtual time.

mod carry;
mod host;

use std::collections::VecDeque;
use std::time::Duration;

use outboard_client_proxy::{AttemptEvent, Engine, MethodInfo, Notice, ServerSettings, Settings, Word};
use outboard_core::{Energy, MethodIndex, Plan, Timestamp};
use outboard_server_proxy::{Connection, Reply};
use outboard_wire::frame::{AnswerFrame, Attempt, BackFrame, CallFrame, Failure, MethodEntry, NotRun};
use outboard_wire::server::NotCalledBack;

use crate::agenda::Agenda;
use crate::path::{Path, Reception};
use crate::server::{Fault, ServerModel};
use host::Host;

/// The engines that ship, under a virtual clock, and nothing of the machine that it runs on.
///
/// | the world owns | its driver owns |
/// |---|---|
/// | the clock, and the order in which things happen | whose calls there are, and when they ask |
/// | both engines, their sessions and their frames | encoding, the bound of an attempt, committing |
/// | connections, links, radios, what becomes of servers | what methods take, on the device and on a server |
/// | solving, at once or in a stated time | the queue of a server and its cores |
///
/// A driver lets the device's engine do something ([`device`](Self::device)), enters what it waits for itself
/// ([`enter`](Self::enter)), and takes what happens ([`step`](Self::step)). `T` is what it waits for.
#[derive(Debug)]
pub struct World<T> {
    now: Timestamp,
    engine: Engine,
    hosts: Vec<Host>,
    agenda: Agenda<Event<T>>,
    happened: VecDeque<Happening<T>>,
    solving: Option<Duration>,
    /// What the radio was charged for the frame that is being handled.
    charge: Energy,
    words: Vec<Word>,
    notices: Vec<(Timestamp, Notice)>,
    plans: Vec<(Timestamp, Plan)>,
}

/// What happens, as the driver of a [`World`] sees it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Happening<T> {
    /// Something that the driver entered is due.
    Due(T),
    /// Something became of an attempt, and its call is to be told.
    Delivered {
        /// The attempt.
        attempt: Attempt,
        /// What became of it.
        event: AttemptEvent,
        /// What the radio was charged for the frame that told it.
        radio: Energy,
    },
    /// A server has a call to run, which came just now: [`World::start`] it when a core is free.
    Run(Job, CallFrame),
    /// Nobody wants what that server runs any more.
    Fenced(Job),
    /// A call-back was answered: the method goes on.
    Answered(Job, AnswerFrame),
    /// A server's process died, and all that it ran.
    Died(usize),
}

/// A call that a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job {
    /// Which server, by its place in the settings.
    pub server: usize,
    /// Whose call.
    pub connection: Connection,
    /// Which attempt.
    pub attempt: Attempt,
}

/// What comes to the device.
#[derive(Debug)]
enum Frame {
    /// A packet of a handshake, after which so many are left.
    Leg(u32),
    /// A frame of a session.
    Bytes(Vec<u8>),
    /// The server has closed, or does not know the connection.
    Closed,
}

/// What the world itself waits for.
#[derive(Debug)]
enum Event<T> {
    User(T),
    /// A packet of a handshake reaches the server, after which so many are left.
    Greet {
        server: usize,
        connection: u64,
        legs: u32,
    },
    NoAnswer {
        server: usize,
        connection: u64,
    },
    Up {
        server: usize,
        connection: u64,
        bytes: Vec<u8>,
    },
    /// A frame's first byte reaches the device's radio.
    Reaches {
        server: usize,
        connection: u64,
        reception: Reception,
        frame: Frame,
    },
    Down {
        server: usize,
        connection: u64,
        frame: Frame,
        radio: Energy,
    },
    /// The server hears that the device has closed.
    Left {
        server: usize,
        connection: u64,
    },
    /// The link breaks.
    Severed {
        server: usize,
    },
    Fault {
        server: usize,
        fault: Fault,
    },
    Plan(Plan),
}

impl<T> World<T> {
    /// A device with those settings, and servers over those paths. The engine connects at once.
    ///
    /// The servers of the settings are replaced by these, in their order.
    pub fn new(mut settings: Settings, servers: Vec<(ServerModel, Path)>) -> Self {
        let named = |place| ServerSettings { name: format!("server{place}"), token: host::TOKEN.to_owned() };
        settings.servers = (0..servers.len()).map(named).collect();
        let now = Timestamp::ZERO;
        let device_speed = settings.device_speed.unwrap_or(0);
        let app = settings.app.clone();
        let mut agenda = Agenda::new();
        for (server, (model, path)) in servers.iter().enumerate() {
            if let Some(outage) = path.next_severed(now) {
                agenda.enter(outage.from, Event::Severed { server });
            }
            for (at, fault) in &model.faults {
                agenda.enter(*at, Event::Fault { server, fault: *fault });
            }
        }
        let hosts = servers.into_iter().map(|(model, path)| Host::new(model, path, device_speed, &app));
        let mut world = Self {
            now,
            hosts: hosts.collect(),
            engine: Engine::new(settings, now),
            agenda,
            happened: VecDeque::new(),
            solving: Some(Duration::ZERO),
            charge: Energy::ZERO,
            words: Vec::new(),
            notices: Vec::new(),
            plans: Vec::new(),
        };
        world.drain();
        world
    }

    /// Solving takes that long in virtual time, whatever it takes on the machine that the run is on. Zero by default.
    /// `None`: nobody solves, and there is never a plan.
    #[must_use]
    pub fn with_solving(mut self, time: Option<Duration>) -> Self {
        self.solving = time;
        self
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Makes a method known on the device and on every server.
    pub fn register(&mut self, info: MethodInfo) -> MethodIndex {
        let entry =
            MethodEntry { id: info.id, body: info.body, schema: info.schema, compatible: info.compatible };
        self.hosts.iter_mut().for_each(|host| host.register(&entry));
        let index = self.device(|engine, now| engine.register(now, info));
        if self.words.len() <= index.position() {
            self.words.resize(index.position() + 1, Word::Consult);
        }
        index
    }

    /// Does something with the device's engine, and carries out what it then wants.
    pub fn device<R>(&mut self, act: impl FnOnce(&mut Engine, Timestamp) -> R) -> R {
        let result = act(&mut self.engine, self.now);
        self.drain();
        result
    }

    /// The device's engine, to look at.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a call of that method has to ask the engine at all.
    pub fn word(&self, method: MethodIndex) -> Word {
        self.words.get(method.position()).copied().unwrap_or(Word::Consult)
    }

    /// Something that the driver waits for is due then; [`step`](Self::step) gives it back.
    pub fn enter(&mut self, due: Timestamp, what: T) {
        self.agenda.enter(due.max(self.now), Event::User(what));
    }

    /// Lets time pass until something happens that the driver has to know, but not past `until`. `None`: nothing did,
    /// and it is that time now.
    pub fn step(&mut self, until: Timestamp) -> Option<Happening<T>> {
        loop {
            if let Some(happening) = self.happened.pop_front() {
                return Some(happening);
            }
            let engines = self.hosts.iter().filter_map(Host::timeout).chain(self.engine.timeout()).min();
            // What arrives comes before what was waited for in vain until the same moment.
            let events = self.agenda.next().filter(|next| engines.is_none_or(|due| *next <= due));
            let next = events.or(engines).filter(|next| *next <= until);
            let Some(next) = next else {
                self.now = self.now.max(until);
                return None;
            };
            self.now = self.now.max(next);
            if events.is_some() {
                if let Some((_, event)) = self.agenda.take(next) {
                    self.happen(event);
                }
            } else {
                self.engine.handle_timeout(self.now);
                for server in 0..self.hosts.len() {
                    self.hosts[server].handle_timeout(self.now);
                    self.drain_host(server);
                }
            }
            self.drain();
        }
    }

    /// A server runs a call from now on.
    ///
    /// # Errors
    /// It must not: it was given up, its time is up, or that server's process has died meanwhile.
    pub fn start(&mut self, job: &Job) -> Result<(), NotRun> {
        self.serve(job, |engine, now| engine.start(now, job.connection, job.attempt))
            .unwrap_or(Err(NotRun::Fenced))
    }

    /// A call that a server ran has returned. Whether the reply went out.
    pub fn reply(&mut self, job: &Job, reply: Reply) -> bool {
        self.serve(job, |engine, now| engine.reply(now, job.connection, reply)).unwrap_or(false)
    }

    /// A call that a server had ends without a reply. Whether the device wanted to know.
    pub fn fail(&mut self, job: &Job, failure: Failure) -> bool {
        self.serve(job, |engine, now| engine.fail(now, job.connection, job.attempt, failure)).unwrap_or(false)
    }

    /// A call that a server runs calls the device back.
    ///
    /// # Errors
    /// It was not made, and the call has to end.
    pub fn call_back(&mut self, job: &Job, frame: BackFrame) -> Result<(), NotCalledBack> {
        self.serve(job, |engine, now| engine.called_back(now, job.connection, frame))
            .unwrap_or(Err(NotCalledBack::Fenced(job.attempt)))
    }

    /// A call that waited for its call-back goes on.
    pub fn resume(&mut self, job: &Job) {
        let _gone = self.serve(job, |engine, now| engine.resumed(now, job.connection, job.attempt));
    }

    /// What a server is like.
    pub fn server(&self, server: usize) -> Option<&ServerModel> {
        self.hosts.get(server).map(|host| &host.model)
    }

    /// The way to a server.
    pub fn path(&self, server: usize) -> Option<&Path> {
        self.hosts.get(server).map(|host| &host.path)
    }

    /// What the engine told the user so far, and when.
    pub fn notices(&self) -> &[(Timestamp, Notice)] {
        &self.notices
    }

    /// The plans that were made so far, and when.
    pub fn plans(&self) -> &[(Timestamp, Plan)] {
        &self.plans
    }
}
