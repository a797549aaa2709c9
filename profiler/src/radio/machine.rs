//! A radio in use.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Power, Timestamp};

use super::model::Waking;
use super::{Exchange, Fine, RadioCost, RadioModel, RadioState, Transfer};

/// A radio in use: told of every transfer as it begins, asked for times, states and energy whenever.
///
/// Asking changes nothing, so it does not matter how often, or in which order. Transfers that overlap are one activity of the
/// radio: their bytes add up, their time does not. Times before the last transfer's start are taken for that start.
///
/// ```
/// use std::time::Duration;
/// use outboard_core::{ByteCount, Timestamp};
/// use outboard_profiler::{Radio, RadioModel, RadioProfile, RadioState, Transfer};
///
/// let lte = RadioModel::new(&RadioProfile::built_in("lte")?, None).expect("its powers are known");
/// let mut radio = Radio::new(lte, Timestamp::ZERO);
/// let request = ByteCount::from_bytes(10_000);
/// let start = Timestamp::ZERO + Duration::from_secs(60);
/// let delay = radio.ready(start, request);
/// assert_eq!(delay, Duration::from_millis(260));
///
/// let end = start + delay + Duration::from_millis(40);
/// radio.transfer(Transfer { start, end, up: request, down: ByteCount::ZERO });
/// assert_eq!(radio.state(end + Duration::from_secs(1)), RadioState::Tail(0));
/// assert_eq!(radio.state(end + Duration::from_secs(12)), RadioState::Idle);
/// # Ok::<(), outboard_profiler::ProfileError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Radio {
    model: RadioModel,
    /// What was spent until `since`.
    settled: Fine,
    since: Timestamp,
    /// The promotion lasts until then, at that power.
    awake: Timestamp,
    promotion: Power,
    /// The activity lasts until then, at that power. What its bytes take is spread evenly over what is left of it.
    end: Timestamp,
    power: Power,
    data: Fine,
    sending_until: Timestamp,
    receiving_until: Timestamp,
    /// The tail that follows; past the last one for a radio that was never used.
    next: usize,
    within_tail: bool,
    used: bool,
}

impl Radio {
    /// A radio that was never used; it counts energy from `now`.
    pub fn new(model: RadioModel, now: Timestamp) -> Self {
        Self {
            model,
            settled: Fine::ZERO,
            since: now,
            awake: now,
            promotion: Power::ZERO,
            end: now,
            power: Power::ZERO,
            data: Fine::ZERO,
            sending_until: now,
            receiving_until: now,
            next: usize::MAX,
            within_tail: false,
            used: false,
        }
    }

    /// A radio whose last transfer ended then; `None`: it was never used.
    pub(super) fn last_used_at(model: RadioModel, last: Option<Timestamp>) -> Self {
        let fresh = Self::new(model, last.unwrap_or_default());
        if last.is_none() { fresh } else { Self { next: 0, used: true, ..fresh } }
    }

    /// What it does.
    pub fn state(&self, now: Timestamp) -> RadioState {
        let now = now.max(self.since);
        if self.used && now < self.awake {
            RadioState::Promoting
        } else if self.used && now < self.end {
            RadioState::Active
        } else {
            self.tail(now).map_or(RadioState::Idle, |tail| RadioState::Tail(tail as u8))
        }
    }

    /// How long a message of that size waits until its first byte can leave.
    pub fn ready(&self, now: Timestamp, up: ByteCount) -> Duration {
        self.delay(now, self.model.is_small(up, ByteCount::ZERO))
    }

    /// How long a message of that size, which the network has for the device now, waits until its first byte comes: a radio
    /// that saves power listens at its beacons, which come at multiples of their period since the clock's start.
    pub fn hears(&self, now: Timestamp, down: ByteCount) -> Duration {
        let wait = self.listens_in(now);
        wait.saturating_add(self.delay(now + wait, self.model.is_small(ByteCount::ZERO, down)))
    }

    /// Takes a transfer in. Transfers come in the order of their starts.
    pub fn transfer(&mut self, transfer: Transfer) {
        let start = transfer.start.max(self.since);
        let small = self.model.is_small(transfer.up, transfer.down);
        let spent = self.spent(start);
        self.data = self.data.minus(self.data_until(start));
        let waking = self.waking(start, small);
        (self.settled, self.since) = (spent, start);
        if let Some(Waking { promotion, power, next, within_tail }) = waking {
            (self.awake, self.promotion) = (start + promotion.time, promotion.power);
            (self.power, self.next, self.within_tail) = (power, next, within_tail);
            self.used = true;
        }
        let begin = start.max(self.awake);
        let end = transfer.end.max(begin);
        let on_top = |power, until: Timestamp| Fine::of(power, end.since(begin.max(until)));
        self.data = self.data.plus(self.model.data_energy(transfer.up, transfer.down));
        if transfer.up > ByteCount::ZERO {
            self.data = self.data.plus(on_top(self.model.sending, self.sending_until));
            self.sending_until = self.sending_until.max(end);
        }
        if transfer.down > ByteCount::ZERO {
            self.data = self.data.plus(on_top(self.model.receiving, self.receiving_until));
            self.receiving_until = self.receiving_until.max(end);
        }
        self.end = self.end.max(end);
    }

