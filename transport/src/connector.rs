//! The device's end: from an address to a link.

mod acquaintances;
mod attempt;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig};
use tokio::net::lookup_host;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::address::{Host, ServerAddress};
use crate::config::{End, Resolved, TransportConfig};
use crate::credential::ServerKey;
use crate::error::LinkError;
use crate::link::{Link, SendError};
use crate::listener::BindError;
use crate::socket;
use crate::underlay::Underlay;

use acquaintances::Acquaintances;
use attempt::Attempt;

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;
/// Head start of each address over the next one (RFC 8305, section 5, recommends 250 ms for the Internet).
const HEAD_START: Duration = Duration::from_millis(100);

/// Makes links to servers, all from one UDP socket.
///
/// A server that was linked to before is greeted faster: the handshake is *resumed*, and the greeting travels along with
/// its first packet. See [`connect_and_greet`](Self::connect_and_greet).
#[derive(Debug)]
pub struct Connector {
    endpoint: Endpoint,
    config: Resolved,
    acquaintances: Acquaintances,
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
    /// The greeting cannot be sent.
    #[error("the greeting was not sent: {0}")]
    Greeting(#[from] SendError),
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
        Self::start(Underlay::of_system(any_socket()?)?, config)
    }

    /// Over something else than a socket of the system: for tests.
    ///
    /// # Errors
    /// When a setting cannot be, or there is no tokio runtime.
    pub fn over(underlay: Underlay, config: TransportConfig) -> Result<Self, BindError> {
        let config = config.resolve(End::Device)?;
        Handle::try_current().map_err(|_| BindError::NoRuntime)?;
        Self::start(underlay, config)
    }

    fn start(underlay: Underlay, config: Resolved) -> Result<Self, BindError> {
        let mut endpoint = EndpointConfig::default();
        endpoint
            .max_udp_payload_size(config.settings.path_mtu)
            .expect("checked to be at least 1,200 and at most 60,000");
        let endpoint = underlay.endpoint(endpoint, None)?;
        Ok(Self { endpoint, config, acquaintances: Acquaintances::default() })
    }

    /// Connects to a server, which must have the key that its address says. The token is for the session to show.
    ///
    /// A name may have several addresses: they are tried almost at once, and the first that answers counts.
    ///
    /// # Errors
    /// One for each thing that can be wrong; no later than the configured time-out.
    pub async fn connect(&self, server: &ServerAddress) -> Result<Link, ConnectError> {
        self.begin(server, None).await
    }

    /// Connects as [`connect`](Self::connect) does, and sends a first frame as early as can be: along with the handshake,
    /// before the server has answered, where this connector was linked to that server before.
    ///
    /// What travels so early is encrypted, but not as well as what follows: whoever learns the secret of the server's
    /// ticket, which only its memory holds, can read it, and whoever recorded it can send it again. So it must be
    /// harmless to be heard twice. A server of ours accepts each ticket once, and none of a run before: what is sent
    /// again to it opens nothing. Where it does not accept the ticket, the greeting is sent again after the handshake.
    /// Nothing but this frame travels early, whatever is sent on the link.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and when the greeting is above the limit.
    pub async fn connect_and_greet(
        &self,
        server: &ServerAddress,
        greeting: Vec<u8>,
    ) -> Result<Link, ConnectError> {
        self.begin(server, Some(greeting.into())).await
    }

    async fn begin(&self, server: &ServerAddress, greeting: Option<Arc<[u8]>>) -> Result<Link, ConnectError> {
        let waited = self.config.settings.handshake_timeout;
        let name = format!("{}:{}", server.host, server.port);
        let link = match timeout(waited, self.connect_any(server, &name, greeting)).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::NoAnswer { server: name.clone(), waited }),
        };
        match &link {
            Ok(link) => {
                tracing::debug!(server = name, peer = %link.peer(), resumed = link.is_resumed(), "connected");
            }
            Err(error) => tracing::debug!(server = name, %error, "did not connect"),
        }
        link
    }

    /// Goes on with another UDP socket, and so from another port, because this machine has another address now. Links stay
    /// as they are: their servers follow, once they have made sure that it is the same device.
    ///
    /// # Errors
    /// When the system gives no socket; the old one is kept then.
    pub fn take_another_socket(&self) -> Result<(), BindError> {
        self.endpoint.rebind(any_socket()?).map_err(BindError::Socket)
    }

    /// Goes on with this socket, as [`take_another_socket`](Self::take_another_socket) does with one of the system's: for
    /// tests.
    ///
    /// # Errors
    /// When the socket does not know its address; the old one is kept then.
    pub fn take_socket(&self, socket: Arc<dyn AsyncUdpSocket>) -> Result<(), BindError> {
        self.endpoint.rebind_abstract(socket).map_err(BindError::Socket)
    }

    /// Waits until closed links have told their peers, so that a process that exits leaves nobody waiting.
    pub async fn wait_idle(&self) {
        self.endpoint.wait_idle().await;
    }

    async fn connect_any(
        &self,
        server: &ServerAddress,
        name: &str,
        greeting: Option<Arc<[u8]>>,
    ) -> Result<Link, ConnectError> {
        let acquaintance = self.acquaintances.of(server.key)?;
        let mut attempts = JoinSet::new();
        for (index, address) in (0_u32..).zip(resolve(server).await?) {
            let attempt = Attempt {
                endpoint: self.endpoint.clone(),
                config: self.config.clone(),
                address,
                key: server.key,
                name: name.to_owned(),
                acquaintance: acquaintance.clone(),
                greeting: greeting.clone(),
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
