//! Both engines that ship over the transport that ships: what the runtime does with threads, one task does here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outboard_client_proxy::{
    AttemptEvent, Decision, Engine, MethodInfo, Notice, Offer, Output, Policy, Request, ServerSettings,
    Settings,
};
use outboard_core::{ByteCount, InstanceId, MethodId, MethodIndex, ServerIndex, Timestamp};
use outboard_server_proxy::{
    Connection, Engine as Server, Grants, Output as ServerOutput, Reply, Settings as ServerEngineSettings,
};
use outboard_transport::{CloseReason, Connector, Link, LinkSender};
use outboard_wire::frame::{AppIdentity, Attempt, Capacity, Image, MethodEntry, ServerCost, SlotImage};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::scene::World;

const SERVER: ServerIndex = ServerIndex(0);

/// A device with one method, its server, and whoever waits for what.
pub(crate) struct Engines {
    pub(crate) world: World,
    connector: Arc<Connector>,
    device: Engine,
    server: Server,
    method: MethodIndex,
    /// The device's link, and its number.
    link: Option<(u64, LinkSender)>,
    links: BTreeMap<Connection, LinkSender>,
    numbers: u64,
    happenings: UnboundedReceiver<Happening>,
    happens: UnboundedSender<Happening>,
    /// What the engine told the user, and when.
    pub(crate) notices: Vec<(Timestamp, Notice)>,
    delivered: Vec<AttemptEvent>,
    work: Work,
}

/// What the method takes on the server, and how large its result is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) runs: Duration,
    pub(crate) result: usize,
}

enum Happening {
    Connected(Result<Box<Link>, String>),
    Down(u64, Vec<u8>),
    DeviceLost(u64),
    Up(Connection, Vec<u8>),
    ServerLost(Connection),
    Ran(Connection, Attempt),
}

impl Engines {
    /// The device connects at once.
    pub(crate) fn new(world: World) -> Self {
        let app = AppIdentity { name: "story".into(), version: "1".into(), build: String::new() };
        let info = MethodInfo::remoteable(MethodId::named("method"), "method");
        let entry =
            MethodEntry { id: info.id, body: info.body, schema: info.schema, compatible: info.compatible };
        let now = world.now();
        let mut settings = Settings::new(app.clone(), InstanceId(1));
        settings.policy = Policy::Server;
        settings.servers = vec![ServerSettings { name: "server".into(), token: "token".into() }];
        let mut device = Engine::new(settings, now);
        let method = device.register(now, info);
        let settings = ServerEngineSettings::new(app, InstanceId(2), Capacity { cores: 1, speed: 0 });
        let door = |token: &str| (token == "token").then_some(Grants::Everything);
        let (happens, happenings) = mpsc::unbounded_channel();
        Self {
            connector: Arc::clone(&world.connector),
            world,
            device,
            server: Server::new(settings, door, [entry]),
            method,
            link: None,
            links: BTreeMap::new(),
            numbers: 0,
            happenings,
            happens,
            notices: Vec::new(),
            delivered: Vec::new(),
            work: Work { runs: Duration::ZERO, result: 0 },
        }
    }

    /// Waits for something that the engine tells the user, from now on, and says when that was.
    pub(crate) async fn told(&mut self, what: impl Fn(&Notice) -> bool) -> Timestamp {
        let known = self.notices.len();
        loop {
            self.drain();
            if let Some((at, _)) = self.notices[known..].iter().find(|(_, notice)| what(notice)) {
                return *at;
            }
            self.step(Timestamp::FAR_FUTURE).await;
        }
    }

    /// Lets everything happen until then.
    pub(crate) async fn until(&mut self, at: Timestamp) {
        while self.world.now() < at {
            self.step(at).await;
        }
    }

    /// A call with an argument of that size, and what became of it.
    pub(crate) async fn call(&mut self, argument: usize, work: Work) -> (AttemptEvent, Duration) {
        self.work = work;
        let start = self.world.now();
        let offer = self.offer(argument);
        let slots = vec![image(argument)];
        self.device.attempt(start, &offer, slots).expect("the offer was confirmed");
        loop {
            self.drain();
            if let Some(event) = self.delivered.pop() {
                if let AttemptEvent::Replied(reply) = &event {
                    self.device.committed(self.world.now(), reply.attempt);
                }
                return (event, self.world.now() - start);
            }
            self.step(Timestamp::FAR_FUTURE).await;
        }
    }

    fn offer(&mut self, argument: usize) -> Offer {
        let now = self.world.now();
        let decision = self.device.decide(now, &Request::new(self.method));
        let Decision::Remote(mut offer) = decision else { panic!("it stays here: {decision:?}") };
        let size = ByteCount::from_bytes(argument as u64);
        self.device.confirm(now, &mut offer, size).expect("everything goes to the server");
        offer
    }

