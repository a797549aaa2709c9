//! What each end keeps so that state can be told by what changed.

use std::collections::BTreeMap;

use outboard_core::{Bandwidth, ByteCount};
use outboard_wire::bases::{Bases, Bounds};
use outboard_wire::delta;
use outboard_wire::frame::{Attempt, Image, Part, SlotImage, Version};

use super::report::Report;
use super::tape::Tape;
use super::value::Reference;

/// More than any state of the tests has.
pub(crate) const MOST: ByteCount = ByteCount::from_bytes(1 << 20);

/// Bounds that hold everything, two or three versions, or none.
pub(crate) fn bounds(tape: &mut Tape) -> Bounds {
    let total = ByteCount::from_bytes(*tape.pick(&[1 << 20, 1 << 20, 2_000, 900, 100]));
    Bounds { each: ByteCount::from_bytes(*tape.pick(&[1 << 20, 1_500])), total }
}

/// Where an object is: another one may be in the same place later, and may be told by this one.
type Spot = (usize, bool);

/// What the device knows the server to have, in one session.
#[derive(Debug)]
pub(crate) struct Believed {
    bases: Bases<(), Spot>,
    names: BTreeMap<Spot, Version>,
    results: BTreeMap<usize, (Version, Image)>,
    /// What the server is told to forget with the next call.
    forgotten: Vec<Version>,
    goodput: Option<Bandwidth>,
}

impl Believed {
    pub(crate) fn new(tape: &mut Tape) -> Self {
        Self {
            bases: Bases::new(bounds(tape)),
            names: BTreeMap::new(),
            results: BTreeMap::new(),
            forgotten: Vec::new(),
            goodput: goodput(tape),
        }
    }

    /// An object as it travels.
    pub(crate) fn tell(&mut self, place: &Reference, image: &Image) -> SlotImage {
        let name = self.names.get(&spot(place)).copied();
        let base = name.zip(self.bases.find((), spot(place)));
        delta::tell(image, base.as_ref().map(|(name, base)| (*name, base)), self.goodput)
    }

    /// From now on the object may be told by this version.
    pub(crate) fn keep(&mut self, place: &Reference, version: Version, image: Image, report: &mut Report) {
        if image.0.len() < delta::SMALLEST {
            return;
        }
        self.forgotten.extend(self.names.insert(spot(place), version));
        for ((), gone) in self.bases.keep((), spot(place), image) {
            report.evicted += 1;
            self.forgotten.extend(self.names.remove(&gone));
        }
    }

    pub(crate) const fn goodput(&self) -> Option<Bandwidth> {
        self.goodput
    }

    /// The newest result of a method.
    pub(crate) fn result(&self, method: usize) -> Option<&(Version, Image)> {
        self.results.get(&method)
    }

    pub(crate) fn keep_result(&mut self, method: usize, version: Version, image: Image) {
        let before = self.results.insert(method, (version, image));
        self.forgotten.extend(before.map(|(version, _)| version));
    }

    pub(crate) fn take_forgotten(&mut self) -> Vec<Version> {
        std::mem::take(&mut self.forgotten)
    }

    /// The server lacks something that it was believed to have: nothing is believed any more.
    pub(crate) fn forget(&mut self) {
        self.bases.forget_all(());
        self.names.clear();
        self.results.clear();
    }
}

/// A link on which compressing pays, or one on which it does not.
pub(crate) fn goodput(tape: &mut Tape) -> Option<Bandwidth> {
    tape.pick(&[None, Some(10_000), None, None, Some(10_000), Some(1)])
        .map(Bandwidth::from_megabits_per_second)
}

/// Tells a slot, or what a call-back has of it, by what the call itself carried.
pub(crate) fn tell_by_call(
    attempt: Attempt,
    slot: usize,
    sent: &[Image],
    image: &Image,
    goodput: Option<Bandwidth>,
) -> SlotImage {
    let version = Version { attempt, part: Part::Sent(slot as u16) };
    delta::tell(image, sent.get(slot).map(|sent| (version, sent)), goodput)
}

/// Resolves what was told by what a call carried.
pub(crate) fn resolve_by_call(
    attempt: Attempt,
    sent: &[Image],
    told: &SlotImage,
    report: &mut Report,
) -> Option<Image> {
    resolve(
        told,
        |version| match version.part {
            Part::Sent(slot) if version.attempt == attempt => sent.get(usize::from(slot)).cloned(),
            _ => None,
        },
        report,
    )
}

/// Resolves what was told by whatever this end has.
pub(crate) fn resolve(
    told: &SlotImage,
    known: impl FnOnce(Version) -> Option<Image>,
    report: &mut Report,
) -> Option<Image> {
    match told {
        SlotImage::Whole(_) => {}
        SlotImage::Same(_) => report.same += 1,
        SlotImage::Delta(_, delta::Delta::Edits(_)) => report.edits += 1,
        SlotImage::Delta(_, delta::Delta::Packed { .. }) => report.packed += 1,
    }
    delta::resolve(told.clone(), known, MOST).ok()
}

fn spot(place: &Reference) -> Spot {
    (place.object, !place.path.is_empty())
}
