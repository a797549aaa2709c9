//! The server's end: a UDP port at which links arrive.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use quinn::{Connection, Endpoint, EndpointConfig, Incoming, ServerConfig};
use quinn_proto::HashedConnectionIdGenerator;
use ring::hmac;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::{ConfigError, End, Resolved, TransportConfig};
use crate::congestion::Closing;
use crate::error::{CloseReason, LinkError, Violation};
use crate::identity::Identity;
use crate::link::{Link, OPENING, OutStream};
use crate::socket;
use crate::tls;
use crate::underlay::Underlay;

/// Bytes that a client may send before its attempt has been looked at: a handshake's first flight, not more.
const EARLY_BYTES: u64 = 64 << 10;

/// A UDP port at which links arrive. Dropping it turns new clients away; links that are open stay open.
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    config: Resolved,
    server: ServerConfig,
    closing: Closing,
    handshakes: JoinSet<Result<Link, LinkError>>,
}

/// There is no listener.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// A setting cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no socket to be had at the address.
    #[error("cannot listen on UDP {address}: choose a free port and an address of this machine")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The function was called outside a tokio runtime.
    #[error("no tokio runtime here: call this within one that has its time and input/output drivers enabled")]
    NoRuntime,
    /// The socket was refused by the runtime.
    #[error("the async runtime does not take the socket")]
    Socket(#[source] io::Error),
    /// The key or the certificate is refused.
    #[error("the server's key cannot be used for TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Listener {
    /// Listens on a UDP port; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken, the address not this machine's, a setting cannot be, or there is no tokio runtime.
    pub fn bind(
        address: SocketAddr,
        identity: &Identity,
        config: TransportConfig,
    ) -> Result<Self, BindError> {
        let config = config.resolve(End::Server)?;
        Handle::try_current().map_err(|_| BindError::NoRuntime)?;
        let socket = socket::bind(address).map_err(|source| BindError::Address { address, source })?;
        Self::start(Underlay::of_system(socket)?, identity, config)
    }

    /// Listens on something else than a socket of the system: for tests.
    ///
    /// # Errors
    /// When a setting cannot be, or there is no tokio runtime.
    pub fn over(underlay: Underlay, identity: &Identity, config: TransportConfig) -> Result<Self, BindError> {
        let config = config.resolve(End::Server)?;
        Handle::try_current().map_err(|_| BindError::NoRuntime)?;
        Self::start(underlay, identity, config)
    }

    fn start(underlay: Underlay, identity: &Identity, config: Resolved) -> Result<Self, BindError> {
        let mut server = ServerConfig::with_crypto(Arc::new(tls::server(identity)?));
        server
            .max_incoming(usize::from(config.settings.handshakes) * 4)
            .incoming_buffer_size(EARLY_BYTES)
            .incoming_buffer_size_total(EARLY_BYTES * u64::from(config.settings.handshakes));
        let endpoint = endpoint_config(config.settings.path_mtu, identity);
        let endpoint = underlay.endpoint(endpoint, Some(server.clone()))?;
        Ok(Self { endpoint, config, server, closing: Closing::default(), handshakes: JoinSet::new() })
    }

    /// The address listened on.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// The next link whose handshake is done; `None` when the listener was closed or its socket failed.
    ///
    /// Handshakes under way go on only while this is called again and again. Cancel-safe.
    pub async fn accept(&mut self) -> Option<Link> {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => match done {
                    Ok(Ok(link)) => return Some(link),
                    Ok(Err(error)) => tracing::debug!(%error, "a client did not complete its handshake"),
                    // quinn does not panic on what a peer sends; if it does, one client is lost and not the server.
                    Err(error) => tracing::error!(%error, "a handshake task failed"),
                },
                incoming = self.endpoint.accept() => self.admit(incoming?),
            }
        }
    }

    /// Ends every link and turns new clients away.
    pub fn close(&self, reason: CloseReason, detail: &str) {
        self.closing.begin_all();
        self.endpoint.close(reason.code(), crate::error::shortened(detail));
    }

    /// Waits until closed links have told their peers, so that a process that exits leaves nobody waiting.
    pub async fn wait_idle(&self) {
        self.endpoint.wait_idle().await;
    }

    fn admit(&mut self, incoming: Incoming) {
        let half_open = self.handshakes.len();
        let most = usize::from(self.config.settings.handshakes);
        if half_open >= most || self.endpoint.open_connections() >= usize::from(self.config.settings.links) {
            tracing::debug!(peer = %incoming.remote_address(), half_open, "a client was turned away: too many");
            incoming.refuse();
        } else if half_open >= most / 4 && incoming.may_retry() && !incoming.remote_address_validated() {
            // Costs a genuine client a round trip and a forged address everything, and nothing is kept here meanwhile.
            if let Err(refused) = incoming.retry() {
                refused.into_incoming().refuse();
            }
        } else {
            let closing = self.closing.of_another_connection();
            let mut server = self.server.clone();
            server.transport_config(self.config.quinn(closing.clone()));
            let settings = self.config.settings.clone();
            self.handshakes.spawn(async move {
                let handshake = shake_hands(incoming, server, closing, &settings);
                timeout(settings.handshake_timeout, handshake).await.unwrap_or(Err(LinkError::TimedOut))
            });
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.endpoint.set_server_config(None);
    }
}

async fn shake_hands(
    incoming: Incoming,
    server: ServerConfig,
    closing: Closing,
    settings: &TransportConfig,
) -> Result<Link, LinkError> {
    // What a resuming device sends along with its handshake is read before the handshake is complete, and answered.
    let connection: Connection = match incoming.accept_with(Arc::new(server))?.into_0rtt() {
        Ok((connection, _)) => connection,
        Err(connecting) => connecting.await?,
    };
    let (send, mut receive) = connection.accept_bi().await?;
    let mut opening = [0; OPENING.len()];
    if receive.read_exact(&mut opening).await.is_ok() && opening == OPENING {
        return Ok(Link::new(connection, closing, OutStream::new(send), receive, settings));
    }
    let cause = connection.close_reason().map_or(LinkError::Violation(Violation::Opening), LinkError::from);
    connection.close(CloseReason::Violation.code(), Violation::Opening.to_string().as_bytes());
    Err(cause)
}

/// Secrets derived from the server's key outlive a restart. So a restarted server knows packets of its former links for
/// what they are, and answers with a stateless reset (RFC 9000, section 10.3): devices notice at once.
fn endpoint_config(path_mtu: u16, identity: &Identity) -> EndpointConfig {
    let reset_key = hmac::Key::new(hmac::HMAC_SHA256, &identity.derived_secret("stateless reset"));
    let mut config = EndpointConfig::new(Arc::new(reset_key));
    let secret = identity.derived_secret("connection ids");
    let id_key = u64::from_le_bytes(secret[..8].try_into().expect("eight of 32 bytes"));
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(id_key)));
    config.max_udp_payload_size(path_mtu).expect("checked to be at least 1,200 and at most 60,000");
    config
}
