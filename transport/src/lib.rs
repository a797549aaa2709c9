//! QUIC and TLS for both ends of Outboard.

mod address;
mod config;
mod connector;
mod credential;
mod error;
mod identity;
mod link;
mod listener;
mod socket;
mod tls;

pub use address::{AddressError, Host, HostName, ServerAddress};
pub use config::{ConfigError, TransportConfig};
pub use connector::{ConnectError, Connector};
pub use credential::{AccessToken, CredentialError, NoRandomness, ServerKey};
pub use error::{CloseReason, LinkError, Violation};
pub use identity::{Identity, IdentityError};
pub use link::{Link, LinkSender, LinkStats, SendError};
pub use listener::{BindError, Listener};