    /// The next thing happens, or it is that time.
    async fn step(&mut self, until: Timestamp) {
        self.drain();
        let due = self.device.timeout().into_iter().chain(self.server.timeout()).min();
        let due = due.unwrap_or(Timestamp::FAR_FUTURE).min(until);
        let network = self.world.network.clone();
        tokio::select! {
            biased;
            Some(happening) = self.happenings.recv() => self.happen(happening),
            Some(link) = self.world.listener.accept() => self.accept(link),
            () = network.until(due) => {
                let now = self.world.now();
                self.device.handle_timeout(now);
                self.server.handle_timeout(now);
            }
        }
        self.drain();
    }

    fn happen(&mut self, happening: Happening) {
        let now = self.world.now();
        match happening {
            Happening::Connected(Err(why)) => self.device.link_failed(now, SERVER, why),
            Happening::Connected(Ok(link)) => {
                self.numbers += 1;
                let number = self.numbers;
                self.link = Some((number, link.sender()));
                self.device.link_up(now, SERVER, Some(link.rtt()));
                let frame = move |bytes| Happening::Down(number, bytes);
                self.listen(*link, frame, Happening::DeviceLost(number));
            }
            Happening::Down(number, bytes) if self.is_current(number) => {
                self.device.handle_frame(now, SERVER, &bytes);
            }
            Happening::DeviceLost(number) if self.is_current(number) => {
                self.link = None;
                self.device.link_lost(now, SERVER);
            }
            Happening::Down(..) | Happening::DeviceLost(_) => {}
            Happening::Up(connection, bytes) => self.server.handle_frame(now, connection, &bytes),
            Happening::ServerLost(connection) => {
                self.links.remove(&connection);
                self.server.handle_lost(now, connection);
            }
            Happening::Ran(connection, attempt) => {
                let result = image(self.work.result);
                let cost = ServerCost { ran: self.work.runs, ..ServerCost::default() };
                let reply = Reply { attempt, result, exclusive: Vec::new(), onces: 0, cost };
                self.server.reply(now, connection, reply);
            }
        }
    }

    fn accept(&mut self, link: Link) {
        self.numbers += 1;
        let connection = Connection(self.numbers);
        self.links.insert(connection, link.sender());
        self.server.connected(self.world.now(), connection);
        let frame = move |bytes| Happening::Up(connection, bytes);
        self.listen(link, frame, Happening::ServerLost(connection));
    }

    fn is_current(&self, number: u64) -> bool {
        self.link.as_ref().is_some_and(|(current, _)| *current == number)
    }

    /// Tells what comes on a link, and its end.
    fn listen(&self, mut link: Link, frame: impl Fn(Vec<u8>) -> Happening + Send + 'static, end: Happening) {
        let happens = self.happens.clone();
        tokio::spawn(async move {
            while let Ok(bytes) = link.recv().await {
                let _ = happens.send(frame(bytes));
            }
            let _ = happens.send(end);
        });
    }

    /// Carries out what both engines want done.
    fn drain(&mut self) {
        while let Some(output) = self.device.poll() {
            match output {
                Output::Connect { .. } => self.connect(),
                Output::Transmit { lane, bytes, .. } => {
                    if let Some((_, link)) = &self.link {
                        // A link that has ended says so to whoever listens on it.
                        let _ = link.send(lane, bytes);
                    }
                }
                Output::Disconnect { reason, .. } => {
                    if let Some((_, link)) = self.link.take() {
                        link.close(CloseReason::Done, &reason.to_string());
                    }
                }
                Output::Deliver { event, .. } => self.delivered.push(event),
                Output::Notice(notice) => self.notices.push((self.world.now(), notice)),
                // Nobody plans: everything goes to the server.
                _ => {}
            }
        }
        while let Some(output) = self.server.poll() {
            match output {
                ServerOutput::Transmit { connection, lane, bytes } => {
                    if let Some(link) = self.links.get(&connection) {
                        let _ = link.send(lane, bytes);
                    }
                }
                ServerOutput::Run { connection, call, .. } => self.run(connection, call.attempt),
                ServerOutput::Close { connection, reason } => {
                    if let Some(link) = self.links.remove(&connection) {
                        link.close(CloseReason::Done, &reason.to_string());
                    }
                }
                _ => {}
            }
        }
    }

    fn connect(&mut self) {
        let greeting = self.device.greeting(self.world.now(), SERVER);
        let (connector, address) = (Arc::clone(&self.connector), self.world.address.clone());
        let happens = self.happens.clone();
        tokio::spawn(async move {
            let connected = match greeting {
                Some(greeting) => connector.connect_and_greet(&address, greeting).await,
                None => connector.connect(&address).await,
            };
            let _ = happens
                .send(Happening::Connected(connected.map(Box::new).map_err(|error| error.to_string())));
        });
    }

    fn run(&mut self, connection: Connection, attempt: Attempt) {
        let now = self.world.now();
        if self.server.start(now, connection, attempt).is_err() {
            return;
        }
        let (happens, network, done) =
            (self.happens.clone(), self.world.network.clone(), now + self.work.runs);
        tokio::spawn(async move {
            network.until(done).await;
            let _ = happens.send(Happening::Ran(connection, attempt));
        });
    }
}

/// A slot of that many zeros.
pub(crate) fn image(size: usize) -> SlotImage {
    SlotImage::Whole(Image(Bytes::from(vec![0; size])))
}
