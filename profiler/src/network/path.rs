//! What the transport knows of a path by itself.

use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount};

use crate::math::{exp, ln};

/// What the transport counts and measures on a path: a QUIC connection's statistics, as they are now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathSample {
    /// The smoothed round-trip time (RFC 9002, section 5.3). It lags, and holds the queue that own transfers made.
    pub round_trip: Duration,
    /// The shortest round-trip time since the path began: what it takes without any queue.
    pub shortest_round_trip: Duration,
    /// Bytes that may be under way at once.
    pub congestion_window: ByteCount,
    /// How often the window was cut because the path carried no more.
    pub congestion_events: u64,
    /// Bytes sent since the connection began.
    pub sent: ByteCount,
    /// Bytes received since the connection began.
    pub received: ByteCount,
    /// Packets sent since the path began.
    pub sent_packets: u64,
    /// Packets lost of those.
    pub lost_packets: u64,
    /// How often large packets, and only they, stopped coming through.
    pub black_holes: u64,
}

/// What is kept of a path's samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Path {
    last: Option<PathSample>,
    /// The share of packets that were lost of late.
    loss: f64,
}

/// What a sample says beyond the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct News {
    /// Whether packets went at all: without any, nothing was measured.
    pub(super) moved: bool,
    /// Whether so few bytes went that they made no queue.
    pub(super) quiet: bool,
    /// The path carried no more than this, and was asked to.
    pub(super) most: Option<Bandwidth>,
    /// Large packets are lost now that came through before: it is another path.
    pub(super) other: bool,
}

/// What a first window of packets carries (RFC 9002, section 7.2) makes no queue to speak of.
const QUIET: u64 = 16 << 10;
/// What CUBIC leaves of the window when it cuts it (RFC 9438, section 4.6).
const CUT: f64 = 0.7;
/// Loss is what happened to about so many packets.
const PACKETS: f64 = 200.0;
/// A message whose packet was lost takes about so many times as long: a probe time-out, which is the smoothed round trip
/// and four times its variation (RFC 9002, section 6.2.1), before it is sent again.
const AGAIN: f64 = 4.0;

impl Path {
    pub(super) fn observe(&mut self, sample: PathSample) -> News {
        // Counters that run backwards are those of another connection.
        let before = self.last.filter(|last| {
            last.sent <= sample.sent
                && last.received <= sample.received
                && last.sent_packets <= sample.sent_packets
                && last.lost_packets <= sample.lost_packets
        });
        self.last = Some(sample);
        let base = before.unwrap_or_default();
        let packets = sample.sent_packets - base.sent_packets;
        let lost = sample.lost_packets - base.lost_packets;
        if packets > 0 {
            let share = (lost as f64 / packets as f64).min(1.0);
            self.loss += (1.0 - exp(-(packets as f64) / PACKETS)) * (share - self.loss);
        }
        let sent = sample.sent.as_bytes() - base.sent.as_bytes();
        let received = sample.received.as_bytes() - base.received.as_bytes();
        let window = sample.congestion_window.as_bytes();
        // A window says what the path carries only if it was filled, and cut: otherwise it was the app that had no more.
        let filled = before.is_some() && sent >= window && window > 0;
        let cut = filled && sample.congestion_events > base.congestion_events;
        let most = (cut && !sample.round_trip.is_zero()).then(|| {
            let rate = window as f64 * 8.0 / CUT / sample.round_trip.as_secs_f64();
            Bandwidth::from_bits_per_second(rate as u64)
        });
        News {
            moved: packets > 0 && !sample.round_trip.is_zero(),
            quiet: sent.saturating_add(received) <= QUIET,
            most,
            other: before.is_some() && sample.black_holes > base.black_holes,
        }
    }

    /// The shortest round trip of the path, queues left out.
    pub(super) fn shortest(&self) -> Option<Duration> {
        self.last.map(|last| last.shortest_round_trip).filter(|shortest| !shortest.is_zero())
    }

    /// How uncertain loss makes a time, as a standard deviation of its logarithm: with the probability of a loss it is
    /// [`AGAIN`] times as long.
    pub(super) fn deviation(&self) -> f64 {
        (self.loss * (1.0 - self.loss)).sqrt() * ln(AGAIN)
    }

    /// Another path: what was lost on the old one says nothing of it.
    pub(super) fn forget(&mut self) {
        self.loss = 0.0;
        if let Some(last) = &mut self.last {
            last.shortest_round_trip = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(kilobytes: u64, lost: u64) -> PathSample {
        PathSample {
            round_trip: Duration::from_millis(50),
            shortest_round_trip: Duration::from_millis(40),
            congestion_window: ByteCount::from_bytes(70_000),
            sent: ByteCount::from_bytes(kilobytes * 1_000),
            sent_packets: kilobytes,
            lost_packets: lost,
            congestion_events: lost.min(1),
            ..PathSample::default()
        }
    }

    #[test]
    fn a_window_that_was_filled_and_cut_bounds_the_rate() {
        let mut path = Path::default();
        assert_eq!(path.observe(sample(10, 0)).most, None);
        assert_eq!(
            path.observe(sample(200, 0)).most,
            None,
            "nothing was lost: the path carries more, perhaps"
        );
        // 70 kB are what a cut left of 100 kB, which took 50 ms.
        let most = path.observe(sample(400, 3)).most.expect("it was filled and cut");
        assert_eq!(most.as_bits_per_second() / 1_000_000, 16);
        assert_eq!(path.observe(sample(410, 4)).most, None, "ten kilobytes do not fill it");
    }

    #[test]
    fn loss_is_that_of_late() {
        let mut path = Path::default();
        path.observe(sample(1_000, 0));
        assert!(path.deviation() < 1e-9);
        path.observe(sample(2_000, 100));
        let lossy = path.deviation();
        assert!(lossy > 0.35, "{lossy}");
        path.observe(sample(10_000, 100));
        assert!(path.deviation() < lossy / 10.0);
    }

    #[test]
    fn counters_of_another_connection_are_not_compared() {
        let mut path = Path::default();
        path.observe(sample(1_000, 50));
        let news = path.observe(sample(10, 0));
        assert!(news.moved && news.quiet && news.most.is_none());
    }
}
