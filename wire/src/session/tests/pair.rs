//! Both ends of a session on one wire, in virtual time.

use std::time::Duration;

use outboard_core::{BodyHash, CallId, Epoch, InstanceId, MethodId, SchemaHash, SessionId, Timestamp};

use crate::frame::*;
use crate::session::{Lane, Lost, Output, Timing};
use crate::{Limits, device, server};

pub(super) const METHOD: MethodId = MethodId(1);
pub(super) const DEVICE_METHOD: MethodId = MethodId(2);

/// A device, a server, and what is on its way between them.
pub(super) struct Pair {
    pub(super) now: Timestamp,
    pub(super) device: device::Session,
    pub(super) server: server::Session,
    pub(super) device_events: Vec<device::Event>,
    pub(super) server_events: Vec<server::Event>,
    pub(super) device_closed: Option<Lost>,
    pub(super) server_closed: Option<Lost>,
    /// How often a timer of the device went off.
    pub(super) device_wakes: u32,
    pub(super) frames_to_server: u32,
    pub(super) largest_to_device: usize,
    to_server: Way,
    to_device: Way,
    random: Random,
    /// The server accepts the greeting by itself.
    pub(super) accepts: bool,
    black_hole: bool,
}

/// One direction of the wire.
#[derive(Default)]
struct Way {
    flying: Vec<(Timestamp, Lane, Vec<u8>)>,
    /// When the last frame of the ordered stream arrives.
    stream: Timestamp,
}

impl Pair {
    /// A fresh connection, where the device greets with this.
    pub(super) fn connecting(seed: u64, hello: Hello, limits: Limits) -> Self {
        Self::connecting_in(seed, hello, limits, Timing::default())
    }

    fn connecting_in(seed: u64, hello: Hello, limits: Limits, timing: Timing) -> Self {
        let now = Timestamp::ZERO;
        let mut pair = Self {
            now,
            device: device::Session::new(now, hello, timing),
            server: server::Session::new(now, limits, timing),
            device_events: Vec::new(),
            server_events: Vec::new(),
            device_closed: None,
            server_closed: None,
            device_wakes: 0,
            frames_to_server: 0,
            largest_to_device: 0,
            to_server: Way::default(),
            to_device: Way::default(),
            random: Random(seed),
            accepts: true,
            black_hole: false,
        };
        pair.collect();
        pair
    }

    /// An open session; the events of the greeting are gone.
    pub(super) fn attached(seed: u64) -> Self {
        Self::attached_with(seed, hello(), Limits::default())
    }

    pub(super) fn attached_with(seed: u64, hello: Hello, limits: Limits) -> Self {
        Self::attached_in(seed, hello, limits, Timing::default())
    }

    pub(super) fn attached_in(seed: u64, hello: Hello, limits: Limits, timing: Timing) -> Self {
        let mut pair = Self::connecting_in(seed, hello, limits, timing);
        pair.settle();
        assert!(pair.device.is_open() && pair.server.is_open(), "{:?}", pair.device_events);
        pair.device_events.clear();
        pair.server_events.clear();
        pair
    }

    /// Sends a call; it is on its way.
    pub(super) fn call(&mut self, attempt: Attempt) {
        self.call_of(attempt, 100);
    }

    /// Sends a call with so many bytes of state.
    pub(super) fn call_of(&mut self, attempt: Attempt, bytes: usize) {
        self.device.call(self.now, call(attempt, bytes)).expect("the call is sent");
        self.collect();
    }

    pub(super) fn fence(&mut self, attempt: Attempt) {
        assert!(self.device.fence(self.now, attempt), "{attempt} is under way");
        self.collect();
    }

    pub(super) fn start(&mut self, attempt: Attempt) -> Result<(), NotRun> {
        let result = self.server.start(self.now, attempt);
        self.collect();
        result
    }

    pub(super) fn reply(&mut self, attempt: Attempt) -> bool {
        let went_out = self.server.reply(self.now, reply(attempt));
        self.collect();
        went_out
    }

    pub(super) fn back(&mut self, attempt: Attempt, sequence: u32) -> Result<(), server::NotCalledBack> {
        let back = BackFrame { attempt, sequence, method: DEVICE_METHOD, slots: vec![], onces: None };
        let result = self.server.back(self.now, back);
        self.collect();
        result
    }

    pub(super) fn answer(&mut self, attempt: Attempt, sequence: u32) -> Result<(), device::NotAnswered> {
        let result = self.device.answer(self.now, answer(attempt, sequence));
        self.collect();
        result
    }

    pub(super) fn drain(&mut self) {
        self.server.drain(self.now);
        self.collect();
    }

    /// A frame that no honest device sends now.
    pub(super) fn forge_to_server(&mut self, frame: &ToServer) {
        let bytes = encode_frame(frame, &Limits::default()).expect("it fits");
        self.server.handle_frame(self.now, &bytes);
        self.collect();
    }

    /// A frame that no honest server sends now.
    pub(super) fn forge_to_device(&mut self, frame: &ToDevice) {
        let bytes = encode_frame(frame, &Limits::default()).expect("it fits");
        self.device.handle_frame(self.now, &bytes);
        self.collect();
    }

    /// Breaks the connection; both ends see it, and what is on its way is lost.
    pub(super) fn cut(&mut self) {
        self.to_server.flying.clear();
        self.to_device.flying.clear();
        self.device.handle_lost(self.now);
        self.server.handle_lost(self.now);
        self.collect();
    }

    /// From now on nothing arrives, and nobody says so.
    pub(super) fn black_hole(&mut self) {
        self.black_hole = true;
        self.to_server.flying.clear();
        self.to_device.flying.clear();
    }

