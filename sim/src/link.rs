//! The network path between a device and a server, in virtual time.
//!
//! A link carries whole messages. Each direction is a queue of its own: a message waits until the one before it has left,
//! leaves at the link's rate over time, and arrives half a round trip later.
//!
//! ```text
//!   send(at) ──► waits ──► leaves at the rate ──► half the round trip ──► arrives
//!                FIFO      stalls in outages       + a probe timeout, should its last packet be lost
//! ```

mod course;
mod datagram;
mod fill;
mod markov;
mod outage;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;
use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount, Timestamp};

use crate::random::Random;
use crate::trace::{LinkStep, LinkTrace, Loss, TraceEnd, nanos};
use course::Course;
use fill::Courses;
pub use fill::{LinkError, Missing, OtherDirection, RoundTrip};
pub use markov::{LinkState, Markov};
use outage::Outages;
pub use outage::{Outage, OutageKind};

/// How long a receiver may hold an acknowledgement back: `max_ack_delay` of RFC 9000 §18.2.
const ACKNOWLEDGEMENT_DELAY: u64 = 25_000_000;
/// The granularity of a transport's timers: `kGranularity` of RFC 9002 §6.1.2.
const GRANULARITY: u64 = 1_000_000;
/// After so many timeouts in a row that each doubles (63 × the first), the packet is taken as through.
const MOST_TIMEOUTS: u32 = 6;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the device to the server.
    Up,
    /// From the server to the device.
    Down,
}

/// The network path between a device and a server: constant, a Markov chain, or recorded.
///
/// **Loss** is that of a reliable transport. Of the rate is left what does not have to be sent again, rate × (1 − p), or what
/// a congestion window uses that each loss makes smaller, if that is less: CUBIC's, of about sqrt(3 / 2p) packets in a
/// round trip (Mathis et al., CCR 1997; RFC 9438). Loss of a message's last packet is found by no later one, so that it takes
/// a probe timeout (RFC 9002 §6.2: the round trip, the timers' granularity and the acknowledgement delay, on a path whose
/// round trip is steady), which doubles each time.
///
/// Beside QUIC over single packets of the same link (`tests/tests/quic/compared.rs` of the project) a long message on a used
/// connection took 4 to 5 % longer without loss, since headers are not counted, and 0.9 to 1.2 times as long with 1 to 10 % of
/// packets lost. What is short enough to meet few losses was up to 2.5 times as fast at 1 %. The first messages of a
/// connection took up to six times as long on long fast links, where its window has to open (slow start, which is not
/// modelled); and at 30 % of packets lost all took 1.5 to 3 times as long.
///
/// **Order** is kept within a direction, as in one stream: no message arrives before one that was sent earlier.
///
/// Times are integers, and what is drawn comes from the seed: a run is the same on every machine. A clone is cheap and
/// goes its own way, with the same draws.
///
/// ```
/// use std::time::Duration;
/// use outboard_core::{Bandwidth, ByteCount, Timestamp};
/// use outboard_sim::{Direction, Link};
///
/// let rate = Bandwidth::from_megabits_per_second(8);
/// let mut link = Link::constant(Duration::from_millis(20), rate, rate);
/// let start = Timestamp::ZERO;
/// // 10 kB take 10 ms at 8 Mbit/s, and 10 ms more for half of the way there and back.
/// let arrival = link.send(start, Direction::Up, ByteCount::from_bytes(10_000));
/// assert_eq!(arrival, Some(start + Duration::from_millis(20)));
/// ```
#[derive(Clone, Debug)]
pub struct Link {
    /// What it carries of messages.
    course: Arc<Course>,
    /// What it carries of packets.
    packets: Arc<Course>,
    /// Where the course does not say the round trip.
    round_trip: Option<RoundTrip>,
    outages: Arc<Outages>,
    /// Added to every moment before the course is asked.
    offset: u64,
    seed: u64,
    lanes: [Lane; 2],
}

