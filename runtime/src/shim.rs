//! Running a method on encoded slots: what the generated shims talk to.
//!
//! The same shim runs a method for three callers: a server's worker, a device that serves a call-back, and nobody
//! else. It decodes the slots (or borrows those that are lent), runs the method, and encodes what goes back.

mod slot;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use outboard_core::ByteCount;
use outboard_wire::codec::{DecodeError, Decoder, EncodeError, Encoder};
use outboard_wire::frame::{AnswerImage, Failure, Image, NotRun, SlotImage};
use outboard_wire::state::Lent;
use outboard_wire::{ObjectReader, ObjectWriter};

use crate::context::{self, Ground};
use crate::method::Method;
use crate::once::{self, Chain};
use crate::poll::Poller;
use crate::server_call::Unwound;
use crate::support::{Codec, ExclusiveCodec};

use slot::Held;
pub use slot::{Exclusive, ExclusiveOption, ExclusiveSlice, GivesBack, Shared, SharedOption, Unchanging};

/// The run of one method on encoded slots. `'f` is how long slots are lent for.
pub struct ShimFrame<'f> {
    method: &'static Method,
    slots: Vec<Incoming<'f>>,
    depth: u16,
    ground: Ground,
    /// Whether the shared slots of this run are checked for changes.
    checked: bool,
    result: Image,
    exclusive: Vec<Image>,
    /// The shared objects, until all slots are decoded.
    arrived: Option<ObjectReader>,
    /// And from then on.
    leaving: ObjectWriter,
}

/// A slot as it arrived.
pub(crate) struct Incoming<'f> {
    /// Its encoding.
    pub(crate) image: Image,
    /// The device's own object, where the method runs on that.
    pub(crate) lent: Option<&'f mut dyn Lent>,
}

/// What a run gives back.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) result: Image,
    pub(crate) exclusive: Vec<Image>,
}

impl Given {
    /// As an answer in which nothing is told by a version.
    pub(crate) fn into_answer(self) -> AnswerImage {
        let exclusive = self.exclusive.into_iter().map(SlotImage::from).collect();
        AnswerImage { result: self.result, exclusive }
    }
}

/// Why a run gives nothing back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShimError {
    /// A slot could not be decoded; the method did not run.
    #[error("slot `{slot}` of `{method}`: {error}")]
    Slot {
        /// The method.
        method: &'static str,
        /// The slot's name.
        slot: &'static str,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// The server took the call away before it could start.
    #[error("{0}")]
    NotRun(NotRun),
    /// The method panicked.
    #[error("panicked: {0}")]
    Panicked(String, Box<dyn Any + Send>),
    /// A call-back failed on the way, and the method was unwound.
    #[error("{0}")]
    CallBack(String),
    /// The method does what only the device may do, and was unwound before it did.
    #[error("{0}")]
    NeedsDevice(String),
    /// A slot that is only read was changed.
    #[error("slot {0} is shared, and was changed")]
    SharedSlotChanged(u16),
    /// The result or a slot could not be encoded.
    #[error("{0}")]
    Unencodable(String),
}

impl<'f> ShimFrame<'f> {
    pub(crate) fn new(
        method: &'static Method,
        slots: Vec<Incoming<'f>>,
        depth: u16,
        ground: Ground,
        checked: bool,
    ) -> Self {
        Self {
            method,
            slots,
            depth,
            ground,
            checked,
            result: Image::default(),
            exclusive: Vec::new(),
            arrived: None,
            leaving: ObjectWriter::default(),
        }
    }

