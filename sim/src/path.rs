//! The way between a device and a server: link, radio, and an account of both.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Energy, Timestamp};
use outboard_profiler::{Radio, RadioModel, Transfer};
use outboard_wire::Lane;

use crate::link::{Direction, Link, Outage};

/// A link, the device's radio on it, and what passed.
///
/// Frames of one direction wait for one another, as on a real link; those on the small lane wait for each other only,
/// since the transport lets them pass bulk. The radio delays what finds it asleep, either way, and is charged for what it is
/// kept awake. While the link carries nothing for a second or more, in an outage, what waits for it keeps the radio neither
/// busy nor awake. Packets that the transport repeats meanwhile are not counted, nor is the time that it takes to wake
/// the radio again afterwards.
#[derive(Clone, Debug)]
pub struct Path {
    bulk: Link,
    small: Link,
    radio: Option<Radio>,
    bytes: [ByteCount; 2],
}

/// A frame on its way to the device: [`Path::receive`] it when its first byte is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reception {
    /// When its first byte reaches the device's radio.
    pub begins: Timestamp,
    /// When its last byte has arrived, if the radio listens.
    pub arrives: Timestamp,
    /// How large it is.
    pub bytes: ByteCount,
}

impl Path {
    /// A link without a radio: a cable, or a device whose radio is not looked at.
    pub fn new(link: Link) -> Self {
        Self { small: link.clone(), bulk: link, radio: None, bytes: [ByteCount::ZERO; 2] }
    }

    /// The device is on it by such a radio, which was never used.
    #[must_use]
    pub fn with_radio(mut self, radio: RadioModel) -> Self {
        self.radio = Some(Radio::new(radio, Timestamp::ZERO));
        self
    }

    /// The device sends a frame. When its last byte is at the server; `None` if it never is.
    pub fn up(&mut self, now: Timestamp, bytes: ByteCount, lane: Lane) -> Option<Timestamp> {
        self.bytes[0] += bytes;
        let awake = now + self.radio.map_or(Duration::ZERO, |radio| radio.ready(now, bytes));
        let arrives = self.lane(lane).send(awake, Direction::Up, bytes);
        if let Some(radio) = &mut self.radio {
            let left = arrives.map_or(awake, |at| awake + at.since(awake + self.bulk.round_trip(awake) / 2));
            for (start, end, up) in parts(&self.bulk, Direction::Up, (awake, left), bytes) {
                // It is woken for the frame, whatever the link is like.
                let start = if start == awake { now } else { start };
                radio.transfer(Transfer { start, end, up, down: ByteCount::ZERO });
            }
        }
        arrives
    }

    /// The server sends a frame; `None` if it never comes.
    pub fn down(&mut self, now: Timestamp, bytes: ByteCount, lane: Lane) -> Option<Reception> {
        self.bytes[1] += bytes;
        let (waited, way) = (now + self.queue(now, lane), self.bulk.round_trip(now) / 2);
        let arrives = self.lane(lane).send(now, Direction::Down, bytes)?;
        let first = self.bulk.passing(waited, arrives, Direction::Down).next();
        let begins = first.map_or(waited, |(from, _)| from) + way;
        Some(Reception { begins: begins.min(arrives), arrives, bytes })
    }

    /// A frame's first byte reaches the device's radio. When its last byte has arrived.
    pub fn receive(&mut self, now: Timestamp, reception: &Reception) -> Timestamp {
        let Reception { arrives, bytes, .. } = *reception;
        let Some(radio) = &mut self.radio else { return arrives };
        let arrives = arrives + radio.hears(now, bytes);
        for (start, end, down) in parts(&self.bulk, Direction::Down, (now, arrives), bytes) {
            radio.transfer(Transfer { start, end, up: ByteCount::ZERO, down });
        }
        arrives
    }

    /// The radio's figures.
    pub fn radio(&self) -> Option<&RadioModel> {
        self.radio.as_ref().map(Radio::model)
    }

    /// The round trip of a small message, its radio awake.
    pub fn round_trip(&self, at: Timestamp) -> Duration {
        self.bulk.round_trip(at)
    }

    /// The rate of the link.
    pub fn rate(&self, at: Timestamp, direction: Direction) -> Bandwidth {
        self.bulk.rate(at, direction)
    }

    /// When the connection next breaks, at a moment or later.
    pub fn next_severed(&self, at: Timestamp) -> Option<Outage> {
        self.bulk.next_severed(at)
    }

    /// How many bytes were sent in a direction.
    pub fn bytes(&self, direction: Direction) -> ByteCount {
        self.bytes[direction as usize]
    }

    /// What the radio took above its silence until then. `None` without a radio.
    pub fn energy(&self, until: Timestamp) -> Option<Energy> {
        self.radio.as_ref().map(|radio| radio.energy(until))
    }

    /// The same with the tail that is still to come: what the transfers so far are to be charged.
    pub fn charged(&self) -> Option<Energy> {
        self.energy(Timestamp::FAR_FUTURE)
    }

