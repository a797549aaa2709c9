//! A link emulator in user space: a UDP relay between devices and a server that loses, delays, repeats, holds up or
//! swallows what passes, and that changes its address towards the server as a NAT does.
//!
//! [`Path`] is one direction: pure, seeded, in whatever time it is told. [`EmulatedLink`] carries datagrams along two of
//! them, in real time, because real sockets and processes have no other. Tests wait for what happens, never for a time.

mod path;
mod relay;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

pub use path::{Conditions, Path};
use relay::{Rebinding, Shared};
pub use relay::{Seen, Way};

/// Longest wait for anything that has to pass: a guard against hanging, not a measure.
const GUARD: Duration = Duration::from_secs(120);

/// What becomes of the address that a server knew a device by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// What the server sends there goes nowhere, as when a NAT has forgotten a mapping.
    Gone,
    /// It still reaches the device, as when a route has changed.
    Works,
}

/// A link between devices and a server. Perfect at first, and gone when dropped.
pub struct EmulatedLink {
    shared: Arc<Shared>,
    address: String,
    rebindings: Option<mpsc::UnboundedSender<Rebinding>>,
    thread: Option<JoinHandle<()>>,
}

impl EmulatedLink {
    /// A link to the server of an address line; devices are given [`address`](Self::address) instead.
    #[must_use]
    pub fn to(server: &str) -> Self {
        Self::seeded(server, 1)
    }

    /// The same, with other chances.
    ///
    /// # Panics
    /// When the address is not one with an IP address and a port.
    #[must_use]
    pub fn seeded(server: &str, seed: u64) -> Self {
        let (scheme, rest) = server.split_once("://").expect("an address line");
        let (place, secrets) = rest.split_once('#').expect("an address line");
        let server: SocketAddr = place.parse().expect("an IP address and a port");
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port of loopback can be had");
        let here = front.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::new(seed));
        let (rebindings, wanted) = mpsc::unbounded_channel();
        let relayed = Arc::clone(&shared);
        let thread = std::thread::spawn(move || relay::run(&relayed, front, server, wanted));
        let address = format!("{scheme}://{here}#{secrets}");
        Self { shared, address, rebindings: Some(rebindings), thread: Some(thread) }
    }

    /// The server's address, by way of this link.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the link is like from now on, in both directions.
    pub fn conditions(&self, conditions: Conditions) {
        self.shared.change(|relay| {
            for way in [Way::Up, Way::Down] {
                relay.path(way).conditions = conditions;
            }
        });
    }

    /// Swallows everything that goes that way from now on, what is on its way included; nobody is told.
    pub fn swallow(&self, way: Way) {
        self.shared.change(|relay| relay.swallow(way));
    }

    /// Swallows everything, both ways.
    pub fn black_hole(&self) {
        self.swallow(Way::Up);
        self.swallow(Way::Down);
    }

    /// Holds everything up, both ways, until [`mend`](Self::mend).
    pub fn freeze(&self) {
        self.shared.change(|relay| relay.frozen = true);
    }

    /// Swallows and holds up nothing any more. What was held up arrives now.
    pub fn mend(&self) {
        self.shared.change(relay::Relay::mend);
    }

    /// Gives every device another address towards the server.
    ///
    /// # Panics
    /// When the link has ended.
    pub fn rebind(&self, old: Old) {
        let (done, rebound) = std::sync::mpsc::channel();
        let sent = self.rebindings.as_ref().map(|rebindings| rebindings.send(Rebinding { old, done }));
        assert!(matches!(sent, Some(Ok(()))), "the link is there");
        rebound.recv().expect("the link is there");
    }

    /// What has come to the link so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.shared.seen()
    }

    /// Waits until what has come to the link is as it should be.
    ///
    /// # Panics
    /// When it never is.
    #[track_caller]
    pub fn wait_until(&self, what: impl Fn(&Seen) -> bool) {
        assert!(self.shared.wait_until(GUARD, what), "that never happened on {self:?}");
    }
}

impl fmt::Debug for EmulatedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedLink").field("seen", &self.seen()).finish_non_exhaustive()
    }
}

impl Drop for EmulatedLink {
    fn drop(&mut self) {
        drop(self.rebindings.take());
        if let Some(thread) = self.thread.take() {
            // A relay that panicked has said so; the test fails by what it did not get.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that tells nobody anything by itself, and a device of it.
    struct World {
        server: UdpSocket,
        device: UdpSocket,
        link: EmulatedLink,
    }

    impl World {
        fn new() -> Self {
            let bound = || {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                socket.set_read_timeout(Some(GUARD)).unwrap();
                socket
            };
            let (server, device) = (bound(), bound());
            let link = EmulatedLink::to(&format!("outboard://{}#key.token", server.local_addr().unwrap()));
            let here =
                link.address().strip_prefix("outboard://").unwrap().strip_suffix("#key.token").unwrap();
            device.connect(here).unwrap();
            Self { server, device, link }
        }

        fn up(&self, number: u8) -> SocketAddr {
            self.device.send(&[number]).unwrap();
            self.heard_up(number)
        }

        fn heard_up(&self, number: u8) -> SocketAddr {
            let mut buffer = [0; 8];
            let (size, from) = self.server.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..size], [number]);
            from
        }

        fn down(&self, number: u8, to: SocketAddr) {
            self.server.send_to(&[number], to).unwrap();
            let mut buffer = [0; 8];
            let size = self.device.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..size], [number]);
        }
    }

    #[test]
    fn datagrams_pass_both_ways_and_each_device_has_an_address_of_its_own() {
        let world = World::new();
        let first = world.up(1);
        world.down(2, first);
        let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        other.connect(world.device.peer_addr().unwrap()).unwrap();
        other.send(&[3]).unwrap();
        assert_ne!(world.heard_up(3), first);
        assert_eq!(world.up(4), first);
        assert_eq!(world.link.seen(), Seen { up: 3, down: 1, down_here: 1, lost: 0 });
    }

    #[test]
    fn one_way_is_swallowed_and_the_other_is_not() {
        let world = World::new();
        let device = world.up(1);
        world.link.swallow(Way::Up);
        world.device.send(&[2]).unwrap();
        world.link.wait_until(|seen| seen.lost == 1);
        world.down(3, device);
        world.link.mend();
        world.up(4);
    }

    #[test]
    fn what_is_held_up_arrives_when_the_link_is_mended() {
        let world = World::new();
        world.link.freeze();
        world.device.send(&[1]).unwrap();
        world.link.wait_until(|seen| seen.up == 1);
        world.server.set_nonblocking(true).unwrap();
        assert!(world.server.recv(&mut [0; 8]).is_err());
        world.server.set_nonblocking(false).unwrap();
        world.link.mend();
        world.heard_up(1);
    }

    #[test]
    fn another_address_is_another_one_and_the_old_one_works_or_not() {
        let world = World::new();
        let first = world.up(1);
        world.link.rebind(Old::Works);
        let second = world.up(2);
        assert_ne!(first, second);
        world.down(3, first);
        world.down(4, second);
        world.link.rebind(Old::Gone);
        // Nobody reads there any more: if anybody did, it would come before what follows.
        world.server.send_to(&[5], first).unwrap();
        world.server.send_to(&[5], second).unwrap();
        let third = world.up(6);
        world.down(7, third);
    }
}
