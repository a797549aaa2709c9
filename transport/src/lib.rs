//! Links between a device and a server: frames of bytes over QUIC, encrypted, with the server's key pinned.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only.
//!
//! It does *not* know what a frame says: greetings, access tokens, heartbeats, time-outs of calls and what follows from a
//! lost link are the business of the session machines in `outboard-wire` and of the runtime that drives both. It starts
//! no runtime of its own, and it connects to what it is told: choosing a server and trying again belong to the runtime
//! as well.
//!
//! ```text
//!            device                                                               server
//!
//!   Connector::connect(address) ──── QUIC, TLS 1.3, ALPN outboard/1, pinned key ────▶ Listener::accept()
//!        │                                                                                   │
//!        ▼ Link                                                                         Link ▼
//!   LinkSender::send ─ Small ──▶ one ordered stream each way, before all others ──▶ Link::recv
//!    (any thread,    └ Bulk ───▶ one stream per frame, a bounded number at once ──▶  (whole frames
//!     never waits)                                                                    only)
//!   Link::recv ◀─────────────────── the same the other way ◀───────────────────────── LinkSender::send
//! ```
//!
//! | this crate owns | its user owns |
//! |---|---|
//! | sockets, keys, certificates, the address line | where the identity is kept, which address is shown |
//! | framing, order within the small lane, bounds on memory | what frames say, and which lane they take |
//! | telling how a link ended ([`LinkError`]) and why none began ([`ConnectError`]) | what to do then |
//! | the time-outs of handshakes and of silence ([`TransportConfig`]) | heartbeats, deadlines |
//!
//! # Promises
//! - A frame arrives whole or not at all. A stream that its sender lets go is reset, never finished, and a frame counts
//!   only once its length is complete *and* its stream has ended (bulk).
//! - Bulk frames do not hold small ones back: the small lane has its own stream with priority, room in the peer's
//!   windows that bulk streams cannot take, and a queue of its own.
//! - Nothing that a peer sends makes this crate panic, wait forever or allocate without bound. A link holds at most
//!   `(bulk_streams + 1) × stream_window` that nobody has read, `unfinished` and one small frame in assembly, and
//!   twice `queue` to be sent; a listener has at most `links` links, of which `handshakes` may be half-open.
//! - Sending never blocks on the network. Receiving is cancel-safe.
//! - What travels before a handshake is complete is the greeting of [`Connector::connect_and_greet`] and nothing else. It
//!   is heard at most once: a server accepts a ticket once, and none that another run of it gave.
//! - A server that restarts with the identity it had tells its former links so, and devices see [`LinkError::Reset`] at
//!   their next packet instead of after the idle time-out.
//!
//! # Example
//! ```
//! use outboard_transport::{CloseReason, Connector, Identity, Listener, ServerAddress, TransportConfig};
//! use outboard_wire::Lane;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! # let directory = tempfile::tempdir()?;
//! // The server makes its key and its token on the first run, and keeps them.
//! let identity = Identity::load_or_create(directory.path().join("outboard"))?;
//! let mut listener = Listener::bind("127.0.0.1:0".parse()?, &identity, TransportConfig::default())?;
//! let here = listener.local_address()?;
//! let line = identity.address(here.ip(), here.port()).to_string();
//!
//! // The device is given the line.
//! let address: ServerAddress = line.parse()?;
//! let connector = Connector::new(TransportConfig::default())?;
//! let (device, server) = tokio::join!(connector.connect(&address), listener.accept());
//! let (mut device, mut server) = (device?, server.expect("the listener is open"));
//!
//! device.sender().send(Lane::Small, b"detect".to_vec())?;
//! assert_eq!(server.recv().await?, b"detect");
//! server.sender().send(Lane::Bulk, vec![7; 1_000_000])?;
//! assert_eq!(device.recv().await?.len(), 1_000_000);
//!
//! // The end that received last closes; the other one learns why.
//! device.close(CloseReason::Done, "");
//! assert_eq!(server.recv().await.unwrap_err().to_string(), "the peer closed the link (it is done)");
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! # Runtime
//! Everything asynchronous runs on the tokio runtime within which [`Listener::bind`] and [`Connector::new`] are called;
//! it needs its time and input/output drivers. Names are resolved on the runtime's blocking threads, and a resolver that
//! hangs keeps its thread: a process that ends shuts the runtime down with `shutdown_background` or a time-out.

mod address;
mod config;
mod congestion;
mod connector;
mod credential;
mod error;
mod identity;
mod link;
mod listener;
mod socket;
mod tls;
mod underlay;

pub use address::{AddressError, Host, HostName, ServerAddress};
pub use config::{ConfigError, TransportConfig};
pub use connector::{ConnectError, Connector};
pub use credential::{AccessToken, CredentialError, NoRandomness, ServerKey};
pub use error::{CloseReason, LinkError, Violation};
pub use identity::{Identity, IdentityError};
pub use link::{Link, LinkSender, LinkStats, SendError};
pub use listener::{BindError, Listener};
pub use underlay::Underlay;
