//! Versions that this end keeps so that others can be told by them: bounded in bytes, least recently used out first.

use std::collections::BTreeMap;

use outboard_core::ByteCount;

use crate::frame::Image;

/// Keeps images under keys, each belonging to an owner (a session, say), within a bound for each owner and one for all.
///
/// What is forgotten costs speed only: whoever refers to it is told that it is missing, and tells the whole.
///
/// ```
/// use outboard_core::ByteCount;
/// use outboard_wire::bases::{Bases, Bounds};
/// use outboard_wire::frame::Image;
///
/// let bounds = Bounds { each: ByteCount::from_bytes(1000), total: ByteCount::from_bytes(1500) };
/// let mut bases = Bases::new(bounds);
/// bases.keep("session", 1, Image::from(vec![0; 400]));
/// bases.keep("session", 2, Image::from(vec![0; 400]));
/// bases.find("session", 1);
/// let forgotten = bases.keep("session", 3, Image::from(vec![0; 400]));
/// assert_eq!(forgotten, [("session", 2)]);
/// ```
#[derive(Clone, Debug)]
pub struct Bases<Owner, Key> {
    bounds: Bounds,
    entries: BTreeMap<(Owner, Key), Entry>,
    /// By when they were last used; of one owner, and of all.
    order: BTreeMap<u64, (Owner, Key)>,
    order_of: BTreeMap<(Owner, u64), Key>,
    held: BTreeMap<Owner, u64>,
    total: u64,
    clock: u64,
}

/// How many bytes a store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// For one owner.
    pub each: ByteCount,
    /// For all of them.
    pub total: ByteCount,
}

#[derive(Clone, Debug)]
struct Entry {
    image: Image,
    used: u64,
}

/// What an entry takes besides its bytes, roughly, so that many small ones are bounded too.
const OVERHEAD: u64 = 200;

impl<Owner: Copy + Ord, Key: Copy + Ord> Bases<Owner, Key> {
    /// An empty store.
    pub const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            entries: BTreeMap::new(),
            order: BTreeMap::new(),
            order_of: BTreeMap::new(),
            held: BTreeMap::new(),
            total: 0,
            clock: 0,
        }
    }

    /// Keeps an image, in the place of what was under the key, and gives what had to go for it: itself, perhaps, where it
    /// is larger than the bounds.
    pub fn keep(&mut self, owner: Owner, key: Key, image: Image) -> Vec<(Owner, Key)> {
        self.forget(owner, key);
        let size = size(&image);
        if size > self.bounds.each.min(self.bounds.total).as_bytes() {
            return vec![(owner, key)];
        }
        let mut gone = Vec::new();
        while self.held(owner) + size > self.bounds.each.as_bytes() {
            let oldest = self.order_of.range((owner, 0)..=(owner, u64::MAX)).next();
            let oldest = *oldest.expect("an owner that holds bytes has an entry").1;
            self.forget(owner, oldest);
            gone.push((owner, oldest));
        }
        while self.total + size > self.bounds.total.as_bytes() {
            let (_, &(of, oldest)) =
                self.order.first_key_value().expect("a store that holds bytes has an entry");
            self.forget(of, oldest);
            gone.push((of, oldest));
        }
        self.clock += 1;
        self.entries.insert((owner, key), Entry { image, used: self.clock });
        self.order.insert(self.clock, (owner, key));
        self.order_of.insert((owner, self.clock), key);
        *self.held.entry(owner).or_default() += size;
        self.total += size;
        gone
    }

    /// The image under a key, which is used by this.
    pub fn find(&mut self, owner: Owner, key: Key) -> Option<Image> {
        let entry = self.entries.get_mut(&(owner, key))?;
        self.clock += 1;
        self.order.remove(&entry.used);
        self.order_of.remove(&(owner, entry.used));
        entry.used = self.clock;
        self.order.insert(self.clock, (owner, key));
        self.order_of.insert((owner, self.clock), key);
        Some(entry.image.clone())
    }

    /// Lets an image go.
    pub fn forget(&mut self, owner: Owner, key: Key) {
        let Some(entry) = self.entries.remove(&(owner, key)) else { return };
        self.order.remove(&entry.used);
        self.order_of.remove(&(owner, entry.used));
        let size = size(&entry.image);
        self.total -= size;
        let held = self.held.entry(owner).or_default();
        *held -= size;
        if *held == 0 {
            self.held.remove(&owner);
        }
    }

    /// Lets all images of an owner go.
    pub fn forget_all(&mut self, owner: Owner) {
        let keys: Vec<_> = self.order_of.range((owner, 0)..=(owner, u64::MAX)).map(|(_, &key)| key).collect();
        keys.into_iter().for_each(|key| self.forget(owner, key));
    }

    /// How many bytes are held.
    pub const fn held_in_total(&self) -> ByteCount {
        ByteCount::from_bytes(self.total)
    }

    fn held(&self, owner: Owner) -> u64 {
        self.held.get(&owner).copied().unwrap_or(0)
    }
}

fn size(image: &Image) -> u64 {
    image.0.len() as u64 + OVERHEAD
}

#[cfg(test)]
mod tests;
