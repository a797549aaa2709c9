//! What one end lets the other make it hold.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one end accepts from the other; each end states its own at the session's start, and the other keeps to it.
///
/// Nothing is allocated for a peer before its size was checked against these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    /// Largest frame, in bytes. A call that does not fit runs on the device. Default 64 MiB.
    pub frame_bytes: u32,
    /// Most attempts under way at once in one session, fenced ones included until the server has let them go; further
    /// ones are not started. Default 64.
    pub calls: u32,
    /// Most call-backs of one attempt under way at once; further ones fail the attempt. Default 16.
    pub backs: u32,
    /// Deepest nesting of a decoded value; deeper ones are refused before they can exhaust the stack. Default 64.
    pub depth: u16,
    /// Most methods in a table. Default 4096.
    pub methods: u32,
    /// Longest silence of a device between calls, after which the server takes the session for lost. The shorter one of
    /// both ends' counts, and the device pings at least three times within it. Default 30 min; a device's session says
    /// less if it pings more often, so that the server finds out earlier that it has vanished.
    pub silence: Duration,
}

impl Limits {
    /// Fewest bytes of a frame that a session can work with: a greeting with a few hundred methods.
    pub const SMALLEST_FRAME: u32 = 16 << 10;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 64 << 20,
            calls: 64,
            backs: 16,
            depth: 64,
            methods: 4096,
            silence: Duration::from_secs(30 * 60),
        }
    }
}
