//! A network of datagrams in memory, on tokio's clock: delay, rate, loss and queue are those of a simulated link.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use outboard_core::{ByteCount, Timestamp};
use outboard_sim::{Direction, Link};
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::time::{Instant, Sleep, sleep_until};

/// What IPv4 (RFC 791) and UDP (RFC 768) put before each datagram.
const HEADERS: usize = 20 + 8;
/// The largest packet of the network: Ethernet's. What is larger vanishes.
const LARGEST: usize = 1_500;

/// A device's network, with one server beyond its link.
#[derive(Clone, Debug)]
pub(crate) struct Network(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    start: Instant,
    server: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    link: Link,
    queue: ByteCount,
    /// By the address of the socket. Who has none gets nothing.
    inboxes: BTreeMap<SocketAddr, Inbox>,
    sockets: u64,
    log: Vec<Passed>,
}

/// What has arrived or will, by time and number.
#[derive(Debug, Default)]
struct Inbox {
    /// Which socket has the address.
    socket: u64,
    coming: BTreeMap<(Timestamp, usize), (SocketAddr, Vec<u8>)>,
    waker: Option<Waker>,
}

/// One packet that was sent: everything of it but its bytes, which are encrypted with random keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) at: Timestamp,
    pub(crate) direction: Direction,
    /// Without the headers of IP and UDP.
    pub(crate) size: usize,
    /// `None`: lost, or found no room.
    pub(crate) arrives: Option<Timestamp>,
}

/// A socket on the network. Dropped, it leaves its address to another one, and hears nothing any more.
pub(crate) struct Socket {
    network: Network,
    address: SocketAddr,
    number: u64,
    next: Mutex<Pin<Box<Sleep>>>,
}

impl Network {
    /// Begins now. Of each direction, so much may wait in front of the link.
    pub(crate) fn new(link: Link, queue: ByteCount, server: SocketAddr) -> Self {
        let state = State { link, queue, inboxes: BTreeMap::new(), sockets: 0, log: Vec::new() };
        Self(Arc::new(Shared { start: Instant::now(), server, state: Mutex::new(state) }))
    }

    /// A socket at an address, which another one may have had.
    pub(crate) fn socket(&self, address: SocketAddr) -> Arc<Socket> {
        let mut state = self.state();
        state.sockets += 1;
        let number = state.sockets;
        state.inboxes.insert(address, Inbox { socket: number, ..Inbox::default() });
        let next = Mutex::new(Box::pin(sleep_until(self.0.start)));
        Arc::new(Socket { network: self.clone(), address, number, next })
    }

    /// Whoever has that address is not heard and hears nothing from now on, as a process that was killed.
    pub(crate) fn unplug(&self, address: SocketAddr) {
        self.state().inboxes.remove(&address);
    }

    /// Virtual time since the network began.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::ZERO + (Instant::now() - self.0.start)
    }

    /// Waits.
    pub(crate) async fn until(&self, at: Timestamp) {
        sleep_until(self.moment(at)).await;
    }

    /// That time on tokio's clock.
    pub(crate) fn moment(&self, at: Timestamp) -> Instant {
        self.0.start + (at - Timestamp::ZERO)
    }

    /// Every packet so far, in the order in which they were sent.
    pub(crate) fn log(&self) -> Vec<Passed> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nothing panics under this lock")
    }

    fn send(&self, socket: &Socket, to: SocketAddr, datagram: &[u8]) {
        let now = self.now();
        let mut state = self.state();
        if state.inboxes.get(&socket.address).is_none_or(|inbox| inbox.socket != socket.number) {
            return;
        }
        let size = datagram.len();
        let direction = if to == self.0.server { Direction::Up } else { Direction::Down };
        let packet = ByteCount::from_bytes((size + HEADERS) as u64);
        let queue = state.queue;
        let arrives = match size + HEADERS <= LARGEST {
            true => state.link.datagram(now, direction, packet, queue),
            false => None,
        };
        let number = state.log.len();
        state.log.push(Passed { at: now, direction, size, arrives });
        if let Some(at) = arrives
            && let Some(inbox) = state.inboxes.get_mut(&to)
        {
            inbox.coming.insert((at, number), (socket.address, datagram.to_vec()));
            if let Some(waker) = inbox.waker.take() {
                waker.wake();
            }
        }
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.network.send(self, transmit.destination, transmit.contents);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let now = self.network.now();
        loop {
            let mut state = self.network.state();
            let mine = state.inboxes.get_mut(&self.address).filter(|inbox| inbox.socket == self.number);
            // Another one has the address, or nobody: nothing comes here any more.
            let Some(inbox) = mine else { return Poll::Pending };
            let mut received = 0;
            for (buffer, meta) in buffers.iter_mut().zip(meta.iter_mut()) {
                let Some(first) = inbox.coming.first_entry().filter(|first| first.key().0 <= now) else {
                    break;
                };
                let (from, datagram) = first.remove();
                buffer[..datagram.len()].copy_from_slice(&datagram);
                *meta = RecvMeta {
                    addr: from,
                    len: datagram.len(),
                    stride: datagram.len(),
                    ecn: None,
                    dst_ip: None,
                };
                received += 1;
            }
            if received > 0 {
                return Poll::Ready(Ok(received));
            }
            inbox.waker = Some(cx.waker().clone());
            let Some((&(due, _), _)) = inbox.coming.first_key_value() else { return Poll::Pending };
            drop(state);
            let mut next = self.next.lock().expect("nothing panics under this lock");
            next.as_mut().reset(self.network.moment(due));
            if next.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut state = self.network.state();
        if state.inboxes.get(&self.address).is_some_and(|inbox| inbox.socket == self.number) {
            state.inboxes.remove(&self.address);
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Socket({})", self.address)
    }
}

/// The queue in front of the link drops what it has no room for; a sender is never told to wait.
#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
