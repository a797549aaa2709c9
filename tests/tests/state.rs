//! `#[derive(State)]`: the encoding is serde's, and what is skipped stays where it is.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use outboard::__private::wire::{DecodeError, Decoder, Encoder, Place, Places, Schema};
use outboard::{State, Tracked};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

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

/// The same bytes as serde's derive, the same value back, and no prefix is a value.
fn check<T: State + Serialize + PartialEq + Debug>(value: T) {
    let bytes = encode(&value);
    let config = bincode::config::standard().with_fixed_int_encoding();
    let expected = bincode::serde::encode_to_vec(&value, config).expect("serde encodes what state encodes");
    assert_eq!(bytes, expected, "{value:?}");
    for cut in (0..bytes.len()).step_by(1 + bytes.len() / 30) {
        assert!(decode::<T>(&bytes[..cut]).is_err(), "{value:?} cut at {cut}");
    }
    assert_eq!(decode::<T>(&bytes), Ok(value));
}

/// The way to `part`, if it is one of the places that `whole` names.
fn way_to<T: State, U: 'static>(whole: &T, part: &U) -> Option<Vec<u16>> {
    let mut found = None;
    let mut visit = |path: &[u16], place: Place| {
        if place == Place::of(part) {
            found = Some(path.to_vec());
        }
    };
    whole.places(&mut Places::new(&mut visit));
    found
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
#[serde(rename_all = "camelCase")]
struct Face {
    r#box: (u32, u32, u32, u32),
    embedding: Vec<f32>,
    #[serde(rename = "label")]
    name: Option<String>,
    mirror: [Point<i16>; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, State)]
struct Point<N>(N, N);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
struct Marker;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
enum Shape {
    Nothing,
    Dot(Point<f32>),
    #[serde(rename = "Ring")]
    Circle {
        centre: Point<f32>,
        radius: f32,
        #[serde(skip)]
        on_screen: Option<u32>,
    },
    Group(Vec<Shape>, Marker),
    Within(Box<Shape>, BTreeMap<u8, Shape>),
}

fn shape() -> impl Strategy<Value = Shape> {
    let point = || (-1e9f32..1e9, -1e9f32..1e9).prop_map(|(x, y)| Point(x, y));
    let leaf = prop_oneof![
        Just(Shape::Nothing),
        point().prop_map(Shape::Dot),
        (point(), 0f32..1e9).prop_map(|(centre, radius)| Shape::Circle { centre, radius, on_screen: None }),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|shapes| Shape::Group(shapes, Marker)),
            (inner.clone(), prop::collection::btree_map(any::<u8>(), inner, 0..3))
                .prop_map(|(one, more)| Shape::Within(Box::new(one), more)),
        ]
    })
}

proptest! {
    #[test]
    fn structs_encode_as_serde_does(
        r#box: (u32, u32, u32, u32), embedding in prop::collection::vec(-1f32..1.0, 0..40), name: Option<String>,
        mirror: [(i16, i16); 2],
    ) {
        check(Face { r#box, embedding, name, mirror: mirror.map(|(x, y)| Point(x, y)) });
    }

    #[test]
    fn enums_encode_as_serde_does(shape in shape()) {
        check(shape);
    }

    #[test]
    fn arbitrary_input_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for result in [decode::<Shape>(&bytes).map(drop), decode::<Face>(&bytes).map(drop)] {
            prop_assert!(result.is_ok() || result.is_err_and(|error| !error.to_string().is_empty()));
        }
    }
}

#[test]
fn types_without_fields_encode_to_nothing() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
    struct Empty {}
    check(Marker);
    check(Empty {});
    assert!(encode(&(Marker, Empty {})).is_empty());
}

#[test]
fn a_variant_that_does_not_exist_is_named_in_the_error() {
    let error = decode::<Shape>(&9u32.to_le_bytes()).expect_err("there are five variants");
    assert_eq!(error, DecodeError::Variant { of: "Shape", variant: 9 });
}

#[test]
fn a_type_without_values_cannot_be_decoded() {
    #[derive(State)]
    enum Never {}
    assert!(decode::<Never>(&[0; 4]).is_err());
}

/// A window of the device: it cannot travel, and closing it shows.
#[derive(Debug, Default, PartialEq)]
struct Window(Option<u32>);

fn first_window() -> Window {
    Window(Some(1))
}

#[derive(Debug, Default, PartialEq, State)]
struct Recognizer {
    gallery: Vec<Face>,
    #[serde(skip)]
    window: Window,
    #[serde(skip, default = "first_window")]
    preview: Window,
    inner: (u8, Settings),
}

