//! A server, its workers and its devices, moved by hand.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use outboard_core::{BodyHash, CallId, Epoch, InstanceId, MethodId, SchemaHash, Timestamp};
use outboard_server_proxy::{Connection, Engine, Grants, Output, Reply, Settings};
use outboard_wire::device::{Event, Session};
use outboard_wire::frame::{
    AnswerFrame, AnswerImage, AppIdentity, Attempt, BackFrame, CallFrame, Capacity, Failure, Hello, Image,
    Load, MethodEntry, MethodStatus, NotRun, PROTOCOL, Refusal, ServerCost, Welcome,
};
use outboard_wire::server::NotCalledBack;
use outboard_wire::{Limits, Lost, Timing, device};

pub(crate) const DETECT: MethodId = MethodId(1);
pub(crate) const MATCH: MethodId = MethodId(2);
pub(crate) const PROGRESS: MethodId = MethodId(3);
pub(crate) const LATE: MethodId = MethodId(4);

/// The token that opens everything, and the one for [`DETECT`] alone.
pub(crate) const TOKEN: &str = "everything";
pub(crate) const DETECT_TOKEN: &str = "detect only";

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) engine: Engine,
    devices: BTreeMap<Connection, Device>,
    connections: u64,
    /// What workers were given and have not taken.
    pub(crate) queue: Vec<(Connection, CallFrame, Timestamp)>,
    pub(crate) fenced: Vec<(Connection, Attempt)>,
    pub(crate) answers: Vec<(Connection, AnswerFrame)>,
    pub(crate) gone: Vec<(Connection, Vec<Attempt>)>,
    pub(crate) closed: Vec<(Connection, Lost)>,
    pub(crate) drained: bool,
}

struct Device {
    session: Session,
    /// Frames on their way to the server.
    up: VecDeque<Vec<u8>>,
    /// Frames on their way to the device.
    down: VecDeque<Vec<u8>>,
    heard: Vec<Event>,
    /// How many of these a story has asked for.
    told: usize,
    /// Whether its machine has closed the connection.
    left: bool,
}

/// How an attempt ended for its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Replied(u64),
    Failed(u64, Failure),
    Unknown(u64),
}

pub(crate) fn not_run(call: u64, why: NotRun) -> End {
    End::Failed(call, Failure::NotRun(why))
}

