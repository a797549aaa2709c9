//! Power profiles of phones, whole and broken.

use outboard_core::{Energy, Frequency, Power};
use proptest::prelude::*;

use crate::device::{DeviceProfile, FigureQuality};

/// A phone of two clusters; what `change` finds is put in another way.
fn phone(change: (&str, &str)) -> String {
    let text = r#"<?xml version="1.0" encoding="utf-8"?>
<device name="Phone">
  <!-- mA -->
  <item name="battery.capacity">1000</item>
  <array name="cpu.clusters.cores"><value>2</value><value>1</value></array>
  <item name="cpu.suspend">5</item>
  <item name="cpu.idle">6</item>
  <item name="cpu.active">10</item>
  <item name="cpu.cluster_power.cluster0">2</item>
  <array name="cpu.core_speeds.cluster0">
    <value>300000</value>
    <value>600000</value>
  </array>
  <array name="cpu.core_power.cluster0"><value>40</value><value>60.5</value></array>
  <array name="cpu.core_speeds.cluster1"><value>1000000</value></array>
  <array name="cpu.core_power.cluster1"><value>100</value></array>
  <item name="camera.avg">whatever</item>
  <item name="wifi.controller.idle">9</item>
  <item name="wifi.controller.tx">300</item>
  <item name="wifi.controller.voltage">4000</item>
</device>"#;
    assert!(text.contains(change.0), "nothing to change");
    text.replacen(change.0, change.1, 1)
}

fn import(change: (&str, &str)) -> DeviceProfile {
    DeviceProfile::import_android("phone.xml", &phone(change)).unwrap_or_else(|error| panic!("{error}"))
}

fn error(change: (&str, &str)) -> String {
    DeviceProfile::import_android("phone.xml", &phone(change)).expect_err("it should be refused").to_string()
}

#[test]
fn milliamperes_become_watts_at_the_stated_voltage() {
    let phone = import(("", ""));
    assert_eq!((phone.name.as_str(), phone.cpu.cores), ("Phone", Some(3)));
    let value = |figure: &Option<crate::Figure<Power>>| figure.as_ref().map(|figure| figure.value);
    assert_eq!(value(&phone.cpu.idle), Some(Power::from_milliwatts((5 + 6 + 9) * 4)));
    // Idle, 10 mA once, 2 mA for the first cluster, two cores of 60.5 mA, one of 100 mA.
    assert_eq!(value(&phone.cpu.busy), Some(Power::from_milliwatts((20 + 10 + 2 + 121 + 100) * 4)));
    let [first, second] = phone.cpu.clusters.as_slice() else { panic!("{:?}", phone.cpu.clusters) };
    assert_eq!((first.cores, second.cores), (2, 1));
    assert_eq!(first.speeds[1].frequency, Frequency::from_kilohertz(600_000));
    assert_eq!(first.speeds[1].core.value, Power::from_milliwatts(242));
    assert_eq!(first.speeds[1].core.quality, FigureQuality::Modelled);
    assert_eq!(
        first.speeds[1].core.source,
        "phone.xml: cpu.core_power.cluster0, at 4 V as the file states for Wi-Fi"
    );
    assert_eq!((value(&second.shared), value(&phone.radio.receive)), (None, None));
    assert_eq!(phone.battery.map(|battery| battery.value), Some(Energy::from_millijoules(4 * 3_600 * 1_000)));
}

