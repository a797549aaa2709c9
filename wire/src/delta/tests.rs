use outboard_core::{Bandwidth, CallId, Epoch};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::frame::{Attempt, Part};

const MOST: ByteCount = ByteCount::from_bytes(4 << 20);
const SLOW: Option<Bandwidth> = Some(Bandwidth::from_megabits_per_second(5));
const FAST: Option<Bandwidth> = Some(Bandwidth::from_megabits_per_second(100_000));

fn version() -> Version {
    Version { attempt: Attempt { call: CallId(1), epoch: Epoch::FIRST }, part: Part::Sent(0) }
}

/// Bytes without any pattern, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn told(base: &[u8], new: &[u8], goodput: Option<Bandwidth>) -> SlotImage {
    let (base, new) = (Image::from(base.to_vec()), Image::from(new.to_vec()));
    let told = tell(&new, Some((version(), &base)), goodput);
    assert_eq!(resolve(told.clone(), |_| Some(base), MOST), Ok(new));
    told
}

#[test]
fn what_did_not_change_is_a_name() {
    let state = noise(1, 100_000);
    assert_eq!(told(&state, &state, FAST), SlotImage::Same(version()));
}

#[test]
fn a_few_changed_bytes_travel_almost_alone() {
    let base = noise(1, 1 << 20);
    let mut new = base.clone();
    for place in 0..50 {
        let start = place * 20_000 + 7;
        new[start..start + 200].copy_from_slice(&noise(place as u64 + 2, 200));
    }
    for link in [SLOW, FAST] {
        let told = told(&base, &new, link);
        assert!(told.size().as_bytes() < 13 * 50 * 200 / 10, "{}", told.size());
    }
}

#[test]
fn an_insertion_leaves_the_rest_where_it_was() {
    let base = noise(1, 1 << 20);
    // A vector's length comes first, so that an insertion changes the front as well.
    let mut new = [&base[..500_000], &noise(9, 333), &base[500_000..]].concat();
    new[0] ^= 1;
    let there = told(&base, &new, FAST);
    assert!(there.size().as_bytes() < 333 + 100, "{}", there.size());
    let back = told(&new, &base, FAST);
    assert!(back.size().as_bytes() < 100, "{}", back.size());
}

#[test]
fn on_a_slow_link_moved_parts_are_found_anywhere() {
    let base = noise(1, 1 << 20);
    let new = [&base[700_000..], &noise(5, 500), &base[..300_000], &noise(6, 500), &base[300_000..700_000]];
    let new = new.concat();
    let slow = told(&base, &new, SLOW);
    assert!(slow.size().as_bytes() < new.len() as u64 * 3 / 100, "{}", slow.size());
    // Where sending takes less time than compressing, it is not worth the search.
    let fast = told(&base, &new, FAST);
    assert!(!matches!(fast, SlotImage::Delta(_, Delta::Packed { .. })), "{}", fast.size());
}

#[test]
fn without_a_base_a_slow_link_compresses_what_can_be() {
    let text = Image::from("the quick brown fox ".repeat(10_000).into_bytes());
    let packed = tell(&text, None, SLOW);
    assert!(matches!(packed, SlotImage::Delta(None, Delta::Packed { .. })));
    assert_eq!(resolve(packed, |_| None, MOST), Ok(text.clone()));
    assert_eq!(tell(&text, None, FAST), SlotImage::Whole(text));
    let noise = Image::from(noise(1, 100_000));
    assert_eq!(tell(&noise, None, SLOW), SlotImage::Whole(noise));
}

#[test]
fn nothing_is_not_told_by_nothing() {
    assert_eq!(Delta::between(&[], &[]), None);
    assert_eq!(Delta::pack(&[], &[]), None);
    told(&[], &[], SLOW);
}

#[test]
fn small_states_are_not_worth_a_name() {
    let state = vec![1; SMALLEST - 1];
    assert_eq!(told(&state, &state, SLOW), SlotImage::Whole(state.into()));
}

#[test]
fn a_version_that_is_not_here_is_asked_for() {
    let missing = resolve(SlotImage::Same(version()), |_| None, MOST);
    assert_eq!(missing, Err(Unresolved::BaseMissing(version())));
}