    fn queue(&self, at: Timestamp, lane: Lane) -> Duration {
        match lane {
            Lane::Bulk => self.bulk.queue(at, Direction::Down),
            Lane::Small => self.small.queue(at, Direction::Down),
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut Link {
        match lane {
            Lane::Bulk => &mut self.bulk,
            Lane::Small => &mut self.small,
        }
    }
}

/// When bytes pass between two moments, and how many: in parts, where the link carries nothing in between. The first part
/// begins at the first moment, although nothing may pass then.
fn parts(
    link: &Link,
    direction: Direction,
    (from, to): (Timestamp, Timestamp),
    bytes: ByteCount,
) -> Vec<(Timestamp, Timestamp, ByteCount)> {
    let mut parts: Vec<_> = link.passing(from, to, direction).collect();
    if parts.first().is_none_or(|part| part.0 > from) {
        parts.insert(0, (from, from));
    }
    let all: Duration = parts.iter().map(|(start, end)| *end - *start).sum();
    let mut left = bytes;
    let last = parts.len() - 1;
    let share = |place: usize, time: Duration| match place == last {
        true => bytes,
        false => bytes.scaled(time.as_secs_f64() / all.as_secs_f64().max(1e-9)),
    };
    let part = |(place, (start, end)): (usize, (Timestamp, Timestamp))| {
        let share = share(place, end - start).min(left);
        left = left.saturating_sub(share);
        (start, end, share)
    };
    parts.into_iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use outboard_profiler::RadioProfile;

    use super::*;
    use crate::link::OutageKind;

    fn path() -> Path {
        let rate = Bandwidth::from_megabits_per_second(8);
        Path::new(Link::constant(Duration::from_millis(20), rate, rate))
    }

    fn kb(kilo: u64) -> ByteCount {
        ByteCount::from_bytes(kilo * 1_000)
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn small_frames_pass_bulk_and_bulk_waits_for_bulk() {
        let mut path = path();
        assert_eq!(path.up(at(0), kb(1_000), Lane::Bulk), Some(at(1_010)));
        assert_eq!(path.up(at(0), kb(1), Lane::Small), Some(at(11)));
        assert_eq!(path.up(at(0), kb(100), Lane::Bulk), Some(at(1_110)));
        assert_eq!(path.bytes(Direction::Up), kb(1_101));
        assert_eq!(path.energy(at(2_000)), None);
    }

    #[test]
    fn what_waits_in_an_outage_keeps_no_radio_awake() {
        let lte = RadioProfile::built_in("lte").expect("built in");
        let model = RadioModel::new(&lte, None).expect("its powers are known");
        let rate = Bandwidth::from_megabits_per_second(8);
        let link = Link::constant(Duration::from_millis(20), rate, rate);
        let outage = |from, to| Outage { from: at(from), to: at(to), kind: OutageKind::Silent };
        let charged = |link: Link, start| {
            let mut path = Path::new(link).with_radio(model);
            let arrives = path.up(at(start), kb(1_000), Lane::Bulk).expect("it arrives");
            let reception = path.down(arrives, kb(1), Lane::Small).expect("it comes");
            path.receive(reception.begins, &reception);
            path.charged().expect("a radio").as_joules_f64()
        };
        let never = charged(link.clone(), 60_000);
        // Woken in vain, it stays awake for its tail; then it sleeps, and is woken again.
        let waking = 0.26 * 1.21 + 11.6 * 1.06;
        for (from, to) in [(59_000, 360_000), (60_500, 360_000)] {
            let spent = charged(link.clone().with_outages([outage(from, to)]), 60_000);
            assert!((spent - never - waking).abs() < 0.5, "{spent} J instead of {never} J and {waking} J");
        }
        // A reply that waits is heard of when it comes.
        let spent = charged(link.with_outages([outage(61_272, 361_272)]), 60_000);
        assert!((spent - never - waking).abs() < 0.5, "{spent} J instead of {never} J and {waking} J");
    }

    #[test]
    fn a_radio_that_sleeps_delays_and_is_charged_for_its_tail() {
        let lte = RadioProfile::built_in("lte").expect("built in");
        let mut path = path().with_radio(RadioModel::new(&lte, None).expect("its powers are known"));
        let start = at(60_000);
        let arrives = path.up(start, kb(10), Lane::Small).expect("it arrives");
        assert_eq!(arrives - start, Duration::from_millis(260 + 10 + 10));
        let reception = path.down(arrives, kb(1), Lane::Small).expect("it comes");
        assert_eq!(reception.begins - arrives, Duration::from_millis(10));
        // It is awake: it hears at once.
        assert_eq!(path.receive(reception.begins, &reception) - arrives, Duration::from_millis(11));
        // The tail of 11.6 s at 1.06 W is to come.
        let (now, later) = (path.energy(reception.arrives), path.charged());
        let tail = later.zip(now).map(|(later, now)| (later - now).as_joules_f64());
        assert!(tail.is_some_and(|tail| (tail - 11.6 * 1.06).abs() < 0.7), "{tail:?}");
    }
}
