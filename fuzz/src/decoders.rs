//! Bytes and texts that are read without a session.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;

use outboard_core::ByteCount;
use outboard_profiler::{Coverage, DeviceProfile, RecordedPower};
use outboard_transport::ServerAddress;
use outboard_wire::delta::Delta;
use outboard_wire::frame::{Frame, Image, ToDevice, ToServer, decode_frame, encode_frame};

use outboard_wire::{
    DecodeError, Decoder, EncodeError, Encoder, Limits, ObjectReader, ObjectWriter, SchemaBuilder, Shared,
    State, decode_serde, encode_serde,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const DEPTH: u16 = 32;

/// A type that contains itself, through everything that can.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Number(u64),
    Text { text: String, bytes: Vec<u8> },
    Box(Box<Tree>),
    Many(Vec<Tree>),
    Perhaps(Option<Box<Tree>>),
    Named(BTreeMap<String, Tree>),
}

/// Values of many types, with `State` and with serde alone.
pub fn codec(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    match choice % 16 {
        0 => state::<Vec<u8>>(bytes),
        1 => state::<(u8, u16, u32, u64, u128, i64, f32, f64)>(bytes),
        2 => state::<Vec<String>>(bytes),
        3 => state::<Vec<Option<Vec<f32>>>>(bytes),
        4 => state::<BTreeMap<String, Vec<u16>>>(bytes),
        5 => state::<Vec<[bool; 3]>>(bytes),
        6 => state::<VecDeque<(char, Result<u8, String>)>>(bytes),
        7 => state::<Vec<()>>(bytes),
        8 => state::<(std::time::Duration, std::net::SocketAddr, usize)>(bytes),
        9 => state::<Box<[Box<(std::num::NonZero<u16>, std::path::PathBuf)>]>>(bytes),
        10 => serde::<Vec<u8>>(bytes),
        11 => serde::<Vec<BTreeMap<i8, Option<char>>>>(bytes),
        12 => serde::<Vec<()>>(bytes),
        _ => serde::<Tree>(bytes),
    }
}

/// What is read is written and read again as the same.
fn state<T: State>(bytes: &[u8]) {
    let mut input = Decoder::new(bytes, DEPTH);
    let Ok(value) = T::decode(&mut input) else { return };
    let read = bytes.len() - input.remaining();
    let mut out = Encoder::new();
    value.encode(&mut out).expect("what was decoded can be encoded");
    let written = out.into_bytes();
    let mut input = Decoder::new(&written, DEPTH);
    let mut again = Encoder::new();
    T::decode(&mut input).expect("what was encoded can be decoded").encode(&mut again).expect("as before");
    input.finish().expect("nothing is left");
    assert!(written == again.into_bytes(), "the second encoding differs from the first");
    assert!(written.len() <= read, "{} bytes became {}", read, written.len());
}

fn serde<T: Serialize + DeserializeOwned + Debug>(bytes: &[u8]) {
    let Ok(value) = decode_serde::<T>(&mut Decoder::new(bytes, DEPTH)) else { return };
    let mut out = Encoder::new();
    encode_serde(&value, &mut out).expect("what was decoded can be encoded");
    let written = out.into_bytes();
    let mut input = Decoder::new(&written, DEPTH);
    match decode_serde::<T>(&mut input) {
        Ok(_) => input.finish().expect("nothing is left"),
        // Without the bytes that followed the first time, millions of elements that take none are too many.
        Err(error) => assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}"),
    }
}

/// Frames of both directions.
pub fn frames(data: &[u8]) {
    frame::<ToServer>(data);
    frame::<ToDevice>(data);
}

fn frame<F: Frame + Debug + PartialEq>(data: &[u8]) {
    let limits = Limits::default();
    let Ok(frame) = decode_frame::<F>(data, &limits) else { return };
    let bytes = encode_frame(&frame, &limits).expect("what was decoded can be encoded");
    assert_eq!(decode_frame::<F>(&bytes, &limits), Ok(frame));
}

/// Deltas against a base: honest ones make what they tell, others are refused or make no more than allowed.
pub fn delta(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let (base, bytes) = data.split_at(data.len() * usize::from(choice % 8) / 8);
    let most = ByteCount::from_bytes(4096);
    let base_image = Image::from(base.to_vec());
    let made = match choice / 8 % 4 {
        0 => Some(Delta::Edits(bytes.to_vec().into())),
        1 => {
            let length = bytes.len() as u32 * 7;
            Some(Delta::Packed { length, bytes: bytes.to_vec().into() })
        }
        2 => check(Delta::between(base, bytes), &base_image, bytes),
        _ => check(Delta::pack(base, bytes), &base_image, bytes),
    };
    if let Some(Ok(image)) = made.map(|delta| delta.apply(&base_image, most)) {
        assert!(image.size() <= most, "{} were made", image.size());
    }
}

fn check(told: Option<Delta>, base: &Image, new: &[u8]) -> Option<Delta> {
    if let Some(delta) = &told {
        let limit = ByteCount::from_bytes(new.len() as u64);
        assert_eq!(delta.apply(base, limit).as_ref().map(|image| &*image.0), Ok(new));
    }
    told
}

/// A value within shared objects within others.
#[derive(Clone, Debug)]
enum Chain {
    End(u8),
    More(Shared<Vec<u8>>, Shared<u64>),
}

impl State for Chain {
    fn schema(schema: &mut SchemaBuilder) {
        schema.leaf("chain");
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        match self {
            Self::End(byte) => (0u8, *byte).encode(out),
            Self::More(bytes, number) => {
                1u8.encode(out)?;
                bytes.encode(out)?;
                number.encode(out)
            }
        }
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(match u8::decode(input)? {
            0 => Self::End(u8::decode(input)?),
            _ => Self::More(State::decode(input)?, State::decode(input)?),
        })
    }
}

/// Slots that refer to shared objects, and the objects beside them.
pub fn objects(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let (slots, image) = data.split_at(data.len() * usize::from(choice % 8) / 8);
    let image = (choice / 8 % 4 != 0).then(|| bytes::Bytes::copy_from_slice(image));
    let Ok(mut reader) = ObjectReader::call(image, DEPTH) else { return };
    let mut input = Decoder::new(slots, DEPTH).with_objects(&mut reader);
    let Ok(value) = <Vec<Shared<Chain>>>::decode(&mut input) else { return };
    let Ok((objects, _staged)) = reader.finish() else { return };
    let mut out = Encoder::new().with_objects(ObjectWriter::reply(&objects));
    value.encode(&mut out).expect("what was decoded can be encoded");
    out.take_objects().finish(ByteCount::from_bytes(u64::MAX)).expect("there is no budget");
}

/// Addresses, device profiles and recordings of a meter, which people write or bring along.
pub fn text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(address) = text.parse::<ServerAddress>() {
        let again = address.to_string().parse().expect("what was written can be read");
        assert_eq!(address, again);
    }
    match DeviceProfile::parse("fuzzed.toml", text) {
        Ok(profile) => {
            let again = DeviceProfile::parse("again.toml", &profile.to_toml());
            assert_eq!(again, Ok(profile), "what was written can be read");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Err(error) = RecordedPower::parse("fuzzed.csv", text, Coverage::Device) {
        assert!(error.to_string().starts_with("fuzzed.csv"));
    }
}
