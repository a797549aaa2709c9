//! Whether the server is still there.

use std::time::Duration;

use outboard_core::Timestamp;

use crate::session::Timing;

/// Pings within the longest silence that a server bears.
const PINGS: u32 = 3;

/// The longest silence that a server has to bear of a device with that timing.
pub(super) fn silence(timing: &Timing) -> Duration {
    timing.heartbeat.saturating_mul(PINGS)
}

/// When to ping, and when to take the server for lost.
#[derive(Debug)]
pub(super) struct Pulse {
    timing: Timing,
    /// When the quiet began that is being measured: the last frame heard, or the first call after an idle time.
    quiet_since: Timestamp,
    /// When the ping was sent that nothing has been heard since.
    asked: Option<Timestamp>,
    /// When the latest ping was sent, until its pong comes.
    latest: Option<Timestamp>,
    /// The number of the next ping.
    next: u64,
}

/// What the time has come for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping(u64),
    Lost,
}

impl Pulse {
    /// Starts to watch a server that lets devices go which are silent for longer than `patience`.
    pub(super) fn new(now: Timestamp, mut timing: Timing, patience: Duration) -> Self {
        // So many pings fit into the server's patience that one may be late. A server without patience does not get to make
        // a device spin.
        timing.heartbeat = timing.heartbeat.min(patience / PINGS).max(timing.busy_heartbeat);
        Self { timing, quiet_since: now, asked: None, latest: None, next: 0 }
    }

    /// Something came from the server.
    pub(super) fn heard(&mut self, now: Timestamp) {
        self.quiet_since = now;
        self.asked = None;
    }

    /// The first call after an idle time was sent: its own silence is to be measured, not the idle time.
    pub(super) fn woke(&mut self, now: Timestamp) {
        self.quiet_since = now;
    }

    /// A pong came. `None`: to no ping; `Some(None)`: to an older one than the latest.
    pub(super) fn pong(&mut self, now: Timestamp, number: u64) -> Option<Option<Duration>> {
        if number >= self.next {
            return None;
        }
        if number.saturating_add(1) < self.next {
            return Some(None);
        }
        Some(self.latest.take().map(|sent| now - sent))
    }

    /// When the ping was sent that nothing has been heard since.
    pub(super) fn asked(&self) -> Option<Timestamp> {
        self.asked
    }

    /// When `check` has something to do.
    pub(super) fn timeout(&self, busy: bool) -> Timestamp {
        match self.asked {
            Some(asked) => asked + self.timing.silence,
            None => self.quiet_since + if busy { self.timing.busy_heartbeat } else { self.timing.heartbeat },
        }
    }

    pub(super) fn check(&mut self, now: Timestamp, busy: bool) -> Due {
        if now < self.timeout(busy) {
            return Due::Nothing;
        }
        if self.asked.is_some() {
            return Due::Lost;
        }
        self.asked = Some(now);
        self.latest = Some(now);
        self.next += 1;
        Due::Ping(self.next - 1)
    }
}
