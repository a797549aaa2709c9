//! Frames, codec, limits, state and the two session state machines of Outboard.
//!
//! An internal crate of [Outboard](https://docs.rs/outboard); apps name `outboard` only.

pub mod codec;
pub mod device;
pub mod frame;
mod limits;
mod schema;
pub mod server;
mod session;
pub mod state;

pub use codec::{DecodeError, Decoder, EncodeError, Encoder, decode_serde, encode_serde};
pub use limits::Limits;
pub use schema::{OpaquePart, Schema, SchemaBuilder, SkippedField};
pub use session::{Lane, Lost, Output, Timing, Violation};
pub use state::opaque::Opaque;
pub use state::{Lent, Place, Places, State};
