//! A device, its server out of its mind.

use std::collections::BTreeSet;

use outboard_client_proxy::{
    AbandonReason, AttemptEvent, Decision, Engine, MethodInfo, Offer, Output, Policy, Request,
    ServerSettings, Settings,
};
use outboard_core::{ByteCount, InstanceId, MethodIndex, ServerIndex, Timestamp};
use outboard_wire::device::{Event, Session};
use outboard_wire::frame::{Attempt, ToServer, decode_frame};
use outboard_wire::{Limits, Timing};

use super::conversation::{METHODS, TOKEN, answer, app, attempt, call, hello, honest, methods};
use super::script::Script;

/// The session machine of the device.
pub fn device_session(data: &[u8]) {
    let mut script = Script::new(data);
    let mut now = Timestamp::ZERO;
    let mut session = Session::new(now, hello(7), Timing::default());
    let mut seen = Seen::default();
    let mut sent = 0;
    seen.drain(&mut session);
    if !script.byte().is_multiple_of(8) {
        session.handle_frame(now, &honest().to_device[0]);
    }
    while !script.is_over() && !seen.closed {
        match script.byte() % 8 {
            0..=3 => session.handle_frame(now, &script.frame(&honest().to_device)),
            4 => {
                // Numbers as in the conversation, so that its frames speak of something.
                let number = 1 + sent % 8;
                if session.call(now, call(number, script.byte().into())).is_ok() {
                    seen.under_way.insert(attempt(number));
                    sent += 1;
                }
            }
            5 => {
                let number = attempt(1 + u64::from(script.byte() % 8));
                if session.fence(now, number) {
                    seen.under_way.remove(&number);
                }
            }
            6 => drop(session.answer(now, answer(1 + u64::from(script.byte() % 8), script.byte().into()))),
            _ => {
                now = script.later(now);
                session.handle_timeout(now);
                session.probe(now, ByteCount::from_bytes(30), ByteCount::from_bytes(20));
                assert!(session.timeout().is_none_or(|due| due > now), "the timer never rests");
            }
        }
        seen.drain(&mut session);
    }
    session.handle_lost(now);
    seen.drain(&mut session);
    assert!(seen.under_way.is_empty(), "nobody told how {:?} ended", seen.under_way);
}

/// What a session did so far.
#[derive(Default)]
struct Seen {
    under_way: BTreeSet<Attempt>,
    closed: bool,
}

impl Seen {
    fn drain(&mut self, session: &mut Session) {
        while let Some(output) = session.poll() {
            assert!(!self.closed, "nothing follows a close");
            match output {
                outboard_wire::Output::Transmit { bytes, .. } => {
                    decode_frame::<ToServer>(&bytes, &Limits::default()).expect("an honest frame");
                }
                outboard_wire::Output::Event(event) => self.happened(event),
                outboard_wire::Output::Close(_) => self.closed = true,
            }
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Replied(reply) => self.ended(reply.attempt),
            Event::Failed(failed) => self.ended(failed.attempt),
            Event::Back(back) => assert!(self.under_way.contains(&back.attempt), "a call-back of nobody"),
            Event::Lost { unknown, .. } => unknown.into_iter().for_each(|attempt| {
                self.under_way.remove(&attempt);
            }),
            _ => {}
        }
    }

    fn ended(&mut self, attempt: Attempt) {
        assert!(self.under_way.remove(&attempt), "{attempt} ended and was not under way");
    }
}

/// The engine of the device.
pub fn device_engine(data: &[u8]) {
    let mut script = Script::new(data);
    let mut driver = Driver::new(&mut script);
    while !script.is_over() {
        match script.byte() % 10 {
            0..=3 => {
                let frame = script.frame(&honest().to_device);
                driver.engine.handle_frame(driver.now, SERVER, &frame);
            }
            4 | 5 => driver.call(&mut script),
            6 => driver.settle(&mut script),
            7 => {
                let (number, sequence) = (1 + u64::from(script.byte() % 8), script.byte().into());
                drop(driver.engine.answer(driver.now, answer(number, sequence)));
            }
            8 if script.byte().is_multiple_of(4) => driver.engine.link_lost(driver.now, SERVER),
            _ => {
                driver.now = script.later(driver.now);
                driver.engine.handle_timeout(driver.now);
            }
        }
        driver.drain();
    }
    driver.engine.shutdown(driver.now);
    driver.drain();
    assert!(driver.under_way.is_empty(), "nobody told how {:?} ended", driver.under_way);
    assert!(driver.engine.timeout().is_none_or(|due| due < Timestamp::from_nanos(u64::MAX)));
}

