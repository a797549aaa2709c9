//! Links that jump between states.

use std::time::Duration;

use outboard_core::Bandwidth;

use crate::random::Random;
use crate::trace::{LONGEST, LinkStep, LinkTrace, Loss, MAX_STEPS, TraceEnd, nanos};

/// States shorter than this on average are not told apart.
const BRIEFEST: Duration = Duration::from_millis(1);

/// One of the states of a [`Markov`] link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// From the device to the server and back.
    pub round_trip: Duration,
    /// From the device to the server.
    pub up: Bandwidth,
    /// From the server to the device.
    pub down: Bandwidth,
    /// The share of packets that are lost.
    pub loss: Loss,
    /// How long it stays on average, exponentially distributed; a millisecond at least.
    pub holds: Duration,
}

/// A continuous-time Markov chain of link states.
///
/// With two states that differ in loss it is the Gilbert–Elliott model of bursts (Gilbert, Bell System Technical Journal
/// 1960; Elliott, ibid. 1963).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markov {
    first: LinkState,
    others: Vec<LinkState>,
}

impl Markov {
    /// A link that stays in one state, until it is given others.
    pub fn new(first: LinkState) -> Self {
        Self { first, others: Vec::new() }
    }

    /// One more state. When a state is over, each of the others is as likely to be next.
    #[must_use]
    pub fn and(mut self, state: LinkState) -> Self {
        self.others.push(state);
        self
    }

    /// A link that loses few packets at most times, and many in bursts (Gilbert–Elliott): `good` and `bad` take turns.
    pub fn gilbert_elliott(good: LinkState, bad: LinkState) -> Self {
        Self::new(good).and(bad)
    }

    /// What the link does for that long, and then again: the same for the same seed. It begins in the first state.
    ///
    /// A duration of zero is taken as a nanosecond; after four million jumps the trace begins again.
    pub fn trace(&self, seed: u64, duration: Duration) -> LinkTrace {
        let duration = duration.clamp(Duration::from_nanos(1), LONGEST);
        let mut random = Random::for_purpose(seed, 0x4d61_726b_6f76);
        let mut steps = Vec::new();
        let (mut at, mut state) = (0_u64, 0_usize);
        while at < nanos(duration) && steps.len() < MAX_STEPS {
            let now = self.state(state);
            steps.push(LinkStep {
                at: Duration::from_nanos(at),
                round_trip: Some(now.round_trip),
                up: Some(now.up),
                down: Some(now.down),
                loss: Some(now.loss),
            });
            if self.others.is_empty() {
                at = nanos(duration);
                break;
            }
            at = at.saturating_add(nanos(random.exponential_time(now.holds.max(BRIEFEST))).max(1));
            let jump = 1 + random.below(self.others.len() as u64) as usize;
            state = (state + jump) % (self.others.len() + 1);
        }
        let duration = duration.min(Duration::from_nanos(at));
        LinkTrace::new(steps, duration, TraceEnd::Loop).expect("states follow each other, the first at zero")
    }

    fn state(&self, index: usize) -> &LinkState {
        index.checked_sub(1).map_or(&self.first, |other| &self.others[other])
    }
}
