//! What loss leaves of a rate to a transport that takes it for congestion.

use crate::trace::Loss;

/// Bits that a packet of 1,500 bytes, Ethernet's largest, carries of a message: less what IP, UDP and QUIC put before it,
/// and QUIC behind it.
const PACKET: f64 = 1_430.0 * 8.0;
/// A window is never smaller, in packets (RFC 9002 §7.2).
const SMALLEST: f64 = 2.0;
/// What a window is multiplied by when a packet is lost (RFC 9438 §4.6).
const DECREASE: f64 = 0.7;
/// How fast it grows again, in packets per second cubed (RFC 9438 §5).
const GROWTH: f64 = 0.4;

/// The rate of a transport with CUBIC's congestion window, in bit/s, on a path with such a loss and round trip (ns) that is
/// fast enough not to matter; the largest number without loss.
///
/// A window that each lost packet makes smaller, whichever it was, has on average sqrt(3 / 2p) packets where it grows as
/// Reno's does (Mathis, Semke, Mahdavi and Ott, CCR 1997), and CUBIC takes care to be no smaller; where round trips are long
/// and losses few it is larger, (C·(3 + β) / 4·(1 − β))^¼ · (RTT / p)^¾ packets (RFC 9438 §5.1). One window passes in each
/// round trip. Square roots are the same on every machine.
pub(super) fn rate(loss: Loss, round_trip: u64) -> u64 {
    if loss == Loss::NONE {
        return u64::MAX;
    }
    let share = f64::from(loss.as_parts_per_million()) / f64::from(Loss::ALL.as_parts_per_million());
    let round_trip = round_trip as f64 / 1e9;
    let reno = libm::sqrt(1.5 / share);
    let apart = libm::sqrt(round_trip / share);
    let scale = GROWTH * (3.0 + DECREASE) / (4.0 * (1.0 - DECREASE));
    let cubic = libm::sqrt(libm::sqrt(scale)) * apart * libm::sqrt(apart);
    let window = reno.max(cubic).max(SMALLEST);
    // A cast from float to integer saturates: without a round trip there is no limit.
    (window * PACKET / round_trip) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u64 = 1_000_000;

    fn megabits(percent: u32, round_trip: u64) -> f64 {
        rate(Loss::from_percent(percent), round_trip * MILLISECOND) as f64 / 1e6
    }

    #[test]
    fn the_window_is_the_published_one() {
        // 12.2 packets at 1 %, 5.5 at 5 %, in each round trip.
        let packets = |percent| megabits(percent, 100) * 1e6 * 0.1 / PACKET;
        assert!((packets(1) - 12.25).abs() < 0.01 && (packets(5) - 5.48).abs() < 0.01);
        assert!((megabits(1, 50) / megabits(1, 100) - 2.0).abs() < 1e-6);
        // RFC 9438, table 1: CUBIC at an RTT of 0.1 s and a loss of 10⁻⁴ has 187 packets; 10⁻³ is left to Reno there.
        let cubic = rate(Loss::from_parts_per_million(100), 100 * MILLISECOND) as f64 * 0.1 / PACKET;
        assert!((cubic - 187.0).abs() < 1.0, "{cubic}");
    }

    #[test]
    fn it_has_its_bounds() {
        assert_eq!(rate(Loss::NONE, 50 * MILLISECOND), u64::MAX);
        assert_eq!(rate(Loss::from_percent(1), 0), u64::MAX);
        assert!((megabits(90, 100) * 1e6 * 0.1 / PACKET - 2.0).abs() < 1e-4);
        assert!(megabits(2, 50) < megabits(1, 50));
    }
}