const SERVER: ServerIndex = ServerIndex(0);

/// The threads around an engine.
struct Driver {
    now: Timestamp,
    engine: Engine,
    indices: Vec<MethodIndex>,
    /// Attempts whose end has not been told.
    under_way: BTreeSet<Attempt>,
    /// Attempts that replied, for the driver to commit or to abandon.
    replied: Vec<Attempt>,
}

impl Driver {
    fn new(script: &mut Script<'_>) -> Self {
        let now = Timestamp::ZERO;
        let mut settings = Settings::new(app(), InstanceId(7));
        settings.servers = vec![ServerSettings { name: "server".into(), token: TOKEN.into() }];
        // Calls leave whatever they cost, unless the script wants the whole engine.
        settings.policy = if script.byte().is_multiple_of(4) { Policy::Plan } else { Policy::Server };
        let mut engine = Engine::new(settings, now);
        let info = |(id, once)| MethodInfo {
            once,
            body: methods()[0].body,
            schema: methods()[0].schema,
            ..MethodInfo::remoteable(id, format!("method {id}"))
        };
        let onces = [script.byte().is_multiple_of(2), false, false];
        let indices =
            METHODS.into_iter().zip(onces).map(|method| engine.register(now, info(method))).collect();
        let mut driver = Self { now, engine, indices, under_way: BTreeSet::new(), replied: Vec::new() };
        driver.drain();
        driver.engine.handle_frame(now, SERVER, &honest().to_device[0]);
        driver.drain();
        driver
    }

    fn call(&mut self, script: &mut Script<'_>) {
        let Some(&method) = script.one_of(&self.indices) else { return };
        let Decision::Remote(mut offer) = self.engine.decide(self.now, &Request::new(method)) else { return };
        if let Some(attempt) = self.depart(&mut offer, script.byte()) {
            self.under_way.insert(attempt);
        }
    }

    fn depart(&mut self, offer: &mut Offer, bytes: u8) -> Option<Attempt> {
        let slots = call(1, bytes.into()).slots;
        let size = slots.iter().map(outboard_wire::frame::SlotImage::size).sum();
        self.engine.confirm(self.now, offer, size).ok()?;
        self.engine.attempt(self.now, offer, slots).ok()
    }

    /// Commits a reply, or gives something up.
    fn settle(&mut self, script: &mut Script<'_>) {
        let choice = script.byte();
        match self.replied.pop() {
            Some(attempt) if !choice.is_multiple_of(4) => self.engine.committed(self.now, attempt),
            Some(attempt) => {
                self.engine.abandon(self.now, attempt, AbandonReason::Undecodable("garbage".into()));
            }
            None => {
                let Some(attempt) = self.under_way.pop_first() else { return };
                let reason =
                    if choice.is_multiple_of(2) { AbandonReason::Late } else { AbandonReason::Cancelled };
                self.engine.abandon(self.now, attempt, reason);
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Connect { server } => self.engine.link_up(self.now, server, None),
                Output::Transmit { bytes, .. } => {
                    decode_frame::<ToServer>(&bytes, &Limits::default()).expect("an honest frame");
                }
                Output::Deliver { attempt, event } => self.deliver(attempt, &event),
                _ => {}
            }
        }
    }

    fn deliver(&mut self, attempt: Attempt, event: &AttemptEvent) {
        assert!(self.under_way.contains(&attempt), "{attempt} is told {event:?} and was not under way");
        if event.is_last() {
            self.under_way.remove(&attempt);
        }
        if matches!(event, AttemptEvent::Replied(_)) {
            self.replied.push(attempt);
        }
    }
}
