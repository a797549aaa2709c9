//! `codec`: encoding and decoding a mebibyte, beside copying it.

use std::hint::black_box;
use std::time::Instant;

use outboard_wire::{Decoder, Encoder, State};

use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::report::{Report, Target};

const MEBIBYTE: usize = 1 << 20;
/// Repetitions in a turn of a full run: a few hundredths of a second.
const REPETITIONS: usize = 500;
/// Far above what a vector of numbers needs.
const DEPTH: u16 = 8;

pub(crate) struct Codec;

impl Experiment for Codec {
    fn name(&self) -> &'static str {
        "codec"
    }

    fn about(&self) -> &'static str {
        "encode and decode 1 MiB of bytes and of f32, beside copying it to fresh memory"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let bytes: Vec<u8> = (0..MEBIBYTE).map(|index| (index * 7) as u8).collect();
        let floats: Vec<f32> = (0..MEBIBYTE / 4).map(|index| index as f32 * 0.25).collect();
        let (encoded_bytes, encoded_floats) = (encode(&bytes)?, encode(&floats)?);
        let repetitions = effort.work(REPETITIONS);
        let mut contenders = [
            rate("copy", repetitions, || Ok(bytes.to_vec())),
            rate("bytes/encode", repetitions, || encode(&bytes)),
            rate("bytes/decode", repetitions, || decode::<u8>(&encoded_bytes)),
            rate("f32/encode", repetitions, || encode(&floats)),
            rate("f32/decode", repetitions, || decode::<f32>(&encoded_floats)),
        ];
        let series = side_by_side(effort, &mut contenders)?;
        let targets = [None, Some(15.0), Some(15.0), Some(15.0), Some(5.0)];
        for ((contender, series), target) in contenders.iter().zip(&series).zip(targets) {
            let name = format!("codec/{}", contender.name);
            report.figure(name, series.clone(), "GB/s", target.map(Target::AtLeast))?;
        }
        for (contender, own) in contenders.iter().zip(&series).skip(1) {
            let name = format!("codec/{}-over-copy", contender.name);
            report.figure(name, own.over(&series[0]), "×", None)?;
        }
        Ok(())
    }
}

fn encode<T: State>(values: &Vec<T>) -> Result<Vec<u8>, Failure> {
    let mut out = Encoder::new();
    values.encode(&mut out).map_err(Failure::of("encoding"))?;
    Ok(out.into_bytes())
}

fn decode<T: State>(bytes: &[u8]) -> Result<Vec<T>, Failure> {
    let mut input = Decoder::new(bytes, DEPTH);
    let values = Vec::decode(&mut input).map_err(Failure::of("decoding"))?;
    input.finish().map_err(Failure::of("decoding"))?;
    Ok(values)
}

/// Mebibytes handled over time, in GB/s.
fn rate<'a, T>(
    name: &'static str,
    repetitions: usize,
    mut work: impl FnMut() -> Result<T, Failure> + 'a,
) -> Contender<'a> {
    Contender::new(name, move || {
        let start = Instant::now();
        for _ in 0..repetitions {
            black_box(work()?);
        }
        Ok((repetitions * MEBIBYTE) as f64 / 1e9 / start.elapsed().as_secs_f64())
    })
}
