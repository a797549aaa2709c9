//! What surrounds an app in virtual time: links, servers, costs, and the account of it all.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outboard_core::{ByteCount, ServerIndex, Timestamp};
use outboard_runtime::stage::{Arrival, End, EndedCall, Happening, LinkId, Ran, Scene, Site};
use outboard_wire::Lane;

use super::account::Account;
use super::costs::Costs;
use super::{Route, Simulation};
use crate::agenda::Agenda;
use crate::path::Reception;
use crate::server::{Fault, ServerModel};

/// What surrounds an app in virtual time.
pub(super) struct Surroundings {
    servers: Vec<Host>,
    links: BTreeMap<LinkId, Line>,
    agenda: Agenda<Event>,
    costs: Costs,
    account: Arc<Mutex<Account>>,
}

/// A server, and what is around it.
struct Host {
    model: ServerModel,
    /// There is no process.
    dead: bool,
    /// Nothing passes.
    silent: bool,
    /// What would have arrived while nothing was heard.
    held: VecDeque<Event>,
}

/// A link that was made.
struct Line {
    server: usize,
    /// Both ends may still send.
    open: bool,
    /// Its handshake is over, well or badly.
    settled: bool,
}

#[derive(Clone, Debug)]
enum Event {
    Greeted {
        link: LinkId,
        legs: u32,
        began: Timestamp,
    },
    NoAnswer {
        link: LinkId,
    },
    /// The first byte of a frame reaches the device's radio.
    Reaches {
        server: usize,
        reception: Reception,
        then: Box<Event>,
    },
    Arrived(Arrival),
    Broken {
        link: LinkId,
        at: End,
    },
    Fault {
        server: usize,
        fault: Fault,
    },
}

/// Bytes of a packet of the handshake: QUIC pads the first ones (RFC 9000 §14.1).
const HANDSHAKE: ByteCount = ByteCount::from_bytes(1_200);
/// A packet that says that a connection is closed, or not known.
const CLOSE: ByteCount = ByteCount::from_bytes(50);
/// How long a device waits for the answer to a handshake.
const NO_ANSWER: Duration = Duration::from_secs(5);

impl Surroundings {
    pub(super) fn new(simulation: &Simulation, account: Arc<Mutex<Account>>) -> Self {
        let mut agenda = Agenda::new();
        for (server, (model, _)) in simulation.servers.iter().enumerate() {
            for (at, fault) in &model.faults {
                agenda.enter(*at, Event::Fault { server, fault: *fault });
            }
        }
        let host = |(model, _): &(ServerModel, Route)| Host {
            model: model.clone(),
            dead: false,
            silent: false,
            held: VecDeque::new(),
        };
        Self {
            servers: simulation.servers.iter().map(host).collect(),
            links: BTreeMap::new(),
            agenda,
            costs: simulation.costs.clone(),
            account,
        }
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something crosses the way to a server, or back; what it is then, if it ever gets there.
    fn cross(&mut self, now: Timestamp, server: usize, from: End, size: ByteCount, lane: Lane, event: Event) {
        match from {
            End::Device => {
                let arrives = self.account().paths[server].up(now, size, lane);
                arrives.into_iter().for_each(|arrives| self.agenda.enter(arrives, event.clone()));
            }
            End::Server => {
                let Some(reception) = self.account().paths[server].down(now, size, lane) else { return };
                let then = Box::new(event);
                self.agenda.enter(reception.begins, Event::Reaches { server, reception, then });
            }
        }
    }

    fn happen(&mut self, now: Timestamp, event: Event) -> Option<Happening> {
        let server = match &event {
            Event::Greeted { link, .. } | Event::Broken { link, .. } | Event::NoAnswer { link } => {
                self.links.get(link)?.server
            }
            Event::Arrived(arrival) => self.links.get(&arrival.link)?.server,
            Event::Fault { server, .. } | Event::Reaches { server, .. } => *server,
        };
        let crosses = matches!(event, Event::Greeted { .. } | Event::Arrived(_) | Event::Broken { .. });
        if crosses && self.servers[server].silent {
            self.servers[server].held.push_back(event);
            return None;
        }
        match event {
            Event::Greeted { link, legs, began } => self.greeted(now, link, legs, began),
            Event::NoAnswer { link } => {
                let line = self.links.get_mut(&link).filter(|line| !line.settled)?;
                (line.settled, line.open) = (true, false);
                let why = "it does not answer".to_owned();
                Some(Happening::Refused { server: ServerIndex(server as u16), why })
            }
            Event::Reaches { server, reception, then } => {
                let arrives = self.account().paths[server].receive(now, &reception);
                self.agenda.enter(arrives, *then);
                None
            }
            Event::Arrived(arrival) => self.arrived(now, arrival),
            Event::Broken { link, at } => Some(Happening::Broken { link, at }),
            Event::Fault { server, fault } => self.befall(now, server, fault),
        }
    }

    /// A packet of a handshake has arrived; an even number of them is still to come, or none.
    fn greeted(&mut self, now: Timestamp, link: LinkId, legs: u32, began: Timestamp) -> Option<Happening> {
        let line = self.links.get_mut(&link).filter(|line| !line.settled)?;
        let server = line.server;
        // Nobody is there to answer, and the device gives up by itself.
        if self.servers[server].dead {
            return None;
        }
        line.settled = legs == 0;
        if legs > 0 {
            let from = if legs.is_multiple_of(2) { End::Device } else { End::Server };
            let next = Event::Greeted { link, legs: legs - 1, began };
            self.cross(now, server, from, HANDSHAKE, Lane::Small, next);
            return None;
        }
        let round_trips = self.servers[server].model.handshake.max(1);
        let round_trip = now.since(began) / round_trips;
        Some(Happening::Connected { link, server: ServerIndex(server as u16), round_trip })
    }

    fn arrived(&mut self, now: Timestamp, arrival: Arrival) -> Option<Happening> {
        let line = self.links.get(&arrival.link)?;
        let (server, open) = (line.server, line.open);
        if arrival.at == End::Device {
            return Some(Happening::Arrived(arrival));
        }
        if self.servers[server].dead {
            return None;
        }
        if !open {
            // A run of the server that does not know the connection says so.
            let event = Event::Broken { link: arrival.link, at: End::Device };
            self.cross(now, server, End::Server, CLOSE, Lane::Small, event);
            return None;
        }
        Some(Happening::Arrived(arrival))
    }

    fn befall(&mut self, now: Timestamp, server: usize, fault: Fault) -> Option<Happening> {
        let index = ServerIndex(server as u16);
        let host = &mut self.servers[server];
        match fault {
            Fault::Killed => {
                host.dead = true;
                self.links
                    .values_mut()
                    .filter(|line| line.server == server)
                    .for_each(|line| line.open = false);
                Some(Happening::Killed { server: index })
            }
            Fault::Started => std::mem::take(&mut host.dead).then_some(Happening::Started { server: index }),
            Fault::Silent => {
                host.silent = true;
                None
            }
            Fault::Heard => {
                host.silent = false;
                for event in std::mem::take(&mut host.held) {
                    self.agenda.enter(now, event);
                }
                None
            }
            Fault::Severed => {
                for (link, line) in
                    self.links.iter_mut().filter(|(_, line)| line.server == server && line.open)
                {
                    line.open = false;
                    for at in [End::Device, End::Server] {
                        self.agenda.enter(now, Event::Broken { link: *link, at });
                    }
                }
                None
            }
        }
    }
}

impl Scene for Surroundings {
    fn next(&self) -> Option<Timestamp> {
        self.agenda.next()
    }

