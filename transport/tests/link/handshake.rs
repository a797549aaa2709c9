//! Who gets a link, and what those who get none are told.

use std::net::UdpSocket;
use std::time::Duration;

use outboard_transport::{
    BindError, ConnectError, Connector, Host, Identity, Link, LinkError, Listener, ServerAddress,
    TransportConfig,
};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};

use crate::support::{
    Pair, SendFrame as _, config, listen, loopback, raw_client, raw_server, received, within,
};

fn impatient() -> TransportConfig {
    config(|config| config.handshake_timeout = Duration::from_millis(300))
}

async fn refusal(connector: &Connector, address: &ServerAddress) -> ConnectError {
    within(connector.connect(address)).await.unwrap_err()
}

async fn they_speak(device: &Link, server: &mut Link) {
    device.small(*b"hello");
    assert_eq!(received(server).await, b"hello");
}

/// A certificate for a key, and the server key of an identity that would have it.
fn self_signed() -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    (CertificateParams::new(["outboard".to_owned()]).unwrap().self_signed(&key).unwrap(), key)
}

/// The address of a raw server with this key.
fn address_of(endpoint: &quinn::Endpoint, key: &KeyPair) -> ServerAddress {
    use base64::Engine as _;
    let hash = ring::digest::digest(&ring::digest::SHA256, &key.subject_public_key_info());
    let key = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(hash);
    let port = endpoint.local_addr().unwrap().port();
    format!("outboard://127.0.0.1:{port}#{key}.AAECAwQFBgcICQoLDA0ODw").parse().unwrap()
}

