//! Links to servers that were linked to before, and what a first frame may travel along with.

use std::sync::{Arc, Mutex};

use outboard_transport::{
    ConnectError, Connector, Identity, Link, LinkError, Listener, ServerAddress, TransportConfig,
};
use tokio::net::UdpSocket;

use crate::support::{SendFrame as _, config, end_of, loopback, pattern, received, within};

/// A server whose listener can be replaced, and a device that remembers it.
struct World {
    listener: Listener,
    address: ServerAddress,
    identity: Arc<Identity>,
    connector: Connector,
}

impl World {
    fn new() -> Self {
        let identity = Arc::new(Identity::generate().unwrap());
        let listener = Listener::bind(loopback(), &identity, TransportConfig::default()).unwrap();
        let at = listener.local_address().unwrap();
        let address = identity.address(at.ip(), at.port());
        let connector = Connector::new(TransportConfig::default()).unwrap();
        Self { listener, address, identity, connector }
    }

    /// One link, greeted with these bytes. The server has heard the greeting, and the device the answer.
    async fn greeted(&mut self, greeting: &[u8]) -> [Link; 2] {
        let connect = self.connector.connect_and_greet(&self.address, greeting.to_vec());
        let (device, server) = within(async { tokio::join!(connect, self.listener.accept()) }).await;
        let (mut device, mut server) = (device.unwrap(), server.unwrap());
        assert_eq!(received(&mut server).await, greeting);
        server.small(*b"welcome");
        assert_eq!(received(&mut device).await, b"welcome");
        [device, server]
    }

    /// The process ends and is started again at the same place: nothing in its memory is left.
    async fn restart_as(&mut self, identity: Arc<Identity>) {
        let at = self.listener.local_address().unwrap();
        let elsewhere = Listener::bind(loopback(), &identity, TransportConfig::default()).unwrap();
        drop(std::mem::replace(&mut self.listener, elsewhere));
        self.identity = identity;
        // The port is free only when the socket is gone, with its last connection.
        self.listener = within(async {
            loop {
                match Listener::bind(at, &self.identity, TransportConfig::default()) {
                    Ok(listener) => return listener,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        })
        .await;
    }
}

/// Somebody between a device and its server who writes down what the device sends.
struct Eavesdropper {
    port: u16,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Eavesdropper {
    async fn before(server: std::net::SocketAddr) -> Self {
        let front = UdpSocket::bind(loopback()).await.unwrap();
        let back = UdpSocket::bind(loopback()).await.unwrap();
        back.connect(server).await.unwrap();
        let (port, heard) = (front.local_addr().unwrap().port(), Arc::default());
        let notes: Arc<Mutex<Vec<Vec<u8>>>> = Arc::clone(&heard);
        tokio::spawn(async move {
            let (mut up, mut down) = ([0; 65_536], [0; 65_536]);
            let mut device = loopback();
            loop {
                tokio::select! {
                    Ok((size, from)) = front.recv_from(&mut up) => {
                        device = from;
                        notes.lock().unwrap().push(up[..size].to_vec());
                        back.send(&up[..size]).await.unwrap();
                    }
                    Ok(size) = back.recv(&mut down) => {
                        front.send_to(&down[..size], device).await.unwrap();
                    }
                }
            }
        });
        Self { port, heard }
    }
}

#[tokio::test]
async fn a_greeting_that_somebody_sends_again_opens_nothing() {
    let mut world = World::new();
    drop(world.greeted(b"hello").await);
    let server = world.listener.local_address().unwrap();
    let eavesdropper = Eavesdropper::before(server).await;
    world.address.port = eavesdropper.port;
    let [device, link] = world.greeted(b"secret").await;
    assert!(device.is_resumed());
    drop((device, link));
    let heard = eavesdropper.heard.lock().unwrap().clone();
    let thief = UdpSocket::bind(loopback()).await.unwrap();
    world.address.port = server.port();
    // Again and again: at first the server still takes it for what comes late of the link that was closed.
    for _ in 0..30 {
        for datagram in &heard {
            thief.send_to(datagram, server).await.unwrap();
        }
        // The server looks at what came first, first.
        let [device, _link] = world.greeted(b"genuine").await;
        assert!(device.is_resumed());
    }
}

#[tokio::test]
async fn the_first_link_to_a_server_is_a_new_one_and_every_later_one_resumes() {
    let mut world = World::new();
    let [device, _server] = world.greeted(b"hello").await;
    assert!(!device.is_resumed());
    for again in 0..12 {
        let [device, _server] = world.greeted(&[again]).await;
        assert!(device.is_resumed(), "link {again} had a ticket of the one before");
    }
}

#[tokio::test]
async fn frames_go_both_ways_on_a_resumed_link() {
    let mut world = World::new();
    drop(world.greeted(b"hello").await);
    let [mut device, mut server] = world.greeted(b"hello again").await;
    assert!(device.is_resumed());
    device.bulk(pattern(1, 3_000_000));
    device.small(*b"small");
    let mut both = [received(&mut server).await, received(&mut server).await];
    both.sort_by_key(Vec::len);
    assert_eq!(both, [b"small".to_vec(), pattern(1, 3_000_000)]);
    server.bulk(pattern(2, 2_000_000));
    assert_eq!(received(&mut device).await, pattern(2, 2_000_000));
    drop(device);
    assert!(matches!(end_of(&mut server).await, LinkError::ClosedByPeer { .. }));
}

#[tokio::test]
async fn a_greeting_of_any_size_arrives_once() {
    let mut world = World::new();
    for size in [0, 1, 16_383, 16_384, 200_000] {
        for _ in 0..2 {
            let [device, mut server] = world.greeted(&pattern(7, size)).await;
            device.small(*b"next");
            assert_eq!(received(&mut server).await, b"next", "the greeting came once");
        }
    }
}

#[tokio::test]
async fn a_greeting_above_the_limit_is_refused_here() {
    let (mut listener, address) = crate::support::listen(TransportConfig::default());
    let connector = Connector::new(config(|config| config.frame_bytes = 1 << 20)).unwrap();
    let connect = connector.connect_and_greet(&address, vec![0; (1 << 20) + 1]);
    let refused = tokio::select! {
        refused = within(connect) => refused.unwrap_err(),
        _ = async { listener.accept().await; std::future::pending::<()>().await } => unreachable!(),
    };
    assert!(matches!(refused, ConnectError::Greeting(_)), "{refused}");
}

#[tokio::test]
async fn a_server_that_was_started_again_has_forgotten_and_is_greeted_after_the_handshake() {
    let mut world = World::new();
    drop(world.greeted(b"hello").await);
    world.restart_as(Arc::clone(&world.identity)).await;
    let [device, mut server] = world.greeted(b"hello again").await;
    assert!(!device.is_resumed());
    device.small(*b"next");
    assert_eq!(received(&mut server).await, b"next", "the greeting that came too early counts for nothing");
    let [device, _server] = world.greeted(b"and again").await;
    assert!(device.is_resumed(), "it is known again");
}

#[tokio::test]
async fn a_server_with_another_key_gets_nothing_by_an_old_ticket() {
    let mut world = World::new();
    drop(world.greeted(b"hello").await);
    let other = Arc::new(Identity::generate().unwrap());
    let key = other.key();
    world.restart_as(other).await;
    let connect = world.connector.connect_and_greet(&world.address, b"secret".to_vec());
    let refused = tokio::select! {
        refused = within(connect) => refused.unwrap_err(),
        _ = world.listener.accept() => panic!("the handshake should not have come to its end"),
    };
    assert!(matches!(refused, ConnectError::WrongKey { found, .. } if found == key), "{refused}");
}
