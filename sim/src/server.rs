//! What a server is like, and what becomes of it.

use std::time::Duration;

use outboard_core::Timestamp;

/// A server, as a run has it.
///
/// Its speed is that at which it runs methods; what it claims in its greeting may differ, as a measurement at a bad moment
/// does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServerModel {
    /// How many times as fast as the device one of its cores is. Default 5.
    pub speed: f64,
    /// How many times as fast as the device it says it is. `None`, the default: what it is.
    pub claims: Option<f64>,
    /// How many calls run at once. Default 4.
    pub cores: u16,
    /// The share of every core that other work takes, from 0 to 1, all the time. Default 0.
    pub busy: f64,
    /// Round trips that a connection takes before its first frame. Default 1, as QUIC does.
    pub handshake: u32,
    /// What becomes of it, and when.
    pub faults: Vec<(Timestamp, Fault)>,
}

/// What becomes of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Its process dies. Its host says nothing: who waits for an answer waits.
    Killed,
    /// It is started, as another run of it. What still comes of the earlier run's connections is refused at once.
    Started,
    /// Nothing passes between it and the device any more, either way, and nobody is told.
    Silent,
    /// What was silent is heard again. What was on its way arrives.
    Heard,
    /// The connection breaks, and both ends are told. The server lives.
    Severed,
}

impl Default for ServerModel {
    fn default() -> Self {
        Self { speed: 5.0, claims: None, cores: 4, busy: 0.0, handshake: 1, faults: Vec::new() }
    }
}

impl ServerModel {
    /// A server of that speed, and otherwise as by default.
    pub fn of_speed(speed: f64) -> Self {
        Self { speed, ..Self::default() }
    }

    /// The same server, and what becomes of it.
    #[must_use]
    pub fn with_faults(mut self, faults: impl IntoIterator<Item = (Timestamp, Fault)>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// The speed that it says it has, in steps of the reference loop per second, to a device of that speed.
    pub(crate) fn claimed_speed(&self, device: u64) -> u64 {
        // A cast from float to integer saturates and maps what is not a number to zero, which is *not measured*.
        (device as f64 * self.claims.unwrap_or(self.speed)) as u64
    }

    /// How long something takes here that takes so long on the device.
    pub fn takes(&self, on_device: Duration) -> Duration {
        let speed = self.speed * (1.0 - self.busy.clamp(0.0, 0.999));
        Duration::try_from_secs_f64(on_device.as_secs_f64() / speed).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_work_slows_it_down() {
        let second = Duration::from_secs(1);
        assert_eq!(ServerModel::of_speed(4.0).takes(second), Duration::from_millis(250));
        let busy = ServerModel { busy: 0.5, ..ServerModel::of_speed(4.0) };
        assert_eq!(busy.takes(second), Duration::from_millis(500));
    }
}
