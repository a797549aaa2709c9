//! How much of each slot may be encoded, and which object it is.

use std::any::TypeId;

use outboard_core::ByteCount;
use outboard_wire::Stamp;
use outboard_wire::frame::{Image, Version};

/// An object of the program, as well as it can be told without looking into it: by its type and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    of: TypeId,
    address: usize,
}

/// What slots may take while they are encoded.
pub struct Allowance<'a> {
    /// Finds what the receiver is believed to have of an object in that slot.
    base: &'a dyn Fn(usize, Object) -> Option<(Version, Image)>,
    /// Whether an object with that stamp is what a version is.
    unchanged: &'a dyn Fn(Version, Object, &Stamp) -> bool,
    /// Most bytes that are worth sending.
    budget: ByteCount,
    /// Most bytes that the receiver takes, in whichever way they are told.
    most: ByteCount,
}

impl Object {
    /// The object that holds this. For slices and texts, what they are made from as a rule.
    pub(crate) fn at<T: 'static, V: ?Sized>(value: &V) -> Self {
        Self { of: TypeId::of::<T>(), address: std::ptr::from_ref(value).cast::<()>().addr() }
    }

    /// No object, where there could be one.
    pub(crate) fn none<T: 'static>() -> Self {
        Self { of: TypeId::of::<T>(), address: 0 }
    }

    /// Whether it can be told from others of its type.
    pub(crate) fn is_known(self) -> bool {
        self.address != 0
    }

    pub(crate) fn type_id(self) -> TypeId {
        self.of
    }
}

impl<'a> Allowance<'a> {
    /// Of a receiver that is sent everything whole.
    pub(crate) fn whole(budget: ByteCount) -> Self {
        Self { base: &|_, _| None, unchanged: &|_, _, _| false, budget, most: budget }
    }

    /// Of a receiver that has something already.
    pub(crate) fn new(
        base: &'a dyn Fn(usize, Object) -> Option<(Version, Image)>,
        unchanged: &'a dyn Fn(Version, Object, &Stamp) -> bool,
        budget: ByteCount,
        most: ByteCount,
    ) -> Self {
        Self { base, unchanged, budget: budget.min(most), most }
    }

    /// What an object in that slot may be told by.
    pub(crate) fn base(&self, slot: usize, object: Object) -> Option<(Version, Image)> {
        (self.base)(slot, object)
    }

    /// The encoding of an object that is known to be what it may be told by.
    pub(crate) fn unchanged(
        &self,
        base: Option<&(Version, Image)>,
        object: Object,
        stamp: Option<Stamp>,
    ) -> Option<Image> {
        let ((version, image), stamp) = (base?, stamp?);
        (self.unchanged)(*version, object, &stamp).then(|| image.clone())
    }

    /// For the next slot: what has a base may be sent in far fewer bytes than it has, which shows when it is told.
    pub(crate) fn grant(&self, base: Option<&(Version, Image)>) -> ByteCount {
        let grown = base.map_or(ByteCount::ZERO, |(_, image)| image.size() + image.size());
        self.budget.max(grown.min(self.most))
    }

    /// So much was encoded.
    pub(crate) fn spend(&mut self, size: ByteCount, base: Option<&(Version, Image)>) {
        self.most = self.most.saturating_sub(size);
        if base.is_none() {
            self.budget = self.budget.saturating_sub(size);
        }
        self.budget = self.budget.min(self.most);
    }
}

impl std::fmt::Debug for Allowance<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Allowance")
            .field("budget", &self.budget)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}
