//! Frames, codec, limits, state and the two session state machines of Outboard.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. It says what travels between a
//! device and a server, and what each end may conclude from it. It opens no connection, reads no clock, starts no
//! thread, decides neither what to offload nor who may attach, and runs no method.
//!
//! ```text
//!      device's engine                                              server's engine
//!   call, fence, answer │ ▲ events                        events ▲ │ accept, start, back, reply, fail
//!                       ▼ │                                      │ ▼
//!                device::Session  ── frames, in any order ──  server::Session
//!                       │            (encode_frame, Limits)         │
//!                State, Schema                                State, Schema
//!                encode ▼                                      ▼ decode
//!                          codec: bincode's format, bounded
//! ```
//!
//! Both machines take inputs and the time, and hand out what is to be done:
//!
//! ```
//! use std::time::Duration;
//! use outboard_core::{InstanceId, SessionId, Timestamp};
//! use outboard_wire::frame::{AppIdentity, Capacity, Hello, Load, PROTOCOL, Welcome};
//! use outboard_wire::{Limits, Output, Timing, device, server};
//!
//! let now = Timestamp::ZERO;
//! let hello = Hello {
//!     protocol: PROTOCOL,
//!     app: AppIdentity { name: "my-app".into(), version: "1.0.0".into(), build: String::new() },
//!     token: "token".into(),
//!     device: InstanceId(1),
//!     limits: Limits::default(),
//!     methods: vec![],
//! };
//! let mut device = device::Session::new(now, hello, Timing::default());
//! let mut server = server::Session::new(now, Limits::default(), Timing::default());
//!
//! // What one end transmits, the other handles. Here nothing takes any time.
//! loop {
//!     if let Some(output) = device.poll() {
//!         match output {
//!             Output::Transmit { bytes, .. } => server.handle_frame(now, &bytes),
//!             Output::Event(device::Event::Attached(welcome)) => assert_eq!(welcome.server, InstanceId(2)),
//!             other => unreachable!("{other:?}"),
//!         }
//!     } else if let Some(output) = server.poll() {
//!         match output {
//!             Output::Transmit { bytes, .. } => device.handle_frame(now, &bytes),
//!             Output::Event(server::Event::Hello(_)) => server.accept(now, Welcome {
//!                 protocol: 0,
//!                 session: SessionId(1),
//!                 server: InstanceId(2),
//!                 limits: Limits::default(),
//!                 methods: vec![],
//!                 capacity: Capacity::default(),
//!                 load: Load::default(),
//!             }),
//!             other => unreachable!("{other:?}"),
//!         }
//!     } else {
//!         break;
//!     }
//! }
//! assert!(device.is_open() && server.is_open());
//! // Nothing to do until the first heartbeat.
//! assert!(device.timeout() >= Some(now + Duration::from_secs(1)));
//! ```
//!
//! The crate has no features.

pub mod bases;
pub mod codec;
pub mod delta;
pub mod device;
pub mod frame;
mod limits;
mod objects;
mod schema;
pub mod server;
mod session;
mod shared;
pub mod state;
mod tracked;

pub use codec::{DecodeError, Decoder, EncodeError, Encoder, decode_serde, encode_serde};
pub use limits::Limits;
pub use objects::{Conflict, ObjectReader, ObjectWriter, Objects, Staged};
pub use schema::{OpaquePart, Schema, SchemaBuilder, SkippedField, UnorderedPart};
pub use session::{Lane, Lost, Output, Timing, Violation};
pub use shared::{Shared, SharedGuard};
pub use state::opaque::Opaque;
pub use state::{Lent, Place, Places, State};
pub use tracked::{Stamp, Tracked};
