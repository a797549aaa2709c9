//! A battery that the app and everything else on the device drain.

use std::time::Duration;

use outboard_core::{Energy, Power, Timestamp};

use crate::trace::{PowerTrace, Voltage};

/// A battery: what it holds, what is left, and who else drains it.
///
/// It is a store of energy without losses: no voltage that sags, no charge that recovers.
///
/// ```
/// use std::time::Duration;
/// use outboard_core::{Energy, Power, Timestamp};
/// use outboard_sim::{Battery, Voltage};
///
/// // A telephone's: 3000 mAh at 3.7 V are 39.96 kJ.
/// let mut battery = Battery::of_label(3_000, Voltage::from_millivolts(3_700));
/// assert_eq!(battery.capacity(), Energy::from_millijoules(39_960_000));
/// battery.drain(Energy::from_millijoules(19_980_000));
/// assert_eq!(battery.state_of_charge(), 0.5);
/// let left = battery.time_to_empty(Power::from_milliwatts(1_000));
/// assert_eq!(left, Some(Duration::from_secs(19_980)));
/// ```
#[derive(Clone, Debug)]
pub struct Battery {
    capacity: Energy,
    left: Energy,
    others: Option<Others>,
}

/// What drains it besides, from a moment on.
#[derive(Clone, Debug)]
struct Others {
    trace: PowerTrace,
    since: Timestamp,
    now: Timestamp,
    /// What was taken from the battery so far: whole microjoules, so that many small steps take as much as a large one.
    taken: Energy,
}

impl Battery {
    /// A full one.
    pub fn new(capacity: Energy) -> Self {
        Self { capacity, left: capacity, others: None }
    }

    /// A full one with these on its label: its charge in mAh, and its nominal voltage.
    pub fn of_label(milliampere_hours: u32, voltage: Voltage) -> Self {
        // A milliampere-hour at a microvolt is 3.6 µJ.
        let microjoules = u128::from(milliampere_hours) * u128::from(voltage.as_microvolts()) * 36 / 10;
        Self::new(Energy::from_microjoules(u64::try_from(microjoules).unwrap_or(u64::MAX)))
    }

    /// With so much left, at most all it holds.
    #[must_use]
    pub fn with_left(mut self, left: Energy) -> Self {
        self.left = left.min(self.capacity);
        self
    }

    /// With other consumers, who draw what a trace says from a moment on. The trace begins at that moment.
    #[must_use]
    pub fn with_others(mut self, trace: PowerTrace, since: Timestamp) -> Self {
        self.others = Some(Others { trace, since, now: since, taken: Energy::ZERO });
        self
    }

    /// What it holds when full.
    pub fn capacity(&self) -> Energy {
        self.capacity
    }

    /// What is left.
    pub fn left(&self) -> Energy {
        self.left
    }

    /// The share that is left, 0 to 1; 0 for a battery that holds nothing.
    pub fn state_of_charge(&self) -> f64 {
        match self.capacity {
            Energy::ZERO => 0.0,
            capacity => self.left.as_microjoules() as f64 / capacity.as_microjoules() as f64,
        }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.left == Energy::ZERO
    }

    /// Takes that much, or what is left, and says how much was there.
    pub fn drain(&mut self, energy: Energy) -> Energy {
        let taken = energy.min(self.left);
        self.left = self.left - taken;
        taken
    }

    /// Lets time pass: the other consumers take what they draw until then. Earlier moments than before change nothing.
    pub fn advance(&mut self, now: Timestamp) {
        if let Some(others) = &mut self.others {
            others.now = others.now.max(now);
            // The traces of `Timestamp`s begin at zero.
            let until = Timestamp::ZERO + others.now.since(others.since);
            let drawn = others.trace.energy(Timestamp::ZERO, until);
            let fresh = drawn - others.taken;
            others.taken = drawn;
            self.drain(fresh);
        }
    }

    /// How long it lasts from the moment it was last advanced to, if the app draws that much, beside the other consumers;
    /// `None` if for ever.
    pub fn time_to_empty(&self, power: Power) -> Option<Duration> {
        let enough = |nanos: u64| self.drawn_in(power, nanos) >= self.left;
        if self.is_empty() {
            return Some(Duration::ZERO);
        }
        // Longer than any simulation: 146 years.
        let (mut short, mut long) = (0, 1_u64 << 62);
        if !enough(long) {
            return None;
        }
        while long - short > 1 {
            let middle = short + (long - short) / 2;
            if enough(middle) { long = middle } else { short = middle }
        }
        Some(Duration::from_nanos(long))
    }

    /// What app and others draw in a time from now.
    fn drawn_in(&self, power: Power, nanos: u64) -> Energy {
        let time = Duration::from_nanos(nanos);
        let others = self.others.as_ref().map_or(Energy::ZERO, |others| {
            let now = Timestamp::ZERO + others.now.since(others.since);
            others.trace.energy(Timestamp::ZERO, now + time) - others.taken
        });
        power * time + others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joules(joules: u64) -> Energy {
        Energy::from_millijoules(joules * 1_000)
    }

    fn seconds(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    /// 1 W for a second, 3 W for the next, and again.
    fn others() -> PowerTrace {
        let samples = [
            (Duration::ZERO, Power::from_milliwatts(1_000)),
            (Duration::from_secs(1), Power::from_milliwatts(3_000)),
        ];
        PowerTrace::new(&samples, Duration::from_secs(2)).unwrap()
    }

    #[test]
    fn no_more_is_taken_than_is_left() {
        let mut battery = Battery::new(joules(10)).with_left(joules(4));
        assert_eq!(battery.drain(joules(3)), joules(3));
        assert_eq!(battery.drain(joules(3)), joules(1));
        assert!(battery.is_empty());
        assert_eq!(battery.time_to_empty(Power::ZERO), Some(Duration::ZERO));
        assert_eq!(Battery::new(Energy::ZERO).state_of_charge(), 0.0);
    }

    #[test]
    fn others_drain_it_as_their_trace_says_in_steps_of_any_size() {
        let full = Battery::new(joules(100)).with_others(others(), seconds(10));
        let mut once = full.clone();
        once.advance(seconds(15));
        // Two rounds of 4 J and the first second of the third.
        assert_eq!(once.left(), joules(91));
        let mut often = full;
        for step in 0..=7_919 {
            often.advance(seconds(10) + Duration::from_nanos(step * 5_000_000_000 / 7_919));
        }
        assert_eq!(often.left(), once.left());
        often.advance(seconds(12));
        assert_eq!(often.left(), once.left(), "time does not go back");
    }

    #[test]
    fn it_lasts_until_app_and_others_have_drawn_all_of_it() {
        let mut battery = Battery::new(joules(9)).with_others(others(), Timestamp::ZERO);
        assert_eq!(battery.time_to_empty(Power::ZERO), Some(Duration::from_secs(5)));
        // With 1 W more: 2 + 4 + 2 J in three seconds, the rest at 4 W.
        assert_eq!(battery.time_to_empty(Power::from_milliwatts(1_000)), Some(Duration::from_millis(3_250)));
        battery.advance(seconds(3));
        assert_eq!(battery.time_to_empty(Power::ZERO), Some(Duration::from_secs(2)));
        assert_eq!(Battery::new(joules(1)).time_to_empty(Power::ZERO), None);
    }
}
