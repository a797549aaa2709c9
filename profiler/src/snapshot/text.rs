//! A snapshot as a file: TOML, for people to read.
//!
//! ```toml
//! format = 1                    # another number: another version of Outboard wrote it
//! app = "faces"                 # of which app,
//! version = "1.0.0"
//! build = ""                    # build of it, where it has an identity,
//! device = "kitchen-pi"         # and device
//!
//! [[method]]
//! id = "00f1c2…"                # 16 hexadecimal digits: its `name`, or path and signature, hashed
//! name = "faces::detect"        # for people
//! body = "7d20e6…"              # hash of its body: with another one it is another method
//! local_calls = 120             # runs on the device
//! remote_calls = 40             # and on servers
//! # Predictions, each where it was learned: local (with what it calls), own (without), cpu, server (as if it were as
//! # fast as the device), up and down (bytes to servers and back).
//! local = { samples = 120, seconds = 0.05, deviation = 0.1, work = 1e6, work_deviation = 0.8, exponent = 1.0, fixed = 0.3 }
//! up = { samples = 40, bytes = 12000.0, deviation = 0.01 }
//!
//! [[edge]]
//! caller = "00f1c2…"            # left out: code that is not annotated
//! callee = "93ab04…"
//! calls = 360
//! ```
//!
//! `seconds` or `bytes` is the middle at the usual `work`; `deviation` the standard deviation of the logarithm from a
//! prediction to the sample. With work the figure goes like its power `exponent`, or, where `fixed` is given, has a part
//! that does not depend on it, which is that share of it at the usual work.

use std::fmt::{self, Display, Write as _};
use std::time::Duration;

use outboard_core::ByteCount;

use super::Snapshot;
use crate::predictor::Summary;
use crate::spread::Quantity;

pub(super) fn of(snapshot: &Snapshot) -> String {
    let mut text = String::from(
        "# What Outboard learned of this app on this device. It starts from here the next time; deleted, it is learned anew.\n",
    );
    // Writing to a string cannot fail.
    let _ = write(&mut text, snapshot);
    text
}

fn write(text: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let origin = &snapshot.origin;
    writeln!(text, "format = {}", Snapshot::FORMAT)?;
    writeln!(text, "app = {}", Quoted(&origin.app))?;
    writeln!(text, "version = {}", Quoted(&origin.version))?;
    writeln!(text, "build = {}", Quoted(&origin.build))?;
    writeln!(text, "device = {}", Quoted(&origin.device))?;
    for (id, method) in snapshot.methods.iter().take(Snapshot::MOST_METHODS) {
        writeln!(
            text,
            "\n[[method]]\nid = \"{id}\"\nname = {}\nbody = \"{}\"",
            Quoted(&method.name),
            method.body
        )?;
        writeln!(text, "local_calls = {}", count(method.local_calls))?;
        writeln!(text, "remote_calls = {}", count(method.remote_calls))?;
        let times = [
            ("local", &method.local),
            ("own", &method.own),
            ("cpu", &method.cpu),
            ("server", &method.server),
        ];
        for (key, time) in times {
            summary(text, key, time.as_ref())?;
        }
        summary(text, "up", method.up.as_ref())?;
        summary(text, "down", method.down.as_ref())?;
    }
    for ((caller, callee), calls) in snapshot.edges.iter().take(Snapshot::MOST_EDGES) {
        writeln!(text, "\n[[edge]]")?;
        if let Some(caller) = caller {
            writeln!(text, "caller = \"{caller}\"")?;
        }
        writeln!(text, "callee = \"{callee}\"\ncalls = {}", count(*calls))?;
    }
    Ok(())
}

/// A quantity as the file has it.
pub(super) trait Kept: Quantity {
    const UNIT: &'static str;
}

impl Kept for Duration {
    const UNIT: &'static str = "seconds";
}

impl Kept for ByteCount {
    const UNIT: &'static str = "bytes";
}

fn summary<T: Kept>(text: &mut String, key: &str, summary: Option<&Summary<T>>) -> fmt::Result {
    let Some(summary) = summary else { return Ok(()) };
    // `{:?}` of a float is always one in TOML too: it has a point or an exponent.
    write!(
        text,
        "{key} = {{ samples = {}, {} = {:?}, deviation = {:?}",
        count(summary.samples),
        T::UNIT,
        summary.typical.to_number(),
        summary.deviation
    )?;
    if let Some(law) = &summary.work {
        let (usual, deviation, exponent) = (law.usual, law.deviation, law.exponent);
        write!(text, ", work = {usual:?}, work_deviation = {deviation:?}, exponent = {exponent:?}")?;
        if let Some(fixed) = law.fixed {
            write!(text, ", fixed = {fixed:?}")?;
        }
    }
    writeln!(text, " }}")
}

/// TOML has no larger numbers.
fn count(count: u64) -> u64 {
    count.min(i64::MAX as u64)
}

/// A basic string of TOML.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                control if control.is_control() => write!(f, "\\U{:08X}", u32::from(control))?,
                character => f.write_char(character)?,
            }
        }
        f.write_char('"')
    }
}
