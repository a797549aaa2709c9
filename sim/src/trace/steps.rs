//! A link's behaviour over time, as steps between which nothing changes.

use std::fmt;
use std::time::Duration;

use outboard_core::Bandwidth;
use thiserror::Error;

use crate::link::Direction;

/// More steps are refused: a day of steps that are a tenth of a second long, or forty times the longest shared trace.
pub(crate) const MAX_STEPS: usize = 4_000_000;
/// Longer traces are refused: about 36 years, far enough from the end of a `Timestamp` for sums.
pub(crate) const LONGEST: Duration = Duration::from_nanos(1 << 60);

/// How a link behaved: steps of round trip, goodput up and down, and loss, each of which holds until the next one.
///
/// A figure that was not recorded is `None`. [`Link::recorded`](crate::Link::recorded) fills it: from the step before
/// it where there is one with that figure, from the first one that has it otherwise, and where the whole trace lacks
/// it as [`Missing`](crate::Missing) says.
///
/// ```
/// use std::time::Duration;
/// use outboard_core::Bandwidth;
/// use outboard_sim::{LinkStep, LinkTrace, TraceEnd};
///
/// let step = |at, megabits| LinkStep {
///     down: Some(Bandwidth::from_megabits_per_second(megabits)),
///     ..LinkStep::at(Duration::from_secs(at))
/// };
/// let trace = LinkTrace::new(vec![step(0, 8), step(10, 2)], Duration::from_secs(20), TraceEnd::Loop).unwrap();
/// assert_eq!(trace.duration(), Duration::from_secs(20));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTrace {
    steps: Vec<LinkStep>,
    duration: Duration,
    end: TraceEnd,
}

/// What holds from one moment of a trace until its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkStep {
    /// Since the trace's beginning.
    pub at: Duration,
    /// From the device to the server and back, without what waits in front of the link.
    pub round_trip: Option<Duration>,
    /// What the link carries from the device to the server.
    pub up: Option<Bandwidth>,
    /// What the link carries from the server to the device.
    pub down: Option<Bandwidth>,
    /// The share of packets that are lost.
    pub loss: Option<Loss>,
}

/// What happens when a trace is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TraceEnd {
    /// It begins again.
    #[default]
    Loop,
    /// Its last step goes on for ever.
    Hold,
    /// The link carries nothing any more.
    Stop,
}

/// A share of packets that are lost, in parts per million, at most all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loss(u32);

/// Why steps are not a trace.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StepsError {
    /// There is nothing to replay.
    #[error("the trace has no steps: give it at least one, at time zero")]
    Empty,
    /// Nothing says how the link behaves at first.
    #[error("the trace's first step is at {at:?}: begin at zero")]
    LateStart {
        /// When it is.
        at: Duration,
    },
    /// A step is not after the one before it.
    #[error("step {index} of the trace, at {at:?}, is not after the one before it")]
    OutOfOrder {
        /// Which, counted from zero.
        index: usize,
        /// When it is.
        at: Duration,
    },
    /// The trace ends before its last step begins.
    #[error("the trace lasts {duration:?} and has a step at {last:?}: steps begin before the end")]
    AfterEnd {
        /// How long it lasts.
        duration: Duration,
        /// Its last step.
        last: Duration,
    },
    /// It has more steps than are kept.
    #[error("the trace has {steps} steps, more than {MAX_STEPS}: aggregate or cut it")]
    TooMany {
        /// How many.
        steps: usize,
    },
    /// It lasts longer than time is counted for.
    #[error("the trace lasts {duration:?}, more than {LONGEST:?}: cut it")]
    TooLong {
        /// How long.
        duration: Duration,
    },
}

impl LinkTrace {
    /// Checks and keeps steps; the first is at zero, each is after the one before it and before `duration`.
    ///
    /// # Errors
    ///
    /// What is wrong with the steps.
    pub fn new(steps: Vec<LinkStep>, duration: Duration, end: TraceEnd) -> Result<Self, StepsError> {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Err(StepsError::Empty) };
        if steps.len() > MAX_STEPS {
            return Err(StepsError::TooMany { steps: steps.len() });
        }
        if first.at != Duration::ZERO {
            return Err(StepsError::LateStart { at: first.at });
        }
        if let Some(before) = steps.windows(2).position(|pair| pair[1].at <= pair[0].at) {
            return Err(StepsError::OutOfOrder { index: before + 1, at: steps[before + 1].at });
        }
        if last.at >= duration {
            return Err(StepsError::AfterEnd { duration, last: last.at });
        }
        if duration > LONGEST {
            return Err(StepsError::TooLong { duration });
        }
        Ok(Self { steps, duration, end })
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[LinkStep] {
        &self.steps
    }

    /// How long it lasts before it begins again, holds or stops.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// What happens then.
    pub fn end(&self) -> TraceEnd {
        self.end
    }

    /// The same steps without the rates of a direction: a recording of what was transferred says what the link could carry
    /// only where there was always something to send.
    #[must_use]
    pub fn without(mut self, direction: Direction) -> Self {
        for step in &mut self.steps {
            match direction {
                Direction::Up => step.up = None,
                Direction::Down => step.down = None,
            }
        }
        self
    }

    /// The same steps with another end.
    #[must_use]
    pub fn ending(self, end: TraceEnd) -> Self {
        Self { end, ..self }
    }
}

impl LinkStep {
    /// A step of which nothing but its time is known.
    pub fn at(at: Duration) -> Self {
        Self { at, round_trip: None, up: None, down: None, loss: None }
    }
}

impl Loss {
    /// Every packet arrives.
    pub const NONE: Self = Self(0);
    /// No packet arrives.
    pub const ALL: Self = Self(1_000_000);

    /// So many of a million packets, at most all.
    pub const fn from_parts_per_million(parts: u32) -> Self {
        Self(if parts < Self::ALL.0 { parts } else { Self::ALL.0 })
    }

    /// So many of a hundred packets, at most all.
    pub const fn from_percent(percent: u32) -> Self {
        Self::from_parts_per_million(percent.saturating_mul(10_000))
    }

    /// How many of a million packets are lost.
    pub const fn as_parts_per_million(self) -> u32 {
        self.0
    }

    /// What is left of a rate.
    pub(crate) fn of_rate(self, bits_per_second: u64) -> u64 {
        let left = u128::from(Self::ALL.0 - self.0);
        // Not more than the rate itself.
        (u128::from(bits_per_second) * left / u128::from(Self::ALL.0)) as u64
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 10_000.0)
    }
}

/// Whole nanoseconds, or more than any trace has.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
