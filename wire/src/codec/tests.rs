use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::frame::Image;

/// Everything that serde's data model knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Zoo {
    Unit,
    Newtype(Named),
    Tuple(u8, i16, u32, i64, u128),
    Struct { text: String, character: char, truth: bool, real: (f32, f64) },
    Nested(Option<Box<Zoo>>, Vec<Zoo>, BTreeMap<String, Zoo>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Named(Vec<Result<[u16; 3], ()>>);

fn zoo() -> impl Strategy<Value = Zoo> {
    let leaf = prop_oneof![
        Just(Zoo::Unit),
        prop::collection::vec(prop_oneof![Just(Err(())), any::<[u16; 3]>().prop_map(Ok)], 0..4)
            .prop_map(|inner| Zoo::Newtype(Named(inner))),
        any::<(u8, i16, u32, i64, u128)>().prop_map(|(a, b, c, d, e)| Zoo::Tuple(a, b, c, d, e)),
        (".{0,8}", any::<char>(), any::<bool>(), -1e9f32..1e9, -1e9..1e9)
            .prop_map(|(text, character, truth, x, y)| Zoo::Struct { text, character, truth, real: (x, y) }),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        (
            prop::option::of(inner.clone().prop_map(Box::new)),
            prop::collection::vec(inner.clone(), 0..3),
            prop::collection::btree_map(".{0,3}", inner, 0..3),
        )
            .prop_map(|(boxed, list, map)| Zoo::Nested(boxed, list, map))
    })
}

fn bincode_of<T: Serialize>(value: &T) -> Vec<u8> {
    let config = bincode::config::standard().with_fixed_int_encoding();
    bincode::serde::encode_to_vec(value, config).expect("bincode encodes what serde describes")
}

fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    to_bytes(value, ByteCount::from_bytes(u64::MAX)).expect("no limit is reached")
}

proptest! {
    #[test]
    fn writes_what_bincode_writes_and_reads_it_back(value in zoo()) {
        let bytes = encoded(&value);
        prop_assert_eq!(&bytes, &bincode_of(&value));
        prop_assert_eq!(from_bytes::<Zoo>(&bytes, 64), Ok(value));
    }

    #[test]
    fn a_cut_encoding_is_an_error(value in zoo(), cut in any::<prop::sample::Index>()) {
        let bytes = encoded(&value);
        let cut = cut.index(bytes.len());
        prop_assert!(from_bytes::<Zoo>(&bytes[..cut], 64).is_err());
    }

    #[test]
    fn a_changed_encoding_decodes_to_what_it_says_or_is_an_error(
        value in zoo(), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut bytes = encoded(&value);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(changed) = from_bytes::<Zoo>(&bytes, 64) {
            // Maps may hold an entry twice, so the bytes are the same again only from here on; and a number that has
            // become NaN equals nothing, so bytes are compared.
            let again = encoded(&changed);
            prop_assert_eq!(from_bytes::<Zoo>(&again, 64).map(|value| encoded(&value)), Ok(again));
        }
    }

    #[test]
    fn arbitrary_input_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = from_bytes::<Zoo>(&bytes, 64);
        let _ = from_bytes::<Vec<String>>(&bytes, 64);
        let _ = from_bytes::<Vec<()>>(&bytes, 64);
        let _ = from_bytes::<Vec<char>>(&bytes, 64);
    }

    #[test]
    fn characters_are_read_as_they_are_written(value: char) {
        prop_assert_eq!(from_bytes::<char>(&encoded(&value), 64), Ok(value));
    }
}

#[test]
fn trailing_bytes_are_refused() {
    assert_eq!(from_bytes::<u8>(&[7, 0, 0], 64), Err(DecodeError::Trailing { left: 2 }));
}

