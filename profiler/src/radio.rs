//! The radio: one state machine for the energy that it takes and the time that it needs.
//!
//! After a while without use a radio sleeps, and the next transfer has to wake it first: that takes time (*promotion*) and
//! energy. After a transfer it stays awake for a while (*tails*) and draws power for nothing, unless the next transfer comes
//! meanwhile. So what a transfer costs depends on when the radio was used before, and is its *marginal* energy: what the
//! radio takes with it, less what it would take without it.
//!
//! [`RadioModel`] has the figures of a radio, [`Radio`] is one in use: the engine predicts with it, the simulator takes it for
//! the truth.

mod machine;
mod model;

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Timestamp};

pub use machine::Radio;
pub use model::RadioModel;

/// Bytes that pass without a break, one way or both.
///
/// A request and its reply are two transfers: between them the radio falls back into its tail, and may fall asleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// When it was asked for. A radio that sleeps is woken then.
    pub start: Timestamp,
    /// When the last byte has passed. Before the radio is awake it cannot be; an earlier end counts as that moment.
    pub end: Timestamp,
    /// Bytes from the device.
    pub up: ByteCount,
    /// Bytes to the device.
    pub down: ByteCount,
}

/// A request and its reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Bytes of the request.
    pub up: ByteCount,
    /// Bytes of the reply.
    pub down: ByteCount,
    /// From the request's first byte to its last, once the radio is awake.
    pub up_time: Duration,
    /// From the request's last byte to the reply's first: way and server.
    pub wait: Duration,
    /// From the reply's first byte to its last.
    pub down_time: Duration,
}

impl Exchange {
    /// From beginning to end, on a radio that is awake.
    pub fn time(&self) -> Duration {
        self.up_time.saturating_add(self.wait).saturating_add(self.down_time)
    }

    /// The same where everything takes that many times as long.
    #[must_use]
    pub fn stretched(self, factor: f64) -> Self {
        let longer = |time: Duration| {
            Duration::try_from_secs_f64((time.as_secs_f64() * factor).max(0.0)).unwrap_or(Duration::MAX)
        };
        let Self { up_time, wait, down_time, .. } = self;
        Self { up_time: longer(up_time), wait: longer(wait), down_time: longer(down_time), ..self }
    }
}

/// What an exchange costs because of the radio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RadioCost {
    /// What it is delayed by: waking the radio, and a reply's wait until a radio that sleeps listens.
    pub delay: Duration,
    /// What the radio takes above its silence with the exchange, less what it would take without it.
    pub energy: Energy,
}

/// What a radio does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RadioState {
    /// Silent; asleep, where it saves power.
    Idle,
    /// Being woken.
    Promoting,
    /// A transfer is under way.
    Active,
    /// Awake after a transfer, in that tail of its list.
    Tail(u8),
}

/// An amount of energy in femtojoules, a microwatt for a nanosecond: sums of products are exact, in whatever parts they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fine(u128);

impl Fine {
    const ZERO: Self = Self(0);

    fn of(power: outboard_core::Power, time: Duration) -> Self {
        Self(u128::from(power.as_microwatts()).saturating_mul(time.as_nanos()))
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The share that falls into `part` of `whole`; neither is longer than a clock runs.
    fn share(self, part: Duration, whole: Duration) -> Self {
        let (part, whole) = (part.as_nanos(), whole.as_nanos());
        match self.0.checked_div(whole) {
            None => self,
            Some(each) => Self(each.saturating_mul(part).saturating_add((self.0 % whole) * part / whole)),
        }
    }

    fn energy(self) -> Energy {
        Energy::from_microjoules(u64::try_from(self.0 / FINE_PER_MICROJOULE).unwrap_or(u64::MAX))
    }
}

const FINE_PER_MICROJOULE: u128 = 1_000_000_000;

#[cfg(test)]
mod facts;
#[cfg(test)]
mod properties;
