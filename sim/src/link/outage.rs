//! Times at which a link carries nothing, laid over whatever else it does.

use outboard_core::Timestamp;

/// A time at which nothing passes, in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over; [`Timestamp::FAR_FUTURE`] for never.
    pub to: Timestamp,
    /// What becomes of messages.
    pub kind: OutageKind,
}

/// What an outage does to the messages that it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageKind {
    /// A black hole: nobody is told, packets vanish, and the transport repeats them until they get through afterwards.
    Silent,
    /// The connection breaks: messages that wait or are under way are lost for good, and so is what is handed over
    /// before it is over.
    Severed,
}

/// Outages, merged so that each question is a binary search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outages {
    all: Vec<(u64, u64)>,
    severed: Vec<(u64, u64)>,
}

impl Outages {
    pub(crate) fn new(outages: impl IntoIterator<Item = Outage>) -> Self {
        let outages: Vec<Outage> = outages.into_iter().collect();
        let severed = outages.iter().filter(|outage| outage.kind == OutageKind::Severed);
        Self { all: merged(outages.iter()), severed: merged(severed) }
    }

    /// When the outage that holds at a moment is over; `None` if there is none.
    pub(crate) fn over(&self, at: u64) -> Option<u64> {
        next(&self.all, at).filter(|outage| outage.0 <= at).map(|outage| outage.1)
    }

    /// The outage that holds at a moment or begins next after it.
    pub(crate) fn next(&self, at: u64) -> Option<(u64, u64)> {
        next(&self.all, at)
    }

    /// The same among those that break the connection.
    pub(crate) fn next_severed(&self, at: u64) -> Option<(u64, u64)> {
        next(&self.severed, at)
    }
}

/// The first interval that ends after a moment.
fn next(intervals: &[(u64, u64)], at: u64) -> Option<(u64, u64)> {
    intervals.get(intervals.partition_point(|interval| interval.1 <= at)).copied()
}

/// In order and apart from each other; what is empty is left out.
fn merged<'a>(outages: impl Iterator<Item = &'a Outage>) -> Vec<(u64, u64)> {
    let mut intervals: Vec<_> =
        outages.map(|outage| (outage.from.as_nanos(), outage.to.as_nanos())).filter(|(a, b)| a < b).collect();
    intervals.sort_unstable();
    let mut apart: Vec<(u64, u64)> = Vec::with_capacity(intervals.len());
    for (from, to) in intervals {
        match apart.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => apart.push((from, to)),
        }
    }
    apart
}