#[test]
fn what_the_file_does_not_say_is_unknown() {
    let phone = import((r#"<item name="cpu.suspend">5</item>"#, ""));
    assert_eq!((phone.cpu.idle, phone.cpu.busy), (None, None));
    let phone = import((r#"<item name="wifi.controller.voltage">4000</item>"#, ""));
    assert_eq!(phone.cpu.clusters[1].speeds[0].core.value, Power::from_milliwatts(370));
    assert!(phone.cpu.clusters[1].speeds[0].core.source.ends_with("at 3.7 V nominal"));
}

#[test]
fn older_names_are_read_too() {
    let text = phone(("", "")).replace("core_power.cluster", "active.cluster");
    let text = text.replace("core_speeds.cluster", "speeds.cluster");
    let phone = DeviceProfile::import_android("phone.xml", &text).expect("names of Android 7");
    assert_eq!(phone.cpu.clusters, {
        let mut now = import(("", "")).cpu.clusters;
        for speed in now.iter_mut().flat_map(|cluster| &mut cluster.speeds) {
            speed.core.source = speed.core.source.replace("core_power", "active");
        }
        now
    });
}

#[test]
fn errors_name_file_line_and_item() {
    assert_eq!(
        error(("<value>40</value>", "<value>much</value>")),
        "phone.xml, line 14: `cpu.core_power.cluster0` must be made of numbers from 0 to 100000000"
    );
    assert_eq!(
        error(("<value>40</value>", "")),
        "phone.xml, line 14: `cpu.core_power.cluster0` must be a list of 2 values, one for each frequency"
    );
    assert_eq!(
        error(("<value>300000</value>", "<value>700000</value>")),
        "phone.xml, line 10: `cpu.core_speeds.cluster0` must be a list of rising frequencies"
    );
    assert_eq!(
        error((r#"name="cpu.clusters.cores""#, r#"name="cpu.clusters""#)),
        "phone.xml: `cpu.clusters.cores` is missing: add it"
    );
    assert_eq!(
        error(("<value>2</value><value>1</value>", "<value>2.5</value>")),
        "phone.xml, line 5: `cpu.clusters.cores` must be made of whole numbers from 1 to 64"
    );
    let unclosed = error(("</device>", ""));
    assert!(unclosed.starts_with("phone.xml is not valid XML: "), "{unclosed}");
}

#[test]
fn hostile_files_are_refused_in_bounded_time() {
    let refuse = |text: &str| {
        DeviceProfile::import_android("phone.xml", text).expect_err("it should be refused").to_string()
    };
    assert!(refuse(&" ".repeat(1 << 20)).contains("more than the 262144"));
    // Deeper than any stack would bear.
    let deep = refuse(&"<a>".repeat(80_000));
    assert!(deep.starts_with("phone.xml is not valid XML: "), "{deep}");
    let bomb =
        r#"<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><device>&b;</device>"#;
    assert!(refuse(bomb).contains("not valid XML"));
    let gigawatt = refuse(&phone((">4000<", ">100000000<")).replace(">300<", ">100000000<"));
    assert_eq!(gigawatt, "phone.xml: `radio.transmit.watts` must be a number from 0 to 1000000");
    for number in ["-1", "1e300", "NaN", "inf", "", "1,5"] {
        let text = refuse(&phone((">6<", &format!(">{number}<"))));
        assert!(text.contains("`cpu.idle` must be"), "{number}: {text}");
    }
}

proptest! {
    #[test]
    fn no_damage_to_a_file_makes_a_panic(
        cuts in prop::collection::vec((0usize..1_200, 0usize..40, any::<String>()), 1..4),
    ) {
        let mut text: Vec<char> = phone(("", "")).chars().collect();
        for (start, length, instead) in cuts {
            let start = start.min(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, instead.chars());
        }
        let text: String = text.into_iter().collect();
        match DeviceProfile::import_android("phone.xml", &text) {
            // What is taken is a profile like any other.
            Ok(phone) => prop_assert_eq!(DeviceProfile::parse("phone.toml", &phone.to_toml()), Ok(phone)),
            Err(error) => prop_assert!(error.to_string().starts_with("phone.xml")),
        }
    }
}

/// The makers' own files, where they are at hand, are what the profiles that come along were made of.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "where recorded files are is told by the environment of a test"
)]
#[expect(clippy::print_stderr, reason = "a test that skips says so")]
fn profiles_of_real_phones_are_read() {
    let Ok(traces) = std::env::var("OUTBOARD_TRACES") else {
        eprintln!("skipped: OUTBOARD_TRACES names no folder");
        return;
    };
    for (file, name) in
        [("power_profile_pixel3a.xml", "pixel-3a-wifi"), ("power_profile_pixel4a5g.xml", "pixel-4a-5g-wifi")]
    {
        let path = std::path::Path::new(&traces).join("device/energy-android-profile").join(file);
        let text = std::fs::read_to_string(path).expect("the folder has it");
        let phone = DeviceProfile::import_android(file, &text).unwrap_or_else(|error| panic!("{error}"));
        let built_in = DeviceProfile::built_in(name).expect("built in");
        // Names and sources differ.
        let figures = |profile: &DeviceProfile| {
            let text = profile.to_toml();
            let lines =
                text.lines().skip(1).map(|line| line.split(", source").next().unwrap_or_default().to_owned());
            lines.collect::<Vec<_>>()
        };
        assert_eq!(figures(&phone), figures(&built_in));
        assert_eq!(DeviceProfile::parse(file, &phone.to_toml()), Ok(phone));
    }
}
