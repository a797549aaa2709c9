//! `Tracked<T>` where its stamp cannot stand for all that it holds.

use outboard::{Shared, State, Tracked, remoteable};
use outboard_tests::Edge;

/// Large enough to be told by a version.
const LARGE: usize = 4096;

#[derive(State, Clone, Debug)]
struct Shelf {
    padding: Vec<u8>,
    count: Shared<u32>,
}

fn shelf(count: &Shared<u32>) -> Tracked<Shelf> {
    Shelf { padding: vec![1; LARGE], count: count.clone() }.into()
}

#[remoteable]
fn take(from: &Shared<u32>, shelf: &Tracked<Shelf>) -> (u32, u32) {
    *from.lock() -= 1;
    let left = *shelf.count.lock();
    (*from.lock(), left)
}

#[remoteable]
fn put(shelf: &mut Tracked<Shelf>) -> u32 {
    let mut count = shelf.count.lock();
    *count += 1;
    *count
}

#[test]
fn what_is_shared_within_may_be_another_one_in_another_call() {
    let edge = Edge::start();
    let (count, other) = (Shared::new(10), Shared::new(20));
    let shelf = shelf(&count);
    assert_eq!(take(&count, &shelf), (9, 9), "one object");
    assert_eq!(take(&other, &shelf), (19, 9), "two objects");
    assert_eq!(edge.remote_calls("take"), 2);
}

#[test]
fn what_is_shared_within_changes_without_a_stamp() {
    let edge = Edge::start();
    let count = Shared::new(10);
    let mut shelf = shelf(&count);
    assert_eq!(put(&mut shelf), 11);
    *count.lock() = 5;
    assert_eq!((put(&mut shelf), *count.lock()), (6, 6));
    assert_eq!(edge.remote_calls("put"), 2);
}

/// A clone of it is another one.
#[derive(State, Debug)]
struct Numbered {
    number: u32,
    padding: Vec<u8>,
}

impl Clone for Numbered {
    fn clone(&self) -> Self {
        Self { number: self.number + 1, padding: self.padding.clone() }
    }
}

#[remoteable]
fn number(of: &Tracked<Numbered>) -> u32 {
    of.number
}

#[test]
fn a_clone_may_be_another_value() {
    let edge = Edge::start();
    let one = Tracked::new(Numbered { number: 1, padding: vec![1; LARGE] });
    assert_eq!(number(&one), 1);
    assert_eq!(number(&one.clone()), 2);
    assert_eq!(edge.remote_calls("number"), 2);
}
