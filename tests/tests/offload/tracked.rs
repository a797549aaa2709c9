//! `Tracked<T>`: what was not touched is neither encoded nor sent.

use std::cell::Cell;

use outboard::__private::wire::{DecodeError, Decoder, EncodeError, Encoder, SchemaBuilder};
use outboard::{State, Tracked, remoteable};
use outboard_tests::Edge;

/// What a call with nothing new may send, in bytes, and an answer with nothing new.
const NOTHING: u64 = 100;
const LARGE: usize = 1 << 20;

thread_local! {
    /// How often this thread encoded and decoded tiles. A test has a thread of its own, on the device.
    static ENCODED: Cell<u32> = const { Cell::new(0) };
    static DECODED: Cell<u32> = const { Cell::new(0) };
}

/// How often tiles were encoded and decoded here since the last time.
fn counted() -> (u32, u32) {
    (ENCODED.take(), DECODED.take())
}

#[derive(Clone, Debug, PartialEq)]
struct Tiles(Vec<u8>);

impl State for Tiles {
    fn schema(schema: &mut SchemaBuilder) {
        Vec::<u8>::schema(schema);
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        ENCODED.set(ENCODED.get() + 1);
        self.0.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        DECODED.set(DECODED.get() + 1);
        Vec::decode(input).map(Self)
    }
}

#[derive(State, Clone, Debug, PartialEq)]
struct Map {
    tiles: Tracked<Tiles>,
    marks: Tracked<Vec<u32>>,
    #[serde(skip)]
    shown: u32,
}

fn map() -> Map {
    // Noise, so that little is won by compressing it, behind a plain.
    let mut noise = 1u64;
    let mut next = || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        (noise >> 32) as u8 & 0x3F
    };
    let mut tiles: Vec<u8> = (0..LARGE).map(|_| next()).collect();
    tiles[..16].fill(1);
    Map { tiles: Tiles(tiles).into(), marks: vec![1].into(), shown: 0 }
}

#[remoteable]
impl Map {
    fn height(&mut self, at: usize) -> u8 {
        self.tiles.0[at]
    }

    fn raise(&mut self, at: usize) -> u8 {
        self.tiles.0[at] += 1;
        self.tiles.0[at]
    }

    fn mark(&mut self, mark: u32) -> usize {
        self.marks.push(mark);
        self.marks.len()
    }
}

#[remoteable]
fn highest(tiles: &Tracked<Tiles>) -> Option<u8> {
    tiles.0.iter().copied().max()
}

/// What a call sent and received, of slots and results.
fn cost<T>(edge: &Edge, method: &str, call: impl FnOnce() -> T) -> (T, u64, u64) {
    let report = edge.runtime().report();
    let before = report.methods.iter().any(|found| found.name.ends_with(method));
    let (sent, received) = if before { edge.travelled(method) } else { (0, 0) };
    let result = call();
    let after = edge.travelled(method);
    (result, after.0 - sent, after.1 - received)
}

#[test]
fn what_is_borrowed_is_encoded_once_and_sent_once() {
    let edge = Edge::start();
    let mut tiles = map().tiles;
    let (found, sent, _) = cost(&edge, "highest", || highest(&tiles));
    assert!(found == Some(0x3F) && sent > LARGE as u64 / 2, "{sent}");
    assert_eq!(counted(), (1, 0));
    for _ in 0..3 {
        let (found, sent, received) = cost(&edge, "highest", || highest(&tiles));
        assert!(found == Some(0x3F) && sent < NOTHING && received < NOTHING, "{sent} up, {received} down");
    }
    assert_eq!(counted(), (0, 0), "the encoder was not called");
    tiles.0[7] = 99;
    assert_eq!(highest(&tiles), Some(99));
    assert_eq!(counted(), (1, 0));
    assert_eq!(edge.remote_calls("highest"), 5);
}

#[test]
fn what_the_server_leaves_alone_does_not_come_back() {
    let edge = Edge::start();
    let mut map = map();
    map.shown = 7;
    assert_eq!(map.height(3), 1);
    assert_eq!(counted(), (1, 0), "it was encoded, and nothing was decoded");
    let (height, sent, received) = cost(&edge, "Map::height", || map.height(4));
    assert!(height == 1 && sent < NOTHING && received < NOTHING, "{sent} up, {received} down");
    assert_eq!((counted(), map.shown), ((0, 0), 7));
    assert_eq!(edge.remote_calls("Map::height"), 2);
}

#[test]
fn what_the_server_changed_is_known_when_it_came_back() {
    let edge = Edge::start();
    let (mut map, mut plain) = (map(), map());
    assert_eq!(map.raise(3), 2);
    plain.tiles.0[3] += 1;
    assert_eq!((counted(), &map), ((1, 1), &plain));
    let (height, sent, received) = cost(&edge, "Map::height", || map.height(3));
    assert!(height == 2 && sent < NOTHING && received < NOTHING, "{sent} up, {received} down");
    assert_eq!(counted(), (0, 0));
    map.marks.push(2);
    plain.marks.push(2);
    assert_eq!(map.mark(3), 3);
    plain.marks.push(3);
    assert_eq!(map, plain, "a part that changed changes the whole");
    assert_eq!(edge.remote_calls("Map::mark"), 1);
}

#[test]
fn equal_stamps_are_not_taken_for_another_value() {
    let _edge = Edge::start();
    let (mut map, mut other) = (map(), map());
    assert_eq!((map.raise(0), other.height(0)), (2, 1));
    std::mem::swap(&mut map.tiles, &mut other.tiles);
    assert_eq!((map.height(0), other.height(0)), (1, 2), "each value is where it was moved to");
    other = map.clone();
    assert_eq!((other.raise(0), map.height(0)), (2, 1), "a clone is another value once it is changed");
}