#[test]
fn claims_beyond_the_input_are_refused_before_memory_is_taken() {
    let claim = (1u64 << 60).to_le_bytes();
    let short = DecodeError::Truncated { needed: 1 << 60, left: 0 };
    assert_eq!(from_bytes::<String>(&claim, 64), Err(short));
    assert!(matches!(from_bytes::<Vec<u64>>(&claim, 64), Err(DecodeError::TooLarge { .. })));
    assert!(matches!(from_bytes::<BTreeMap<u64, u64>>(&claim, 64), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn a_claim_of_countless_nothings_does_not_spin() {
    let claim = u64::MAX.to_le_bytes();
    assert!(matches!(from_bytes::<Vec<()>>(&claim, 64), Err(DecodeError::TooLarge { .. })));
    assert_eq!(from_bytes::<Vec<()>>(&1000u64.to_le_bytes(), 64), Ok(vec![(); 1000]));
}

#[test]
fn nothings_nested_in_nothings_are_counted_together() {
    // Each inner sequence is small enough, all of them together are not.
    let inner = (15u64 << 20).to_le_bytes();
    let mut bytes = 2u64.to_le_bytes().to_vec();
    bytes.extend(inner);
    bytes.extend(inner);
    assert!(matches!(from_bytes::<Vec<Vec<()>>>(&bytes, 64), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn little_input_does_not_become_much_memory() {
    // A byte of input for 16 KiB of memory: the type is at fault, the input is the peer's.
    type Large = Option<[[u64; 32]; 32]>;
    let mut bytes = 1_000_000u64.to_le_bytes().to_vec();
    bytes.resize(8 + 1_000_000, 0);
    assert!(matches!(from_bytes::<Vec<Large>>(&bytes, 64), Err(DecodeError::TooLarge { .. })));
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct List {
    next: Option<Box<List>>,
}

impl List {
    fn of(length: usize) -> Self {
        (1..length).fold(Self::default(), |next, _| Self { next: Some(Box::new(next)) })
    }
}

#[test]
fn deep_nesting_is_refused_by_the_reader() {
    let bytes = vec![1; 1_000_000];
    assert_eq!(from_bytes::<List>(&bytes, 64), Err(DecodeError::TooDeep));
}

#[test]
fn deep_nesting_is_refused_by_the_writer() {
    let mut out = Encoder::new();
    assert_eq!(encode_serde(&List::of(1000), &mut out), Err(EncodeError::TooDeep));
}

#[test]
fn both_sides_count_the_same_levels() {
    for (levels, list) in (1..100).map(|length| (length, List::of(length))) {
        let written = to_bytes(&list, ByteCount::from_bytes(1000));
        let mut bytes = vec![1; levels - 1];
        bytes.push(0);
        assert_eq!(from_bytes::<List>(&bytes, 64).is_ok(), written.is_ok(), "{levels} levels");
    }
}

#[test]
fn the_budget_is_kept() {
    let budget = ByteCount::from_bytes(20);
    assert_eq!(to_bytes(&vec![1u8; 12], budget).map(|bytes| bytes.len()), Ok(20));
    assert_eq!(to_bytes(&vec![1u8; 13], budget), Err(EncodeError::OverBudget { budget }));
}

/// Encodes beside a base, and says whether the base itself was kept.
fn beside(base: &Image, parts: &[Vec<u8>]) -> (Image, bool) {
    let mut out = Encoder::new().with_base(base);
    for part in parts {
        out.write(part).expect("there is no budget");
        assert_eq!(out.size().as_bytes(), out.as_bytes().len() as u64);
    }
    let image = out.into_image();
    let kept = image.0.as_ptr() == base.0.as_ptr();
    (image, kept)
}

proptest! {
    #[test]
    fn a_base_changes_nothing_in_what_is_written(
        base in prop::collection::vec(0..2u8, 0..12),
        parts in prop::collection::vec(prop::collection::vec(0..2u8, 0..4), 0..6),
    ) {
        prop_assert_eq!(beside(&base.into(), &parts).0, Image::from(parts.concat()));
    }
}

#[test]
fn what_is_the_same_as_its_base_is_not_copied() {
    let base = Image::from(b"as it was".to_vec());
    assert!(beside(&base, &[b"as it ".to_vec(), b"was".to_vec()]).1);
    assert!(!beside(&base, &[b"as it ".to_vec(), b"is".to_vec()]).1);
    assert!(!beside(&base, &[b"as it".to_vec()]).1, "a part of it must not hold the whole");
}

#[test]
fn what_became_far_shorter_than_its_base_holds_no_more_than_it_needs() {
    let mut out = Encoder::new().with_base(&Image::from(vec![7; 1 << 20]));
    out.write(&[1; 100]).expect("there is no budget");
    assert!(out.into_bytes().capacity() < 1000);
}

#[test]
fn numbers_are_compared_block_by_block() {
    let written = |values: &[u32], base: &Image| {
        let mut out = Encoder::new().with_base(base);
        out.write_numbers(values, u32::to_le_bytes).expect("there is no budget");
        out.into_image()
    };
    let mut values: Vec<u32> = (0..5000).collect();
    let base = written(&values, &Image::default());
    assert_eq!(written(&values, &base).0.as_ptr(), base.0.as_ptr());
    values[3000] = 7;
    assert_eq!(written(&values, &base), written(&values, &Image::default()));
}

#[test]
fn the_budget_is_kept_beside_a_base() {
    let budget = ByteCount::from_bytes(4);
    let mut out = Encoder::with_budget(budget).with_base(&Image::from(vec![7; 8]));
    assert_eq!(out.write(&[7; 4]), Ok(()));
    assert_eq!(out.write(&[7]), Err(EncodeError::OverBudget { budget }));
    assert_eq!(out.left(), ByteCount::ZERO);
}

#[test]
fn a_byte_that_is_no_truth_value_is_an_error() {
    assert_eq!(from_bytes::<bool>(&[2], 64), Err(DecodeError::Bool(2)));
}

#[test]
fn self_describing_types_are_told_what_to_change() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u32),
    }
    let error = from_bytes::<Either>(&encoded(&Either::Number(7)), 64).expect_err("it cannot be told");
    assert!(error.to_string().contains("untagged"), "{error}");
}
