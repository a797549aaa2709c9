//! The sockets of an emulated link, and the datagrams that are between them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use super::{Old, Path};

/// Datagrams that a link holds at most; further ones are lost.
const HELD: usize = 100_000;
/// More than any datagram has.
const LARGEST: usize = 1 << 16;

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the devices to the server.
    Up,
    /// From the server to the devices.
    Down,
}

/// What has come to a link so far, in datagrams, and from where it reached the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Came from devices.
    pub up: u64,
    /// Came from the server.
    pub down: u64,
    /// Came from the server to the address that devices have there now.
    pub down_here: u64,
    /// Were lost or swallowed.
    pub lost: u64,
}

/// Another address towards the server is wanted.
#[derive(Debug)]
pub(super) struct Rebinding {
    pub(super) old: Old,
    pub(super) done: std::sync::mpsc::Sender<()>,
}

/// What the test and the relay share.
#[derive(Debug)]
pub(super) struct Shared {
    relay: Mutex<Relay>,
    happened: Condvar,
    changed: Notify,
    begun: Instant,
}

/// What a link does, and what is on its way.
#[derive(Debug)]
pub(super) struct Relay {
    paths: [Path; 2],
    swallowed: [bool; 2],
    pub(super) frozen: bool,
    under_way: BTreeMap<(Duration, u64), Datagram>,
    numbered: u64,
    seen: Seen,
}

#[derive(Clone, Debug)]
struct Datagram {
    way: Way,
    device: SocketAddr,
    bytes: Vec<u8>,
}

/// A device's socket towards the server, and the ones it had before.
struct Flow {
    socket: Arc<UdpSocket>,
    readers: Vec<AbortHandle>,
}

impl Shared {
    pub(super) fn new(seed: u64) -> Self {
        let relay = Relay {
            paths: [Path::new(seed), Path::new(!seed)],
            swallowed: [false; 2],
            frozen: false,
            under_way: BTreeMap::new(),
            numbered: 0,
            seen: Seen::default(),
        };
        let (happened, changed) = (Condvar::new(), Notify::new());
        Self { relay: Mutex::new(relay), happened, changed, begun: Instant::now() }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Relay)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().seen
    }

    pub(super) fn wait_until(&self, guard: Duration, what: impl Fn(&Seen) -> bool) -> bool {
        let relay = self.lock();
        let waited = self.happened.wait_timeout_while(relay, guard, |relay| !what(&relay.seen));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn arrived(&self, way: Way, device: SocketAddr, bytes: &[u8], is_current: bool) {
        let now = self.begun.elapsed();
        self.change(|relay| {
            relay.seen.up += u64::from(way == Way::Up);
            relay.seen.down += u64::from(way == Way::Down);
            relay.seen.down_here += u64::from(way == Way::Down && is_current);
            relay.take(now, &Datagram { way, device, bytes: bytes.to_vec() });
        });
        self.happened.notify_all();
    }

    /// What is to be delivered now, and when the next one is.
    fn due(&self) -> (Vec<Datagram>, Option<Instant>) {
        let now = self.begun.elapsed();
        let mut relay = self.lock();
        if relay.frozen {
            return (Vec::new(), None);
        }
        let later = relay.under_way.split_off(&(now + Duration::from_nanos(1), 0));
        let due = std::mem::replace(&mut relay.under_way, later).into_values().collect();
        (due, relay.under_way.keys().next().map(|(at, _)| self.begun + *at))
    }

    fn lock(&self) -> MutexGuard<'_, Relay> {
        self.relay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Relay {
    pub(super) fn path(&mut self, way: Way) -> &mut Path {
        &mut self.paths[way as usize]
    }

    pub(super) fn swallow(&mut self, way: Way) {
        self.swallowed[way as usize] = true;
        let before = self.under_way.len();
        self.under_way.retain(|_, datagram| datagram.way != way);
        self.seen.lost += (before - self.under_way.len()) as u64;
    }

    pub(super) fn mend(&mut self) {
        self.swallowed = [false; 2];
        self.frozen = false;
    }

    fn take(&mut self, now: Duration, datagram: &Datagram) {
        let arrivals = self.path(datagram.way).send(now, datagram.bytes.len());
        if self.swallowed[datagram.way as usize] || self.under_way.len() >= HELD {
            self.seen.lost += 1;
            return;
        }
        self.seen.lost += u64::from(arrivals[0].is_none());
        for arrival in arrivals.into_iter().flatten() {
            self.numbered += 1;
            self.under_way.insert((arrival, self.numbered), datagram.clone());
        }
    }
}

impl Flow {
    fn new(server: SocketAddr, shared: &Arc<Shared>, device: SocketAddr) -> Self {
        let mut flow = Self { socket: Arc::new(towards(server)), readers: Vec::new() };
        flow.read(shared, device);
        flow
    }

    fn read(&mut self, shared: &Arc<Shared>, device: SocketAddr) {
        let (socket, shared) = (Arc::clone(&self.socket), Arc::clone(shared));
        let reader = async move {
            let mut buffer = vec![0; LARGEST];
            loop {
                // A port at which nobody listens any more answers with an error, which the next datagram outlives.
                if let Ok(size) = socket.recv(&mut buffer).await {
                    // The reader of a socket that was replaced has it alone.
                    let is_current = Arc::strong_count(&socket) > 1;
                    shared.arrived(Way::Down, device, &buffer[..size], is_current);
                }
            }
        };
        self.readers.push(tokio::spawn(reader).abort_handle());
    }
}

/// Carries datagrams until nobody can want another address any more.
pub(super) fn run(
    shared: &Arc<Shared>,
    front: StdSocket,
    server: SocketAddr,
    rebindings: mpsc::UnboundedReceiver<Rebinding>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a tokio runtime starts").block_on(async {
        front.set_nonblocking(true).expect("a socket need not block");
        let front = UdpSocket::from_std(front).expect("the runtime takes the socket");
        carry(shared, &front, server, rebindings).await;
    });
}

