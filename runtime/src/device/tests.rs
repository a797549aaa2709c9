use std::net::Ipv4Addr;
use std::time::Duration;

use outboard_client_proxy::Settings;
use outboard_transport::{Connector, Identity, Link, Listener, TransportConfig};
use outboard_wire::frame::AppIdentity;

use tokio::sync::{Notify, mpsc};

use super::*;
use crate::mailbox::Mail;
use crate::outside::System;
use crate::registry::Tenant;

const SERVER: ServerIndex = ServerIndex(0);

/// A device that nobody drives, and links to a peer that says nothing.
struct World {
    device: Arc<Device>,
    listener: Listener,
    connector: Connector,
    address: ServerAddress,
    commands: mpsc::UnboundedReceiver<Command>,
    _work: std::sync::mpsc::Receiver<Work>,
}

impl World {
    fn new() -> Self {
        let identity = Identity::generate().unwrap();
        let loopback = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = Listener::bind(loopback, &identity, TransportConfig::default()).unwrap();
        let bound = listener.local_address().unwrap();
        let address = identity.address(bound.ip(), bound.port());
        let connector = Connector::new(TransportConfig::default()).unwrap();
        let clock = Clock::start();
        let mut settings = Settings::new(AppIdentity::default(), crate::identity::instance());
        settings.servers = vec![server_settings(&address)];
        let (command, commands) = mpsc::unbounded_channel();
        let (work, _work) = std::sync::mpsc::channel();
        let outside = Outside::System(System {
            handle: tokio::runtime::Handle::current(),
            rearm: Notify::new(),
            sessions: Notify::new(),
            commands: command,
            work,
            addresses: Mutex::new(vec![address.clone()]),
        });
        let engine = Engine::new(settings, clock.now());
        let tenancy = Tenancy::new(Tenant::Other).unwrap();
        let bounds = (Limits::default(), ByteCount::from_bytes(1 << 20));
        let device = Device::new(engine, 1, clock, tenancy, bounds, outside, Hedges::new(1));
        Self { device, listener, connector, address, commands, _work }
    }

    /// Does as the driver does when it is told to connect. Both ends of the link live as long as they are held.
    async fn connect(&mut self) -> (LinkNumber, [Link; 2]) {
        let command = self.commands.recv().await;
        assert!(matches!(command, Some(Command::Connect(SERVER, _))), "{command:?}");
        let (ours, theirs) = tokio::join!(self.connector.connect(&self.address), self.listener.accept());
        let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
        (self.device.link_up(SERVER, Way::Quic(ours.sender()), Duration::ZERO), [ours, theirs])
    }

    fn has_link(&self) -> bool {
        self.device.lock().links[0].is_some()
    }
}

#[tokio::test]
async fn what_comes_late_of_one_link_does_not_end_the_next() {
    let mut world = World::new();
    let (first, _links) = world.connect().await;
    world.device.with(|engine, now| engine.link_lost(now, SERVER));
    assert!(!world.has_link(), "the session ended, and its link with it");
    world.device.with(|engine, now| engine.handle_timeout(now + Duration::from_secs(60)));
    let (second, _links) = world.connect().await;
    world.device.received(SERVER, first, b"not a frame");
    world.device.link_lost(SERVER, first);
    assert!(world.has_link());
    world.device.link_lost(SERVER, second);
    assert!(!world.has_link());
}

#[tokio::test]
async fn what_the_device_serves_counts_for_no_bound() {
    static METHOD: Method = Method::new(crate::method::Descriptor {
        app: crate::identity::App { name: "app", version: "1", build: "" },
        path: "calls_back",
        name: None,
        signature: "fn()",
        body: 0,
        kind: crate::method::Kind::Remoteable,
        once: false,
        remote_only: false,
        fallback: false,
        compatible: false,
        deadline: None,
        hedge: None,
        asynchronous: true,
        slots: &[],
        schema: |_| (),
        shim: |_| Ok(()),
    });
    let world = World::new();
    let attempt = Attempt { call: outboard_core::CallId(1), epoch: outboard_core::Epoch::FIRST };
    let passed = Instant::now();
    let mut flight = InFlight::new(Arc::clone(&world.device), &METHOD, attempt, Arc::default(), Some(passed));
    flight.arm();
    assert!(matches!(flight.next().await, Mail::BoundPassed));
    assert!(!flight.put_off(), "it has passed");
    let hour = Duration::from_secs(3600);
    flight.served(hour);
    assert_eq!(flight.bound(), Some(passed + hour));
    assert!(flight.put_off(), "an alarm that was set before says nothing");
}
