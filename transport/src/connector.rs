//! The device's end: from an address to a link.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{ClientConfig, ConnectionError, Endpoint, EndpointConfig, TokioRuntime, TransportErrorCode};
use rustls::AlertDescription;
use tokio::net::lookup_host;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::address::{Host, ServerAddress};
use crate::config::{End, Resolved, TransportConfig};
use crate::congestion::Closing;
use crate::credential::ServerKey;
use crate::error::{CloseReason, LinkError, Violation};
use crate::identity::TLS_NAME;
use crate::link::{Link, OPENING, OutStream};
use crate::listener::BindError;
use crate::socket;
use crate::tls::{self, PinnedKey};

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;
/// Head start of each address over the next one (RFC 8305, section 5, recommends 250 ms for the Internet).
const HEAD_START: Duration = Duration::from_millis(100);

/// Makes links to servers, all from one UDP socket.
#[derive(Debug)]
pub struct Connector {
    endpoint: Endpoint,
    config: Resolved,
}

/// There is no link.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The host name has no address.
    #[error("cannot find the host `{host}`: check its name and this machine's network")]
    Resolve {
        /// The host name.
        host: String,
        /// What the system says; absent when it knows the name but no address.
        source: Option<Arc<io::Error>>,
    },
    /// Nothing answered.
    #[error(
        "no answer from {server} within {waited:?}: check that `serve` runs there, on an address that is reachable from \
         here, and that UDP is let through"
    )]
    NoAnswer {
        /// Host and port.
        server: String,
        /// How long.
        waited: Duration,
    },
    /// The address cannot be reached from here at all.
    #[error("{address} cannot be reached from this machine: it has no network of that kind")]
    Unreachable {
        /// The address.
        address: SocketAddr,
    },
    /// The server has another key than the address says.
    #[error(
        "the server has another key ({found}) than the address says ({expected}): copy the address that it prints now; \
         if it should not have changed, somebody else is answering"
    )]
    WrongKey {
        /// The key in the address.
        expected: ServerKey,
        /// The server's key.
        found: ServerKey,
    },
    /// The server does not speak this version of the protocol.
    #[error("{server} does not speak this version of Outboard's protocol: update the older of the two")]
    UnknownProtocol {
        /// Host and port.
        server: String,
    },
    /// The server takes no more links now.
    #[error("{server} takes no more connections now: try again later")]
    Refused {
        /// Host and port.
        server: String,
    },
    /// The link ended before it was open.
    #[error("the link ended before it was open: {0}")]
    Ended(#[from] LinkError),
    /// TLS cannot be set up here.
    #[error("TLS cannot be set up here: {0}")]
    Tls(#[from] rustls::Error),
}

impl Connector {
    /// Binds a UDP socket on a free port, for IPv6 and IPv4 where the system has both.
    ///
    /// # Errors
    /// When a setting cannot be, there is no tokio runtime, or the system gives no socket.
    pub fn new(config: TransportConfig) -> Result<Self, BindError> {
        let config = config.resolve(End::Device)?;
        Handle::try_current().map_err(|_| BindError::NoRuntime)?;
        let mut endpoint = EndpointConfig::default();
        endpoint
            .max_udp_payload_size(config.settings.path_mtu)
            .expect("checked to be at least 1,200 and at most 60,000");
        let endpoint = Endpoint::new(endpoint, None, any_socket()?, Arc::new(TokioRuntime))
            .map_err(BindError::Socket)?;
        Ok(Self { endpoint, config })
    }

    /// Connects to a server, which must have the key that its address says. The token is for the session to show.
    ///
    /// A name may have several addresses: they are tried almost at once, and the first that answers counts.
    ///
    /// # Errors
    /// One for each thing that can be wrong; no later than the configured time-out.
    pub async fn connect(&self, server: &ServerAddress) -> Result<Link, ConnectError> {
        let waited = self.config.settings.handshake_timeout;
        let name = format!("{}:{}", server.host, server.port);
        let link = match timeout(waited, self.connect_any(server, &name)).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::NoAnswer { server: name.clone(), waited }),
        };
        match &link {
            Ok(link) => tracing::debug!(server = name, peer = %link.peer(), "connected"),
            Err(error) => tracing::debug!(server = name, %error, "did not connect"),
        }
        link
    }

    /// Waits until closed links have told their peers, so that a process that exits leaves nobody waiting.
    pub async fn wait_idle(&self) {
        self.endpoint.wait_idle().await;
    }

    async fn connect_any(&self, server: &ServerAddress, name: &str) -> Result<Link, ConnectError> {
        let mut attempts = JoinSet::new();
        for (index, address) in (0_u32..).zip(resolve(server).await?) {
            let attempt = Attempt {
                endpoint: self.endpoint.clone(),
                config: self.config.clone(),
                address,
                key: server.key,
                name: name.to_owned(),
            };
            attempts.spawn(async move {
                sleep(HEAD_START * index).await;
                attempt.run().await
            });
        }
        let mut worst = None;
        while let Some(attempt) = attempts.join_next().await {
            match attempt {
                Ok(Ok(link)) => return Ok(link),
                Ok(Err(error)) => worst = Some(more_telling(worst, error)),
                // quinn does not panic on what a peer sends; if it does, this address has failed.
                Err(error) => tracing::error!(%error, "a connection attempt failed"),
            }
        }
        Err(worst.unwrap_or(ConnectError::Ended(LinkError::Stopped)))
    }
}

