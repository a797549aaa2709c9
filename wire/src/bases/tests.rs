use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const fn bounds(each: u64, total: u64) -> Bounds {
    Bounds { each: ByteCount::from_bytes(each), total: ByteCount::from_bytes(total) }
}

fn image(bytes: usize) -> Image {
    Image::from(vec![7; bytes])
}

#[test]
fn an_owner_makes_room_among_its_own_first() {
    let mut bases = Bases::new(bounds(2500, 10_000));
    bases.keep('a', 1, image(800));
    bases.keep('b', 1, image(800));
    bases.keep('b', 2, image(800));
    assert_eq!(bases.keep('b', 3, image(800)), [('b', 1)]);
    assert!(bases.find('a', 1).is_some(), "others need not make room");
    assert_eq!(bases.find('b', 1), None);
}

#[test]
fn over_the_total_the_least_recently_used_goes_whosever_it_is() {
    let mut bases = Bases::new(bounds(2500, 3000));
    bases.keep('a', 1, image(800));
    bases.keep('b', 1, image(800));
    bases.find('a', 1);
    assert_eq!(bases.keep('c', 1, image(1200)), [('b', 1)]);
    assert!(bases.find('a', 1).is_some());
}

#[test]
fn what_is_larger_than_the_bounds_is_not_kept_and_drives_nothing_out() {
    let mut bases = Bases::new(bounds(1000, 3000));
    bases.keep('a', 1, image(500));
    assert_eq!(bases.keep('a', 2, image(1000)), [('a', 2)]);
    assert!(bases.find('a', 1).is_some());
}

#[test]
fn an_owner_that_leaves_holds_nothing() {
    let mut bases = Bases::new(bounds(10_000, 10_000));
    for key in 0..5 {
        bases.keep('a', key, image(100));
        bases.keep('b', key, image(100));
    }
    bases.forget_all('a');
    bases.forget_all('a');
    assert_eq!(bases.held_in_total(), ByteCount::from_bytes(5 * (100 + OVERHEAD)));
    assert!(bases.find('b', 4).is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Keep(u8, u8, usize),
    Find(u8, u8),
    Forget(u8, u8),
    Leave(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3u8, 0..6u8, 0..1500usize).prop_map(|(owner, key, bytes)| Step::Keep(owner, key, bytes)),
        2 => (0..3u8, 0..6u8).prop_map(|(owner, key)| Step::Find(owner, key)),
        1 => (0..3u8, 0..6u8).prop_map(|(owner, key)| Step::Forget(owner, key)),
        1 => (0..3u8).prop_map(Step::Leave),
    ];
    vec(step, 0..80)
}

proptest! {
    /// Against a list of entries, the least recently used first.
    #[test]
    fn the_store_is_a_bounded_list_by_use(steps in steps()) {
        let bounds = bounds(2500, 4000);
        let mut bases = Bases::new(bounds);
        let mut list: Vec<((u8, u8), usize)> = Vec::new();
        let weigh = |list: &[((u8, u8), usize)]| list.iter().map(|(_, bytes)| *bytes as u64 + OVERHEAD).sum::<u64>();
        for step in steps {
            match step {
                Step::Keep(owner, key, bytes) => {
                    list.retain(|(place, _)| *place != (owner, key));
                    let mut gone = Vec::new();
                    let own = |list: &[((u8, u8), usize)]| -> Vec<_> {
                        list.iter().copied().filter(|((of, _), _)| *of == owner).collect()
                    };
                    while weigh(&own(&list)) + bytes as u64 + OVERHEAD > bounds.each.as_bytes() {
                        let oldest = own(&list)[0].0;
                        list.retain(|(place, _)| *place != oldest);
                        gone.push(oldest);
                    }
                    while weigh(&list) + bytes as u64 + OVERHEAD > bounds.total.as_bytes() {
                        gone.push(list.remove(0).0);
                    }
                    list.push(((owner, key), bytes));
                    prop_assert_eq!(bases.keep(owner, key, image(bytes)), gone);
                }
                Step::Find(owner, key) => {
                    let place = list.iter().position(|(place, _)| *place == (owner, key));
                    let expected = place.map(|place| {
                        let entry = list.remove(place);
                        list.push(entry);
                        image(entry.1)
                    });
                    prop_assert_eq!(bases.find(owner, key), expected);
                }
                Step::Forget(owner, key) => {
                    list.retain(|(place, _)| *place != (owner, key));
                    bases.forget(owner, key);
                }
                Step::Leave(owner) => {
                    list.retain(|((of, _), _)| *of != owner);
                    bases.forget_all(owner);
                }
            }
            prop_assert_eq!(bases.held_in_total().as_bytes(), weigh(&list));
        }
    }
}
