//! Servers that a device cannot use: they live in the test's own process and speak as far as they can.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use outboard_core::{InstanceId, Timestamp};
use outboard_server_proxy::{Connection, Engine, Grants, Output, Settings};
use outboard_transport::{Identity, Link, Listener, TransportConfig};
use outboard_wire::Lane;
use outboard_wire::frame::{AppIdentity, Capacity};
use tokio::sync::oneshot;

/// A server that is not the one the device needs. Stops when dropped.
pub(crate) struct Stranger {
    address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Stranger {
    /// The server of another app, or of another version or build of this one.
    pub(crate) fn of(app: AppIdentity) -> Self {
        Self::speaking(move |identity| {
            let settings = Settings::new(app.clone(), InstanceId(1), Capacity::default());
            let own = identity.token().reveal();
            let door = move |token: &str| (token == own).then_some(Grants::Everything);
            let mut engine = Engine::new(settings, door, []);
            let only = Connection(0);
            engine.connected(Timestamp::ZERO, only);
            move |frame: &[u8]| {
                engine.handle_frame(Timestamp::ZERO, only, frame);
                std::iter::from_fn(|| engine.poll())
                    .filter_map(|output| match output {
                        Output::Transmit { bytes, .. } => Some(bytes),
                        _ => None,
                    })
                    .collect()
            }
        })
    }

    /// A peer that answers every frame with these bytes.
    pub(crate) fn saying(bytes: &'static [u8]) -> Self {
        Self::speaking(move |_| move |_: &[u8]| vec![bytes.to_vec()])
    }

    /// A peer that links up and then says nothing.
    pub(crate) fn silent() -> Self {
        Self::speaking(|_| |_: &[u8]| Vec::new())
    }

    /// A peer with the right key that speaks another protocol over QUIC.
    pub(crate) fn of_protocol(name: &'static [u8]) -> Self {
        Self::launch(async move |told, stopped| {
            let state = tempfile::tempdir().expect("a directory for the key");
            let identity = Identity::load_or_create(state.path()).expect("a key can be made");
            let pem = std::fs::read_to_string(state.path().join("server-key.pem")).expect("the key is kept");
            let key = rcgen::KeyPair::from_pem(&pem).expect("the key is one");
            let names = rcgen::CertificateParams::new(["outboard".to_owned()]).expect("a sound name");
            let certificate = names.self_signed(&key).expect("a certificate can be made").der().clone();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut tls = rustls::ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[&rustls::version::TLS13])
                .expect("TLS 1.3 is there")
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key.into())
                .expect("key and certificate belong together");
            tls.alpn_protocols = vec![name.to_vec()];
            let tls = quinn::crypto::rustls::QuicServerConfig::try_from(tls).expect("QUIC's cipher is there");
            let config = quinn::ServerConfig::with_crypto(Arc::new(tls));
            let endpoint = quinn::Endpoint::server(config, LOOPBACK).expect("a free port of loopback");
            let port = endpoint.local_addr().expect("a bound socket has an address").port();
            told(identity.address(LOOPBACK.ip(), port).to_string());
            let accept = async {
                while let Some(incoming) = endpoint.accept().await {
                    // The handshake fails, as it should.
                    let _ = incoming.await;
                }
            };
            tokio::select! { () = accept => {}, _ = stopped => {} }
        })
    }

    /// What its address would be for a device.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A peer with a link of our kind; `greet` makes what answers the frames of one link.
    fn speaking<F>(mut greet: impl FnMut(&Identity) -> F + Send + 'static) -> Self
    where
        F: FnMut(&[u8]) -> Vec<Vec<u8>> + 'static,
    {
        Self::launch(async move |told, stopped| {
            let identity = Identity::generate().expect("a key can be made");
            let listener = Listener::bind(LOOPBACK, &identity, TransportConfig::default());
            let mut listener = listener.expect("a free port of loopback can be had");
            let port = listener.local_address().expect("a bound socket has an address").port();
            told(identity.address(LOOPBACK.ip(), port).to_string());
            let accept = async {
                while let Some(link) = listener.accept().await {
                    converse(link, greet(&identity)).await;
                }
            };
            tokio::select! { () = accept => {}, _ = stopped => {} }
        })
    }

    fn launch<S>(serve: S) -> Self
    where
        S: AsyncFnOnce(Box<dyn FnOnce(String)>, oneshot::Receiver<()>) + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let (address, bound) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let told = move |text| address.send(text).expect("the test waits for the address");
            runtime.expect("a tokio runtime starts").block_on(serve(Box::new(told), stopped));
        });
        let address = bound.recv().expect("it says where it listens");
        Self { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so; the test fails by what it did not get.
            let _ = thread.join();
        }
    }
}

/// A free port.
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Answers until the device leaves.
async fn converse(mut link: Link, mut answer: impl FnMut(&[u8]) -> Vec<Vec<u8>>) {
    while let Ok(frame) = link.recv().await {
        for bytes in answer(&frame) {
            // A device that has left meanwhile does not listen any more.
            let _ = link.sender().send(Lane::of(&bytes), bytes);
        }
    }
}