/// One address of a server.
struct Attempt {
    endpoint: Endpoint,
    config: Resolved,
    address: SocketAddr,
    key: ServerKey,
    name: String,
}

impl Attempt {
    async fn run(self) -> Result<Link, ConnectError> {
        let pinned = PinnedKey::new(self.key);
        let mut config = ClientConfig::new(Arc::new(tls::client(Arc::clone(&pinned))?));
        let closing = Closing::default();
        config.transport_config(self.config.quinn(closing.clone()));
        let connecting = match self.endpoint.connect_with(config, self.address, TLS_NAME) {
            Ok(connecting) => connecting,
            Err(quinn::ConnectError::EndpointStopping) => return Err(LinkError::Stopped.into()),
            Err(_) => return Err(ConnectError::Unreachable { address: self.address }),
        };
        let connection = connecting.await.map_err(|error| self.explain(error, &pinned))?;
        let opened = async {
            let (send, receive) = connection.open_bi().await?;
            Ok::<_, ConnectionError>((OutStream::new(send), receive))
        };
        let (mut send, receive) = opened.await.map_err(|error| self.explain(error, &pinned))?;
        match send.write_all(&OPENING).await {
            Ok(()) => Ok(Link::new(connection, closing, send, receive, &self.config.settings)),
            Err(quinn::WriteError::ConnectionLost(error)) => Err(self.explain(error, &pinned)),
            Err(_) => {
                connection.close(CloseReason::Violation.code(), b"");
                Err(LinkError::Violation(Violation::SmallLaneEnded).into())
            }
        }
    }

    fn explain(&self, error: ConnectionError, pinned: &PinnedKey) -> ConnectError {
        if let Some(found) = pinned.wrong_key() {
            return ConnectError::WrongKey { expected: self.key, found };
        }
        let unknown_protocol = TransportErrorCode::crypto(AlertDescription::NoApplicationProtocol.into());
        let code = match &error {
            ConnectionError::VersionMismatch => Some(unknown_protocol),
            ConnectionError::ConnectionClosed(close) => Some(close.error_code),
            ConnectionError::TransportError(error) => Some(error.code),
            _ => None,
        };
        let server = self.name.clone();
        match code {
            Some(code) if code == unknown_protocol => ConnectError::UnknownProtocol { server },
            Some(TransportErrorCode::CONNECTION_REFUSED) => ConnectError::Refused { server },
            _ => match LinkError::from(error) {
                LinkError::TimedOut => {
                    ConnectError::NoAnswer { server, waited: self.config.settings.idle_timeout }
                }
                error => error.into(),
            },
        }
    }
}

/// Of two failures, the one that says more about what to do.
fn more_telling(known: Option<ConnectError>, other: ConnectError) -> ConnectError {
    let weight = |error: &ConnectError| match error {
        ConnectError::WrongKey { .. } => 4,
        ConnectError::UnknownProtocol { .. } => 3,
        ConnectError::Refused { .. } => 2,
        ConnectError::Unreachable { .. } => 0,
        _ => 1,
    };
    match known {
        Some(known) if weight(&known) >= weight(&other) => known,
        _ => other,
    }
}

async fn resolve(server: &ServerAddress) -> Result<Vec<SocketAddr>, ConnectError> {
    let host = match &server.host {
        Host::Ip(address) => return Ok(vec![SocketAddr::new(*address, server.port)]),
        Host::Name(host) => host.as_str(),
    };
    let unknown = |source| ConnectError::Resolve { host: host.to_owned(), source };
    let found = lookup_host((host, server.port)).await.map_err(|error| unknown(Some(Arc::new(error))))?;
    let mut addresses = Vec::new();
    for address in found {
        if addresses.len() < MOST_ADDRESSES && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(unknown(None)) } else { Ok(addresses) }
}

/// IPv6 for both families where the system lets one socket have both, else IPv4.
fn any_socket() -> Result<UdpSocket, BindError> {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    socket::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)))
        .or_else(|_| socket::bind(address))
        .map_err(|source| BindError::Address { address, source })
}
