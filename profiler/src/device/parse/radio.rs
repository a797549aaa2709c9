//! The table of a radio.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Power};
use toml::{Table, Value};

use super::{Figure, FigureQuality, ProfileError, RadioProfile, Section};
use crate::device::radio::{MOST_TAILS, Phase, TailProfile};

pub(super) fn profile(section: &Section<'_>) -> Result<RadioProfile, ProfileError> {
    section.only(&[
        "active",
        "beacon",
        "figures_of",
        "frame_size",
        "idle",
        "kind",
        "per_frame",
        "per_megabit_down",
        "per_megabit_up",
        "profile",
        "promotion",
        "receive",
        "small_down",
        "small_up",
        "tail",
        "tail_time",
        "tails",
        "transmit",
    ])?;
    let mut base = match section.text("profile")? {
        Some(name) => RadioProfile::built_in(&name)?,
        None => RadioProfile::default(),
    };
    // The tails are replaced as a whole, whichever form they have.
    if ["tail", "tail_time", "tails"].iter().any(|key| section.table.contains_key(*key)) {
        (base.tail, base.tail_time, base.tails) = (None, None, Vec::new());
    }
    if section.table.contains_key("tail") && section.table.contains_key("tails") {
        return Err(section.bad("tails", "left out where `tail` stands"));
    }
    let time = |key| section.figure(key, "seconds", Duration::from_secs_f64);
    let beacon = time("beacon")?;
    if beacon.as_ref().is_some_and(|beacon| beacon.value.is_zero()) {
        return Err(section.bad("beacon.seconds", "more than 0"));
    }
    let energy =
        |key| section.figure(key, "joules", |joules| Energy::from_microjoules((joules * 1e6).round() as u64));
    let bytes = |key| section.figure(key, "bytes", |bytes| ByteCount::from_bytes(bytes.round() as u64));
    let (per_frame, frame_size) =
        (energy("per_frame")?.or(base.per_frame), bytes("frame_size")?.or(base.frame_size));
    if per_frame.is_some() && frame_size.as_ref().is_none_or(|size| size.value == ByteCount::ZERO) {
        return Err(section.bad("frame_size", "more than 0 bytes where `per_frame` stands"));
    }
    Ok(RadioProfile {
        kind: section.text("kind")?.or(base.kind),
        whole_device: match section.text("figures_of")?.as_deref() {
            None => base.whole_device,
            Some("device") => true,
            Some("radio") => false,
            Some(_) => return Err(section.bad("figures_of", "`device` or `radio`")),
        },
        idle: section.power("idle")?.or(base.idle),
        active: section.power("active")?.or(base.active),
        receive: section.power("receive")?.or(base.receive),
        transmit: section.power("transmit")?.or(base.transmit),
        per_megabit_up: energy("per_megabit_up")?.or(base.per_megabit_up),
        per_megabit_down: energy("per_megabit_down")?.or(base.per_megabit_down),
        per_frame,
        frame_size,
        promotion: phase_at(section, "promotion")?.or(base.promotion),
        tail: section.power("tail")?.or(base.tail),
        tail_time: time("tail_time")?.or(base.tail_time),
        tails: tails(section)?.unwrap_or(base.tails),
        small_up: bytes("small_up")?.or(base.small_up),
        small_down: bytes("small_down")?.or(base.small_down),
        beacon: beacon.or(base.beacon),
    })
}

fn tails(section: &Section<'_>) -> Result<Option<Vec<TailProfile>>, ProfileError> {
    let expected = "a list of tables, at most 4";
    let list = match section.table.get("tails") {
        None => return Ok(None),
        Some(Value::Array(list)) if list.len() <= MOST_TAILS => list,
        Some(_) => return Err(section.bad("tails", expected)),
    };
    let mut tails = Vec::with_capacity(list.len());
    for (number, entry) in list.iter().enumerate() {
        let Value::Table(table) = entry else { return Err(section.bad("tails", expected)) };
        let path = section.full(&format!("tails[{number}]"));
        let section = Section { file: section.file, path, table };
        section.only(&["promotion", "quality", "seconds", "source", "watts"])?;
        tails.push(TailProfile { phase: phase(&section)?, promotion: phase_at(&section, "promotion")? });
    }
    Ok(Some(tails))
}

fn phase_at(section: &Section<'_>, key: &str) -> Result<Option<Figure<Phase>>, ProfileError> {
    let Some(section) = section.section(key)? else { return Ok(None) };
    section.only(&["quality", "seconds", "source", "watts"])?;
    phase(&section).map(Some)
}

/// A time and a power with one quality and one source.
fn phase(section: &Section<'_>) -> Result<Figure<Phase>, ProfileError> {
    let time = Duration::from_secs_f64(section.number("seconds")?);
    let power = Power::from_watts_f64(section.number("watts")?);
    let (quality, source): (FigureQuality, String) = section.origin()?;
    Ok(Figure { value: Phase { time, power }, quality, source })
}

/// A radio's own file.
pub(super) fn file(file: &str, text: &str) -> Result<RadioProfile, ProfileError> {
    let table: Table = super::table(file, text)?;
    profile(&Section { file, path: String::new(), table: &table })
}
