//! What a call carried, as both of its ends know it until it ends: its call-backs and its reply are told by it.

use outboard_core::{Bandwidth, ByteCount};
use outboard_wire::delta::{self, SMALLEST, Unresolved};
use outboard_wire::frame::{AnswerImage, Attempt, Image, Part, SlotImage, Version};

use crate::method::Method;
use crate::shim::Given;

/// The slots of a call, each under the name that both ends have for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    slots: Vec<(Version, Image)>,
    /// The rate at which the other end receives.
    pub(crate) goodput: Option<Bandwidth>,
}

impl Carried {
    /// `told` are the slots as they travelled, `images` what they stand for.
    pub(crate) fn new<'a>(
        attempt: Attempt,
        told: impl IntoIterator<Item = &'a SlotImage>,
        images: impl IntoIterator<Item = Image>,
        goodput: Option<Bandwidth>,
    ) -> Self {
        let name = |(slot, told): (usize, &SlotImage)| {
            told.version(Version { attempt, part: Part::Sent(slot as u16) })
        };
        let names = told.into_iter().enumerate().map(name);
        Self { slots: names.zip(images).collect(), goodput }
    }

    /// What all of them were, in order.
    pub(crate) fn images(&self) -> impl Iterator<Item = Image> {
        self.slots.iter().map(|(_, image)| image.clone())
    }

    /// What a slot was.
    pub(crate) fn slot(&self, slot: usize) -> Option<(Version, &Image)> {
        self.slots.get(slot).map(|(version, image)| (*version, image))
    }

    /// The version of that name.
    pub(crate) fn find(&self, version: Version) -> Option<Image> {
        self.slots.iter().find(|(known, _)| *known == version).map(|(_, image)| image.clone())
    }

    /// Tells the state of a slot by what it was.
    pub(crate) fn tell(&self, slot: usize, image: &Image) -> SlotImage {
        delta::tell(image, self.slot(slot), self.goodput)
    }

    /// Tells a value that may be a copy of some slot: by the first one of about its size.
    pub(crate) fn tell_copy(&self, image: &Image) -> SlotImage {
        let size = image.0.len();
        let similar = |(_, slot): &&(Version, Image)| (size / 2..=size * 2).contains(&slot.0.len());
        let base = self.slots.iter().find(similar).map(|(version, slot)| (*version, slot));
        match base.filter(|_| size >= SMALLEST) {
            Some(base) => delta::tell(image, Some(base), self.goodput),
            None => SlotImage::Whole(image.clone()),
        }
    }

    /// What an image stands for, where it is told by this.
    pub(crate) fn resolve(&self, told: SlotImage, most: ByteCount) -> Result<Image, Unresolved> {
        delta::resolve(told, |version| self.find(version), most)
    }
}

/// The slots of a call-back, as both of its ends know them until it is answered: its answer is told by them.
pub(crate) struct Sent(Carried);

impl Sent {
    pub(crate) fn new(attempt: Attempt, sequence: u32, images: impl Iterator<Item = Image>) -> Self {
        let name = |slot| Version { attempt, part: Part::Back { sequence, slot } };
        let slots = images.zip(0..).map(|(image, slot)| (name(slot), image)).collect();
        Self(Carried { slots, goodput: None })
    }

    /// What a run of the method gave, told by what it got.
    pub(crate) fn answer(&self, method: &Method, given: Given, goodput: Option<Bandwidth>) -> AnswerImage {
        let slots = given.exclusive.iter().zip(method.exclusive());
        let tell = |(image, slot): (&Image, usize)| delta::tell(image, self.0.slot(slot), goodput);
        AnswerImage { exclusive: slots.map(tell).collect(), result: given.result }
    }

    /// An answer with its slots whole.
    pub(crate) fn resolve(&self, answer: AnswerImage) -> Result<AnswerImage, Unresolved> {
        let most = ByteCount::from_bytes(outboard_wire::Limits::default().frame_bytes.into());
        let whole = |told| self.0.resolve(told, most).map(SlotImage::Whole);
        let exclusive = answer.exclusive.into_iter().map(whole).collect::<Result<_, _>>()?;
        Ok(AnswerImage { exclusive, ..answer })
    }
}
