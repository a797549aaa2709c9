//! What is written is read back as it was.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Frequency};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::device::{CpuLevel, CpuSpeed, Phase, RadioProfile, TailProfile};

fn figure<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Figure<T>> {
    let quality = prop_oneof![Just(FigureQuality::Measured), Just(FigureQuality::Modelled)];
    // Any characters: quotes, line breaks and controls have to be escaped.
    (value, quality, any::<String>())
        .prop_map(|(value, quality, source)| Figure { value, quality, source })
        .boxed()
}

fn power() -> BoxedStrategy<Figure<Power>> {
    figure((0u64..=1_000_000_000_000).prop_map(Power::from_microwatts))
}

fn levels() -> impl Strategy<Value = Vec<CpuLevel>> {
    prop::collection::vec((0.0f64..=1.0, power()), 0..6).prop_map(|rows| {
        let (mut places, mut figures): (Vec<f64>, Vec<_>) = rows.into_iter().unzip();
        places.sort_by(f64::total_cmp);
        figures.sort_by_key(|figure| figure.value);
        let rows =
            places.into_iter().zip(figures).map(|(utilisation, power)| CpuLevel { utilisation, power });
        let mut levels: Vec<_> = rows.collect();
        levels.dedup_by(|one, other| one.utilisation == other.utilisation);
        levels
    })
}

fn clusters() -> impl Strategy<Value = Vec<CpuCluster>> {
    let speeds = prop::collection::btree_map(0u64..1_000_000_000_000, power(), 1..5).prop_map(|speeds| {
        let speed = |(hertz, core)| CpuSpeed { frequency: Frequency::from_hertz(hertz), core };
        speeds.into_iter().map(speed).collect()
    });
    let cluster = (1u16..=64, option::of(power()), speeds)
        .prop_map(|(cores, shared, speeds)| CpuCluster::new(cores, shared, speeds));
    prop::collection::vec(cluster, 0..3)
}

fn cpu() -> impl Strategy<Value = CpuProfile> {
    let ends = (option::of(power()), option::of(power()), option::of(power()));
    let speed = option::of(figure(1u64..=1_000_000_000_000));
    (option::of(1u16..=1024), ends, speed, levels(), clusters()).prop_map(
        |(cores, (idle, busy, active), speed, levels, clusters)| {
            let cores = if clusters.is_empty() { cores } else { None };
            let busy = busy.filter(|busy| idle.as_ref().is_none_or(|idle| idle.value <= busy.value));
            CpuProfile { cores, idle, busy, speed, levels, active, clusters }
        },
    )
}

/// A time that a file keeps to the nanosecond.
fn time() -> impl Strategy<Value = Duration> {
    (1u64..1_000_000_000_000).prop_map(Duration::from_nanos)
}

fn phase() -> BoxedStrategy<Figure<Phase>> {
    let power = (0u64..=1_000_000_000_000).prop_map(Power::from_microwatts);
    figure((time(), power).prop_map(|(time, power)| Phase { time, power }))
}

/// Tails in their short form, in their long one, or none.
fn tails() -> impl Strategy<Value = RadioProfile> {
    let tail = (phase(), option::of(phase())).prop_map(|(phase, promotion)| TailProfile { phase, promotion });
    prop_oneof![
        (power(), figure(time())).prop_map(|(tail, tail_time)| RadioProfile {
            tail: Some(tail),
            tail_time: Some(tail_time),
            ..RadioProfile::default()
        }),
        prop::collection::vec(tail, 0..=4)
            .prop_map(|tails| RadioProfile { tails, ..RadioProfile::default() }),
    ]
}

fn radio() -> impl Strategy<Value = RadioProfile> {
    let size = || figure((1u64..=1_000_000).prop_map(ByteCount::from_bytes));
    let energy = || figure((0u64..=1_000_000_000_000).prop_map(Energy::from_microjoules));
    let words = (option::of(any::<String>()), any::<bool>());
    let powers = (option::of(power()), option::of(power()), option::of(power()), option::of(power()));
    let energies = (option::of(energy()), option::of(energy()), option::of((energy(), size())));
    let others = (option::of(phase()), option::of(size()), option::of(size()), option::of(figure(time())));
    (words, powers, energies, others, tails()).prop_map(|(words, powers, energies, others, tails)| {
        let (per_frame, frame_size) = energies.2.unzip();
        RadioProfile {
            kind: words.0,
            whole_device: words.1,
            idle: powers.0,
            active: powers.1,
            receive: powers.2,
            transmit: powers.3,
            per_megabit_up: energies.0,
            per_megabit_down: energies.1,
            per_frame,
            frame_size,
            promotion: others.0,
            small_up: others.1,
            small_down: others.2,
            beacon: others.3,
            ..tails
        }
    })
}

proptest! {
    #[test]
    fn a_profile_that_is_written_and_read_is_the_same(
        name in any::<String>(),
        cpu in cpu(),
        radio in radio(),
        battery in option::of(figure((0u64..=1_000_000_000_000_000).prop_map(Energy::from_microjoules))),
    ) {
        let profile = DeviceProfile { name, cpu, radio, battery };
        let text = profile.to_toml();
        prop_assert_eq!(DeviceProfile::parse("written.toml", &text), Ok(profile), "{}", text);
    }
}

#[test]
fn every_profile_that_comes_along_is_written_and_read_as_the_same() {
    for name in DeviceProfile::built_in_names() {
        let profile = DeviceProfile::built_in(name).expect("built in");
        assert_eq!(DeviceProfile::parse(name, &profile.to_toml()), Ok(profile));
    }
    for name in RadioProfile::built_in_names() {
        let radio = RadioProfile::built_in(name).expect("built in");
        let profile = DeviceProfile { name: name.to_owned(), radio, ..DeviceProfile::default() };
        assert_eq!(DeviceProfile::parse(name, &profile.to_toml()), Ok(profile));
    }
}

#[test]
fn a_profile_is_written_as_people_write_one() {
    let measured = |watts: f64| Figure {
        value: Power::from_watts_f64(watts),
        quality: FigureQuality::Measured,
        source: "a \"good\" meter".to_owned(),
    };
    let mut profile = DeviceProfile { name: "robot".to_owned(), ..DeviceProfile::default() };
    profile.cpu.cores = Some(4);
    profile.cpu.idle = Some(measured(2.5));
    profile.cpu.levels = vec![CpuLevel { utilisation: 0.5, power: measured(4.0) }];
    let unknown = Figure { quality: FigureQuality::Unknown, ..measured(9.0) };
    profile.cpu.busy = Some(unknown);
    assert_eq!(
        profile.to_toml(),
        r#"name = "robot"

[cpu]
cores = 4
idle = { watts = 2.5, quality = "measured", source = 'a "good" meter' }
levels = [
    { utilisation = 0.5, watts = 4.0, quality = "measured", source = 'a "good" meter' },
]
"#
    );
}
