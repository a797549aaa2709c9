//! The two ends of a call's way: its slots are encoded, its reply is decoded and committed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use outboard_client_proxy::AbandonReason;
use outboard_wire::codec::{DecodeError, Decoder, EncodeError};
use outboard_wire::frame::{AnswerImage, Image, SlotImage};
use outboard_wire::{Conflict, ObjectReader, Objects, Staged};

use crate::method::Method;
use crate::shim::panic_text;
use crate::support::{Allowance, Codec, Departing, Object, Outgoing, Slots};

/// How often the locks of shared objects are tried, while others use the processor. Waiting for them could wait for
/// somebody who waits for this call.
const PATIENCE: u32 = 100;

/// Why a reply is not committed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLanded {
    /// It cannot be decoded.
    #[error("its reply could not be decoded: {0}")]
    Undecodable(#[from] DecodeError),
    /// Shared objects are not as they went.
    #[error("{0}")]
    Conflict(#[from] Conflict),
}

impl NotLanded {
    /// Why the attempt is given up.
    pub(super) fn into_reason(self) -> AbandonReason {
        match self {
            Self::Undecodable(error) => AbandonReason::Undecodable(error.to_string()),
            Self::Conflict(conflict) => AbandonReason::Conflict(conflict.to_string()),
        }
    }
}

/// Encodes the slots of a call. Where they lead to shared objects, one more follows, which holds these.
pub(crate) fn encode(
    slots: &dyn Slots,
    mut allowance: Allowance<'_>,
) -> Result<(Vec<Outgoing>, Objects), EncodeError> {
    let encode = || {
        let mut departing = Departing::default();
        slots.encode(&mut allowance, &mut departing)?;
        let object = Object::none::<Objects>();
        let base = allowance.base(departing.slots.len(), object);
        let (image, objects) = departing.objects.finish(allowance.grant(base.as_ref()))?;
        let beside = image.map(|image| Outgoing { image: image.into(), base, object, place: None });
        departing.slots.extend(beside);
        Ok((departing.slots, objects))
    };
    guarded(encode, EncodeError::Refused)
}

/// Decodes a result and the exclusive slots, then commits: all or nothing.
pub(crate) fn land<C: Codec>(
    method: &'static Method,
    mut answer: AnswerImage,
    slots: &mut dyn Slots,
    objects: Objects,
    codec: C,
    depth: u16,
) -> Result<C::Owned, NotLanded> {
    let expected = method.descriptor().exclusive_slots();
    let stage = || {
        let beside = answer.exclusive.split_off(answer.exclusive.len().min(expected));
        let mut objects = ObjectReader::reply(image_of(beside)?.map(|image| image.0), objects, depth)?;
        let mut input = Decoder::new(&answer.result.0, depth).with_objects(&mut objects);
        let result = codec.decode(&mut input)?;
        input.finish()?;
        slots.stage(&mut answer.exclusive.into_iter(), &mut objects, depth)?;
        let (_, staged) = objects.finish()?;
        Ok((result, staged))
    };
    let (result, mut staged) = guarded(stage, DecodeError::Refused)?;
    commit(&mut staged)?;
    slots.commit();
    Ok(result)
}

/// What follows the slots, if anything does: the shared objects.
fn image_of(beside: Vec<SlotImage>) -> Result<Option<Image>, DecodeError> {
    match <[SlotImage; 1]>::try_from(beside) {
        Ok([SlotImage::Whole(image)]) => Ok(Some(image)),
        Ok(_) => Err(DecodeError::Refused("the shared objects are told by a version".to_owned())),
        Err(none) if none.is_empty() => Ok(None),
        Err(_) => Err(DecodeError::Refused("more exclusive slots came back than went".to_owned())),
    }
}

/// Brings shared objects to what the reply makes of them. Whoever has one locked right now may soon be done.
fn commit(staged: &mut Staged) -> Result<(), Conflict> {
    for _ in 0..PATIENCE {
        match staged.commit() {
            Err(Conflict::Locked) => std::thread::yield_now(),
            done => return done,
        }
    }
    staged.commit()
}

/// Runs what may be the user's own way to encode or decode. The program without us would not have run it, so its panic is
/// an error here.
fn guarded<T, E>(run: impl FnOnce() -> Result<T, E>, refused: impl FnOnce(String) -> E) -> Result<T, E> {
    let ran = catch_unwind(AssertUnwindSafe(run));
    ran.unwrap_or_else(|panic| Err(refused(format!("it panicked: {}", panic_text(panic.as_ref())))))
}
