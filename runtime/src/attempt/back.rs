//! Serving the call-backs of a call that is away.

use outboard_wire::frame::{AnswerImage, BackFrame, BackSlot, SlotImage};
use outboard_wire::state::Lent;

use super::trip::Trip;
use crate::call_back::CallBack;
use crate::context::Ground;
use crate::shim::{Incoming, ShimFrame};
use crate::support::{LentSlot, Slots};

impl Trip<'_> {
    /// Runs a device method that remote code calls, on this thread, as in a local program.
    pub(super) fn serve(&self, back: BackFrame, slots: &mut dyn Slots) -> Result<AnswerImage, String> {
        let method = self.device.method(back.method).ok_or_else(|| {
            format!("the device has no method {}: run the same build on both sides", back.method)
        })?;
        let title = method.descriptor().title();
        if method.descriptor().asynchronous {
            return Err(format!(
                "`{title}` is async, and remote code can only call back methods that are not"
            ));
        }
        let depth = self.device.depth();
        let mut lent = Vec::new();
        slots.lend(&mut lent);
        let mut incoming = Vec::with_capacity(back.slots.len());
        for slot in back.slots {
            incoming.push(match slot {
                BackSlot::Copy(SlotImage::Whole(image)) => Incoming { image, lent: None },
                BackSlot::Copy(_) => return Err(format!("a slot of `{title}` is told by a version")),
                BackSlot::Place { slot, path, image } => {
                    let position = usize::from(slot);
                    let kept = self.sent.get(position).and_then(Option::as_ref);
                    let object = lent.get_mut(position).and_then(Option::take);
                    let (Some(kept), Some(object)) = (kept, object) else {
                        return Err(format!("`{title}` needs slot {slot} of the outer call twice at once"));
                    };
                    let SlotImage::Whole(image) = image else {
                        return Err(format!("slot {slot} of the outer call is told by a version"));
                    };
                    Incoming { image, lent: Some(lend(object, &kept.0, &path, depth)?) }
                }
            });
        }
        let ground = Ground::Device(CallBack::new(self.method.descriptor().once));
        let frame = ShimFrame::new(method, incoming, depth, ground, false);
        match frame.execute() {
            Ok(given) => Ok(AnswerImage { result: given.result, exclusive: given.exclusive }),
            Err(error) => Err(format!("`{title}` on the device: {error}")),
        }
    }
}

/// Makes a place within a slot ready for a call-back: what was sent is kept first, so that it can be restored.
fn lend<'a>(
    object: &'a mut dyn LentSlot,
    sent: &[u8],
    path: &[u16],
    depth: u16,
) -> Result<&'a mut dyn Lent, String> {
    object.keep(sent, depth).map_err(|error| format!("the slot could not be kept for undoing: {error}"))?;
    object.place(path).ok_or_else(|| "the call-back names a place that the slot does not have".to_owned())
}