    /// Runs the method's shim.
    pub(crate) fn execute(mut self) -> Result<Given, ShimError> {
        let descriptor = self.method.descriptor();
        let wrong = |error| ShimError::Slot { method: descriptor.title(), slot: "all of them", error };
        let beside = self.slots.split_off(self.slots.len().min(descriptor.slots.len()));
        if self.slots.len() != descriptor.slots.len() || beside.len() > 1 {
            let found = self.slots.len() + beside.len();
            return Err(wrong(DecodeError::Refused(format!("{found} slots for {}", descriptor.slots.len()))));
        }
        let image = beside.into_iter().next().map(|slot| slot.image.0);
        self.arrived = Some(ObjectReader::call(image, self.depth).map_err(wrong)?);
        // `State` and serde implementations are user code too, and may panic on the way in or out.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            (descriptor.shim)(&mut self)?;
            let any = ByteCount::from_bytes(u64::MAX);
            let (image, _) = std::mem::take(&mut self.leaving).finish(any).map_err(unencodable)?;
            self.exclusive.extend(image.map(Image::from));
            Ok(())
        }));
        ran.unwrap_or_else(|payload| Err(unwound(payload)))?;
        Ok(Given { result: self.result, exclusive: self.exclusive })
    }

    /// A slot passed by value.
    pub fn value<C: Codec>(&mut self, slot: u16, codec: C) -> Result<C::Owned, ShimError> {
        self.decode(slot, |input| codec.decode(input))
    }

    /// `&T`.
    pub fn shared<C: Codec>(&mut self, slot: u16, codec: C) -> Result<Shared<'f, C>, ShimError> {
        if let Some(value) = self.lent(slot)? {
            return Ok(Shared::Lent(value));
        }
        let value = self.decode(slot, |input| codec.decode(input))?;
        let before = self.before(|out| codec.encode(C::borrow(&value), out))?;
        Ok(Shared::Owned(value, before, codec))
    }

    /// `Option<&T>`.
    pub fn shared_option<C: Codec>(&mut self, slot: u16, codec: C) -> Result<SharedOption<C>, ShimError> {
        let value =
            self.decode(slot, |input| crate::support::read_option(input, |input| codec.decode(input)))?;
        let before = self.before(|out| encode_option(value.as_ref(), codec, out))?;
        Ok(SharedOption(value, before, codec))
    }

    /// `&mut T`.
    pub fn exclusive<T: 'static>(
        &mut self,
        slot: u16,
        codec: ExclusiveCodec<T>,
    ) -> Result<Exclusive<'f, T>, ShimError> {
        if let Some(value) = self.lent(slot)? {
            return Ok(Exclusive { value: Held::Lent(value), codec, came: None });
        }
        let image = self.slots[usize::from(slot)].image.clone();
        let value = self.decode(slot, codec.decode)?;
        let came = (codec.stamp)(&value).map(|stamp| (stamp, image));
        Ok(Exclusive { value: Held::Owned(value), codec, came })
    }

    /// `&mut [T]`.
    pub fn exclusive_slice<T>(
        &mut self,
        slot: u16,
        codec: ExclusiveCodec<T>,
    ) -> Result<ExclusiveSlice<T>, ShimError> {
        let value = self.decode(slot, |input| crate::support::read_slice(codec, input))?;
        Ok(ExclusiveSlice(value, codec))
    }

    /// `Option<&mut T>`.
    pub fn exclusive_option<T>(
        &mut self,
        slot: u16,
        codec: ExclusiveCodec<T>,
    ) -> Result<ExclusiveOption<T>, ShimError> {
        let value = self.decode(slot, |input| crate::support::read_option(input, codec.decode))?;
        Ok(ExclusiveOption(value, codec))
    }

    /// Remembers where an exclusive slot is, so that call-backs on it find the device's own object.
    pub fn place(&mut self, slot: u16, value: &impl GivesBack) {
        if let Ground::Server(call) = &self.ground {
            value.places(&mut |path, place| call.remember(slot, path, place));
        }
    }

    /// Runs the method.
    pub fn run<R>(&mut self, body: impl FnOnce() -> R) -> Result<R, ShimError> {
        let ground = self.ground.clone();
        self.objects_arrived()?;
        if let Ground::Server(call) = &ground {
            call.start().map_err(ShimError::NotRun)?;
        }
        let entered = context::enter_ground(ground, self.method);
        let ran = catch_unwind(AssertUnwindSafe(body));
        drop(entered);
        let result = ran.map_err(unwound)?;
        // The method may have caught the unwinding of a failed call-back; what it returns is not to be used.
        let failure = match &self.ground {
            Ground::Server(call) if call.counter.is_some() => call.failure(),
            // It goes on when the device has let go of it.
            Ground::Server(call) | Ground::OnceOnServer(call) => call.broken(),
            Ground::Device(back) | Ground::OnceOnDevice(back) => back.failure(),
            Ground::Hedge(hedge) => hedge.failure(),
        };
        failure.map_or(Ok(result), |unwound| Err(unwound.into()))
    }

    /// Runs an async method, to its end, on this thread.
    pub fn run_async<F: Future>(&mut self, body: F) -> Result<F::Output, ShimError> {
        if let Ground::Device(back) | Ground::OnceOnDevice(back) = &self.ground {
            let back = Arc::clone(back);
            return self.run(|| back.run(body));
        }
        let poller = Poller::ready().map_err(|error| {
            tracing::error!(%error, "no async runtime for a call");
            ShimError::NotRun(NotRun::Busy)
        })?;
        if let Ground::Hedge(hedge) = &self.ground {
            let hedge = Arc::clone(hedge);
            return self.run(|| poller.run(hedge.unless_lost(body)));
        }
        let counter = match &self.ground {
            Ground::Server(call) => call.counter.clone(),
            _ => None,
        };
        self.run(|| match counter {
            None => poller.run(body),
            Some(counter) => {
                let _tasks = once::enter(Some(Chain::Task));
                poller.run(once::within(Chain::Server(counter), body))
            }
        })
    }

    /// Checks that the method kept a shared slot as it was.
    pub fn unchanged(&self, slot: u16, value: &impl Unchanging) -> Result<(), ShimError> {
        match value.is_unchanged() {
            Some(false) => Err(ShimError::SharedSlotChanged(slot)),
            _ => Ok(()),
        }
    }

    /// Encodes the result.
    pub fn reply<C: Codec>(&mut self, result: &C::Borrowed, codec: C) -> Result<(), ShimError> {
        self.result = self.encode(|out| codec.encode(result, out))?.into();
        Ok(())
    }

    /// Encodes the new state of an exclusive slot.
    pub fn give_back(&mut self, _slot: u16, value: impl GivesBack) -> Result<(), ShimError> {
        let image = match value.as_it_came() {
            Some(image) => image.clone(),
            None => self.encode(|out| value.encode(out))?.into(),
        };
        self.exclusive.push(image);
        Ok(())
    }

    /// All slots are decoded, and with them all shared objects.
    fn objects_arrived(&mut self) -> Result<(), ShimError> {
        let Some(arrived) = self.arrived.take() else { return Ok(()) };
        let (objects, _) = arrived.finish().map_err(|error| {
            let method = self.method.descriptor().title();
            ShimError::Slot { method, slot: "shared objects", error }
        })?;
        self.leaving = ObjectWriter::reply(&objects);
        if let Ground::Server(call) | Ground::OnceOnServer(call) = &self.ground
            && !objects.is_empty()
        {
            call.watch(objects);
        }
        Ok(())
    }

    /// Encodes a part of the reply.
    fn encode(
        &mut self,
        write: impl FnOnce(&mut Encoder) -> Result<(), EncodeError>,
    ) -> Result<Vec<u8>, ShimError> {
        let mut out = Encoder::new().with_objects(std::mem::take(&mut self.leaving));
        write(&mut out).map_err(unencodable)?;
        self.leaving = out.take_objects();
        Ok(out.into_bytes())
    }

    fn lent<T: 'static>(&mut self, slot: u16) -> Result<Option<&'f mut T>, ShimError> {
        let incoming = &mut self.slots[usize::from(slot)];
        let Some(lent) = incoming.lent.take() else { return Ok(None) };
        let bytes = std::mem::take(&mut incoming.image.0);
        let mut input = Decoder::new(&bytes, self.depth);
        lent.bring_to(&mut input)
            .and_then(|()| input.finish())
            .map_err(|error| self.slot_error(slot, error))?;
        let other = || DecodeError::Refused("the place holds another type".to_owned());
        let value = lent.as_any().downcast_mut().ok_or_else(|| self.slot_error(slot, other()))?;
        Ok(Some(value))
    }

    fn decode<T>(
        &mut self,
        slot: u16,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, ShimError> {
        let bytes = std::mem::take(&mut self.slots[usize::from(slot)].image.0);
        let mut input = Decoder::new(&bytes, self.depth);
        if let Some(objects) = &mut self.arrived {
            input = input.with_objects(objects);
        }
        decode(&mut input)
            .and_then(|value| input.finish().map(|()| value))
            .map_err(|error| self.slot_error(slot, error))
    }

    /// The encoding of a shared slot before the run, where this run is checked. Taken from the decoded value, not from
    /// the bytes that came: a hash map may encode in another order on each side.
    fn before(
        &self,
        write: impl FnOnce(&mut Encoder) -> Result<(), EncodeError>,
    ) -> Result<Option<Vec<u8>>, ShimError> {
        self.checked.then(|| encode(write)).transpose()
    }

    fn slot_error(&self, slot: u16, error: DecodeError) -> ShimError {
        let descriptor = self.method.descriptor();
        let name = descriptor.slots.get(usize::from(slot)).map_or("?", |slot| slot.name);
        ShimError::Slot { method: descriptor.title(), slot: name, error }
    }
}