/// What one direction has under way.
#[derive(Clone, Debug)]
struct Lane {
    /// When the last byte that was handed over has left, rounded up.
    free: u64,
    /// What the course has carried by then, not rounded: what follows at once loses nothing.
    done: u128,
    /// When the last message arrives.
    arrival: u64,
    random: Random,
}

impl Direction {
    fn index(self) -> usize {
        match self {
            Self::Up => 0,
            Self::Down => 1,
        }
    }
}

impl Link {
    /// A link that never changes, and loses nothing.
    pub fn constant(round_trip: Duration, up: Bandwidth, down: Bandwidth) -> Self {
        Self::constant_with_loss(round_trip, up, down, Loss::NONE, 0)
    }

    /// A link that never changes, and loses a share of all packets.
    pub fn constant_with_loss(
        round_trip: Duration,
        up: Bandwidth,
        down: Bandwidth,
        loss: Loss,
        seed: u64,
    ) -> Self {
        let step = LinkStep {
            at: Duration::ZERO,
            round_trip: Some(round_trip),
            up: Some(up),
            down: Some(down),
            loss: Some(loss),
        };
        let trace = LinkTrace::new(vec![step], Duration::from_secs(1), TraceEnd::Hold);
        Self::whole(&trace.expect("one step at zero is a trace"), seed)
    }

    /// A link that jumps between states, drawn for that long and then again from the start.
    pub fn markov(model: &Markov, seed: u64, duration: Duration) -> Self {
        Self::whole(&model.trace(seed, duration), seed)
    }

    /// A link that behaves as it was recorded, with a stand-in for what was not.
    ///
    /// # Errors
    ///
    /// If there is no rate in the trace and none stands in.
    pub fn recorded(trace: &LinkTrace, missing: &Missing, seed: u64) -> Result<Self, LinkError> {
        let Courses { messages, packets, says_round_trip } = fill::courses(trace, missing)?;
        let lane =
            |purpose| Lane { free: 0, done: 0, arrival: 0, random: Random::for_purpose(seed, purpose) };
        Ok(Self {
            course: messages,
            packets,
            round_trip: (!says_round_trip).then_some(missing.round_trip),
            outages: Arc::default(),
            offset: 0,
            seed,
            lanes: [lane(1), lane(2)],
        })
    }

    /// With these outages laid over it, in any order, instead of those it had.
    #[must_use]
    pub fn with_outages(self, outages: impl IntoIterator<Item = Outage>) -> Self {
        Self { outages: Arc::new(Outages::new(outages)), ..self }
    }

    /// Begins that far into what was recorded. Outages stay where they are.
    #[must_use]
    pub fn starting_at(mut self, offset: Duration) -> Self {
        self.offset = nanos(offset);
        for direction in 0..self.lanes.len() {
            self.lanes[direction].done =
                self.course.carried(direction, self.moment(self.lanes[direction].free));
        }
        self
    }

    /// There and back, as it is at a moment, without what waits in front of the link.
    pub fn round_trip(&self, at: Timestamp) -> Duration {
        Duration::from_nanos(self.round_trip_nanos(at.as_nanos()))
    }

    /// What a direction carries of messages at a moment, with the losses as they are; zero in an outage.
    pub fn rate(&self, at: Timestamp, direction: Direction) -> Bandwidth {
        let segment = if self.is_down(at) { None } else { self.course.at(self.moment(at.as_nanos())) };
        let rate = segment.map_or(0, |segment| segment.rates[direction.index()]);
        Bandwidth::from_bits_per_second(rate)
    }

    /// The share of packets that are lost at a moment; all of them in an outage.
    pub fn loss(&self, at: Timestamp) -> Loss {
        let segment = if self.is_down(at) { None } else { self.course.at(self.moment(at.as_nanos())) };
        segment.map_or(Loss::ALL, |segment| Loss::from_parts_per_million(segment.loss))
    }

