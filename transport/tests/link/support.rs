//! The harness: pairs of links, servers that can die, and peers that keep no rules.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use outboard_transport::{Connector, Identity, Link, LinkError, Listener, ServerAddress, TransportConfig};
use outboard_wire::Lane;
use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme, version};
use tokio::sync::{mpsc, oneshot};

/// Longer than any test takes, however busy the machine.
const GUARD: Duration = Duration::from_secs(60);

/// What the future gives; panics if it hangs.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(GUARD, future).await.expect("this should not hang")
}

pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(crate) fn config(change: impl FnOnce(&mut TransportConfig)) -> TransportConfig {
    let mut config = TransportConfig::default();
    change(&mut config);
    config
}

/// A listener on a free port, and its address.
pub(crate) fn listen(config: TransportConfig) -> (Listener, ServerAddress) {
    let identity = Identity::generate().unwrap();
    let listener = Listener::bind(loopback(), &identity, config).unwrap();
    let address = listener.local_address().unwrap();
    (listener, identity.address(address.ip(), address.port()))
}

/// Both ends of one link, in one runtime.
pub(crate) struct Pair {
    pub(crate) device: Link,
    pub(crate) server: Link,
    pub(crate) connector: Connector,
    pub(crate) listener: Listener,
}

impl Pair {
    pub(crate) async fn new() -> Self {
        Self::with(TransportConfig::default()).await
    }

    pub(crate) async fn with(config: TransportConfig) -> Self {
        let (mut listener, address) = listen(config.clone());
        let connector = Connector::new(config).unwrap();
        let (device, server) =
            within(async { tokio::join!(connector.connect(&address), listener.accept()) }).await;
        Self { device: device.unwrap(), server: server.unwrap(), connector, listener }
    }
}

/// Sends as the tests that expect success do.
pub(crate) trait SendFrame {
    fn small(&self, frame: impl Into<Vec<u8>>);
    fn bulk(&self, frame: impl Into<Vec<u8>>);
}

impl SendFrame for Link {
    fn small(&self, frame: impl Into<Vec<u8>>) {
        self.sender().send(Lane::Small, frame.into()).unwrap();
    }

    fn bulk(&self, frame: impl Into<Vec<u8>>) {
        self.sender().send(Lane::Bulk, frame.into()).unwrap();
    }
}

pub(crate) async fn received(link: &mut Link) -> Vec<u8> {
    within(link.recv()).await.unwrap()
}

pub(crate) async fn end_of(link: &mut Link) -> LinkError {
    within(link.recv()).await.unwrap_err()
}

/// Bytes that tell a shifted or mixed-up frame from a right one; the first is the seed.
pub(crate) fn pattern(seed: u8, size: usize) -> Vec<u8> {
    // A prime period: no window or packet is a multiple of it.
    let period: Vec<u8> = (0..251).map(|byte| byte ^ seed).collect();
    let mut bytes = period.repeat(size.div_ceil(period.len()));
    bytes.truncate(size);
    bytes
}

/// A server with a thread and a runtime of its own, which can die without a word as a killed process does.
pub(crate) struct ServerProcess {
    pub(crate) address: SocketAddr,
    kill: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl ServerProcess {
    /// Serves one link with `serve`, which is dropped in the middle when the process dies.
    pub(crate) async fn start<S, F>(
        at: SocketAddr,
        identity: Arc<Identity>,
        config: TransportConfig,
        serve: S,
    ) -> Self
    where
        S: FnOnce(Link) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let (kill, killed) = oneshot::channel();
        let (bound, mut ready) = mpsc::channel(1);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut listener = Listener::bind(at, &identity, config).unwrap();
                bound.send(listener.local_address().unwrap()).await.unwrap();
                let serving = async {
                    let link = listener.accept().await.unwrap();
                    serve(link).await;
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = serving => {}
                    _ = killed => {}
                }
            });
            // The runtime ends here, without another turn of its network task.
        });
        let address = within(ready.recv()).await.unwrap();
        Self { address, kill, thread }
    }

    pub(crate) fn kill(self) {
        self.kill.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

/// A QUIC connection to a server, from a client that knows the handshake but keeps no rules of ours.
pub(crate) async fn raw_client(
    server: &ServerAddress,
    alpn: &[u8],
) -> Result<quinn::Connection, quinn::ConnectionError> {
    let provider = Arc::new(ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Gullible(provider)))
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let endpoint = quinn::Endpoint::client(loopback()).unwrap();
    let to = (Ipv4Addr::LOCALHOST, server.port).into();
    within(endpoint.connect_with(config, to, "outboard").unwrap()).await
}

/// A QUIC server that shows `certificate` and signs with `key`.
pub(crate) fn raw_server(
    certificate: rcgen::Certificate,
    key: &rcgen::KeyPair,
    alpn: &[u8],
) -> quinn::Endpoint {
    let provider = ring::default_provider();
    let signer = provider.key_provider.load_private_key(key.serialize_der().try_into().unwrap()).unwrap();
    // Not `with_single_cert`, which would notice that key and certificate do not belong together.
    let shown = rustls::sign::CertifiedKey::new(vec![certificate.der().clone()], signer);
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shown(Arc::new(shown))));
    tls.alpn_protocols = vec![alpn.to_vec()];
    let config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    quinn::Endpoint::server(config, loopback()).unwrap()
}

#[derive(Debug)]
struct Shown(Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Shown {
    fn resolve(&self, _hello: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Gullible(Arc<CryptoProvider>);

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
