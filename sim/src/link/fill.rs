//! What a recording does not say, and how a link is made of what it says.

use std::sync::Arc;
use std::time::Duration;

use outboard_core::Bandwidth;
use thiserror::Error;

use super::course::{Course, FASTEST, Segment};
use super::window;
use crate::random::Random;
use crate::trace::{LinkStep, LinkTrace, Loss, nanos};

/// Stands in for what a trace does not have at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missing {
    /// The round trip of a trace without one.
    pub round_trip: RoundTrip,
    /// The direction that was not recorded, where one was.
    pub other: OtherDirection,
    /// The rate of both directions of a trace that has neither. `None`: such a trace is refused.
    pub rate: Option<Bandwidth>,
    /// The loss of a trace without it. None by default: a recorded goodput already lacks what was lost.
    pub loss: Loss,
}

/// A model of the round trip of a link on which it was not recorded.
///
/// It is that of a radio in use: what promotion from idle adds is the radio's to say, not the link's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundTrip {
    /// Always the same.
    Fixed(Duration),
    /// Drawn anew after each period: log-normal around a median.
    Drawn {
        /// Half of the round trips are below it.
        median: Duration,
        /// The deviation of the logarithm, in thousandths; at most 5000.
        deviation_thousandths: u32,
        /// How long each draw holds; a millisecond at least.
        every: Duration,
    },
}

/// How the direction that was not recorded follows from the one that was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherDirection {
    /// The same rate both ways.
    #[default]
    Mirrored,
    /// The recorded rate times a ratio.
    Ratio {
        /// Of the ratio.
        numerator: u32,
        /// Of the ratio; zero is taken as one.
        denominator: u32,
    },
    /// Always the same.
    Fixed(Bandwidth),
}

/// Why no link can be made of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The trace has no rate in either direction.
    #[error("the trace has no goodput in either direction: state one in `Missing::rate`")]
    NoRate,
}

/// 65 ms there and back: the middle of the 53–76 ms that calls took back to back, computed from public recordings of cellular
/// links. Quality: modelled.
impl Default for RoundTrip {
    fn default() -> Self {
        Self::Fixed(Duration::from_millis(65))
    }
}

/// A fixed round trip, the same rate both ways, no loss, and no rate for a trace that has none.
impl Default for Missing {
    fn default() -> Self {
        Self {
            round_trip: RoundTrip::default(),
            other: OtherDirection::default(),
            rate: None,
            loss: Loss::NONE,
        }
    }
}

impl Missing {
    /// With this model of the round trip.
    #[must_use]
    pub fn round_trip(self, round_trip: RoundTrip) -> Self {
        Self { round_trip, ..self }
    }

    /// With this rule for the direction that was not recorded.
    #[must_use]
    pub fn other(self, other: OtherDirection) -> Self {
        Self { other, ..self }
    }

    /// With this rate for traces that have none.
    #[must_use]
    pub fn rate(self, rate: Bandwidth) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// With this loss for traces without it.
    #[must_use]
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }
}

impl OtherDirection {
    fn of(self, recorded: Bandwidth) -> Bandwidth {
        match self {
            Self::Mirrored => recorded,
            Self::Fixed(rate) => rate,
            Self::Ratio { numerator, denominator } => {
                let rate = u128::from(recorded.as_bits_per_second()) * u128::from(numerator);
                let rate = rate / u128::from(denominator.max(1));
                Bandwidth::from_bits_per_second(u64::try_from(rate).unwrap_or(u64::MAX))
            }
        }
    }
}

impl RoundTrip {
    /// Half of the round trips are below it.
    fn median(self) -> u64 {
        match self {
            Self::Fixed(round_trip) => nanos(round_trip),
            Self::Drawn { median, .. } => nanos(median),
        }
    }