#[test]
fn no_claim_takes_more_than_the_limit() {
    let base = Image::from(vec![1; 1000]);
    let most = ByteCount::from_bytes(1500);
    let grown = Image::from(vec![1; 1501]);
    let edits = Delta::between(&base.0, &grown.0).expect("little changed");
    assert!(matches!(edits.apply(&base, most), Err(DeltaError::TooLarge(_))));
    let packed = Delta::pack(&[], &grown.0).expect("it can be compressed");
    assert!(matches!(packed.apply(&base, most), Err(DeltaError::TooLarge(_))));
    // A frame that holds more than it claims stops there.
    let Delta::Packed { bytes, .. } = packed else { unreachable!("it was packed") };
    let modest = Delta::Packed { length: 10, bytes: bytes.clone() };
    assert_eq!(modest.apply(&Image::default(), most), Err(DeltaError::Packed));
    let boastful = Delta::Packed { length: u32::MAX, bytes };
    assert!(matches!(boastful.apply(&Image::default(), MOST), Err(DeltaError::TooLarge(_))));
}

#[test]
fn edits_beyond_their_base_are_refused() {
    let base = Image::from(vec![1; 100]);
    let edit = |numbers: [u32; 3], bytes: &[u8]| {
        let edit = [numbers.map(u32::to_le_bytes).concat(), bytes.to_vec()].concat();
        Delta::Edits(edit.into()).apply(&base, MOST)
    };
    assert_eq!(edit([98, 2, 1], &[9]), Ok([vec![1; 98], vec![9]].concat().into()));
    for numbers in [[101, 0, 0], [100, 1, 0], [0, 0, 2], [u32::MAX; 3], [0, u32::MAX, 1]] {
        assert_eq!(edit(numbers, &[9]), Err(DeltaError::Edits), "{numbers:?}");
    }
    assert_eq!(Delta::Edits(vec![0; 11].into()).apply(&base, MOST), Err(DeltaError::Edits));
}

/// A state and a later one: parts changed, inserted, removed and moved.
fn versions() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let change = (any::<prop::sample::Index>(), 0..200usize, vec(any::<u8>(), 0..60));
    let base = prop_oneof![
        vec(any::<u8>(), 0..300),
        (any::<u64>(), 0..20_000usize).prop_map(|(seed, n)| noise(seed, n))
    ];
    (base, vec(change, 0..6)).prop_map(|(base, changes)| {
        let mut new = base.clone();
        for (place, removed, added) in changes {
            let start = place.index(new.len() + 1);
            let end = (start + removed).min(new.len());
            new.splice(start..end, added);
        }
        (base, new)
    })
}

proptest! {
    #[test]
    fn every_way_to_tell_a_state_tells_that_state(
        (base, new) in versions(),
        link in prop_oneof![Just(SLOW), Just(FAST), Just(Some(Bandwidth::ZERO)), Just(None)],
    ) {
        told(&base, &new, link);
        let (base, image) = (Image::from(base), Image::from(new.clone()));
        for delta in [Delta::between(&base.0, &new), Delta::pack(&base.0, &new)].into_iter().flatten() {
            prop_assert!(delta.size() < image.size());
            prop_assert_eq!(delta.apply(&base, MOST), Ok(image.clone()));
        }
        let alone = tell(&image, None, link);
        prop_assert_eq!(resolve(alone, |_| None, MOST), Ok(image));
    }

    #[test]
    fn garbage_is_refused_or_is_something_within_the_limit(
        base in vec(any::<u8>(), 0..500),
        bytes in vec(any::<u8>(), 0..200),
        length in prop_oneof![0..300u32, any::<u32>()],
    ) {
        let most = ByteCount::from_bytes(400);
        for delta in [Delta::Edits(bytes.clone().into()), Delta::Packed { length, bytes: bytes.into() }] {
            if let Ok(image) = delta.apply(&base.clone().into(), most) {
                prop_assert!(image.size() <= most);
            }
        }
    }

    #[test]
    fn a_damaged_delta_is_refused_or_is_something_within_the_limit(
        (base, new) in versions(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let base = Image::from(base);
        for delta in [Delta::between(&base.0, &new), Delta::pack(&base.0, &new)].into_iter().flatten() {
            let damage = |image: Image| {
                let mut bytes = Vec::from(image.0);
                if !bytes.is_empty() {
                    let place = place.index(bytes.len());
                    bytes[place] = byte;
                }
                Image::from(bytes)
            };
            let damaged = match delta {
                Delta::Edits(bytes) => Delta::Edits(damage(bytes)),
                Delta::Packed { length, bytes } => Delta::Packed { length, bytes: damage(bytes) },
            };
            if let Ok(image) = damaged.apply(&base, MOST) {
                prop_assert!(image.size() <= MOST);
            }
        }
    }
}
