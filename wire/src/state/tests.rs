use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, LinkedList, VecDeque};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::num::{NonZero, Wrapping};
use std::ops::Bound;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use serde::Serialize;

use super::*;

fn encode<T: State>(value: &T) -> Vec<u8> {
    let mut out = Encoder::new();
    value.encode(&mut out).expect("no limit is reached");
    out.into_bytes()
}

fn decode<T: State>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut input = Decoder::new(bytes, 64);
    let value = T::decode(&mut input)?;
    input.finish()?;
    Ok(value)
}

/// The promise of every implementation: bincode's bytes, the same value back, and no prefix is a value.
fn check<T: State + Serialize + PartialEq + Debug>(value: T) {
    let bytes = encode(&value);
    let config = bincode::config::standard().with_fixed_int_encoding();
    let expected = bincode::serde::encode_to_vec(&value, config).expect("serde encodes what state encodes");
    assert_eq!(bytes, expected, "{value:?}");
    // Some thirty cuts of long encodings, every one of short ones.
    for cut in (0..bytes.len()).step_by(1 + bytes.len() / 30) {
        assert!(decode::<T>(&bytes[..cut]).is_err(), "{value:?} cut at {cut}");
    }
    assert_eq!(decode::<T>(&bytes), Ok(value));
}

/// Nothing but a result: neither a panic nor a hang.
fn survive<T: State>(bytes: &[u8]) {
    if let Ok(value) = decode::<T>(bytes) {
        drop(value);
    }
}

type Numbers = (u8, u16, u32, u64, u128, i8, i16, i32);

proptest! {
    #[test]
    fn numbers(a: Numbers, b: (i64, i128, usize, isize), c: (bool, char), x in -1e9f32..1e9, y in -1e9..1e9) {
        check(a);
        check(b);
        check(c);
        check((x, y));
    }

    #[test]
    fn plain_vectors(
        a: Vec<u8>, b: Vec<i8>, c: Vec<u16>, d: Vec<i64>, e: Vec<u128>, f: Vec<usize>, g: Vec<bool>, h: Vec<char>,
        x in prop::collection::vec(-1e9f32..1e9, 0..40),
    ) {
        check(a);
        check(b);
        check(c);
        check(d);
        check(e);
        check(f);
        check(g);
        check(h);
        check(x);
    }

    #[test]
    fn vectors_of_other_things(
        a: Vec<String>, b: Vec<(u8, Option<i16>)>, c: Vec<[f32; 0]>, d: Vec<[[i16; 2]; 3]>, e: Vec<Vec<u8>>,
    ) {
        check(a);
        check(b);
        check(c);
        check(d);
        check(e);
    }

    #[test]
    fn other_collections(
        list: Vec<u16>, set: BTreeSet<String>, map: BTreeMap<u8, Vec<u8>>, hashed: HashMap<u8, u8>,
    ) {
        let turned = {
            let mut deque = VecDeque::from(list.clone());
            deque.rotate_left(list.len() / 2);
            deque.push_front(7);
            deque
        };
        check(turned);
        check(list.iter().copied().collect::<LinkedList<_>>());
        check(list.clone().into_boxed_slice());
        check(set);
        check(map);
        let heap: BinaryHeap<u16> = list.into_iter().collect();
        prop_assert_eq!(decode::<BinaryHeap<u16>>(&encode(&heap)).map(BinaryHeap::into_sorted_vec),
            Ok(heap.into_sorted_vec()));
        prop_assert_eq!(decode::<HashMap<u8, u8>>(&encode(&hashed)), Ok(hashed));
    }

    #[test]
    fn options_results_and_boxes(a: Option<Option<u8>>, b: Result<u8, String>, c: Box<(u8, String)>) {
        check(a);
        check(b);
        check(c);
    }

    #[test]
    fn types_of_the_standard_library(text: String, seconds: u64, nanos in 0..1_000_000_000u32, number: u32) {
        check(PathBuf::from(&text));
        check(text.into_boxed_str());
        check(Duration::new(seconds, nanos));
        check(std::time::UNIX_EPOCH + Duration::new(seconds >> 8, nanos));
        check(std::net::SocketAddr::from((number.to_be_bytes(), 80)));
        check(number..7);
        check(7..=number);
        check(Bound::Excluded(number));
        check(Wrapping(number));
        check(NonZero::<u32>::MIN.saturating_add(number));
        check(std::cmp::Reverse(number));
    }

    #[test]
    fn arbitrary_input_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survive::<Vec<f64>>(&bytes);
        survive::<Vec<[bool; 3]>>(&bytes);
        survive::<Vec<Option<String>>>(&bytes);
        survive::<HashMap<char, Result<u8, Duration>>>(&bytes);
        survive::<VecDeque<Box<(NonZero<u8>, PathBuf)>>>(&bytes);
        survive::<LinkedList<()>>(&bytes);
        survive::<[String; 3]>(&bytes);
    }
}

