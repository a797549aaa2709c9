//! The server's engine of Outboard: sessions, who may attach, admission, drain.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only. It runs no method, owns no
//! socket, thread or clock, and compares no secrets: it says what to do, and the driver does it.
//!
//! ```text
//!  connections ──► Engine ──► Transmit, Close ──────► connections
//!                    │ ▲
//!     Run, Fence,    │ │  start, called_back, resumed,
//!     Answer, Gone   ▼ │  reply, fail
//!                   workers
//! ```
//!
//! | the engine owns | the driver owns |
//! |---|---|
//! | one session machine per connection | connections, and their [`Connection`] numbers, never used twice |
//! | who may attach, by the answer of its [`Door`] | the [`Door`]: where the tokens are compared |
//! | how many calls wait and run, and which are refused | the queue, the workers, and their processors |
//! | which attempts are still wanted | letting go what is not: dropping it, or unwinding it |
//! | the load that devices are told | time: every call takes `now`, [`Engine::timeout`] says when to come back |
//! | the bounds of a drain | flushing what was transmitted before a connection is closed |
//!
//! After every call of a method the driver drains [`Engine::poll`]. A call's way through the engine:
//!
//! ```text
//!  Run ──► start ──► reply or fail            a worker takes it, and ends it in every case
//!   │        │ ▲
//!   │        ▼ │ called_back, Answer, resumed  the worker waits, and is not counted as running
//!   └► Fence, Gone: drop it; `start` refuses it too
//! ```
//!
//! ```
//! use outboard_core::{InstanceId, Timestamp};
//! use outboard_server_proxy::{Connection, Engine, Grants, Output, Settings};
//! use outboard_wire::{Lost, frame::{AppIdentity, Capacity}};
//!
//! let settings = Settings::new(AppIdentity::default(), InstanceId(1), Capacity::default());
//! let mut engine = Engine::new(settings, |token: &str| (token == "t").then_some(Grants::Everything), []);
//!
//! engine.connected(Timestamp::ZERO, Connection(7));
//! let patience = engine.timeout().expect("nobody may stay silent");
//! engine.handle_timeout(patience);
//! assert_eq!(engine.poll(), Some(Output::Close { connection: Connection(7), reason: Lost::Silence }));
//! ```

mod calls;
mod door;
mod engine;
pub mod kept;
mod output;
mod settings;
mod status;

pub use door::{Door, Grants};
pub use engine::{Engine, InnerCall};
pub use output::{Connection, Output, Reply};
pub use settings::Settings;
pub use status::{SessionStatus, Status};
