//! A server, its devices out of their minds.

use std::collections::BTreeSet;
use std::time::Duration;

use outboard_core::Timestamp;
use outboard_server_proxy::{Connection, Engine, Grants, Output, Reply, Settings};
use outboard_wire::frame::{Attempt, Capacity, FailedFrame, Failure, Load, ToDevice, decode_frame};
use outboard_wire::server::{Event, Session};
use outboard_wire::{Limits, Timing};

use super::conversation::{SERVER, TOKEN, app, back, honest, methods, reply, welcome};
use super::script::Script;

/// The session machine of the server.
pub fn server_session(data: &[u8]) {
    let mut script = Script::new(data);
    let mut now = Timestamp::ZERO;
    let mut session = Session::new(now, Limits::default(), Timing::default());
    let mut seen = Seen::default();
    if !script.byte().is_multiple_of(8) {
        session.handle_frame(now, &honest().to_server[0]);
        seen.drain(now, &mut session);
    }
    while !script.is_over() && !seen.closed {
        let attempt = script.one_of(&Vec::from_iter(seen.under_way.iter().copied())).copied();
        match (script.byte() % 9, attempt) {
            (5, Some(attempt)) => drop(session.start(now, attempt)),
            (6, Some(attempt)) => {
                let frame = back(attempt.call.0, script.byte().into());
                drop(session.back(now, outboard_wire::frame::BackFrame { attempt, ..frame }));
            }
            (7, Some(attempt)) => {
                seen.under_way.remove(&attempt);
                if script.byte().is_multiple_of(2) {
                    let frame = reply(attempt.call.0, script.byte().into());
                    session.reply(now, outboard_wire::frame::ReplyFrame { attempt, ..frame });
                } else {
                    let failure = Failure::Panicked("boom".into());
                    session.fail(now, FailedFrame { attempt, failure, load: Load::default() });
                }
            }
            (8, _) => {
                now = script.later(now);
                session.handle_timeout(now);
                assert!(session.timeout().is_none_or(|due| due > now), "the timer never rests");
            }
            _ => session.handle_frame(now, &script.frame(&honest().to_server)),
        }
        seen.drain(now, &mut session);
        assert!(seen.under_way.len() <= Limits::default().calls as usize + seen.fenced);
    }
}

/// What a session did so far.
#[derive(Default)]
struct Seen {
    under_way: BTreeSet<Attempt>,
    fenced: usize,
    closed: bool,
}

impl Seen {
    fn drain(&mut self, now: Timestamp, session: &mut Session) {
        while let Some(output) = session.poll() {
            assert!(!self.closed, "nothing follows a close");
            match output {
                outboard_wire::Output::Transmit { bytes, .. } => {
                    decode_frame::<ToDevice>(&bytes, &Limits::default()).expect("an honest frame");
                }
                outboard_wire::Output::Event(event) => match event {
                    Event::Hello(hello) => session.accept(now, welcome(hello.methods.len())),
                    Event::Call(call) => drop(self.under_way.insert(call.attempt)),
                    Event::Ask(ask) => drop(self.under_way.insert(ask.attempt)),
                    Event::Fence(attempt) => {
                        assert!(self.under_way.contains(&attempt), "a fence of nobody");
                        self.fenced += 1;
                    }
                    Event::Answer(answer) => assert!(self.under_way.contains(&answer.attempt), "unasked"),
                    _ => {}
                },
                outboard_wire::Output::Close(_) => self.closed = true,
            }
        }
    }
}

/// The engine of the server, with a few devices.
pub fn server_engine(data: &[u8]) {
    let mut script = Script::new(data);
    let mut driver = Driver::new();
    while !script.is_over() {
        let connection = Connection(u64::from(script.byte() % 3));
        match script.byte() % 10 {
            0..=4 => {
                let frame = script.frame(&honest().to_server);
                driver.engine.handle_frame(driver.now, connection, &frame);
            }
            5 | 6 => driver.work(&mut script),
            7 if script.byte().is_multiple_of(4) => driver.engine.connected(driver.now, connection),
            8 if script.byte().is_multiple_of(8) => driver.engine.handle_lost(driver.now, connection),
            _ => {
                driver.now = script.later(driver.now);
                driver.engine.handle_timeout(driver.now);
            }
        }
        driver.drain();
    }
    driver.finish();
}

