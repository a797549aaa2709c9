//! Values that several objects hold.

use outboard::{Shared, State};
use outboard_wire::ObjectReader;

/// A shared value, which may hold an older one.
#[derive(Debug, Default, State)]
pub(crate) struct Node {
    pub(crate) number: i64,
    pub(crate) older: Option<Shared<Node>>,
}

/// Which value an object holds, if its type has one. What it leads to is compared by [`Graph`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Held(pub(crate) Option<Shared<Node>>);

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_some() == other.0.is_some()
    }
}

impl Eq for Held {}

impl Held {
    /// A new value.
    pub(crate) fn new() -> Self {
        Self(Some(Shared::default()))
    }

    pub(crate) fn number(&self) -> i64 {
        self.0.as_ref().map_or(-1, |node| node.lock().number)
    }

    pub(crate) fn set(&self, number: i64) {
        if let Some(node) = &self.0 {
            node.lock().number = number;
        }
    }

    /// Holds a new value from now on, which holds the one before.
    pub(crate) fn grow(&mut self, number: i64) {
        let older = self.0.take();
        self.0 = Some(Shared::new(Node { number, older }));
    }

    /// A planted defect: the same contents in another place.
    pub(crate) fn move_away(&mut self) {
        if let Some(node) = self.0.take() {
            let Node { number, older } = &*node.lock();
            self.0 = Some(Shared::new(Node { number: *number, older: older.clone() }));
        }
    }
}

/// What objects lead to: for each its values, from the newest to the oldest, by their number among all and what is in
/// them.
pub(crate) type Graph = Vec<Vec<(usize, i64)>>;

pub(crate) fn graph<'a>(objects: impl Iterator<Item = &'a Held>) -> Graph {
    let mut known: Vec<Shared<Node>> = Vec::new();
    let mut chain = |held: &Held| {
        let mut values = Vec::new();
        let mut next = held.0.clone();
        while let Some(node) = next {
            let place = known.iter().position(|other| other.ptr_eq(&node)).unwrap_or_else(|| {
                known.push(node.clone());
                known.len() - 1
            });
            let (number, older) = {
                let contents = node.lock();
                (contents.number, contents.older.clone())
            };
            values.push((place, number));
            next = older;
        }
        values
    };
    objects.map(&mut chain).collect()
}

/// For what leads to no shared value.
pub(crate) fn nothing() -> ObjectReader {
    ObjectReader::call(None, 16).expect("nothing is not malformed")
}