    fn step(&mut self, now: Timestamp) -> Option<Happening> {
        while let Some((_, event)) = self.agenda.take(now) {
            if let Some(happening) = self.happen(now, event) {
                return Some(happening);
            }
        }
        None
    }

    fn connect(&mut self, now: Timestamp, server: ServerIndex, link: LinkId) {
        let server = server.position();
        self.links.insert(link, Line { server, open: true, settled: false });
        let legs = self.servers[server].model.handshake.max(1) * 2 - 1;
        let greeted = Event::Greeted { link, legs, began: now };
        self.agenda.enter(now + NO_ANSWER, Event::NoAnswer { link });
        self.cross(now, server, End::Device, HANDSHAKE, Lane::Small, greeted);
    }

    fn send(&mut self, now: Timestamp, link: LinkId, from: End, lane: Lane, frame: Vec<u8>) {
        let Some(line) = self.links.get(&link) else { return };
        // What a process that is dead would have sent is not sent.
        if from == End::Server && !line.open {
            return;
        }
        let (server, size) = (line.server, ByteCount::from_bytes(frame.len() as u64));
        let arrival = Event::Arrived(Arrival { link, at: from.other(), frame });
        self.cross(now, server, from, size, lane, arrival);
    }

    fn close(&mut self, now: Timestamp, link: LinkId, by: End) {
        let Some(line) = self.links.get_mut(&link).filter(|line| line.open) else { return };
        line.open = false;
        let server = line.server;
        let event = Event::Broken { link, at: by.other() };
        self.cross(now, server, by, CLOSE, Lane::Small, event);
    }

    fn ran(&mut self, _now: Timestamp, ran: Ran) -> Duration {
        let method = ran.method.descriptor().title();
        let Some(time) = self.costs.of(method, ran.work) else {
            self.account().unpriced.insert(method);
            return Duration::ZERO;
        };
        self.account().ran(&ran, time);
        match ran.site {
            Site::Server(server) => self.servers[server.position()].model.takes(time),
            Site::Device => time,
        }
    }

    fn began(&mut self, _now: Timestamp) {
        self.account().began();
    }

    fn ended(&mut self, now: Timestamp, call: EndedCall) {
        self.account().ended(now, call);
    }
}
