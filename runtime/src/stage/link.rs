//! One end of a simulated link.

use std::sync::{Arc, Weak};

use outboard_wire::Lane;

use super::{End, LinkId, Stage};

/// One end of a simulated link, as frames are handed over to it.
#[derive(Clone, Debug)]
pub(crate) struct StagedLink {
    stage: Weak<Stage>,
    link: LinkId,
    end: End,
}

impl StagedLink {
    pub(super) fn new(stage: &Arc<Stage>, link: LinkId, end: End) -> Self {
        Self { stage: Arc::downgrade(stage), link, end }
    }

    pub(crate) fn send(&self, lane: Lane, frame: Vec<u8>) {
        if let Some(stage) = self.stage.upgrade() {
            stage.with_scene(|scene, now| scene.send(now, self.link, self.end, lane, frame));
        }
    }

    pub(crate) fn close(&self) {
        if let Some(stage) = self.stage.upgrade() {
            stage.with_scene(|scene, now| scene.close(now, self.link, self.end));
        }
    }
}
