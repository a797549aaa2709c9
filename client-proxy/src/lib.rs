//! The device's engine of Outboard: decide, attempt, bound, fall back, learn, replan.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. It is pure: no socket, clock, thread or
//! random source. Time and seeds are arguments, effects are outputs.
//!
//! ```text
//!   a call ──► decide ──► (encode) ──► confirm ──► attempt ──► Deliver ──► committed
//!                │ Local                  │ too large              │ late, lost, failed
//!                ▼                        ▼                        ▼
//!              the method's body ◄────────┴────────── abandon ◄────┘
//!                │
//!                ▼
//!   ran_locally, merge ──► profile ──► Replan(problem) ──► (solve) ──► plan ──► words
//! ```
//!
//! **The engine owns** the decision and its reasons, the bound, fencing, what is learned, when to connect, when to leave a
//! server alone, when to plan anew, and each method's word. **The driver owns** clock, connections, threads, encoding and
//! decoding, keeping the bound of an attempt, and solving. After every input it drains [`Engine::poll`], and it calls
//! [`Engine::handle_timeout`] at [`Engine::timeout`].
//!
//! ```
//! use outboard_client_proxy::{Decision, Engine, LocalReason, MethodInfo, Request, Settings};
//! use outboard_core::{InstanceId, MethodId, Timestamp};
//! use outboard_wire::frame::AppIdentity;
//!
//! let now = Timestamp::ZERO;
//! let mut engine = Engine::new(Settings::new(AppIdentity::default(), InstanceId(1)), now);
//! let detect = engine.register(now, MethodInfo::remoteable(MethodId::named("detect"), "detect"));
//! // Without a server a program simply runs.
//! assert_eq!(engine.decide(now, &Request::new(detect)), Decision::Local(LocalReason::NoServer));
//! ```

mod accuracy;
mod backoff;
mod decision;
mod engine;
mod exploration;
mod hedge;
mod method;
mod output;
mod quote;
mod radio;
mod report;
mod server;
mod settings;

pub use decision::{AbandonReason, Decision, LocalReason, Offer, Request, Tried};
pub use engine::{Cargo, Engine, Question, Rerun};
pub use hedge::Hedge;
pub use method::{Kind, MethodInfo, Word};
pub use output::{AttemptEvent, Notice, Output};
pub use report::{MethodReport, Report, ServerReport};
pub use settings::{Policy, ServerSettings, Settings};