impl ShimError {
    /// As the other end is told.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Slot { .. } => Failure::NotRun(NotRun::Slots(self.to_string())),
            Self::NotRun(why) => Failure::NotRun(why),
            Self::Panicked(text, _) => Failure::Panicked(text),
            Self::CallBack(text) => Failure::CallBack(text),
            Self::NeedsDevice(text) => Failure::NeedsDevice(text),
            Self::SharedSlotChanged(slot) => Failure::SharedSlotChanged(slot),
            Self::Unencodable(text) => Failure::Unencodable(text),
        }
    }
}

fn unwound(payload: Box<dyn Any + Send>) -> ShimError {
    match payload.downcast::<Unwound>() {
        Ok(unwound) => (*unwound).into(),
        Err(payload) => ShimError::Panicked(panic_text(payload.as_ref()), payload),
    }
}

impl From<Unwound> for ShimError {
    fn from(unwound: Unwound) -> Self {
        if unwound.needs_device { Self::NeedsDevice(unwound.reason) } else { Self::CallBack(unwound.reason) }
    }
}

/// The text of a panic.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
        .to_owned()
}

/// Encodes what is only compared.
fn encode(write: impl FnOnce(&mut Encoder) -> Result<(), EncodeError>) -> Result<Vec<u8>, ShimError> {
    let mut out = Encoder::new().with_objects(ObjectWriter::comparing());
    write(&mut out).map_err(unencodable)?;
    Ok(out.into_bytes())
}

fn unencodable(error: EncodeError) -> ShimError {
    match error {
        EncodeError::Refused(text) => ShimError::Unencodable(text),
        error => ShimError::Unencodable(error.to_string()),
    }
}

fn encode_option<C: Codec>(value: Option<&C::Owned>, codec: C, out: &mut Encoder) -> Result<(), EncodeError> {
    crate::support::write_option(value, out, |value, out| codec.encode(C::borrow(value), out))
}