pub(crate) fn attempt(call: u64) -> Attempt {
    Attempt { call: CallId(call), epoch: Epoch::FIRST }
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn method(id: MethodId) -> MethodEntry {
    MethodEntry { id, body: BodyHash(id.0), schema: SchemaHash(id.0), compatible: false }
}

pub(crate) fn app() -> AppIdentity {
    AppIdentity { name: "faces".into(), version: "1.2.3".into(), build: "abc".into() }
}

pub(crate) fn hello() -> Hello {
    Hello {
        protocol: PROTOCOL,
        app: app(),
        token: TOKEN.into(),
        device: InstanceId(100),
        limits: Limits::default(),
        methods: [DETECT, MATCH, PROGRESS].map(method).into(),
    }
}

pub(crate) fn call(call: u64) -> CallFrame {
    CallFrame::new(attempt(call), DETECT, vec![vec![7; 100].into()])
}

pub(crate) fn within(outer: u64, inner: u64) -> CallFrame {
    CallFrame { within: Some(attempt(outer)), ..call(inner) }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let capacity = Capacity { cores: 4, speed: 1_000 };
        let mut settings = Settings::new(app(), InstanceId(1), capacity);
        adjust(&mut settings);
        let door = |token: &str| match token {
            TOKEN => Some(Grants::Everything),
            DETECT_TOKEN => Some(Grants::Methods([DETECT].into())),
            _ => None,
        };
        Self {
            now: Timestamp::ZERO,
            engine: Engine::new(settings, door, [DETECT, MATCH, PROGRESS].map(method)),
            devices: BTreeMap::new(),
            connections: 0,
            queue: vec![],
            fenced: vec![],
            answers: vec![],
            gone: vec![],
            closed: vec![],
            drained: false,
        }
    }

    /// A device connects; its greeting is on its way.
    pub(crate) fn connect(&mut self, hello: Hello) -> Connection {
        self.connect_with(hello, Timing::default())
    }

    fn connect_with(&mut self, hello: Hello, timing: Timing) -> Connection {
        self.connections += 1;
        let connection = Connection(self.connections);
        let session = Session::new(self.now, hello, timing);
        let (up, down) = (VecDeque::new(), VecDeque::new());
        self.devices.insert(connection, Device { session, up, down, heard: vec![], told: 0, left: false });
        self.engine.connected(self.now, connection);
        self.collect();
        connection
    }

    /// A peer connects that says nothing by itself.
    pub(crate) fn connect_silent(&mut self) -> Connection {
        let connection = self.connect(hello());
        self.device(connection).up.clear();
        connection
    }

    /// A device connects and attaches.
    pub(crate) fn attach(&mut self) -> Connection {
        self.attach_as(hello())
    }

    pub(crate) fn attach_as(&mut self, hello: Hello) -> Connection {
        let connection = self.connect(hello);
        self.exchange();
        self.welcome(connection);
        connection
    }

    /// A device attaches whose idle session is silent for that long.
    pub(crate) fn attach_quiet(&mut self, hello: Hello, heartbeat: Duration) -> Connection {
        let mut timing = Timing::default();
        timing.heartbeat = heartbeat;
        let connection = self.connect_with(hello, timing);
        self.exchange();
        self.welcome(connection);
        connection
    }

    /// What the device was told when it attached.
    pub(crate) fn welcome(&self, connection: Connection) -> Welcome {
        let heard = &self.devices[&connection].heard;
        let welcome = heard.iter().find_map(|event| match event {
            Event::Attached(welcome) => Some(welcome.clone()),
            _ => None,
        });
        welcome.unwrap_or_else(|| panic!("the device did not attach: {heard:?}"))
    }

    pub(crate) fn statuses(&self, connection: Connection) -> Vec<MethodStatus> {
        self.welcome(connection).methods
    }

    pub(crate) fn refusal(&self, connection: Connection) -> Option<Refusal> {
        self.devices[&connection].heard.iter().find_map(|event| match event {
            Event::Refused(refusal) => Some(refusal.clone()),
            _ => None,
        })
    }

    pub(crate) fn is_attached(&self, connection: Connection) -> bool {
        self.devices[&connection].session.is_open()
    }

    /// The device calls; the frame is on its way.
    pub(crate) fn call(&mut self, connection: Connection, frame: CallFrame) {
        let now = self.now;
        self.device(connection).session.call(now, frame).expect("the device may call");
        self.collect();
    }

    pub(crate) fn fence(&mut self, connection: Connection, call: u64) {
        let now = self.now;
        self.device(connection).session.fence(now, attempt(call));
        self.collect();
    }

    pub(crate) fn answer(&mut self, connection: Connection, call: u64, sequence: u32) {
        let image = AnswerImage { result: Image::from(vec![1]), exclusive: vec![] };
        let answer = AnswerFrame { attempt: attempt(call), sequence, outcome: Ok(image), onces: 0 };
        let now = self.now;
        self.device(connection).session.answer(now, answer).expect("the call-back is open");
        self.collect();
    }

    pub(crate) fn with_device<T>(
        &mut self,
        connection: Connection,
        act: impl FnOnce(&mut Session, Timestamp) -> T,
    ) -> T {
        let now = self.now;
        let result = act(&mut self.device(connection).session, now);
        self.collect();
        result
    }

    /// Bytes that no device would send.
    pub(crate) fn raw(&mut self, connection: Connection, bytes: &[u8]) {
        self.engine.handle_frame(self.now, connection, bytes);
        self.collect();
    }

    /// The connection breaks for both ends. What is on its way is lost.
    pub(crate) fn cut(&mut self, connection: Connection) {
        let now = self.now;
        let device = self.device(connection);
        device.up.clear();
        device.down.clear();
        device.session.handle_lost(now);
        self.engine.handle_lost(now, connection);
        self.collect();
    }

    /// A worker takes a call.
    pub(crate) fn start(&mut self, connection: Connection, call: u64) -> Result<(), NotRun> {
        self.queue.retain(|(from, frame, _)| (*from, frame.attempt) != (connection, attempt(call)));
        let started = self.engine.start(self.now, connection, attempt(call));
        self.collect();
        started
    }

    /// A worker's method returns.
    pub(crate) fn reply(&mut self, connection: Connection, call: u64) -> bool {
        let reply = Reply {
            attempt: attempt(call),
            result: vec![42].into(),
            exclusive: vec![],
            onces: 0,
            cost: ServerCost::default(),
        };
        let told = self.engine.reply(self.now, connection, reply);
        self.collect();
        told
    }

    pub(crate) fn fail(&mut self, connection: Connection, call: u64, failure: Failure) -> bool {
        let told = self.engine.fail(self.now, connection, attempt(call), failure);
        self.collect();
        told
    }

    pub(crate) fn back(
        &mut self,
        connection: Connection,
        call: u64,
        sequence: u32,
    ) -> Result<(), NotCalledBack> {
        let frame =
            BackFrame { attempt: attempt(call), sequence, method: PROGRESS, slots: vec![], onces: None };
        let made = self.engine.called_back(self.now, connection, frame);
        self.collect();
        made
    }

    pub(crate) fn resumed(&mut self, connection: Connection, call: u64) {
        self.engine.resumed(self.now, connection, attempt(call));
        self.collect();
    }

    pub(crate) fn drain(&mut self) {
        self.engine.drain(self.now);
        self.collect();
    }

    /// A call from the device to a worker that runs it.
    pub(crate) fn run(&mut self, connection: Connection, number: u64) {
        self.call(connection, call(number));
        self.exchange();
        assert_eq!(self.start(connection, number), Ok(()));
    }

    /// Delivers all frames, until nobody has any more to say.
    pub(crate) fn exchange(&mut self) {
        let connections: Vec<Connection> = self.devices.keys().copied().collect();
        while connections.iter().any(|&connection| self.has_mail(connection)) {
            for &connection in &connections {
                self.deliver_up(connection, 0);
                self.deliver_down(connection, 0);
            }
        }
    }

    /// Delivers the frame at this place on its way to the server, if there is one.
    pub(crate) fn deliver_up(&mut self, connection: Connection, place: usize) {
        if let Some(bytes) = self.device(connection).up.remove(place) {
            self.engine.handle_frame(self.now, connection, &bytes);
            self.collect();
        }
    }

    /// The same for one on its way to the device.
    pub(crate) fn deliver_down(&mut self, connection: Connection, place: usize) {
        let now = self.now;
        let device = self.device(connection);
        if let Some(bytes) = device.down.remove(place) {
            device.session.handle_frame(now, &bytes);
            self.collect();
        }
    }

    /// The frames on their way to the server.
    pub(crate) fn frames_going_up(&self, connection: Connection) -> Vec<Vec<u8>> {
        self.devices[&connection].up.iter().cloned().collect()
    }

    /// Lets time pass. All that is due on the way happens at its time; frames take none.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.exchange();
        while let Some(due) = self.next_timeout().filter(|&due| due <= end) {
            self.now = due.max(self.now);
            self.tick();
            self.exchange();
        }
        self.now = end;
    }

    /// Lets time pass for the server alone: the devices are frozen.
    pub(crate) fn pass_for_the_server(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.engine.timeout().filter(|&due| due <= end) {
            self.now = due.max(self.now);
            self.engine.handle_timeout(self.now);
            self.collect();
        }
        self.now = end;
    }

    /// All timeouts that are due now.
    pub(crate) fn tick(&mut self) {
        self.engine.handle_timeout(self.now);
        for device in self.devices.values_mut() {
            device.session.handle_timeout(self.now);
        }
        self.collect();
    }

    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        let devices = self.devices.values().filter_map(|device| device.session.timeout());
        devices.chain(self.engine.timeout()).min()
    }

    /// The ends that the device has heard of since it was last asked, in order.
    pub(crate) fn ends(&mut self, connection: Connection) -> Vec<End> {
        let mut ends = vec![];
        let device = self.device(connection);
        for event in &device.heard[device.told..] {
            match event {
                Event::Replied(reply) => ends.push(End::Replied(reply.attempt.call.0)),
                Event::Failed(failed) => {
                    ends.push(End::Failed(failed.attempt.call.0, failed.failure.clone()));
                }
                Event::Lost { unknown, .. } => {
                    ends.extend(unknown.iter().map(|attempt| End::Unknown(attempt.call.0)));
                }
                _ => {}
            }
        }
        device.told = device.heard.len();
        ends
    }

    /// What the device was last told of the server's load.
    pub(crate) fn told_load(&self, connection: Connection) -> Load {
        let loads = self.devices[&connection].heard.iter().rev().find_map(|event| match event {
            Event::Attached(welcome) => Some(welcome.load),
            Event::Replied(reply) => Some(reply.load),
            Event::Failed(failed) => Some(failed.load),
            Event::Load(load) => Some(*load),
            _ => None,
        });
        loads.expect("a device that is attached has been told a load")
    }

    /// Which calls wait for a worker, in order.
    pub(crate) fn queued(&self) -> Vec<u64> {
        self.queue.iter().map(|(_, frame, _)| frame.attempt.call.0).collect()
    }

    pub(crate) fn load(&self) -> (u32, u32) {
        let Load { running, queued } = self.engine.load();
        (running, queued)
    }

    fn has_mail(&self, connection: Connection) -> bool {
        let device = &self.devices[&connection];
        !device.up.is_empty() || !device.down.is_empty()
    }

    fn device(&mut self, connection: Connection) -> &mut Device {
        self.devices.get_mut(&connection).expect("a device of this world")
    }

    /// Takes what the machines want done.
    pub(crate) fn collect(&mut self) {
        loop {
            self.collect_from_devices();
            if let Some(output) = self.engine.poll() {
                let turned_away = matches!(output, Output::Close { reason: Lost::Drained, .. });
                assert!(!self.drained || turned_away, "nothing follows the end of the drain, but {output:?}");
                self.take(output);
                continue;
            }
            // A connection that a device closes breaks for the server once the device's frames have arrived.
            let Some((&connection, device)) =
                self.devices.iter_mut().find(|(_, it)| it.left && it.up.is_empty())
            else {
                return;
            };
            device.left = false;
            self.engine.handle_lost(self.now, connection);
        }
    }

    fn collect_from_devices(&mut self) {
        for device in self.devices.values_mut() {
            while let Some(output) = device.session.poll() {
                match output {
                    device::Output::Transmit { bytes, .. } => device.up.push_back(bytes),
                    device::Output::Event(event) => device.heard.push(event),
                    device::Output::Close(_) => device.left = true,
                }
            }
        }
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Transmit { connection, bytes, .. } => self.device(connection).down.push_back(bytes),
            Output::Run { connection, call, arrived } => self.queue.push((connection, call, arrived)),
            Output::Fence { connection, attempt } => {
                self.queue.retain(|(from, frame, _)| (*from, frame.attempt) != (connection, attempt));
                self.fenced.push((connection, attempt));
            }
            Output::Answer { connection, frame } => self.answers.push((connection, frame)),
            Output::Gone { connection, attempts } => {
                self.queue.retain(|(from, ..)| *from != connection);
                self.gone.push((connection, attempts));
            }
            Output::Close { connection, reason } => {
                let now = self.now;
                let device = self.device(connection);
                // The driver flushes what was transmitted before it closes.
                while let Some(bytes) = device.down.pop_front() {
                    device.session.handle_frame(now, &bytes);
                }
                device.up.clear();
                device.session.handle_lost(now);
                self.closed.push((connection, reason));
            }
            Output::Drained => self.drained = true,
            other => panic!("an output that no story knows: {other:?}"),
        }
    }
}
