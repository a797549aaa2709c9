//! One address of a server, tried.

use std::net::SocketAddr;
use std::sync::Arc;

use outboard_wire::Lane;
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, TransportErrorCode, WriteError,
    ZeroRttAccepted,
};
use rustls::AlertDescription;

use super::ConnectError;
use super::acquaintances::Acquaintance;
use crate::config::Resolved;
use crate::congestion::Closing;
use crate::credential::ServerKey;
use crate::error::{CloseReason, LinkError, Violation};
use crate::identity::TLS_NAME;
use crate::link::{Link, OPENING, OutStream, framed};

/// One address of a server.
pub(super) struct Attempt {
    pub(super) endpoint: Endpoint,
    pub(super) config: Resolved,
    pub(super) address: SocketAddr,
    pub(super) key: ServerKey,
    pub(super) name: String,
    pub(super) acquaintance: Acquaintance,
    /// The first frame.
    pub(super) greeting: Option<Arc<[u8]>>,
}

type Streams = (OutStream, RecvStream);

impl Attempt {
    pub(super) async fn run(self) -> Result<Link, ConnectError> {
        let mut config = ClientConfig::new(Arc::clone(&self.acquaintance.tls) as _);
        let closing = Closing::default();
        config.transport_config(self.config.quinn(closing.clone()));
        let connecting = match self.endpoint.connect_with(config, self.address, TLS_NAME) {
            Ok(connecting) => connecting,
            Err(quinn::ConnectError::EndpointStopping) => return Err(LinkError::Stopped.into()),
            Err(_) => return Err(ConnectError::Unreachable { address: self.address }),
        };
        let (connection, streams, resumed) = match connecting.into_0rtt() {
            Ok((connection, accepted)) => match self.resume(&connection, accepted).await? {
                Some(streams) => (connection, streams, true),
                None => self.open(connection).await?,
            },
            Err(connecting) => self.open(connecting.await.map_err(|error| self.explain(error))?).await?,
        };
        let (send, receive) = streams;
        let link = Link::new(connection, closing, send, receive, &self.config.settings).resumed(resumed);
        if let Some(greeting) = self.greeting.as_ref().filter(|greeting| Lane::of(greeting) == Lane::Bulk) {
            link.sender().send(Lane::Bulk, greeting.to_vec())?;
        }
        Ok(link)
    }

    /// Sends the greeting along with the handshake. `None`: the server did not accept it, and has forgotten it.
    async fn resume(
        &self,
        connection: &Connection,
        accepted: ZeroRttAccepted,
    ) -> Result<Option<Streams>, ConnectError> {
        let streams = self.begin(connection).await;
        match (accepted.await, connection.close_reason()) {
            (true, _) => streams.map(Some),
            (false, Some(error)) => Err(self.explain(error)),
            (false, None) => {
                tracing::debug!(
                    server = self.name,
                    "the handshake is not resumed: the server has forgotten this device"
                );
                Ok(None)
            }
        }
    }

    /// Sends the greeting after the handshake.
    async fn open(&self, connection: Connection) -> Result<(Connection, Streams, bool), ConnectError> {
        let streams = self.begin(&connection).await?;
        Ok((connection, streams, false))
    }

    /// Opens the small lane, with the greeting if it belongs there.
    async fn begin(&self, connection: &Connection) -> Result<Streams, ConnectError> {
        let opened = connection.open_bi().await.map_err(|error| self.explain(error));
        let (mut send, receive) = opened.map(|(send, receive)| (OutStream::new(send), receive))?;
        let mut first = OPENING.to_vec();
        if let Some(greeting) = self.greeting.as_ref().filter(|greeting| Lane::of(greeting) == Lane::Small) {
            first.extend(framed(greeting));
        }
        match send.write_all(&first).await {
            Ok(()) => Ok((send, receive)),
            Err(WriteError::ConnectionLost(error)) => Err(self.explain(error)),
            // Nobody looks at this error: what was sent early is sent again.
            Err(WriteError::ZeroRttRejected) => Err(LinkError::Violation(Violation::SmallLaneEnded).into()),
            Err(WriteError::Stopped(_) | WriteError::ClosedStream) => {
                connection.close(CloseReason::Violation.code(), b"");
                Err(LinkError::Violation(Violation::SmallLaneEnded).into())
            }
        }
    }

    fn explain(&self, error: ConnectionError) -> ConnectError {
        let crypto = |alert: AlertDescription| TransportErrorCode::crypto(alert.into());
        let unknown_protocol = crypto(AlertDescription::NoApplicationProtocol);
        let code = match &error {
            ConnectionError::VersionMismatch => Some(unknown_protocol),
            ConnectionError::ConnectionClosed(close) => Some(close.error_code),
            ConnectionError::TransportError(error) => Some(error.code),
            _ => None,
        };
        let server = self.name.clone();
        match code {
            // What the check of the key ends a handshake with.
            Some(code) if code == crypto(AlertDescription::AccessDenied) => {
                match self.acquaintance.pinned.wrong_key() {
                    Some(found) => ConnectError::WrongKey { expected: self.key, found },
                    None => LinkError::from(error).into(),
                }
            }
            Some(code) if code == unknown_protocol => ConnectError::UnknownProtocol { server },
            Some(TransportErrorCode::CONNECTION_REFUSED) => ConnectError::Refused { server },
            _ => match LinkError::from(error) {
                LinkError::TimedOut => {
                    let settings = &self.config.settings;
                    ConnectError::NoAnswer {
                        server,
                        waited: settings.idle_timeout.min(settings.handshake_timeout),
                    }
                }
                error => error.into(),
            },
        }
    }
}
