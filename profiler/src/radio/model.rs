//! The figures of a radio, resolved: everything above its silence, everything present.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Power, Timestamp};

use super::{Exchange, FINE_PER_MICROJOULE, Fine, Radio, RadioCost};
use crate::device::{MOST_TAILS, Phase, RadioProfile};

/// The figures of a radio.
///
/// Powers are above those of the silent radio. What a profile does not say is not there: no promotion, no tail, no energy of a
/// frame; so what comes out is the least that it can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadioModel {
    /// With a transfer under way.
    pub(super) active: Power,
    /// On top, while it sends.
    pub(super) sending: Power,
    /// On top, while it receives.
    pub(super) receiving: Power,
    per_megabit_up: Energy,
    per_megabit_down: Energy,
    per_frame: Energy,
    frame_size: ByteCount,
    promotion: Phase,
    tails: [Tail; MOST_TAILS],
    count: usize,
    small: Option<(ByteCount, ByteCount)>,
    pub(super) beacon: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tail {
    phase: Phase,
    promotion: Option<Phase>,
}

/// What it takes to serve a transfer, from where the radio is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waking {
    pub(super) promotion: Phase,
    /// The power of the transfer itself.
    pub(super) power: Power,
    /// The tail that follows it.
    pub(super) next: usize,
    /// Whether it is served in that tail, without a promotion.
    pub(super) within_tail: bool,
}

impl RadioModel {
    /// The model of a radio, if its powers are known. `device_idle` is what the whole device draws while it is idle, which is
    /// taken off where the profile's figures are of the whole device.
    ///
    /// The power of a transfer is linear in its rate, β + α·r (Huang et al., MobiSys 2012, section 5.1), so that its energy
    /// is β times its duration and α times its bits, whatever the rate did meanwhile.
    pub fn new(profile: &RadioProfile, device_idle: Option<Power>) -> Option<Self> {
        let silence = match (profile.whole_device, &profile.idle) {
            (true, _) => device_idle?,
            (false, Some(idle)) => idle.value,
            (false, None) => Power::ZERO,
        };
        let above = |figure: &Option<crate::Figure<Power>>| {
            figure.as_ref().map(|figure| figure.value.saturating_sub(silence))
        };
        let (receive, transmit) = (above(&profile.receive), above(&profile.transmit));
        let active = match above(&profile.active) {
            Some(active) => active,
            None => receive?.min(transmit?),
        };
        let on_top = |power: Option<Power>| power.map_or(Power::ZERO, |power| power.saturating_sub(active));
        let energy = |figure: &Option<crate::Figure<Energy>>| {
            figure.as_ref().map_or(Energy::ZERO, |figure| figure.value)
        };
        let bytes = |figure: &Option<crate::Figure<ByteCount>>| figure.as_ref().map(|figure| figure.value);
        let lowered = |phase: Phase| Phase { power: phase.power.saturating_sub(silence), ..phase };
        let phases = profile.tail_phases();
        let mut tails = [Tail::default(); MOST_TAILS];
        for (tail, (phase, promotion)) in tails.iter_mut().zip(&phases) {
            *tail = Tail { phase: lowered(*phase), promotion: promotion.map(lowered) };
        }
        let small = (bytes(&profile.small_up), bytes(&profile.small_down));
        Some(Self {
            active,
            sending: on_top(transmit),
            receiving: on_top(receive),
            per_megabit_up: energy(&profile.per_megabit_up),
            per_megabit_down: energy(&profile.per_megabit_down),
            per_frame: energy(&profile.per_frame),
            frame_size: bytes(&profile.frame_size).unwrap_or_default(),
            promotion: profile.promotion.as_ref().map(|figure| lowered(figure.value)).unwrap_or_default(),
            tails,
            count: phases.len().min(MOST_TAILS),
            small: (small != (None, None))
                .then(|| (small.0.unwrap_or_default(), small.1.unwrap_or_default())),
            beacon: profile.beacon.as_ref().map(|figure| figure.value).filter(|beacon| !beacon.is_zero()),
        })
    }

    /// What an exchange costs on a radio that was last used that long ago; `None`: never. For a radio whose state is
    /// known better ask [`Radio::marginal`].
    pub fn marginal(&self, idle_for: Option<Duration>, exchange: &Exchange) -> RadioCost {
        let radio = Radio::last_used_at(*self, idle_for.map(|_| Timestamp::ZERO));
        radio.marginal(Timestamp::ZERO + idle_for.unwrap_or_default(), exchange)
    }

    /// How long it stays awake after a transfer.
    pub fn awake_for(&self) -> Duration {
        self.tails().iter().fold(Duration::ZERO, |sum, tail| sum.saturating_add(tail.phase.time))
    }

    /// The time between two moments at which it listens while it sleeps; `None` if it always does.
    pub fn beacon(&self) -> Option<Duration> {
        self.beacon
    }

    /// Whether a message of that size need not leave a tail that has a promotion.
    pub(super) fn is_small(&self, up: ByteCount, down: ByteCount) -> bool {
        self.small.is_some_and(|(most_up, most_down)| up <= most_up && down <= most_down)
    }

    /// The tail that it is in that long after a transfer that is followed by the tail `first`; `None`: it is idle again.
    pub(super) fn tail_at(&self, first: usize, since: Duration) -> Option<usize> {
        let mut left = since;
        for (place, tail) in self.tails().iter().enumerate().skip(first) {
            if left < tail.phase.time {
                return Some(place);
            }
            left -= tail.phase.time;
        }
        None
    }

    /// The energy of that long after such a transfer.
    pub(super) fn tail_energy(&self, first: usize, since: Duration) -> Fine {
        let (mut left, mut spent) = (since, Fine::ZERO);
        for tail in self.tails().iter().skip(first) {
            let time = left.min(tail.phase.time);
            spent = spent.plus(Fine::of(tail.phase.power, time));
            left -= time;
        }
        spent
    }

    /// What it takes to serve a message from that tail, or from idle.
    pub(super) fn waking(&self, tail: Option<usize>, small: bool) -> Waking {
        let active = |promotion| Waking { promotion, power: self.active, next: 0, within_tail: false };
        match tail.map(|place| (place, self.tails[place])) {
            None => active(self.promotion),
            Some((_, Tail { promotion: None, .. })) => active(Phase::default()),
            Some((place, Tail { phase, .. })) if small => {
                Waking { promotion: Phase::default(), power: phase.power, next: place, within_tail: true }
            }
            Some((_, Tail { promotion: Some(promotion), .. })) => active(promotion),
        }
    }

    /// The energy of bytes and frames, apart from that of the time they take.
    pub(super) fn data_energy(&self, up: ByteCount, down: ByteCount) -> Fine {
        let bits = |bytes: ByteCount, per_megabit: Energy| {
            // Microjoules per 10⁶ bits, in femtojoules: a thousand for each bit.
            let product = u128::from(bytes.as_bytes()) * u128::from(per_megabit.as_microjoules());
            Fine(product.saturating_mul(8_000))
        };
        let frames = [up, down].map(|bytes| bytes.as_bytes().div_ceil(self.frame_size.as_bytes().max(1)));
        let frames = u128::from(frames[0]) + u128::from(frames[1]);
        let each = u128::from(self.per_frame.as_microjoules()) * FINE_PER_MICROJOULE;
        bits(up, self.per_megabit_up)
            .plus(bits(down, self.per_megabit_down))
            .plus(Fine(frames.saturating_mul(each)))
    }

    fn tails(&self) -> &[Tail] {
        &self.tails[..self.count]
    }
}
