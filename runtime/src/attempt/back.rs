//! Serving the call-backs of a call that is away.

use std::sync::Arc;

use outboard_wire::Objects;
use outboard_wire::frame::{AnswerImage, BackFrame, BackSlot};
use outboard_wire::state::Lent;

use super::trip::Trip;
use crate::call_back::{self, CallBack};
use crate::carried::Sent;
use crate::context::Ground;
use crate::once::Part;
use crate::shim::{Incoming, ShimError, ShimFrame};
use crate::support::{LentSlot, Slots};

impl Trip<'_> {
    /// Runs a device method that remote code calls, on this thread, as in a local program.
    pub(super) fn serve(&mut self, back: BackFrame, slots: &mut dyn Slots) -> Result<AnswerImage, NotServed> {
        let method = self.device.method(back.method).ok_or_else(|| {
            format!("the device has no method {}: run the same build on both sides", back.method)
        })?;
        let title = method.descriptor().title();
        let depth = self.device.depth();
        let mut lent = Vec::new();
        slots.lend(&mut lent);
        let mut incoming = Vec::with_capacity(back.slots.len());
        let most = self.device.most();
        let resolve = |told| {
            let image = self.carried.resolve(told, most);
            image.map_err(|error| format!("a slot of `{title}` cannot be had: {error}"))
        };
        for slot in back.slots {
            incoming.push(match slot {
                BackSlot::Copy(image) => Incoming { image: resolve(image)?, lent: None },
                BackSlot::Place { slot, path, image } => {
                    let position = usize::from(slot);
                    let kept = self.sent.get(position).and_then(Option::as_ref);
                    let object = lent.get_mut(position).and_then(Option::take);
                    let (Some(kept), Some(object)) = (kept, object) else {
                        return Err(
                            format!("`{title}` needs slot {slot} of the outer call twice at once").into()
                        );
                    };
                    let image = resolve(image)?;
                    Incoming { image, lent: Some(lend(object, &kept.0, &self.objects, &path, depth)?) }
                }
            });
        }
        let images = incoming.iter().map(|slot| slot.image.clone());
        let sent = Sent::new(back.attempt, back.sequence, images);
        let call_back = self.call_back(back.onces);
        let ground = Ground::Device(Arc::clone(&call_back));
        let ran = ShimFrame::new(method, incoming, depth, ground, false).execute();
        // Before what it counted is told.
        call_back.end();
        match ran {
            Ok(given) => Ok(sent.answer(method, given, self.carried.goodput)),
            Err(_) if call_back.is_late() => Err(NotServed::Late),
            Err(error) => {
                let reason = format!("`{title}` on the device: {error}");
                if let ShimError::Panicked(_, payload) = error {
                    self.panicked = Some(payload);
                }
                Err(reason.into())
            }
        }
    }

    fn call_back(&self, onces: Option<u32>) -> Arc<CallBack> {
        let descriptor = self.method.descriptor();
        let bound = match self.flight.bound() {
            None if descriptor.asynchronous => crate::clock::now().checked_add(call_back::PATIENCE),
            bound => bound,
        };
        let part = self.root.as_ref().zip(onces).map(|(root, onces)| {
            root.counted(onces);
            Part { root: Arc::clone(root), again: false }
        });
        CallBack::new(Arc::clone(self.device), self.flight.attempt(), bound, part)
    }
}

/// Why a call-back has no answer.
pub(super) enum NotServed {
    /// It failed, and so will the attempt.
    Failed(String),
    /// The attempt is to be given up first.
    Late,
}

impl From<String> for NotServed {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// Makes a place within a slot ready for a call-back: what was sent is kept first, so that it can be restored.
pub(super) fn lend<'a>(
    object: &'a mut dyn LentSlot,
    sent: &[u8],
    objects: &Objects,
    path: &[u16],
    depth: u16,
) -> Result<&'a mut dyn Lent, String> {
    object
        .keep(sent, objects, depth)
        .map_err(|error| format!("the slot could not be kept for undoing: {error}"))?;
    object.place(path).ok_or_else(|| "the call-back names a place that the slot does not have".to_owned())
}