#[derive(Debug, Default, PartialEq, State)]
struct Settings {
    threshold: f32,
    #[serde(skip)]
    slider: Window,
}

fn recognizer(number: u32) -> Recognizer {
    Recognizer {
        gallery: Vec::new(),
        window: Window(Some(number)),
        preview: Window(Some(number + 1)),
        inner: (number as u8, Settings { threshold: number as f32, slider: Window(Some(number + 2)) }),
    }
}

#[test]
fn skipped_fields_do_not_travel() {
    let bytes = encode(&recognizer(10));
    assert_eq!(bytes.len(), 8 + 1 + 4);
    let there = decode::<Recognizer>(&bytes).expect("what was encoded decodes");
    assert_eq!(there.window, Window(None));
    assert_eq!(there.preview, Window(Some(1)));
    assert_eq!(there.inner, (10, Settings { threshold: 10.0, slider: Window(None) }));
}

#[test]
fn exchange_keeps_skipped_fields_at_every_depth() {
    let (mut here, mut there) = (recognizer(10), recognizer(20));
    here.exchange(&mut there);
    assert_eq!(here.inner.0, 20);
    assert_eq!(here.inner.1, Settings { threshold: 20.0, slider: Window(Some(12)) });
    assert_eq!((here.window, here.preview), (Window(Some(10)), Window(Some(11))));
    assert_eq!((there.inner.0, there.window), (10, Window(Some(20))));
}

#[test]
fn types_with_drop_are_exchanged_and_take_their_defaults() {
    #[derive(State)]
    #[serde(default)]
    struct Log {
        lines: Vec<String>,
        #[serde(skip)]
        handle: u32,
        #[serde(skip, default)]
        count: u32,
    }
    impl Default for Log {
        fn default() -> Self {
            Self { lines: vec!["new".into()], handle: 7, count: 8 }
        }
    }
    impl Drop for Log {
        fn drop(&mut self) {
            self.lines.clear();
        }
    }
    let mut here = Log { lines: vec!["here".into()], handle: 1, count: 2 };
    let mut there = decode::<Log>(&encode(&here)).expect("what was encoded decodes");
    assert_eq!((there.lines.as_slice(), there.handle, there.count), (&["here".to_owned()][..], 7, 0));
    there.lines.push("there".into());
    here.exchange(&mut there);
    assert_eq!((here.lines.len(), here.handle, here.count), (2, 1, 2));
}

#[test]
fn fixed_places_with_skipped_fields_are_named_and_gone_to() {
    let mut whole = recognizer(10);
    assert_eq!(way_to(&whole, &whole), Some(vec![]));
    assert_eq!(way_to(&whole, &whole.inner), Some(vec![3]));
    assert_eq!(way_to(&whole, &whole.inner.1), Some(vec![3, 1]));
    let place = whole.place(&[3, 1]).and_then(|place| place.as_any().downcast_mut::<Settings>());
    place.expect("the path leads to the settings").threshold = 0.5;
    assert_eq!(whole.inner.1.threshold, 0.5);
}

#[test]
fn a_place_is_brought_to_another_state_whole_or_not_at_all() {
    let mut whole = recognizer(10);
    let settings = encode(&Settings { threshold: 0.25, slider: Window(None) });
    let place = whole.place(&[3, 1]).expect("the path leads to the settings");
    assert!(place.bring_to(&mut Decoder::new(&settings[..3], 64)).is_err());
    assert_eq!(whole.inner.1.threshold, 10.0);
    let place = whole.place(&[3, 1]).expect("the path leads to the settings");
    assert_eq!(place.bring_to(&mut Decoder::new(&settings, 64)), Ok(()));
    assert_eq!(whole.inner.1, Settings { threshold: 0.25, slider: Window(Some(12)) });
}

#[test]
fn skipped_fields_containers_variants_and_what_skips_nothing_are_not_named() {
    let mut whole = recognizer(10);
    assert_eq!(way_to(&whole, &whole.window), None);
    assert_eq!(way_to(&whole, &whole.inner.1.slider), None);
    assert_eq!(way_to(&whole, &whole.gallery), None);
    assert_eq!(way_to(&whole, &whole.inner.1.threshold), None);
    for path in [&[1][..], &[2], &[4], &[0, 0], &[3, 2], &[3, 1, 1]] {
        assert!(whole.place(path).is_none(), "{path:?}");
    }
    let boxed = Some(recognizer(20));
    assert_eq!(way_to(&boxed, boxed.as_ref().expect("it was just put there")), None);
    assert_eq!([Recognizer::SKIPS, <(u8, [Settings; 2])>::SKIPS], [true; 2]);
    assert_eq!([Face::SKIPS, Shape::SKIPS, Vec::<Settings>::SKIPS], [false; 3]);
}