    /// What was spent above silence until now. Of a transfer that is under way, the part that has passed.
    pub fn energy(&self, now: Timestamp) -> Energy {
        self.spent(now).energy()
    }

    /// When the last transfer ended, or will end; `None` if there was none.
    pub fn last_used(&self) -> Option<Timestamp> {
        self.used.then_some(self.end)
    }

    /// What an exchange would cost that is begun now. A reply that comes while the radio sleeps waits for half a beacon
    /// period, as it does on average.
    pub fn marginal(&self, now: Timestamp, exchange: &Exchange) -> RadioCost {
        let mut with = *self;
        let delay = with.carry(now, exchange);
        let (with, without) = (with.spent(Timestamp::FAR_FUTURE), self.spent(Timestamp::FAR_FUTURE));
        RadioCost { delay, energy: with.minus(without).energy() }
    }

    /// The figures it works with.
    pub fn model(&self) -> &RadioModel {
        &self.model
    }

    /// Carries a request and its reply, and says by how much the radio delays them.
    pub(super) fn carry(&mut self, now: Timestamp, exchange: &Exchange) -> Duration {
        let start = now.max(self.since);
        let waking = self.ready(start, exchange.up);
        let sent = start + waking + exchange.up_time;
        self.transfer(Transfer { start, end: sent, up: exchange.up, down: ByteCount::ZERO });
        let comes = sent + exchange.wait;
        let asleep =
            if self.sleeps(comes) { self.model.beacon.unwrap_or_default() / 2 } else { Duration::ZERO };
        let start = comes + asleep;
        let waking_again = self.delay(start, self.model.is_small(ByteCount::ZERO, exchange.down));
        let end = start + waking_again + exchange.down_time;
        self.transfer(Transfer { start, end, up: ByteCount::ZERO, down: exchange.down });
        waking.saturating_add(asleep).saturating_add(waking_again)
    }

    /// The tail that it is in, when no transfer is under way.
    fn tail(&self, now: Timestamp) -> Option<usize> {
        self.model.tail_at(self.next, now.since(self.end))
    }

    /// What a message takes to be served; `None` if it joins an activity that serves it.
    fn waking(&self, now: Timestamp, small: bool) -> Option<Waking> {
        if self.used && now <= self.end {
            // An activity in a tail is left for a message that is too large for it.
            return (self.within_tail && !small).then(|| self.model.waking(Some(self.next), small));
        }
        Some(self.model.waking(self.tail(now), small))
    }

    fn delay(&self, now: Timestamp, small: bool) -> Duration {
        let now = now.max(self.since);
        match self.waking(now, small) {
            Some(waking) => waking.promotion.time,
            None => self.awake.since(now),
        }
    }

    /// Whether it does not hear what the network has for it until its next beacon.
    fn sleeps(&self, now: Timestamp) -> bool {
        let busy = self.used && now.max(self.since) <= self.end;
        self.model.beacon.is_some() && !busy && self.tail(now).is_none()
    }

    fn listens_in(&self, now: Timestamp) -> Duration {
        let period = self.model.beacon.filter(|_| self.sleeps(now)).map_or(0, |beacon| beacon.as_nanos());
        let past = u128::from(now.as_nanos()).checked_rem(period).unwrap_or(0);
        let left = if past == 0 { 0 } else { period - past };
        Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
    }

    fn spent(&self, now: Timestamp) -> Fine {
        let now = now.max(self.since);
        let waking = Fine::of(self.promotion, now.min(self.awake).since(self.since));
        let active = Fine::of(self.power, now.min(self.end).since(self.since.max(self.awake)));
        let tails = self.model.tail_energy(self.next, now.since(self.end));
        self.settled.plus(waking).plus(active).plus(self.data_until(now)).plus(tails)
    }

    /// The part of the bytes' energy that is spent by then.
    fn data_until(&self, now: Timestamp) -> Fine {
        let begin = self.since.max(self.awake);
        if now >= self.end {
            self.data
        } else if now <= begin {
            Fine::ZERO
        } else {
            self.data.share(now.since(begin), self.end.since(begin))
        }
    }
}
