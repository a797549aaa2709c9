//! Mahimahi's packet delivery traces.

use std::time::Duration;

use outboard_core::Bandwidth;

use super::error::TraceError;
use super::lines::Source;
use super::steps::{LinkStep, LinkTrace, TraceEnd};
use crate::link::Direction;

/// One delivery opportunity: 1500 bytes, Mahimahi's packet.
const BITS_PER_OPPORTUNITY: u128 = 12_000;

impl LinkTrace {
    /// Reads Mahimahi's format (Netravali et al., USENIX ATC 2015): on each line a millisecond at which one packet of 1500 bytes
    /// can leave, the same number again where several can. It has one direction; at the end it begins again.
    ///
    /// Opportunities are added up over bins of `bin` whole milliseconds, within which they are evenly spread. With a bin of
    /// one millisecond, which is the format's resolution, the last byte of the n-th packet leaves at the n-th opportunity
    /// exactly. An opportunity at t fills the bin that ends at t; one at 0 counts as the last of each lap.
    ///
    /// # Errors
    ///
    /// The line that is no number, or goes back in time.
    pub fn from_mahimahi(
        file: &str,
        text: &str,
        direction: Direction,
        bin: Duration,
    ) -> Result<Self, TraceError> {
        let source = Source::new(file, text);
        let bin = u64::try_from(bin.as_millis()).unwrap_or(u64::MAX).clamp(1, 86_400_000);
        // Bins with what they carry, in order, without those that carry nothing.
        let mut bins: Vec<(u64, u64)> = Vec::new();
        let (mut last, mut at_zero) = (0, 0_u64);
        for line in source.lines() {
            let at = line.time(line.text, 6, "a time in milliseconds")? / 1_000_000;
            if at < last {
                return Err(line.backwards());
            }
            last = at;
            match (at.checked_sub(1), bins.last_mut()) {
                (None, _) => at_zero += 1,
                (Some(at), Some((index, count))) if *index == at / bin => *count += 1,
                (Some(at), _) => source.push(&mut bins, (at / bin, 1))?,
            }
        }
        // The last opportunity was at the end of a bin: that is where the lap ends.
        match bins.last_mut() {
            Some((_, count)) => *count += at_zero,
            None => return Err(source.empty()),
        }
        let mut steps = Vec::new();
        let mut end = 0;
        for (index, count) in bins {
            let (from, to) = (index * bin, ((index + 1) * bin).min(last));
            if from > end {
                source.push(&mut steps, step(direction, end, 0))?;
            }
            let bits_per_second = u128::from(count) * BITS_PER_OPPORTUNITY * 1_000 / u128::from(to - from);
            source.push(
                &mut steps,
                step(direction, from, u64::try_from(bits_per_second).unwrap_or(u64::MAX)),
            )?;
            end = to;
        }
        source.trace(steps, Duration::from_millis(last), TraceEnd::Loop)
    }
}

fn step(direction: Direction, at: u64, bits_per_second: u64) -> LinkStep {
    let rate = Some(Bandwidth::from_bits_per_second(bits_per_second));
    let step = LinkStep::at(Duration::from_millis(at));
    match direction {
        Direction::Up => LinkStep { up: rate, ..step },
        Direction::Down => LinkStep { down: rate, ..step },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{Link, Missing, RoundTrip};
    use outboard_core::{ByteCount, Timestamp};
    use proptest::prelude::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_millis(milliseconds)
    }

    fn link(opportunities: &[u64]) -> Link {
        let text: String = opportunities.iter().map(|at| format!("{at}\n")).collect();
        let trace = LinkTrace::from_mahimahi("test.down", &text, Direction::Down, MILLISECOND).unwrap();
        Link::recorded(&trace, &Missing::default().round_trip(RoundTrip::Fixed(Duration::ZERO)), 0).unwrap()
    }

    #[test]
    fn each_packet_leaves_at_its_opportunity_and_the_trace_begins_again() {
        let mut link = link(&[3, 3, 7, 10]);
        let mut send = || link.send(Timestamp::ZERO, Direction::Down, ByteCount::from_bytes(1_500));
        // Two share the millisecond that ends at 3.
        assert_eq!(send(), Some(Timestamp::ZERO + Duration::from_micros(2_500)));
        assert_eq!(
            [send(), send(), send(), send()],
            [Some(at(3)), Some(at(7)), Some(at(10)), Some(Timestamp::ZERO + Duration::from_micros(12_500))]
        );
    }

    #[test]
    fn wider_bins_carry_as_much() {
        let text = "1\n2\n5\n9\n10\n";
        let trace = LinkTrace::from_mahimahi("x", text, Direction::Up, Duration::from_millis(5)).unwrap();
        let rates: Vec<_> = trace.steps().iter().map(|step| step.up.unwrap().as_bits_per_second()).collect();
        assert_eq!(rates, [7_200_000, 4_800_000]);
    }

    #[test]
    fn errors_name_file_and_line() {
        let read = |text| {
            LinkTrace::from_mahimahi("a.down", text, Direction::Down, MILLISECOND).unwrap_err().to_string()
        };
        assert_eq!(read("1\nx\n"), "a.down, line 2: `x` is not a time in milliseconds");
        assert_eq!(read("5\n4\n"), "a.down, line 2: it is earlier than the line before it: sort the file");
        assert!(read("0\n0\n").contains("a.down: it has no samples"), "{}", read("0\n"));
    }

    /// When each packet leaves if they all wait from the start: `mm-link` takes one for each opportunity.
    fn replayed(opportunities: &[u64], packets: usize) -> Vec<u64> {
        let lap = *opportunities.last().unwrap();
        let laps = (0..).flat_map(|round| opportunities.iter().map(move |at| round * lap + at));
        laps.filter(|&at| at > 0).take(packets).collect()
    }

    proptest! {
        #[test]
        fn whole_milliseconds_of_packets_leave_as_in_a_direct_replay(
            gaps in prop::collection::vec(0..20_u64, 1..60),
            packets in 1..200_usize,
        ) {
            let mut now = 0;
            let opportunities: Vec<u64> = gaps.iter().map(|gap| { now += gap; now }).chain([1_300]).collect();
            let expected = replayed(&opportunities, packets);
            let mut link = link(&opportunities);
            for (index, expected) in expected.iter().enumerate() {
                let left = link.send(Timestamp::ZERO, Direction::Down, ByteCount::from_bytes(1_500)).unwrap();
                // The last packet of a millisecond leaves at its end, the others within it.
                let last = replayed(&opportunities, index + 2)[index + 1] != *expected;
                if last {
                    prop_assert_eq!(left, at(*expected));
                } else {
                    prop_assert!(left > at(expected - 1) && left < at(*expected), "{} not within {}", left, expected);
                }
            }
        }
    }
}
