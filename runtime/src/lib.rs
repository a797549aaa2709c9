//! What the macros of Outboard call at run time: context, registry, shims, executor, threads and clock.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. It drives the pure engines of
//! both ends; what it does not do is decide.
//!
//! ```text
//!     annotated call ── support::enter ── attempt ── device ── client-proxy's engine
//!                                           │          │
//!                                           │          driver ── transport ── network
//!                                           │
//!     server's thread ─ shim ─ your method ─┘ server_call ── serve ── server-proxy's engine
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | `method`, `registry` | annotated methods and their decision words |
//! | `support` | what generated code names |
//! | `stack` | the profile of local calls |
//! | `attempt` | a call that leaves its thread |
//! | `device`, `driver`, `runtime` | the device's side |
//! | `planning` | the making of plans, here or by a call |
//! | `serve`, `executor`, `permits`, `server_call` | the server's side |
//! | `shim`, `context`, `call_back`, `hedge` | running a method on encoded slots, and on whose ground |
//! | `outside`, `clock`, `condition` | what differs between the system and a stage |
//! | `stage` | devices and servers of one process in simulated time |
//! | `app`, `config` | `outboard::main` and its configuration |
//! | `keep` | what one run learned, for the next |

mod app;
mod attempt;
mod call_back;
mod carried;
mod clock;
mod condition;
mod config;
mod context;
mod device;
mod driver;
mod error;
mod executor;
mod hedge;
mod identity;
mod keep;
mod mailbox;
mod method;
mod offer;
mod once;
mod outside;
mod permits;
mod planning;
mod poll;
mod registry;
mod runtime;
mod serve;
mod server_call;
mod shim;
mod speed;
mod stack;
#[doc(hidden)]
pub mod stage;
#[doc(hidden)]
pub mod support;

pub use app::{main, serve_with};
pub use config::{ConfigError, DeviceConfig, Keep, Objective, Planning, Risk, ServerConfig, Source};
pub use context::{Context, ContextGuard, context};
pub use error::{CallError, StartError};
pub use method::Method;
pub use outboard_client_proxy::{Hedge, MethodReport, Policy, Report, ServerReport};
pub use outboard_core::{Bandwidth, ByteCount, Energy, Placement, Power};
pub use outboard_transport::ServerAddress;
pub use outboard_wire::state::State;
pub use outboard_wire::{Shared, SharedGuard, Tracked};
pub use runtime::{Builder, Runtime, report};
pub use serve::Server;