    /// Whether an outage holds at a moment. A recorded rate of zero is none: nobody can tell it from a slow link.
    pub fn is_down(&self, at: Timestamp) -> bool {
        self.outages.over(at.as_nanos()).is_some()
    }

    /// When the connection next breaks, at a moment or later, and when it can be had again; `None` if never.
    pub fn next_severed(&self, at: Timestamp) -> Option<Outage> {
        let (from, to) = self.outages.next_severed(at.as_nanos())?;
        let (from, to) = (Timestamp::from_nanos(from), Timestamp::from_nanos(to));
        Some(Outage { from, to, kind: OutageKind::Severed })
    }

    /// How long a message that is handed over at a moment waits for those before it.
    pub fn queue(&self, at: Timestamp, direction: Direction) -> Duration {
        Timestamp::from_nanos(self.lanes[direction.index()].free).since(at)
    }

    /// What a direction can carry between two moments, outages left out.
    pub fn capacity(&self, from: Timestamp, to: Timestamp, direction: Direction) -> ByteCount {
        let (mut from, to) = (from.as_nanos(), to.as_nanos());
        let mut work = 0;
        while from < to {
            let (down, up_again) = self.outages.next(from).unwrap_or((u64::MAX, u64::MAX));
            if down > from {
                work += self.work_between(direction.index(), from, down.min(to));
            }
            from = up_again;
        }
        ByteCount::from_bytes(course::bytes(work))
    }

    /// When something can pass in a direction between two moments. Whiles of less than a second in which nothing does are not
    /// told apart.
    pub fn passing(
        &self,
        from: Timestamp,
        to: Timestamp,
        direction: Direction,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let (mut at, to) = (from.as_nanos(), to.as_nanos());
        std::iter::from_fn(move || {
            loop {
                let (silent, over) = self.next_silence(at, direction.index());
                let from = at;
                at = over.max(at);
                if from >= to {
                    return None;
                }
                if silent > from {
                    return Some((Timestamp::from_nanos(from), Timestamp::from_nanos(silent.min(to))));
                }
            }
        })
    }

    /// Hands a message over at a moment, and says when its last byte has arrived at the other end; `None` if it never
    /// does. A message has at least one byte.
    ///
    /// It goes behind all messages that were handed over in this direction, even for later moments. Half the round trip is
    /// that of the moment at which its first byte leaves. What is under way when a silent outage begins arrives
    /// once it is over.
    pub fn send(&mut self, at: Timestamp, direction: Direction, size: ByteCount) -> Option<Timestamp> {
        let (at, index) = (at.as_nanos(), direction.index());
        let start = self.first_leaves(at.max(self.lanes[index].free));
        let left =
            start.and_then(|start| self.last_leaves(index, start, course::work(size.as_bytes().max(1))));
        let (left, done) = left.map_or((None, 0), |(left, done)| (Some(left), done));
        // Drawn in any case, so that what is drawn next does not depend on it.
        let repeats = self.draw_repeats(index, start.unwrap_or(at));
        let arrival = match (start, left) {
            (Some(start), Some(left)) => {
                self.arrives(start, left, repeats).map(|it| it.max(self.lanes[index].arrival))
            }
            _ => None,
        };
        if let Some((from, _)) = self.outages.next_severed(at)
            && arrival.is_none_or(|arrival| from < arrival)
        {
            // What was leaving stops when the connection breaks; what had not begun leaves the lane as it was.
            if start.is_some_and(|start| start < from) {
                let free = left.map_or(from, |left| left.min(from));
                self.lanes[index].free = free;
                self.lanes[index].done = self.course.carried(index, self.moment(free));
            }
            return None;
        }
        let lane = &mut self.lanes[index];
        lane.free = left.unwrap_or(u64::MAX);
        lane.done = done;
        lane.arrival = arrival.unwrap_or(u64::MAX);
        arrival.map(Timestamp::from_nanos)
    }

