//! Looks at the path that are under way: one at most.

use outboard_core::{ByteCount, Timestamp};

use super::Probed;
use crate::frame::{Image, ProbeFrame, ProbedFrame};

/// The probes of a session.
#[derive(Debug, Default)]
pub(super) struct Probes {
    next: u64,
    pending: Option<Pending>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    number: u64,
    sent: Timestamp,
    wanted: u32,
    up: ByteCount,
    /// A call went out meanwhile: the time is not that of the path alone.
    disturbed: bool,
}

impl Probes {
    pub(super) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// The next probe, with so much padding each way.
    pub(super) fn begin(&mut self, now: Timestamp, up: ByteCount, down: ByteCount) -> ProbeFrame {
        let most = |bytes: ByteCount| bytes.as_bytes().min(ProbeFrame::MOST.into());
        let (padding, wanted) = (most(up), most(down) as u32);
        let number = self.next;
        self.next += 1;
        self.pending =
            Some(Pending { number, sent: now, wanted, up: ByteCount::from_bytes(padding), disturbed: false });
        ProbeFrame { number, wanted, padding: Image::from(vec![0; padding as usize]) }
    }

    /// A call goes out.
    pub(super) fn disturb(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.disturbed = true;
        }
    }

    /// An answer came. `None`: to no probe, or longer than was wanted; `Some(None)`: it says nothing of the path.
    pub(super) fn answered(&mut self, now: Timestamp, answer: &ProbedFrame) -> Option<Option<Probed>> {
        let pending = self.pending.filter(|pending| pending.number == answer.number)?;
        if answer.padding.0.len() > pending.wanted as usize {
            return None;
        }
        self.pending = None;
        let probed = Probed { up: pending.up, down: answer.padding.size(), elapsed: now - pending.sent };
        Some((!pending.disturbed).then_some(probed))
    }
}
