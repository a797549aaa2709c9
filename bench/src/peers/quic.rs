//! quinn as it comes: its defaults, TLS 1.3, a current-thread tokio runtime on both ends.
//!
//! The multi-thread runtime is two to three times slower at this, so it would flatter whatever is compared.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use quinn::{ClientConfig, Connection, Endpoint, ServerConfig};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::runtime::{Builder, Runtime};

use crate::arguments::PEER;
use crate::failure::Failure;
use crate::peer::{Client, REPLY, REQUEST, ServerProcess, greet};

pub(crate) const NAME: &str = "quinn";

const HOST: &str = "localhost";

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// How calls use streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Streams {
    /// A new one for each call: what a first program does, and what keeps calls independent.
    PerCall,
    /// The same one for all: less work, and a lost packet holds up every later call.
    One,
}

pub(crate) fn serve() -> Result<(), Failure> {
    runtime().and_then(|runtime| runtime.block_on(accept())).map_err(Failure::of_peer(NAME))
}

async fn accept() -> Result<(), Problem> {
    let pair = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
    let certificate = pair.cert.der().clone();
    let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der())?;
    let config = ServerConfig::with_single_cert(vec![certificate.clone()], key)?;
    let endpoint = Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into())?;
    greet(&format!("{} {}", endpoint.local_addr()?, BASE64_STANDARD.encode(&certificate)))?;
    while let Some(incoming) = endpoint.accept().await {
        let connection = incoming.await?;
        // A closed connection ends its own task only.
        tokio::spawn(async move { answer(&connection).await.ok() });
    }
    Ok(())
}

/// Answers every request of every stream.
async fn answer(connection: &Connection) -> Result<(), Problem> {
    loop {
        let (mut send, mut receive) = connection.accept_bi().await?;
        tokio::spawn(async move {
            let mut request = [0; REQUEST];
            while receive.read_exact(&mut request).await.is_ok() {
                send.write_all(&[0; REPLY]).await?;
            }
            Ok::<(), Problem>(())
        });
    }
}

pub(crate) struct Quinn {
    connection: Connection,
    streams: Streams,
    // Drives the connection, and must outlive it.
    _endpoint: Endpoint,
    runtime: Runtime,
    _server: ServerProcess,
}

impl Quinn {
    pub(crate) fn start(streams: Streams) -> Result<Self, Failure> {
        let server = ServerProcess::start(NAME, [PEER, NAME])?;
        let connected = || -> Result<_, Problem> {
            let (address, certificate) = server.greeting().split_once(' ').ok_or("no certificate")?;
            let certificate = CertificateDer::from(BASE64_STANDARD.decode(certificate)?);
            let runtime = runtime()?;
            let (endpoint, connection) = runtime.block_on(connect(address.parse()?, certificate))?;
            Ok((runtime, endpoint, connection))
        };
        let (runtime, endpoint, connection) = connected().map_err(Failure::of_peer(NAME))?;
        Ok(Self { connection, streams, _endpoint: endpoint, runtime, _server: server })
    }
}

impl Client for Quinn {
    fn call(&mut self, calls: usize, latencies: &mut Vec<f64>) -> Result<(), Failure> {
        let Self { connection, streams, runtime, .. } = self;
        let done = runtime.block_on(async {
            match streams {
                Streams::PerCall => on_new_streams(connection, calls, latencies).await,
                Streams::One => on_one_stream(connection, calls, latencies).await,
            }
        });
        done.map_err(Failure::of_peer(NAME))
    }
}

async fn on_new_streams(
    connection: &Connection,
    calls: usize,
    latencies: &mut Vec<f64>,
) -> Result<(), Problem> {
    for _ in 0..calls {
        let start = Instant::now();
        let (mut send, mut receive) = connection.open_bi().await?;
        send.write_all(&[0; REQUEST]).await?;
        send.finish()?;
        receive.read_exact(&mut [0; REPLY]).await?;
        latencies.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(())
}

async fn on_one_stream(
    connection: &Connection,
    calls: usize,
    latencies: &mut Vec<f64>,
) -> Result<(), Problem> {
    let (mut send, mut receive) = connection.open_bi().await?;
    for _ in 0..calls {
        let start = Instant::now();
        send.write_all(&[0; REQUEST]).await?;
        receive.read_exact(&mut [0; REPLY]).await?;
        latencies.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(())
}

async fn connect(
    address: SocketAddr,
    certificate: CertificateDer<'static>,
) -> Result<(Endpoint, Connection), Problem> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let mut endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into())?;
    endpoint.set_default_client_config(ClientConfig::with_root_certificates(Arc::new(roots))?);
    let connection = endpoint.connect(address, HOST)?.await?;
    Ok((endpoint, connection))
}

fn runtime() -> Result<Runtime, Problem> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