#[test]
fn long_plain_vectors_cross_block_borders() {
    for length in [1023, 1024, 1025, 4096, 5000] {
        check((0..length).map(|n| n as f32).collect::<Vec<_>>());
        check((0..length).map(|n| n as u8).collect::<Vec<_>>());
    }
}

#[test]
fn small_ones() {
    check(());
    check(PhantomData::<String>);
    check(("borrowed or not".to_owned(),));
    check(Cow::from("text"));
}

#[test]
fn claims_beyond_the_input_are_refused() {
    fn refuse<T: State + Debug>() {
        for claim in [1u64 << 32, 1 << 60, u64::MAX] {
            let error = decode::<T>(&claim.to_le_bytes()).expect_err("there is no such input");
            assert!(matches!(error, DecodeError::Truncated { .. } | DecodeError::TooLarge { .. }), "{error}");
        }
    }
    refuse::<Vec<u8>>();
    refuse::<Vec<f32>>();
    refuse::<Vec<bool>>();
    refuse::<Vec<String>>();
    refuse::<Vec<()>>();
    refuse::<VecDeque<[u8; 0]>>();
    refuse::<LinkedList<()>>();
    refuse::<BTreeSet<()>>();
    refuse::<BTreeMap<(), ()>>();
    refuse::<HashMap<u64, String>>();
    refuse::<String>();
}

