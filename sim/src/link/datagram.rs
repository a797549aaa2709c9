//! The link as single packets meet it: for a transport that is run instead of modelled.

use outboard_core::{ByteCount, Timestamp};

use super::{Direction, Link, course};
use crate::trace::Loss;

/// Every packet, in parts per million.
const ALL: u64 = Loss::ALL.as_parts_per_million() as u64;

impl Link {
    /// Hands a packet over at a moment, and says when it arrives; `None` if it never does: it was lost on its way, met an
    /// outage there, or found no room in a queue of that many bytes (tail drop; an idle link takes any packet). The size is
    /// that of the whole packet.
    ///
    /// Nothing is repeated here, and packets of a direction keep their order. They leave at the rate from before losses: a
    /// packet that is lost took its time all the same. The queue goes on during an outage, and what leaves it then is
    /// lost. A link carries either packets or messages ([`send`](Self::send)), which share the queue.
    ///
    /// ```
    /// use std::time::Duration;
    /// use outboard_core::{Bandwidth, ByteCount, Timestamp};
    /// use outboard_sim::{Direction, Link};
    ///
    /// let rate = Bandwidth::from_megabits_per_second(12);
    /// let mut link = Link::constant(Duration::from_millis(20), rate, rate);
    /// let mut send = || {
    ///     let (packet, queue) = (ByteCount::from_bytes(1_500), ByteCount::from_bytes(3_000));
    ///     link.datagram(Timestamp::ZERO, Direction::Up, packet, queue).map(|at| at - Timestamp::ZERO)
    /// };
    /// // Each packet takes a millisecond at 12 Mbit/s, and there is room for two.
    /// assert_eq!(send(), Some(Duration::from_millis(11)));
    /// assert_eq!(send(), Some(Duration::from_millis(12)));
    /// assert_eq!(send(), None);
    /// ```
    pub fn datagram(
        &mut self,
        at: Timestamp,
        direction: Direction,
        size: ByteCount,
        queue: ByteCount,
    ) -> Option<Timestamp> {
        let (at, index) = (at.as_nanos(), direction.index());
        let start = at.max(self.lanes[index].free);
        let carried = |at| self.packets.carried(index, self.moment(at));
        let (before, waiting) = (carried(start), carried(start) - carried(at));
        let loss = self.packets.at(self.moment(start)).map_or(ALL, |segment| segment.loss.into());
        // Drawn in any case, so that what is drawn next does not depend on the queue.
        let lost = self.lanes[index].random.below(ALL) < loss;
        let work = course::work(size.as_bytes().max(1));
        if waiting > 0 && waiting + work > course::work(queue.as_bytes()) {
            return None;
        }
        let left = self.packets.reached(index, before + work)?.checked_sub(self.offset)?;
        let lane = &mut self.lanes[index];
        lane.free = left;
        lane.done = self.course.carried(index, left.saturating_add(self.offset));
        if lost {
            return None;
        }
        let arrival = left.saturating_add(self.round_trip_nanos(start) / 2);
        let arrival = arrival.max(self.lanes[index].arrival);
        if self.outages.next(start).is_some_and(|(from, _)| from <= arrival) {
            return None;
        }
        self.lanes[index].arrival = arrival;
        Some(Timestamp::from_nanos(arrival))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use outboard_core::Bandwidth;

    use super::*;
    use crate::link::{Missing, Outage, OutageKind};
    use crate::trace::{LinkStep, LinkTrace, TraceEnd};

    const PACKET: ByteCount = ByteCount::from_bytes(1_500);

    fn at(millis: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(millis)
    }

    /// 12 Mbit/s, so that a packet takes a millisecond, and 20 ms there and back.
    fn link(loss: Loss) -> Link {
        let rate = Bandwidth::from_megabits_per_second(12);
        Link::constant_with_loss(Duration::from_millis(20), rate, rate, loss, 7)
    }

    fn kb(kilo: u64) -> ByteCount {
        ByteCount::from_bytes(kilo * 1_000)
    }

    #[test]
    fn packets_queue_up_to_the_bound_and_each_direction_has_its_own() {
        let mut link = link(Loss::NONE);
        let arrivals: Vec<_> = (0..6).map(|_| link.datagram(at(0), Direction::Up, PACKET, kb(6))).collect();
        let in_time = [11, 12, 13, 14].map(|millis| Some(at(millis)));
        assert_eq!(arrivals[..4], in_time);
        assert_eq!(arrivals[4..], [None, None]);
        assert_eq!(link.datagram(at(0), Direction::Down, PACKET, kb(6)), Some(at(11)));
        // A packet has left, and there is room for another.
        assert_eq!(link.datagram(at(1), Direction::Up, PACKET, kb(6)), Some(at(15)));
        assert_eq!(link.datagram(at(100), Direction::Up, PACKET, kb(1)), Some(at(111)), "nothing waits");
    }

    #[test]
    fn a_full_link_carries_what_is_left_of_its_rate_after_losses() {
        let mut link = link(Loss::from_percent(10));
        let sent = 20_000_u64;
        let arrived: Vec<_> =
            (0..sent).filter_map(|packet| link.datagram(at(packet), Direction::Up, PACKET, kb(15))).collect();
        let share = arrived.len() as f64 / sent as f64;
        assert!((share - 0.9).abs() < 0.01, "{share}");
        // The rate is that from before losses: none of them had to wait.
        assert_eq!(arrived.last(), Some(&at(sent - 1 + 11)));
    }

    #[test]
    fn losses_are_the_same_again_for_a_seed_and_do_not_depend_on_the_queue() {
        let lost = |queue| {
            let mut link = link(Loss::from_percent(30));
            let mut lost = Vec::new();
            for packet in 0..200 {
                lost.push(link.datagram(at(2 * packet), Direction::Up, PACKET, queue).is_none());
            }
            lost
        };
        assert_eq!(lost(kb(2)), lost(kb(200)));
        assert!(link(Loss::ALL).datagram(at(0), Direction::Up, PACKET, kb(9)).is_none());
    }

    #[test]
    fn what_is_on_its_way_in_an_outage_is_lost() {
        let outage = Outage { from: at(100), to: at(200), kind: OutageKind::Silent };
        let mut link = link(Loss::NONE).with_outages([outage]);
        let mut send = |millis| link.datagram(at(millis), Direction::Up, PACKET, kb(9));
        assert_eq!(send(88), Some(at(99)));
        assert_eq!(send(90), None);
        assert_eq!(send(150), None);
        assert_eq!(send(200), Some(at(211)));
    }

    #[test]
    fn packets_wait_while_a_recorded_rate_is_zero_and_stay_in_order() {
        let step = |millis, megabits, round_trip| LinkStep {
            up: Some(Bandwidth::from_megabits_per_second(megabits)),
            round_trip: Some(Duration::from_millis(round_trip)),
            ..LinkStep::at(Duration::from_millis(millis))
        };
        let steps = vec![step(0, 12, 80), step(10, 0, 80), step(50, 12, 20)];
        let trace = LinkTrace::new(steps, Duration::from_secs(1), TraceEnd::Stop).unwrap();
        let mut link = Link::recorded(&trace, &Missing::default(), 1).unwrap();
        let mut send = |millis| link.datagram(at(millis), Direction::Up, PACKET, kb(9));
        assert_eq!(send(9), Some(at(50)));
        assert_eq!(send(20), Some(at(51 + 40)), "it began when the round trip was still long");
        assert_eq!(send(60), Some(at(91)), "it would have been there sooner, but keeps its place");
        assert_eq!(send(999), Some(at(1010)));
        assert_eq!(send(1_000), None, "the trace has stopped");
    }
}