async fn carry(
    shared: &Arc<Shared>,
    front: &UdpSocket,
    server: SocketAddr,
    mut rebindings: mpsc::UnboundedReceiver<Rebinding>,
) {
    let mut flows: BTreeMap<SocketAddr, Flow> = BTreeMap::new();
    let mut buffer = vec![0; LARGEST];
    loop {
        let (due, next) = shared.due();
        for Datagram { way, device, bytes } in due {
            // What the system does not take is lost, as it would be on any link.
            let _ = match way {
                Way::Up => flows[&device].socket.send(&bytes).await,
                Way::Down => front.send_to(&bytes, device).await,
            };
        }
        tokio::select! {
            received = front.recv_from(&mut buffer) => {
                let Ok((size, device)) = received else { continue };
                flows.entry(device).or_insert_with(|| Flow::new(server, shared, device));
                shared.arrived(Way::Up, device, &buffer[..size], true);
            }
            rebinding = rebindings.recv() => {
                let Some(Rebinding { old, done }) = rebinding else { return };
                for (device, flow) in &mut flows {
                    flow.socket = Arc::new(towards(server));
                    if old == Old::Gone {
                        flow.readers.drain(..).for_each(|reader| reader.abort());
                    }
                    flow.read(shared, *device);
                }
                // A test that has failed meanwhile does not wait.
                let _ = done.send(());
            }
            () = shared.changed.notified() => {}
            () = at(next) => {}
        }
    }
}

fn towards(server: SocketAddr) -> UdpSocket {
    let socket = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port of loopback can be had");
    socket.connect(server).expect("the server is on loopback");
    socket.set_nonblocking(true).expect("a socket need not block");
    UdpSocket::from_std(socket).expect("the runtime takes the socket")
}

async fn at(next: Option<Instant>) {
    match next {
        Some(next) => tokio::time::sleep_until(next.into()).await,
        None => std::future::pending().await,
    }
}