#[test]
fn nested_claims_are_counted_together() {
    // A million vectors of 15 million nothings each.
    let mut bytes = 1_000_000u64.to_le_bytes().to_vec();
    for _ in 0..1_000_000 {
        bytes.extend((15u64 << 20).to_le_bytes());
    }
    assert!(matches!(decode::<Vec<Vec<()>>>(&bytes), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn a_duration_that_overflows_is_an_error() {
    let bytes = encode(&(u64::MAX, 1_000_000_000u32));
    assert_eq!(decode::<Duration>(&bytes), Err(DecodeError::OutOfRange(u64::MAX.into())));
}

#[test]
fn a_path_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let path = PathBuf::from(std::ffi::OsString::from_vec(vec![0xff]));
    assert!(matches!(path.encode(&mut Encoder::new()), Err(EncodeError::Refused(_))));
}

/// A list that owns its rest, as a derive would write it.
#[derive(Debug, Default)]
struct List(Option<Box<List>>);

impl State for List {
    fn schema(schema: &mut SchemaBuilder) {
        schema.structure::<Self>(|schema| schema.field("0", Option::<Box<Self>>::schema));
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.0.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        State::decode(input).map(Self)
    }
}

#[test]
fn deep_nesting_is_refused_on_both_sides() {
    let mut list = List::default();
    for _ in 0..1000 {
        list = List(Some(Box::new(list)));
    }
    assert_eq!(list.encode(&mut Encoder::new()), Err(EncodeError::TooDeep));
    assert!(list.encode(&mut Encoder::new().with_depth(1000)).is_ok());
    assert!(matches!(decode::<List>(&[1; 100_000]), Err(DecodeError::TooDeep)));
}

#[test]
fn an_element_that_fails_in_an_array_fails_it() {
    assert_eq!(decode::<[bool; 3]>(&[1, 2, 0]), Err(DecodeError::Bool(2)));
}

#[test]
fn exchange_swaps() {
    let mut here = (1, [vec![2], vec![3]], Some(4));
    let mut there = (10, [vec![20], vec![30]], None);
    here.exchange(&mut there);
    assert_eq!((here, there), ((10, [vec![20], vec![30]], None), (1, [vec![2], vec![3]], Some(4))));
}

/// A value with a field that only the device has.
#[derive(Debug, Default, PartialEq)]
struct Window {
    width: u32,
    handle: Option<&'static str>,
}

impl State for Window {
    const SKIPS: bool = true;

    fn schema(schema: &mut SchemaBuilder) {
        schema.structure::<Self>(|schema| {
            schema.field("width", u32::schema);
            schema.skipped("handle");
        });
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.width.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { width: u32::decode(input)?, handle: None })
    }

    fn exchange(&mut self, other: &mut Self) {
        self.width.exchange(&mut other.width);
    }

    fn places(&self, places: &mut Places<'_>) {
        places.object(self);
        places.field(0, &self.width);
    }
}

fn window(width: u32) -> Window {
    Window { width, handle: Some("the device's") }
}

fn way_to<T: State, U: Any>(whole: &T, part: &U) -> Option<Vec<u16>> {
    let mut way = None;
    let mut visit = |path: &[u16], place| {
        if place == Place::of(part) {
            way = Some(path.to_vec());
        }
    };
    whole.places(&mut Places::new(&mut visit));
    way
}

#[test]
fn fixed_places_with_skipped_fields_are_named_and_gone_to() {
    let mut whole = (1u8, [(window(2), 3u32), (window(4), 5)], window(6));
    assert_eq!(way_to(&whole, &whole), Some(vec![]));
    assert_eq!(way_to(&whole, &whole.1), Some(vec![1]));
    assert_eq!(way_to(&whole, &whole.1[1].0), Some(vec![1, 1, 0]));
    assert_eq!(way_to(&whole, &whole.2), Some(vec![2]));
    assert_eq!(way_to(&whole, &whole.1[1].1), None, "a number travels as well by copy");
    let mut state = Encoder::new();
    window(40).encode(&mut state).expect("a number can be encoded");
    let place = whole.place(&[1, 1, 0]).expect("the path leads to a window");
    place.bring_to(&mut Decoder::new(state.as_bytes(), 8)).expect("the state is whole");
    assert_eq!(whole.1[1].0, window(40));
}

#[test]
fn what_shares_an_address_is_told_apart_by_type() {
    let whole = ([window(1)],);
    assert_eq!(way_to(&whole, &whole.0), Some(vec![0]));
    assert_eq!(way_to(&whole, &whole.0[0]), Some(vec![0, 0]));
}

#[test]
fn what_lies_in_a_container_or_elsewhere_has_no_fixed_place() {
    let whole = (vec![window(1)], Some(window(2)), Box::new(window(3)), window(4));
    assert_eq!(way_to(&whole, &whole.0[0]), None);
    assert_eq!(way_to(&whole, whole.1.as_ref().expect("it was just put there")), None);
    assert_eq!(way_to(&whole, &*whole.2), None);
    assert_eq!(way_to(&whole, &window(4)), None);
}

#[test]
fn a_path_that_leads_nowhere_is_refused() {
    let mut whole = (1u8, [2u8, 3]);
    for path in [&[2][..], &[0, 0], &[1, 2], &[1, 0, 0]] {
        assert!(whole.place(path).is_none(), "{path:?}");
    }
}
