//! A link's figures over time, with sums that make every question a binary search.
//!
//! All of it is integers: times in nanoseconds, rates in bits per second, and work in bits × 10⁹ so that rate × nanoseconds
//! is work without rounding.

use crate::trace::TraceEnd;

/// Rates above are taken as this (10¹⁵ bit/s), so that no sum overflows: 10¹⁵ × 2⁶⁴ is below 2¹²⁷.
pub(crate) const FASTEST: u64 = 1_000_000_000_000_000;
/// Work of one byte.
const WORK_PER_BYTE: u128 = 8_000_000_000;

/// Bits × 10⁹.
pub(crate) fn work(bytes: u64) -> u128 {
    u128::from(bytes) * WORK_PER_BYTE
}

/// Whole bytes in that much work.
pub(crate) fn bytes(work: u128) -> u64 {
    u64::try_from(work / WORK_PER_BYTE).unwrap_or(u64::MAX)
}

/// The figures of a link between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) from: u64,
    pub(crate) round_trip: u64,
    /// Up and down: of packets, or of messages with the losses as they are.
    pub(crate) rates: [u64; 2],
    /// In parts per million.
    pub(crate) loss: u32,
}

/// Segments over time, what each direction has carried before each of them, and when it carries nothing.
#[derive(Debug)]
pub(crate) struct Course {
    segments: Vec<Segment>,
    before: [Vec<u128>; 2],
    total: [u128; 2],
    silences: [Vec<(u64, u64)>; 2],
    period: u64,
    end: TraceEnd,
}

impl Course {
    /// From segments that begin at zero and are in order, all before `period`, which is not zero.
    pub(crate) fn new(segments: Vec<Segment>, period: u64, end: TraceEnd) -> Self {
        debug_assert!(segments.first().is_some_and(|first| first.from == 0), "a trace begins at zero");
        let (up, up_total) = sums(&segments, period, 0);
        let (down, down_total) = sums(&segments, period, 1);
        let silences = [silences(&segments, period, 0), silences(&segments, period, 1)];
        Self { segments, before: [up, down], total: [up_total, down_total], silences, period, end }
    }

    /// When a direction carries nothing for a while, at a moment or next after it.
    pub(crate) fn next_silence(&self, direction: usize, at: u64) -> Option<(u64, u64)> {
        let next = |offset: u64| {
            let silences = &self.silences[direction];
            silences.get(silences.partition_point(|silence| silence.1 <= offset)).copied()
        };
        match self.end {
            TraceEnd::Loop => {
                let lap = at - at % self.period;
                let this = next(at - lap).map(|silence| (lap, silence));
                let (lap, (from, to)) = this.or_else(|| Some((lap.checked_add(self.period)?, next(0)?)))?;
                Some((lap.checked_add(from)?, lap.saturating_add(to)))
            }
            // What the last segment carries it carries for ever, or nothing.
            TraceEnd::Hold => {
                let lasts = |(from, to)| (from, if to == self.period { u64::MAX } else { to });
                next(at.min(self.period - 1)).map(lasts)
            }
            TraceEnd::Stop => Some(next(at).unwrap_or((self.period, u64::MAX))),
        }
    }

    /// What holds at a moment; `None` once the course has stopped.
    pub(crate) fn at(&self, at: u64) -> Option<&Segment> {
        let offset = match self.end {
            TraceEnd::Loop => at % self.period,
            TraceEnd::Hold => at,
            TraceEnd::Stop if at >= self.period => return None,
            TraceEnd::Stop => at,
        };
        Some(&self.segments[self.index(offset)])
    }

    /// The last segment, which says how far away the other end is when the course has stopped.
    pub(crate) fn last(&self) -> &Segment {
        self.segments.last().expect("a course has segments")
    }

    /// What a direction carries from zero to a moment.
    pub(crate) fn carried(&self, direction: usize, until: u64) -> u128 {
        match self.end {
            TraceEnd::Loop => {
                let laps = u128::from(until / self.period) * self.total[direction];
                laps + self.partly(direction, until % self.period)
            }
            TraceEnd::Hold => self.partly(direction, until),
            TraceEnd::Stop => self.partly(direction, until.min(self.period)),
        }
    }

    /// The first moment by which a direction has carried that much since zero; `None` if it never does.
    pub(crate) fn reached(&self, direction: usize, carried: u128) -> Option<u64> {
        let total = self.total[direction];
        if carried == 0 {
            return Some(0);
        }
        match self.end {
            TraceEnd::Loop => {
                let laps = (carried - 1).checked_div(total)?;
                let offset = self.reached_partly(direction, carried - laps * total)?;
                u64::try_from(laps).ok()?.checked_mul(self.period)?.checked_add(offset)
            }
            TraceEnd::Hold => self.reached_partly(direction, carried),
            TraceEnd::Stop if carried > total => None,
            TraceEnd::Stop => self.reached_partly(direction, carried),
        }
    }

    fn index(&self, offset: u64) -> usize {
        self.segments.partition_point(|segment| segment.from <= offset) - 1
    }

    fn partly(&self, direction: usize, offset: u64) -> u128 {
        let index = self.index(offset);
        let segment = &self.segments[index];
        let within = u128::from(segment.rates[direction]) * u128::from(offset - segment.from);
        self.before[direction][index] + within
    }

    fn reached_partly(&self, direction: usize, carried: u128) -> Option<u64> {
        // The last segment that begins with less: `before` starts at zero and `carried` is more.
        let index = self.before[direction].partition_point(|&before| before < carried) - 1;
        let segment = &self.segments[index];
        let missing = carried - self.before[direction][index];
        let rate = u128::from(segment.rates[direction]);
        let time = if rate == 0 { return None } else { missing.div_ceil(rate) };
        segment.from.checked_add(u64::try_from(time).ok()?)
    }
}

/// A shorter while in which nothing passes is part of a stream: packets that are apart, a hand-over. What radios draw while
/// they send was measured over seconds.
const SILENCE: u64 = 1_000_000_000;

/// When a direction carries nothing for a while.
fn silences(segments: &[Segment], period: u64, direction: usize) -> Vec<(u64, u64)> {
    let ends = segments.iter().skip(1).map(|segment| segment.from).chain([period]);
    let silent = segments.iter().zip(ends).filter(|(segment, _)| segment.rates[direction] == 0);
    let mut silences: Vec<(u64, u64)> = Vec::new();
    for (from, to) in silent.map(|(segment, to)| (segment.from, to)) {
        match silences.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => silences.push((from, to)),
        }
    }
    silences.retain(|(from, to)| to - from >= SILENCE);
    silences
}

/// What one direction carries before each segment, and in all.
fn sums(segments: &[Segment], period: u64, direction: usize) -> (Vec<u128>, u128) {
    let ends = segments.iter().skip(1).map(|segment| segment.from).chain([period]);
    let mut total = 0;
    let mut before = Vec::with_capacity(segments.len());
    for (segment, end) in segments.iter().zip(ends) {
        before.push(total);
        total += u128::from(segment.rates[direction]) * u128::from(end - segment.from);
    }
    (before, total)
}
