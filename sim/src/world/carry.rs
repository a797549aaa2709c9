//! What the engines want done, and what comes of it later.

use std::time::Duration;

use outboard_client_proxy::Output;
use outboard_core::{ByteCount, Energy, ServerIndex, Timestamp};
use outboard_server_proxy::{Connection, Engine as ServerEngine, Output as ServerOutput};
use outboard_solver::{Limits, plan_ahead};
use outboard_wire::Lane;

use super::{Event, Frame, Happening, Job, World};
use crate::server::Fault;

/// A packet of a handshake: QUIC fills its first ones up to this (RFC 9000, section 14.1).
const HANDSHAKE: ByteCount = ByteCount::from_bytes(1_200);
/// A packet that says that a connection is closed, or not known.
const CLOSE: ByteCount = ByteCount::from_bytes(50);
/// The transport gives a handshake up after this long.
const NO_ANSWER: Duration = Duration::from_secs(5);
/// The transport sends again what was not acknowledged, at intervals of about this.
const AGAIN: Duration = Duration::from_millis(200);

impl<T> World<T> {
    /// Carries out what the device's engine wants done.
    pub(super) fn drain(&mut self) {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Connect { server } => self.connect(server.position()),
                Output::Transmit { server, lane, bytes } => {
                    let server = server.position();
                    let connection = self.hosts[server].connection;
                    let size = ByteCount::from_bytes(bytes.len() as u64);
                    if let Some(at) = self.hosts[server].path.up(self.now, size, lane) {
                        self.agenda.enter(at, Event::Up { server, connection, bytes });
                    }
                }
                Output::Disconnect { server, .. } => {
                    let server = server.position();
                    let host = &mut self.hosts[server];
                    let connection = host.connection;
                    host.connecting = false;
                    if let Some(at) = host.path.up(self.now, CLOSE, Lane::Small) {
                        self.agenda.enter(at, Event::Left { server, connection });
                    }
                }
                Output::Deliver { attempt, event } => {
                    let radio = std::mem::take(&mut self.charge);
                    self.happened.push_back(Happening::Delivered { attempt, event, radio });
                }
                Output::Replan(problem) => {
                    let Some(time) = self.solving else { continue };
                    let Ok(plan) = plan_ahead(&problem, &Limits::default()) else { continue };
                    if time.is_zero() {
                        self.planned(plan);
                    } else {
                        self.agenda.enter(self.now + time, Event::Plan(plan));
                    }
                }
                Output::Word { method, word } => {
                    let least = method.position() + 1;
                    if self.words.len() < least {
                        self.words.resize(least, outboard_client_proxy::Word::Consult);
                    }
                    self.words[method.position()] = word;
                }
                Output::Notice(notice) => self.notices.push((self.now, notice)),
                _ => {}
            }
        }
    }

    fn planned(&mut self, plan: outboard_core::Plan) {
        self.plans.push((self.now, plan.clone()));
        self.engine.plan(self.now, plan);
    }

    /// Something goes to the device.
    fn send_down(&mut self, server: usize, connection: u64, size: ByteCount, lane: Lane, frame: Frame) {
        let host = &mut self.hosts[server];
        let Some(mut reception) = host.path.down(self.now, size, lane) else { return };
        if matches!(frame, Frame::Closed) {
            // What was said before arrives before.
            reception.begins = reception.begins.max(host.said);
            reception.arrives = reception.arrives.max(host.said);
        }
        host.said = host.said.max(reception.arrives);
        self.agenda.enter(reception.begins, Event::Reaches { server, connection, reception, frame });
    }

    fn connect(&mut self, server: usize) {
        let host = &mut self.hosts[server];
        host.connection += 1;
        host.connecting = true;
        let (connection, legs) = (host.connection, host.model.handshake.max(1) * 2);
        self.agenda.enter(self.now + NO_ANSWER, Event::NoAnswer { server, connection });
        self.leg(server, connection, legs);
    }

    /// The next packet of a handshake, of that many that are left.
    fn leg(&mut self, server: usize, connection: u64, legs: u32) {
        let left = legs.saturating_sub(1);
        if !legs.is_multiple_of(2) {
            self.send_down(server, connection, HANDSHAKE, Lane::Small, Frame::Leg(left));
        } else if let Some(at) = self.hosts[server].path.up(self.now, HANDSHAKE, Lane::Small) {
            self.agenda.enter(at, Event::Greet { server, connection, legs: left });
        }
    }

    pub(super) fn happen(&mut self, event: Event<T>) {
        let now = self.now;
        match event {
            Event::User(what) => self.happened.push_back(Happening::Due(what)),
            Event::Plan(plan) => self.planned(plan),
            Event::Fault { server, fault } => self.fault(server, fault),
            Event::Greet { server, connection, legs } => {
                let host = &mut self.hosts[server];
                if !host.silent
                    && host.is_current(connection)
                    && let Some(engine) = &mut host.engine
                {
                    if legs <= 1 {
                        host.accepted = Some(connection);
                        engine.connected(now, Connection(connection));
                        self.drain_host(server);
                    }
                    self.leg(server, connection, legs);
                }
            }
            Event::Reaches { server, connection, reception, frame } => {
                let path = &mut self.hosts[server].path;
                let before = path.charged();
                let arrives = path.receive(now, &reception);
                let charged = path.charged().zip(before).map(|(after, before)| after - before);
                let radio = charged.unwrap_or(Energy::ZERO);
                self.agenda.enter(arrives, Event::Down { server, connection, frame, radio });
            }
            Event::NoAnswer { server, connection } => {
                let host = &mut self.hosts[server];
                if host.is_current(connection) && std::mem::take(&mut host.connecting) {
                    self.engine.link_failed(now, ServerIndex(server as u16), "no answer");
                }
            }
            Event::Up { server, connection, bytes } => self.arrived_up(server, connection, bytes),
            Event::Down { server, connection, frame, radio } => {
                let host = &self.hosts[server];
                if host.silent {
                    self.agenda.enter(now + AGAIN, Event::Down { server, connection, frame, radio });
                } else if host.is_current(connection) {
                    self.came(server, connection, frame, radio);
                }
            }
            Event::Left { server, connection } => {
                let host = &mut self.hosts[server];
                if !host.silent
                    && let Some(engine) = host.process(Connection(connection))
                {
                    engine.handle_lost(now, Connection(connection));
                    self.drain_host(server);
                }
            }
            Event::Severed { server } => {
                self.fault(server, Fault::Severed);
                let path = &self.hosts[server].path;
                let over = path.next_severed(now).map(|outage| outage.to);
                if let Some(next) = over.and_then(|over| path.next_severed(over)) {
                    self.agenda.enter(next.from, Event::Severed { server });
                }
            }
        }
    }

    /// Something has come to the device.
    fn came(&mut self, server: usize, connection: u64, frame: Frame, radio: Energy) {
        let (now, index) = (self.now, ServerIndex(server as u16));
        match frame {
            Frame::Bytes(bytes) => {
                self.charge = radio;
                self.engine.handle_frame(now, index, &bytes);
                self.drain();
                self.charge = Energy::ZERO;
            }
            Frame::Leg(0) => {
                let host = &mut self.hosts[server];
                host.connecting = false;
                let round_trip = host.path.round_trip(now);
                self.engine.link_up(now, index, Some(round_trip));
            }
            Frame::Leg(left) => self.leg(server, connection, left),
            Frame::Closed => self.engine.link_lost(now, index),
        }
    }

    fn arrived_up(&mut self, server: usize, connection: u64, bytes: Vec<u8>) {
        let now = self.now;
        let host = &mut self.hosts[server];
        if host.silent {
            return self.agenda.enter(now + AGAIN, Event::Up { server, connection, bytes });
        }
        let lives = host.engine.is_some();
        match host.process(Connection(connection)) {
            Some(engine) => engine.handle_frame(now, Connection(connection), &bytes),
            // What is sent to another run of the server is answered by a stateless reset (RFC 9000, section 10.3).
            None if lives => {
                self.send_down(server, connection, CLOSE, Lane::Small, Frame::Closed);
            }
            None => {}
        }
        self.drain_host(server);
    }

    fn fault(&mut self, server: usize, fault: Fault) {
        let host = &mut self.hosts[server];
        match fault {
            Fault::Killed => {
                host.engine = None;
                host.accepted = None;
                self.happened.push_back(Happening::Died(server));
            }
            Fault::Started => host.start(),
            Fault::Silent => host.silent = true,
            Fault::Heard => host.silent = false,
            Fault::Severed => {
                let connection = host.connection;
                if let Some(engine) = host.process(Connection(connection)) {
                    engine.handle_lost(self.now, Connection(connection));
                }
                host.accepted = None;
                self.drain_host(server);
                self.engine.link_lost(self.now, ServerIndex(server as u16));
            }
        }
    }

    /// Does something with a server's engine that has that job, and carries out what it then wants.
    pub(super) fn serve<R>(
        &mut self,
        job: &Job,
        act: impl FnOnce(&mut ServerEngine, Timestamp) -> R,
    ) -> Option<R> {
        let result = act(self.hosts.get_mut(job.server)?.run_of(job.connection)?, self.now);
        self.drain_host(job.server);
        Some(result)
    }

    /// Carries out what a server's engine wants done.
    pub(super) fn drain_host(&mut self, server: usize) {
        while let Some(output) = self.hosts[server].engine.as_mut().and_then(ServerEngine::poll) {
            match output {
                ServerOutput::Transmit { connection, lane, bytes } => {
                    let size = ByteCount::from_bytes(bytes.len() as u64);
                    self.send_down(server, connection.0, size, lane, Frame::Bytes(bytes));
                }
                ServerOutput::Run { connection, call, .. } => {
                    let job = Job { server, connection, attempt: call.attempt };
                    self.happened.push_back(Happening::Run(job, call));
                }
                ServerOutput::Fence { connection, attempt } => self.let_go(server, connection, attempt),
                ServerOutput::Gone { connection, attempts } => {
                    attempts.into_iter().for_each(|attempt| self.let_go(server, connection, attempt));
                }
                ServerOutput::Answer { connection, frame } => {
                    let job = Job { server, connection, attempt: frame.attempt };
                    self.happened.push_back(Happening::Answered(job, frame));
                }
                ServerOutput::Close { connection, .. } => {
                    let host = &mut self.hosts[server];
                    if host.accepted == Some(connection.0) {
                        host.accepted = None;
                    }
                    self.send_down(server, connection.0, CLOSE, Lane::Small, Frame::Closed);
                }
                _ => {}
            }
        }
    }

    fn let_go(&mut self, server: usize, connection: Connection, attempt: outboard_wire::frame::Attempt) {
        let job = Job { server, connection, attempt };
        self.happened.push_back(Happening::Fenced(job));
    }
}
