//! The `[radio]` section.

use super::{Text, known, row, text};
use crate::device::{Figure, FigureQuality, Phase, RadioProfile};

pub(super) fn section(out: &mut Text, radio: &RadioProfile) {
    if *radio == RadioProfile::default() {
        return;
    }
    out.section("[radio]");
    if let Some(kind) = &radio.kind {
        out.line("kind", &text(kind));
    }
    if radio.whole_device {
        out.line("figures_of", r#""device""#);
    }
    let powers = [
        ("idle", &radio.idle),
        ("active", &radio.active),
        ("receive", &radio.receive),
        ("transmit", &radio.transmit),
        ("tail", &radio.tail),
    ];
    for (key, power) in powers {
        out.power(key, power.as_ref());
    }
    let energies = [
        ("per_megabit_up", &radio.per_megabit_up),
        ("per_megabit_down", &radio.per_megabit_down),
        ("per_frame", &radio.per_frame),
    ];
    for (key, energy) in energies {
        out.some(key, row(energy.as_ref(), "joules", |energy| energy.as_joules_f64()));
    }
    let sizes =
        [("frame_size", &radio.frame_size), ("small_up", &radio.small_up), ("small_down", &radio.small_down)];
    for (key, size) in sizes {
        out.some(key, row(size.as_ref(), "bytes", |size| size.as_bytes() as f64));
    }
    for (key, time) in [("tail_time", &radio.tail_time), ("beacon", &radio.beacon)] {
        out.some(key, row(time.as_ref(), "seconds", |time| time.as_secs_f64()));
    }
    out.some("promotion", phase(radio.promotion.as_ref()).map(|phase| format!("{{ {phase} }}")));
    tails(out, radio);
}

/// The long form, where the short one does not stand.
fn tails(out: &mut Text, radio: &RadioProfile) {
    if radio.tail.is_some() {
        return;
    }
    let tails = radio.tails.iter().filter_map(|tail| {
        let promotion = phase(tail.promotion.as_ref());
        let promotion = promotion.map_or(String::new(), |phase| format!(", promotion = {{ {phase} }}"));
        Some(format!("{{ {}{promotion} }}", phase(Some(&tail.phase))?))
    });
    out.list("tails", tails.collect());
}

/// The inside of the table of a time at a power.
fn phase(phase: Option<&Figure<Phase>>) -> Option<String> {
    let Figure { value, quality, source } = phase?;
    let power = Figure { value: value.power, quality: *quality, source: source.clone() };
    let power = known(&power, "watts", |power| power.as_watts_f64())?;
    (*quality != FigureQuality::Unknown).then(|| format!("seconds = {:?}, {power}", value.time.as_secs_f64()))
}