    /// A link of a trace that has everything.
    fn whole(trace: &LinkTrace, seed: u64) -> Self {
        Self::recorded(trace, &Missing::default(), seed).expect("the trace has rates")
    }

    fn moment(&self, at: u64) -> u64 {
        at.saturating_add(self.offset)
    }

    fn round_trip_nanos(&self, at: u64) -> u64 {
        let at = self.moment(at);
        match self.round_trip {
            Some(model) => model.at(at, self.seed),
            None => self.course.at(at).unwrap_or(self.course.last()).round_trip,
        }
    }

    /// When a message can begin to leave: at once, or when an outage is over.
    fn first_leaves(&self, at: u64) -> Option<u64> {
        Some(self.outages.over(at).unwrap_or(at)).filter(|&at| at < u64::MAX)
    }

    /// When that much work that begins at a moment outside of outages is done, and what the course has carried then.
    fn last_leaves(&self, direction: usize, start: u64, work: u128) -> Option<(u64, u128)> {
        let lane = &self.lanes[direction];
        let (mut start, mut work) = (start, work);
        let mut carried = match lane.free == start {
            true => lane.done,
            false => self.course.carried(direction, self.moment(start)),
        };
        loop {
            let left =
                self.course.reached(direction, carried + work).and_then(|at| at.checked_sub(self.offset));
            let left = left.map(|left| (left, carried + work));
            let Some((down, up_again)) = self.outages.next(start) else { return left };
            if left.is_some_and(|(left, _)| left <= down) {
                return left;
            }
            work -= self.course.carried(direction, self.moment(down)) - carried;
            start = up_again;
            if start == u64::MAX {
                return None;
            }
            carried = self.course.carried(direction, self.moment(start));
        }
    }

    /// When nothing passes for a while, at a moment or next after it.
    fn next_silence(&self, at: u64, direction: usize) -> (u64, u64) {
        const NEVER: (u64, u64) = (u64::MAX, u64::MAX);
        let there = |at: u64| at.saturating_sub(self.offset);
        let course = self.course.next_silence(direction, self.moment(at));
        let course =
            course.map_or(NEVER, |(from, to)| (there(from), if to == u64::MAX { to } else { there(to) }));
        course.min(self.outages.next(at).unwrap_or(NEVER))
    }

    fn work_between(&self, direction: usize, from: u64, to: u64) -> u128 {
        let carried = |at| self.course.carried(direction, self.moment(at));
        carried(to) - carried(from)
    }

    /// How many times in a row the last packet of a message is lost.
    fn draw_repeats(&mut self, direction: usize, at: u64) -> u32 {
        let loss = self.course.at(self.moment(at)).map_or(0, |segment| segment.loss);
        let random = &mut self.lanes[direction].random;
        let mut repeats = 0;
        while loss > 0
            && repeats < MOST_TIMEOUTS
            && random.below(u64::from(Loss::ALL.as_parts_per_million())) < u64::from(loss)
        {
            repeats += 1;
        }
        repeats
    }

    /// When a message that left between two moments has arrived, its last packet lost so many times.
    fn arrives(&self, start: u64, left: u64, repeats: u32) -> Option<u64> {
        let round_trip = self.round_trip_nanos(start);
        let timeout = round_trip.saturating_add(GRANULARITY + ACKNOWLEDGEMENT_DELAY);
        // Each timeout is twice the one before it.
        let waited = timeout.saturating_mul((1 << repeats) - 1);
        let mut arrival = left.saturating_add(waited).saturating_add(round_trip / 2);
        while let Some(over) = self.outages.over(arrival) {
            // Sent again as soon as something passes.
            arrival = over.saturating_add((round_trip / 2).max(1));
        }
        Some(arrival).filter(|&arrival| arrival < u64::MAX)
    }
}