#[tokio::test]
async fn another_key_than_the_address_says_is_told_apart() {
    let (mut listener, mut address) = listen(TransportConfig::default());
    let found = address.key;
    address.key = Identity::generate().unwrap().key();
    let connector = Connector::new(TransportConfig::default()).unwrap();
    let error = tokio::select! {
        error = refusal(&connector, &address) => error,
        _ = listener.accept() => panic!("the handshake should not have come to its end"),
    };
    match error {
        ConnectError::WrongKey { expected, found: shown } => {
            assert_eq!((expected, shown), (address.key, found));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_server_that_shows_the_right_certificate_must_have_its_private_key() {
    let (certificate, key) = self_signed();
    let thief = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let endpoint = raw_server(certificate, &thief, b"outboard/1");
    let connector = Connector::new(TransportConfig::default()).unwrap();
    let address = address_of(&endpoint, &key);
    let accept = async { endpoint.accept().await.unwrap().await };
    let (error, _) = tokio::join!(refusal(&connector, &address), accept);
    assert!(matches!(error, ConnectError::Ended(LinkError::Violation(_))), "{error}");
}

#[tokio::test]
async fn a_server_of_another_protocol_version_is_told_apart() {
    let (certificate, key) = self_signed();
    let endpoint = raw_server(certificate, &key, b"outboard/9");
    let connector = Connector::new(TransportConfig::default()).unwrap();
    let address = address_of(&endpoint, &key);
    let accept = async { endpoint.accept().await.unwrap().await };
    let (error, _) = tokio::join!(refusal(&connector, &address), accept);
    assert!(matches!(error, ConnectError::UnknownProtocol { .. }), "{error}");
}

#[tokio::test]
async fn a_client_of_another_protocol_version_gets_no_link() {
    let (mut listener, address) = listen(TransportConfig::default());
    let error = tokio::select! {
        result = raw_client(&address, b"outboard/9") => result.unwrap_err(),
        _ = listener.accept() => panic!("the handshake should not have come to its end"),
    };
    // TLS alert 120, no_application_protocol.
    assert!(error.to_string().contains("120"), "{error}");
}

#[tokio::test]
async fn nothing_at_the_port_is_told_after_the_time_out() {
    // Holds the port, and never answers.
    let silent = UdpSocket::bind(loopback()).unwrap();
    let address = Identity::generate()
        .unwrap()
        .address(silent.local_addr().unwrap().ip(), silent.local_addr().unwrap().port());
    let connector = Connector::new(impatient()).unwrap();
    let error = refusal(&connector, &address).await;
    assert!(matches!(error, ConnectError::NoAnswer { .. }), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", address.port)), "{error}");
}

#[tokio::test]
async fn an_unknown_host_name_is_told_apart() {
    let mut address = listen(TransportConfig::default()).1;
    // RFC 6761 keeps `.invalid` from ever existing.
    address.host = "no-such-host.invalid".parse().unwrap();
    let connector =
        Connector::new(config(|config| config.handshake_timeout = Duration::from_secs(50))).unwrap();
    let error = refusal(&connector, &address).await;
    assert!(
        matches!(&error, ConnectError::Resolve { host, .. } if host == "no-such-host.invalid"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_with_several_addresses_finds_the_one_that_answers() {
    let (mut listener, mut address) = listen(TransportConfig::default());
    address.host = "localhost".parse::<Host>().unwrap();
    let connector = Connector::new(TransportConfig::default()).unwrap();
    let (device, server) =
        within(async { tokio::join!(connector.connect(&address), listener.accept()) }).await;
    they_speak(&device.unwrap(), &mut server.unwrap()).await;
}

#[tokio::test]
async fn garbage_on_the_port_disturbs_nobody() {
    let (mut listener, address) = listen(TransportConfig::default());
    let vandal = UdpSocket::bind(loopback()).unwrap();
    let target = listener.local_address().unwrap();
    for first in 0..=255_u8 {
        for size in [1, 2, 7, 21, 40, 1_200] {
            // The next four bytes say version 1 of QUIC, so that every other packet is looked into.
            let version = if size % 2 == 0 { [0, 0, 0, 1] } else { [first; 4] };
            let packet: Vec<u8> = [first]
                .into_iter()
                .chain(version)
                .chain((0..).map(|i: u32| (i * 37) as u8))
                .take(size)
                .collect();
            vandal.send_to(&packet, target).unwrap();
        }
    }
    let connector = Connector::new(TransportConfig::default()).unwrap();
    let (device, server) =
        within(async { tokio::join!(connector.connect(&address), listener.accept()) }).await;
    they_speak(&device.unwrap(), &mut server.unwrap()).await;
}

#[tokio::test]
async fn clients_that_stop_half_way_take_no_more_than_their_share_and_not_for_long() {
    let (mut listener, address) = listen(config(|config| {
        config.handshakes = 1;
        config.handshake_timeout = Duration::from_secs(2);
    }));
    let connector = Connector::new(TransportConfig::default()).unwrap();
    // It speaks QUIC and TLS, but never opens the small lane.
    let lurker = tokio::select! {
        lurker = raw_client(&address, b"outboard/1") => lurker.unwrap(),
        _ = listener.accept() => panic!("a link needs its opening"),
    };
    let error = tokio::select! {
        error = refusal(&connector, &address) => error,
        _ = listener.accept() => panic!("there is room for one handshake only"),
    };
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    // The listener forgets it by itself, and tells it so.
    let ended = tokio::select! {
        ended = within(lurker.closed()) => ended,
        _ = listener.accept() => panic!("nobody else is there"),
    };
    assert!(matches!(ended, quinn::ConnectionError::ApplicationClosed(_)), "{ended}");
    let (device, server) =
        within(async { tokio::join!(connector.connect(&address), listener.accept()) }).await;
    they_speak(&device.unwrap(), &mut server.unwrap()).await;
}

#[tokio::test]
async fn a_client_that_opens_otherwise_gets_no_link() {
    let (mut listener, address) = listen(TransportConfig::default());
    let client = async {
        let connection = raw_client(&address, b"outboard/1").await.unwrap();
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(b"GET / HTTP/1.1").await.unwrap();
        connection.closed().await
    };
    let ended = tokio::select! {
        ended = within(client) => ended,
        _ = listener.accept() => panic!("a link needs its opening"),
    };
    assert!(ended.to_string().contains("did not begin as an Outboard link does"), "{ended}");
}

#[tokio::test]
async fn links_above_the_limit_are_turned_away_until_one_ends() {
    let mut pair = Pair::with(config(|config| config.links = 1)).await;
    let at = pair.listener.local_address().unwrap();
    // The key would be checked after the refusal, so any will do.
    let address = Identity::generate().unwrap().address(at.ip(), at.port());
    let error = tokio::select! {
        error = refusal(&pair.connector, &address) => error,
        _ = pair.listener.accept() => panic!("one link is the limit"),
    };
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    they_speak(&pair.device, &mut pair.server).await;
}

#[tokio::test]
async fn a_listener_that_goes_leaves_its_links_and_turns_others_away() {
    let (mut listener, address) = listen(TransportConfig::default());
    let connector = Connector::new(impatient()).unwrap();
    let (device, server) =
        within(async { tokio::join!(connector.connect(&address), listener.accept()) }).await;
    drop(listener);
    let error = refusal(&connector, &address).await;
    assert!(matches!(error, ConnectError::NoAnswer { .. } | ConnectError::Refused { .. }), "{error}");
    they_speak(&device.unwrap(), &mut server.unwrap()).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let (listener, _) = listen(TransportConfig::default());
    let taken = listener.local_address().unwrap();
    let error =
        Listener::bind(taken, &Identity::generate().unwrap(), TransportConfig::default()).unwrap_err();
    assert!(matches!(error, BindError::Address { address, .. } if address == taken), "{error}");
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let identity = Identity::generate().unwrap();
    let listener = Listener::bind(loopback(), &identity, TransportConfig::default());
    assert!(matches!(listener, Err(BindError::NoRuntime)));
    assert!(matches!(Connector::new(TransportConfig::default()), Err(BindError::NoRuntime)));
}

#[tokio::test]
async fn both_ends_may_be_on_ipv6() {
    let identity = Identity::generate().unwrap();
    let Ok(mut listener) = Listener::bind("[::1]:0".parse().unwrap(), &identity, TransportConfig::default())
    else {
        // A machine without IPv6 has nothing to show here.
        return;
    };
    let at = listener.local_address().unwrap();
    let connector = Connector::new(TransportConfig::default()).unwrap();
    let address = identity.address(at.ip(), at.port());
    let (device, server) =
        within(async { tokio::join!(connector.connect(&address), listener.accept()) }).await;
    they_speak(&device.unwrap(), &mut server.unwrap()).await;
}