/// The threads around an engine.
struct Driver {
    now: Timestamp,
    engine: Engine,
    queued: Vec<(Connection, Attempt)>,
    running: Vec<(Connection, Attempt, u32)>,
}

impl Driver {
    fn new() -> Self {
        let now = Timestamp::ZERO;
        let mut settings = Settings::new(app(), SERVER, Capacity { cores: 2, speed: 1_000_000 });
        // Small enough for a script to reach.
        (settings.calls, settings.session_calls, settings.sessions, settings.strangers) = (8, 6, 2, 2);
        let door = |token: &str| (token == TOKEN).then_some(Grants::Everything);
        let mut engine = Engine::new(settings, door, methods());
        for connection in 0..3 {
            engine.connected(now, Connection(connection));
        }
        engine.handle_frame(now, Connection(0), &honest().to_server[0]);
        Self { now, engine, queued: Vec::new(), running: Vec::new() }
    }

    /// A worker does something.
    fn work(&mut self, script: &mut Script<'_>) {
        let choice = script.byte();
        if choice.is_multiple_of(4) && !self.queued.is_empty() {
            let (connection, attempt) = self.queued.swap_remove(script.below(self.queued.len()));
            if self.engine.start(self.now, connection, attempt).is_ok() {
                self.running.push((connection, attempt, 0));
            }
            return;
        }
        if self.running.is_empty() {
            return;
        }
        let which = script.below(self.running.len());
        let (connection, attempt, backs) = self.running[which];
        match choice % 4 {
            0 | 1 => {
                let frame = outboard_wire::frame::BackFrame { attempt, ..back(attempt.call.0, backs) };
                self.running[which].2 += 1;
                drop(self.engine.called_back(self.now, connection, frame));
            }
            2 => self.engine.resumed(self.now, connection, attempt),
            _ => {
                self.running.swap_remove(which);
                self.end(connection, attempt, script.byte());
            }
        }
    }

    fn end(&mut self, connection: Connection, attempt: Attempt, choice: u8) {
        if choice.is_multiple_of(2) {
            let frame = reply(attempt.call.0, choice.into());
            let (result, exclusive, cost) = (frame.result, frame.exclusive, frame.cost);
            let reply = Reply { attempt, result, exclusive, onces: 0, cost };
            self.engine.reply(self.now, connection, reply);
        } else {
            self.engine.fail(self.now, connection, attempt, Failure::Panicked("boom".into()));
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Transmit { bytes, .. } => {
                    decode_frame::<ToDevice>(&bytes, &Limits::default()).expect("an honest frame");
                }
                Output::Run { connection, call, .. } => self.queued.push((connection, call.attempt)),
                Output::Fence { connection, attempt } => {
                    self.queued.retain(|&queued| queued != (connection, attempt));
                }
                Output::Gone { connection, attempts } => {
                    self.queued.retain(|(of, attempt)| *of != connection || !attempts.contains(attempt));
                }
                _ => {}
            }
        }
        assert!(self.queued.len() <= 8, "more calls wait than the settings allow");
    }

    /// Everybody leaves: nothing may be left behind.
    fn finish(mut self) {
        for connection in 0..3 {
            self.engine.handle_lost(self.now, Connection(connection));
        }
        self.drain();
        for (connection, attempt, _) in std::mem::take(&mut self.running) {
            self.end(connection, attempt, 1);
        }
        for (connection, attempt) in std::mem::take(&mut self.queued) {
            self.engine.fail(self.now, connection, attempt, Failure::Forgotten);
        }
        self.now += Duration::from_secs(3600);
        self.engine.handle_timeout(self.now);
        self.drain();
        let status = self.engine.status();
        assert!(status.sessions.is_empty() && self.engine.load() == Load::default(), "{status:?}");
    }
}
