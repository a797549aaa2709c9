//! `state.unchanged`, `state.sparse` and `state.insert`: encoding a mebibyte and telling it by what the other end has.

use std::hint::black_box;
use std::time::Instant;

use outboard_core::{Bandwidth, ByteCount, CallId, Epoch};
use outboard_wire::frame::{Attempt, Image, Part, SlotImage, Version};
use outboard_wire::{Encoder, State, Tracked, delta};

use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::report::{Report, Target};
use crate::series::Series;

const MEBIBYTE: usize = 1 << 20;
/// Repetitions in a turn of a full run: a few hundredths of a second.
const REPETITIONS: usize = 300;
/// Changed places, and bytes in each: one in a hundred of all.
const PLACES: usize = 50;
const IN_EACH: usize = MEBIBYTE / 100 / PLACES;
const MOST: ByteCount = ByteCount::from_bytes(2 * MEBIBYTE as u64);

/// A state that changes in one way.
pub(crate) struct Telling {
    name: &'static str,
    about: &'static str,
    change: fn(&mut Vec<u8>),
    /// Bytes that changed or came in.
    changed: usize,
    /// Most microseconds, and most bytes.
    targets: (Option<f64>, f64),
    goodput: Bandwidth,
}

/// Nothing changed.
pub(crate) const UNCHANGED: Telling = Telling {
    name: "state.unchanged",
    about: "encode 1 MiB that the other end has, and say so, beside encoding alone",
    change: |_| (),
    changed: 0,
    targets: (Some(60.0), 100.0),
    goodput: Bandwidth::from_megabits_per_second(100),
};

/// A hundredth changed, in fifty places.
pub(crate) const SPARSE: Telling = Telling {
    name: "state.sparse",
    about: "encode 1 MiB of which 1 % changed in 50 places, and tell the changes",
    change: |state| {
        for place in 0..PLACES {
            let start = place * (MEBIBYTE / PLACES) + 1234;
            state[start..start + IN_EACH].iter_mut().for_each(|byte| *byte = !*byte);
        }
    },
    changed: PLACES * IN_EACH,
    targets: (Some(100.0), 1.3 * (PLACES * IN_EACH) as f64),
    goodput: Bandwidth::from_megabits_per_second(100),
};

/// Something was put into the middle.
pub(crate) const INSERT: Telling = Telling {
    name: "state.insert",
    about: "encode 1 MiB with 10 kB put into its middle, and tell that on a slow link",
    change: |state| {
        state.splice(MEBIBYTE / 2..MEBIBYTE / 2, noise(7, 10_000));
    },
    changed: 10_000,
    targets: (None, 0.03 * MEBIBYTE as f64),
    goodput: Bandwidth::from_megabits_per_second(5),
};

impl Experiment for Telling {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let before = noise(1, MEBIBYTE);
        let mut after = before.clone();
        (self.change)(&mut after);
        let base = encode(&before)?;
        let version =
            Version { attempt: Attempt { call: CallId(1), epoch: Epoch::FIRST }, part: Part::Sent(0) };
        let told = |state: &Vec<u8>| -> Result<SlotImage, Failure> {
            let new = encode_with(Encoder::new().with_base(&base), state)?;
            Ok(delta::tell(&new, Some((version, &base)), Some(self.goodput)))
        };
        let image = told(&after)?;
        let known = |_| Some(base.clone());
        let repetitions = effort.work(REPETITIONS);
        let tracked = Tracked::new(before.clone());
        let stamp = tracked.stamp();
        let mut contenders = vec![
            time("encode", repetitions, || encode(&after)),
            time("encode-and-tell", repetitions, || told(&after)),
            time("resolve", repetitions, || {
                delta::resolve(image.clone(), known, MOST).map_err(Failure::of("resolving"))
            }),
        ];
        let mut targets = vec![None, self.targets.0, None];
        if self.changed == 0 {
            contenders.push(time("tracked", repetitions, || match tracked.stamp() == stamp {
                true => Ok(delta::tell(&base, Some((version, &base)), Some(self.goodput))),
                false => told(&tracked),
            }));
            targets.push(Some(1.0));
        }
        let series = side_by_side(effort, &mut contenders)?;
        for ((contender, series), target) in contenders.iter().zip(&series).zip(targets) {
            let name = format!("{}/{}", self.name, contender.name);
            report.figure(name, series.clone(), "µs", target.map(Target::AtMost))?;
        }
        let mut bytes = Series::default();
        bytes.push(image.size().as_bytes() as f64);
        report.figure(format!("{}/bytes", self.name), bytes, "B", Some(Target::AtMost(self.targets.1)))?;
        let mut changed = Series::default();
        changed.push(self.changed as f64);
        report.figure(format!("{}/changed", self.name), changed, "B", None)
    }
}

fn encode(state: &Vec<u8>) -> Result<Image, Failure> {
    encode_with(Encoder::new(), state)
}

fn encode_with(mut out: Encoder, state: &Vec<u8>) -> Result<Image, Failure> {
    state.encode(&mut out).map_err(Failure::of("encoding"))?;
    Ok(out.into_image())
}

/// Microseconds for each repetition.
fn time<'a, T>(
    name: &'static str,
    repetitions: usize,
    mut work: impl FnMut() -> Result<T, Failure> + 'a,
) -> Contender<'a> {
    Contender::new(name, move || {
        let start = Instant::now();
        for _ in 0..repetitions {
            black_box(work()?);
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / repetitions as f64)
    })
}

/// Bytes that cannot be compressed.
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
