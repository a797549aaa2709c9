//! What is fuzzed: every decoder, both session machines and both engines, with what a peer might send them.
//!
//! Each target is a plain function of bytes that panics when something is wrong. `cargo fuzz run <target>` drives it with
//! coverage feedback; `tests/tests/fuzz.rs` drives the same functions with proptest on a stable compiler.
//!
//! A target that acts on a machine reads its input as a [script](script::Script): what happens next, and with what bytes.
//! Frames are those of a [conversation] that two honest ends had, delivered in any order, repeated, and
//! changed; now and then they are made up.

mod conversation;
mod decoders;
mod device;
mod script;
mod server;

pub use decoders::{codec, delta, frames, objects, text};
pub use device::{device_engine, device_session};
pub use server::{server_engine, server_session};

/// A target.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("codec", codec),
    ("delta", delta),
    ("frames", frames),
    ("objects", objects),
    ("text", text),
    ("device_session", device_session),
    ("server_session", server_session),
    ("device_engine", device_engine),
    ("server_engine", server_engine),
];
