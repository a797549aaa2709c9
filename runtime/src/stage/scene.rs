//! What surrounds a stage: links, costs, energy, and the record of what happened.

use std::time::Duration;

use outboard_core::{ByteCount, ServerIndex, Timestamp};
use outboard_wire::Lane;

use crate::method::Method;

/// The surroundings of a stage. Called by whoever has the turn, with the present as its argument; it never waits.
pub trait Scene: Send {
    /// When it has something to do next.
    fn next(&self) -> Option<Timestamp>;

    /// The next thing that happens by now, if any does. Called until there is none.
    fn step(&mut self, now: Timestamp) -> Option<Happening>;

    /// The device wants a connection to a server; [`Happening::Connected`] or [`Happening::Refused`] follows.
    fn connect(&mut self, now: Timestamp, server: ServerIndex, link: LinkId);

    /// One end of a link hands a frame over; [`Happening::Arrived`] follows at the other end, unless the link breaks.
    fn send(&mut self, now: Timestamp, link: LinkId, from: End, lane: Lane, frame: Vec<u8>);

    /// One end of a link closes it; [`Happening::Broken`] follows at the other end.
    fn close(&mut self, now: Timestamp, link: LinkId, by: End);

    /// A method's body ran there, apart from the annotated methods that it called: how long that takes, and its energy is
    /// charged.
    fn ran(&mut self, now: Timestamp, ran: Ran) -> Duration;

    /// The app has made a call. Calls within calls are not told.
    fn began(&mut self, now: Timestamp);

    /// A call of the device has ended.
    fn ended(&mut self, now: Timestamp, call: EndedCall);
}

/// A link between the device and a server: another number for each that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The device's.
    Device,
    /// The server's.
    Server,
}

impl End {
    /// The end that this one is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Device => Self::Server,
            Self::Server => Self::Device,
        }
    }
}

/// Where a method's body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// On the device.
    Device,
    /// On a server.
    Server(ServerIndex),
}

/// A run of a method's body.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Ran {
    /// The method.
    pub method: &'static Method,
    /// Its size hint.
    pub work: Option<f64>,
    /// Where it ran.
    pub site: Site,
    /// Whether it ran beside an attempt.
    pub hedge: bool,
}

/// Something that happens to the two ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A link is there.
    Connected {
        /// Which one.
        link: LinkId,
        /// To which server.
        server: ServerIndex,
        /// The round trip that its handshake measured.
        round_trip: Duration,
    },
    /// A link cannot be had.
    Refused {
        /// To which server.
        server: ServerIndex,
        /// Why.
        why: String,
    },
    /// A frame has arrived.
    Arrived(Arrival),
    /// A link is gone, as one of its ends notices.
    Broken {
        /// Which one.
        link: LinkId,
        /// Who notices.
        at: End,
    },
    /// A server's process is gone, and what it knew.
    Killed {
        /// Which one.
        server: ServerIndex,
    },
    /// A server's process is there again, and knows nothing.
    Started {
        /// Which one.
        server: ServerIndex,
    },
}

/// A frame that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// By which link.
    pub link: LinkId,
    /// At which end.
    pub at: End,
    /// The frame.
    pub frame: Vec<u8>,
}

/// A call of the device, when it has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndedCall {
    /// The method.
    pub method: &'static Method,
    /// Its size hint.
    pub work: Option<f64>,
    /// How deep it was among the device's calls: 0 for one that the app made.
    pub depth: usize,
    /// When it was made.
    pub began: Timestamp,
    /// The server that ran it; `None` for the device.
    pub server: Option<ServerIndex>,
    /// Whether it was sent to a server in vain before it ran here.
    pub in_vain: bool,
    /// Whether it ran beside an attempt: its result is the call's only where it was faster.
    pub hedge: bool,
    /// Why it ran there.
    pub why: String,
    /// The size of its slots, of a call that was not sent, and of those that would come back. `None`: not known.
    pub size: Option<(ByteCount, ByteCount)>,
    /// Bytes of its slots as they were sent; zero where nothing was.
    pub sent: ByteCount,
}