    /// At a moment, for a seed: the same again for the same moment, in whichever order it is asked.
    pub(super) fn at(self, at: u64, seed: u64) -> u64 {
        match self {
            Self::Fixed(round_trip) => nanos(round_trip),
            Self::Drawn { median, deviation_thousandths, every } => {
                let period = at / nanos(every).max(1_000_000);
                let deviation = f64::from(deviation_thousandths.min(5_000)) / 1_000.0;
                let normal = Random::for_purpose(seed, period).normal();
                // A cast from float to integer saturates.
                libm::round(nanos(median) as f64 * libm::exp(deviation * normal)) as u64
            }
        }
    }
}

/// What a trace carries, and whether it says the round trip.
pub(super) struct Courses {
    /// Of a reliable transport's messages.
    pub(super) messages: Arc<Course>,
    /// Of packets, whether they get through or not.
    pub(super) packets: Arc<Course>,
    pub(super) says_round_trip: bool,
}

/// The courses of a trace.
pub(super) fn courses(trace: &LinkTrace, missing: &Missing) -> Result<Courses, LinkError> {
    let first = |figure: fn(&LinkStep) -> Option<u64>| trace.steps().iter().find_map(figure);
    let round_trip = |step: &LinkStep| step.round_trip.map(nanos);
    let loss = |step: &LinkStep| step.loss.map(|loss| u64::from(loss.as_parts_per_million()));
    let up = |step: &LinkStep| step.up.map(Bandwidth::as_bits_per_second);
    let down = |step: &LinkStep| step.down.map(Bandwidth::as_bits_per_second);

    let recorded_round_trip = first(round_trip);
    let mut held_round_trip = recorded_round_trip.unwrap_or(0);
    let mut held_loss = first(loss).unwrap_or(u64::from(missing.loss.as_parts_per_million()));
    let (first_up, first_down) = (first(up), first(down));
    let none = missing.rate.map(Bandwidth::as_bits_per_second);
    let mut held_up = first_up.or(first_down).or(none).ok_or(LinkError::NoRate)?;
    let mut held_down = first_down.or(first_up).or(none).ok_or(LinkError::NoRate)?;
    let other = |rate| missing.other.of(Bandwidth::from_bits_per_second(rate)).as_bits_per_second();

    let mut segments = Vec::with_capacity(trace.steps().len());
    for step in trace.steps() {
        held_round_trip = round_trip(step).unwrap_or(held_round_trip);
        held_loss = loss(step).unwrap_or(held_loss);
        held_up = up(step).unwrap_or(held_up);
        held_down = down(step).unwrap_or(held_down);
        let rates = match (first_up, first_down) {
            (Some(_), None) => [held_up, other(held_up)],
            (None, Some(_)) => [other(held_down), held_down],
            _ => [held_up, held_down],
        };
        segments.push(Segment {
            from: nanos(step.at),
            round_trip: held_round_trip,
            rates: rates.map(|rate| rate.min(FASTEST)),
            // Not more than a million: it came from a `Loss`.
            loss: u32::try_from(held_loss).unwrap_or(u32::MAX),
        });
    }
    let missing_round_trip = recorded_round_trip.is_none().then(|| missing.round_trip.median());
    let course = |segments| Arc::new(Course::new(segments, nanos(trace.duration()), trace.end()));
    let lossy = segments.iter().any(|segment| segment.loss > 0);
    let lossy = lossy.then(|| segments.iter().map(|segment| segment.lossy(missing_round_trip)).collect());
    let packets = course(segments);
    let messages = lossy.map_or_else(|| Arc::clone(&packets), course);
    Ok(Courses { messages, packets, says_round_trip: recorded_round_trip.is_some() })
}

impl Segment {
    /// The same with the rates of messages: less what has to be sent again, and what a congestion window does not use.
    fn lossy(&self, missing_round_trip: Option<u64>) -> Self {
        let loss = Loss::from_parts_per_million(self.loss);
        let window = window::rate(loss, missing_round_trip.unwrap_or(self.round_trip));
        Self { rates: self.rates.map(|rate| loss.of_rate(rate).min(window)), ..*self }
    }
}