#[test]
fn opaque_fields_travel_through_serde() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Foreign {
        size: u16,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
    struct Photo {
        #[state(opaque)]
        header: Foreign,
        pixels: Vec<u8>,
    }
    let photo = Photo { header: Foreign { size: 3 }, pixels: vec![1, 2, 3] };
    check(photo.clone());
    let (mut here, mut there) = (photo.clone(), Photo { header: Foreign { size: 4 }, pixels: vec![4] });
    here.exchange(&mut there);
    assert_eq!((here.header.size, there), (4, photo));
    assert!(here.place(&[0]).is_none(), "nothing can look into an opaque field");
}

#[test]
fn names_count_in_the_schema_and_skips_are_listed() {
    let schema = Schema::of::<Recognizer>();
    let paths: Vec<_> = schema.skips.iter().map(|skip| skip.path.as_str()).collect();
    assert_eq!(paths, ["window", "preview", "inner.1.slider"]);
    assert_eq!(schema.skips_beneath_containers().count(), 0);

    let faces = Schema::of::<Face>();
    assert!(
        faces.text.contains(r#""label":option<text>"#) && faces.text.contains(r#""box":"#),
        "{}",
        faces.text
    );

    let shapes = Schema::of::<Shape>();
    assert_eq!(shapes.skips_beneath_containers().count(), 1);
    assert!(shapes.text.contains(r#""Ring"{"centre":"#), "{}", shapes.text);
}

#[test]
fn generic_types_travel_with_any_state() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
    struct Pair<A, B>
    where
        A: Clone,
    {
        first: A,
        second: Vec<B>,
        kind: PhantomData<A>,
    }
    #[derive(Debug, PartialEq, State)]
    struct Grid<T: Copy, const N: usize>([T; N]);
    check(Pair { first: String::from("a"), second: vec![1u8, 2], kind: PhantomData });
    assert_eq!(decode(&encode(&Grid([1u16, 2, 3]))), Ok(Grid([1u16, 2, 3])));
}

mod wire {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, outboard::State)]
    pub(super) struct Frame(pub(super) u8);
}

#[test]
fn names_of_the_user_hide_none_of_ours() {
    /// Names that generated code might use itself.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
    enum Names {
        Result { out: u8, input: u8, schema: u8, path: u8, wanted: wire::Frame },
        Option(wire::Frame, u8),
        Some,
    }
    check(Names::Result { out: 1, input: 2, schema: 3, path: 4, wanted: wire::Frame(5) });
    check(Names::Option(wire::Frame(6), 7));
    check(Names::Some);
}

#[test]
fn types_made_by_a_macro_can_derive() {
    macro_rules! make {
        ($name:ident) => {
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
            struct $name {
                value: u32,
                #[serde(skip)]
                hidden: u8,
            }
        };
    }
    make!(Made);
    check(Made { value: 7, hidden: 0 });
}

#[test]
fn deep_recursion_is_refused() {
    #[derive(Debug, Default, State)]
    struct List {
        next: Option<Box<List>>,
    }
    let list = (0..100).fold(List::default(), |next, _| List { next: Some(Box::new(next)) });
    assert!(list.encode(&mut Encoder::new()).is_err());
    assert!(matches!(decode::<List>(&[1; 10_000]), Err(DecodeError::TooDeep)));
    assert_eq!(Schema::of::<List>().text, r#"{"next":option<box<{"next":option<box<#1>>,}>>,}"#);
}

#[test]
fn a_struct_is_known_to_be_unchanged_where_all_that_travels_is() {
    #[derive(State)]
    struct Map {
        tiles: Tracked<Vec<u8>>,
        marks: Tracked<Vec<u8>>,
        #[serde(skip)]
        window: Window,
    }
    #[derive(State)]
    struct Partly {
        _tiles: Tracked<Vec<u8>>,
        _zoom: u8,
    }
    let mut map = Map { tiles: vec![1].into(), marks: vec![2].into(), window: Window(None) };
    let before = map.stamp();
    map.window = Window(Some(1));
    assert!(before.is_some() && map.stamp() == before, "what does not travel does not count");
    std::mem::swap(&mut map.tiles, &mut map.marks);
    assert_ne!(map.stamp(), before);
    assert_eq!(Marker.stamp(), Marker.stamp());
    assert!(Marker.stamp().is_some(), "there is nothing that could change");
    assert_eq!(Partly { _tiles: vec![1].into(), _zoom: 1 }.stamp(), None);
    assert_eq!(Shape::Nothing.stamp(), None);
}