    /// Delivers what is on its way, and what follows from it, without waiting for timers.
    pub(super) fn settle(&mut self) {
        self.collect();
        while let Some(arrival) = self.next_arrival() {
            self.now = self.now.max(arrival);
            self.deliver();
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Duration) {
        self.collect();
        let end = self.now + time;
        loop {
            let timers = [self.device.timeout(), self.server.timeout(), self.next_arrival()];
            let Some(next) = timers.into_iter().flatten().min().filter(|&next| next <= end) else { break };
            self.now = self.now.max(next);
            self.deliver();
            if self.device.timeout().is_some_and(|at| at <= self.now) {
                self.device_wakes += 1;
                self.device.handle_timeout(self.now);
            }
            if self.server.timeout().is_some_and(|at| at <= self.now) {
                self.server.handle_timeout(self.now);
            }
            self.collect();
        }
        self.now = end;
    }

    /// The events of the device since the last look, loads and round trips left out.
    pub(super) fn device_saw(&mut self) -> Vec<device::Event> {
        let mut events = std::mem::take(&mut self.device_events);
        events.retain(|event| !matches!(event, device::Event::Load(_) | device::Event::RoundTrip(_)));
        events
    }

    /// The events of the server since the last look.
    pub(super) fn server_saw(&mut self) -> Vec<server::Event> {
        std::mem::take(&mut self.server_events)
    }

    fn next_arrival(&self) -> Option<Timestamp> {
        self.to_server.flying.iter().chain(&self.to_device.flying).map(|frame| frame.0).min()
    }

    /// Delivers everything that has arrived by now.
    fn deliver(&mut self) {
        while let Some(bytes) = self.to_server.arrived(self.now) {
            self.server.handle_frame(self.now, &bytes);
            self.collect();
        }
        while let Some(bytes) = self.to_device.arrived(self.now) {
            self.device.handle_frame(self.now, &bytes);
            self.collect();
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.device.poll() {
            assert_eq!(self.device_closed, None, "nothing follows a close");
            match output {
                Output::Transmit { lane, bytes } => {
                    assert_eq!(lane, Lane::of(&bytes));
                    self.frames_to_server += 1;
                    if !self.black_hole {
                        self.to_server.send(self.now, lane, bytes, &mut self.random);
                    }
                }
                Output::Event(event) => self.device_events.push(event),
                Output::Close(reason) => self.device_closed = Some(reason),
            }
        }
        while let Some(output) = self.server.poll() {
            assert_eq!(self.server_closed, None, "nothing follows a close");
            match output {
                Output::Transmit { lane, bytes } => {
                    self.largest_to_device = self.largest_to_device.max(bytes.len());
                    if !self.black_hole {
                        self.to_device.send(self.now, lane, bytes, &mut self.random);
                    }
                }
                Output::Event(server::Event::Hello(hello)) if self.accepts => {
                    self.server.accept(self.now, welcome(hello.methods.len()));
                }
                Output::Event(event) => self.server_events.push(event),
                Output::Close(reason) => self.server_closed = Some(reason),
            }
        }
    }
}

impl Way {
    fn send(&mut self, now: Timestamp, lane: Lane, bytes: Vec<u8>, random: &mut Random) {
        let mut arrival = now + Duration::from_millis(5 + random.below(40));
        match lane {
            Lane::Small => {
                arrival = arrival.max(self.stream);
                self.stream = arrival;
            }
            Lane::Bulk => arrival += Duration::from_millis(random.below(400)),
        }
        self.flying.push((arrival, lane, bytes));
    }

    /// The first of the frames that are here; those of one stream in their order.
    fn arrived(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        let first = (0..self.flying.len()).min_by_key(|&index| (self.flying[index].0, index))?;
        (self.flying[first].0 <= now).then(|| self.flying.remove(first).2)
    }
}

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

pub(super) fn attempt(call: u64, epoch: u32) -> Attempt {
    Attempt { call: CallId(call), epoch: Epoch(epoch) }
}

pub(super) fn hello() -> Hello {
    let method = |id| MethodEntry { id, body: BodyHash(1), schema: SchemaHash(1), compatible: false };
    Hello {
        protocol: PROTOCOL,
        app: AppIdentity { name: "app".into(), version: "1.0.0".into(), build: String::new() },
        token: "secret".into(),
        device: InstanceId(7),
        // What a session with the default timing asks for.
        limits: Limits { silence: Timing::default().heartbeat * 3, ..Limits::default() },
        methods: vec![method(METHOD), method(DEVICE_METHOD)],
    }
}

pub(super) fn welcome(methods: usize) -> Welcome {
    Welcome {
        protocol: 0,
        session: SessionId(1),
        server: InstanceId(9),
        limits: Limits::default(),
        methods: vec![MethodStatus::Accepted; methods],
        capacity: Capacity::default(),
        load: Load::default(),
    }
}

pub(super) fn call(attempt: Attempt, bytes: usize) -> CallFrame {
    let slots = vec![SlotImage::Whole(Image::from(vec![1; bytes]))];
    CallFrame::new(attempt, METHOD, slots)
}

pub(super) fn reply(attempt: Attempt) -> ReplyFrame {
    let (cost, load) = (ServerCost::default(), Load::default());
    ReplyFrame { attempt, result: vec![2; 8].into(), exclusive: vec![], onces: 0, cost, load }
}

pub(super) fn answer(attempt: Attempt, sequence: u32) -> AnswerFrame {
    let image = AnswerImage { result: Image::from(vec![3; 8]), exclusive: vec![] };
    AnswerFrame { attempt, sequence, outcome: Ok(image), onces: 0 }
}

pub(super) fn failed(attempt: Attempt, failure: Failure) -> FailedFrame {
    FailedFrame { attempt, failure, load: Load::default() }
}
