//! The language of the stories: a device, a server and the link between them, in virtual time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Timestamp};
use outboard_sim::{Link as SimLink, Loss};
use outboard_transport::{Connector, Identity, Link, Listener, ServerAddress, TransportConfig, Underlay};
use outboard_wire::Lane;
use quinn::TokioRuntime;
use tokio::time::Instant;

use crate::network::Network;

/// One for all: another one has a certificate that may be a byte longer.
static IDENTITY: LazyLock<Identity> =
    LazyLock::new(|| Identity::generate().expect("the system has randomness"));

const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const PORT: u16 = 4433;

/// What lies between the two.
#[derive(Clone, Debug)]
pub(crate) struct Between {
    pub(crate) link: SimLink,
    /// What may wait in front of the link, each way.
    pub(crate) queue: ByteCount,
    pub(crate) seed: u64,
}

/// A device and a server that have not met yet.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) connector: Arc<Connector>,
    pub(crate) listener: Listener,
    pub(crate) address: ServerAddress,
    seed: u64,
}

/// Both ends of a link.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) device: Link,
    pub(crate) server: Link,
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn mbit(megabits: u64) -> Bandwidth {
    Bandwidth::from_megabits_per_second(megabits)
}

/// A link that never changes, with a queue of two round trips or 64 kB, whichever is more.
pub(crate) fn steady(rate: Bandwidth, round_trip: Duration, loss: Loss, seed: u64) -> Between {
    let link = SimLink::constant_with_loss(round_trip, rate, rate, loss, seed);
    let product = u128::from(rate.as_bits_per_second()) * round_trip.as_nanos() / 8_000_000_000;
    let queue = ByteCount::from_bytes((2 * product as u64).max(64_000));
    Between { link, queue, seed }
}

/// Plays a story in virtual time: the clock stands still while anybody has something to do, and jumps to the next moment at
/// which somebody has, in whole milliseconds.
pub(crate) fn play<T>(between: Between, story: impl AsyncFnOnce(World) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime
        .expect("a runtime without sockets can be had")
        .block_on(async { story(World::new(between)).await })
}

impl World {
    fn new(between: Between) -> Self {
        let server = SocketAddr::from((SERVER, PORT));
        let network = Network::new(between.link, between.queue, server);
        let seed = between.seed;
        let connector = Connector::over(underlay(&network, device(0), 2 * seed), TransportConfig::default());
        Self {
            connector: Arc::new(connector.expect("the settings are the default ones")),
            listener: listener(&network, seed),
            address: IDENTITY.address(IpAddr::from(SERVER), PORT),
            network,
            seed,
        }
    }

    /// Device and server meet.
    pub(crate) async fn meet(&mut self) -> Pair {
        let (device, server) = tokio::join!(self.connector.connect(&self.address), self.listener.accept());
        Pair { device: device.expect("the server answers"), server: server.expect("the device has come") }
    }

    /// The device greets the server, which answers with a small frame. Both ends, and how long that took.
    pub(crate) async fn greet(&mut self) -> (Pair, Duration) {
        let start = Instant::now();
        let device = async {
            let greeted = self.connector.connect_and_greet(&self.address, b"hello".to_vec()).await;
            let mut device = greeted.expect("the server answers");
            assert_eq!(device.recv().await.expect("the link lives"), b"welcome");
            (device, start.elapsed())
        };
        let server = async {
            let mut server = self.listener.accept().await.expect("the device has come");
            assert_eq!(server.recv().await.expect("the link lives"), b"hello");
            server.sender().send(Lane::Small, b"welcome".to_vec()).expect("the queue has room");
            server
        };
        let ((device, took), server) = tokio::join!(device, server);
        (Pair { device, server }, took)
    }

    /// The server is killed, and started again at the same address.
    pub(crate) fn restart(&mut self) {
        self.seed += 1_000;
        self.listener = listener(&self.network, self.seed);
    }

    /// The server is killed.
    pub(crate) fn kill(&self) {
        self.network.unplug((SERVER, PORT).into());
    }

    /// The device has moved to another network, where it has that address.
    pub(crate) fn move_device(&self, place: u8) -> SocketAddr {
        let here = device(place);
        self.connector.take_socket(self.network.socket(here)).expect("the socket knows its address");
        here
    }

    /// Time passes.
    pub(crate) async fn until(&self, millis: u64) {
        self.network.until(Timestamp::ZERO + ms(millis)).await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.network.now()
    }
}

impl Pair {
    /// The device sends a frame, and the server receives it. How long that takes.
    pub(crate) async fn carry(&mut self, lane: Lane, size: usize) -> Duration {
        let start = Instant::now();
        self.device.sender().send(lane, vec![7; size]).expect("the queue has room");
        assert_eq!(self.server.recv().await.expect("the link lives").len(), size);
        start.elapsed()
    }
}

fn device(place: u8) -> SocketAddr {
    (Ipv4Addr::new(198, 51, 100, 1 + place), 50_000).into()
}

fn listener(network: &Network, seed: u64) -> Listener {
    let underlay = underlay(network, (SERVER, PORT).into(), 2 * seed + 1);
    Listener::over(underlay, &IDENTITY, TransportConfig::default())
        .expect("the settings are the default ones")
}

fn underlay(network: &Network, address: SocketAddr, seed: u64) -> Underlay {
    let mut whole = [0; 32];
    whole[..8].copy_from_slice(&seed.to_le_bytes());
    Underlay::new(network.socket(address), Arc::new(TokioRuntime), whole)
}
