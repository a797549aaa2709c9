//! What is on its way between the device and the servers.

use outboard_wire::Lane;

use super::tape::Tape;

/// One connection, from the device to one run of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Server,
    Device,
}

#[derive(Debug)]
pub(crate) struct Flying {
    pub(crate) link: Link,
    pub(crate) to: To,
    lane: Lane,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Wire {
    flying: Vec<Flying>,
    /// Nothing of these connections arrives any more, and nobody says so.
    holes: Vec<Link>,
}

impl Wire {
    /// Sends a frame. Which ones travel alone is chosen, because the frames of the tests are all small.
    pub(crate) fn send(&mut self, link: Link, to: To, bytes: Vec<u8>, tape: &mut Tape) {
        let lane = if tape.one_in(4) { Lane::Bulk } else { Lane::Small };
        if !self.holes.contains(&link) {
            self.flying.push(Flying { link, to, lane, bytes });
        }
    }

    /// The frames that can arrive next: the first of each ordered stream, and all that travel alone.
    pub(crate) fn next(&self) -> Vec<usize> {
        let is_first = |index: usize| {
            let frame = &self.flying[index];
            frame.lane == Lane::Bulk
                || !self.flying[..index].iter().any(|earlier| {
                    earlier.lane == Lane::Small && (earlier.link, earlier.to) == (frame.link, frame.to)
                })
        };
        (0..self.flying.len()).filter(|&index| is_first(index)).collect()
    }

    pub(crate) fn take(&mut self, index: usize) -> Flying {
        self.flying.remove(index)
    }

    /// From now on the connection swallows everything.
    pub(crate) fn swallow(&mut self, link: Link) {
        self.holes.push(link);
        self.lose(link);
    }

    /// What is on its way is lost.
    pub(crate) fn lose(&mut self, link: Link) {
        self.flying.retain(|frame| frame.link != link);
    }
}
