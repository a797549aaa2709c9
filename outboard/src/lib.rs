//! Code offload for Rust: annotate a method, run a server nearby, and every call runs where it costs least.
//!
//! A call of an annotated method runs on the device or on a server. Outboard learns what each method costs in either
//! place, solves where the whole call graph is best placed, carries state there and back, and falls back to the device
//! when anything goes wrong: **an annotated program is never wrong because of Outboard, and never noticeably worse than
//! the same program without it.**
//!
//! ```text
//!        your program                      the same program, `serve`
//!     ┌────────────────┐                      ┌────────────────┐
//!     │ detect(&photo) │  slots ──── QUIC ──▶ │ detect(&photo) │
//!     │   decides: ────┼──────────────────────┼──▶ runs        │
//!     │   here / there │ ◀── result, state ── │                │
//!     └────────────────┘                      └────────────────┘
//! ```
//!
//! ```
//! use outboard::{State, remoteable};
//!
//! #[derive(State, Default)]
//! struct Counter {
//!     words: u64,
//! }
//!
//! #[remoteable]
//! impl Counter {
//!     fn count(&mut self, text: &str) -> u64 {
//!         self.words += text.split_whitespace().count() as u64;
//!         self.words
//!     }
//! }
//!
//! let mut counter = Counter::default();
//! assert_eq!(counter.count("no runtime, no server: it simply runs"), 7);
//! ```
//!
//! What this crate does not do: it moves no threads, files, sockets or closures, and it never runs code on a server that
//! the server does not have. Device and server are runs of the same program.
//!
//! * [`remoteable`], [`device`], [`local`]: what may run where
//! * [`State`]: what may travel; [`Shared`]: as one, where several places hold it; [`Tracked`]: only when touched
//! * [`main`], [`serve_with`]: one program, device and server
//! * [`Runtime`]: the device's side, for programs that want to hold it themselves
//!
//! The guide is in `outboard/GUIDE.md`.

pub use outboard_macros::{State, device, local, method, remoteable};
pub use outboard_runtime::{
    Bandwidth, Builder, ByteCount, CallError, ConfigError, Context, ContextGuard, DeviceConfig, Energy,
    Hedge, Keep, Method, MethodReport, Objective, Placement, Planning, Policy, Power, Report, Risk, Runtime,
    Server, ServerAddress, ServerConfig, ServerReport, Shared, SharedGuard, Source, StartError, State,
    Tracked, context, main, report, serve_with,
};

#[doc(hidden)]
pub use outboard_runtime::support as __private;

/// What is code in these documents is compiled and run by `cargo test`.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../GUIDE.md")]
struct Documents;
