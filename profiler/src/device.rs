//! What a device draws: profiles as files, every figure with its source.

#[cfg(feature = "android")]
mod android;
mod built_in;
mod cpu;
mod error;
mod parse;
mod radio;
mod write;

use std::fmt;

use outboard_core::Energy;

pub use cpu::{CpuCluster, CpuLevel, CpuProfile, CpuSpeed};
pub use error::ProfileError;

pub(crate) use radio::MOST_TAILS;
pub use radio::{Phase, RadioFile, RadioImportError, RadioProfile, TailProfile};

/// What is known of a device's power. A figure that is not known is `None`, never zero.
///
/// ```toml
/// name = "Raspberry Pi 4B"
/// [cpu]
/// cores = 4
/// idle = { watts = 2.29, quality = "measured", source = "board meter, radio associated" }
/// busy = { watts = 6.82, quality = "measured", source = "board meter, four loops" }
/// [radio]
/// kind = "wifi"
/// transmit = { watts = 0.40, quality = "modelled", source = "EnergyBox" }
/// [battery]
/// capacity = { milliampere_hours = 5000, volts = 3.7, quality = "measured", source = "its label" }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DeviceProfile {
    /// What the device is, for people.
    pub name: String,
    /// Its processors.
    pub cpu: CpuProfile,
    /// Its radio.
    pub radio: RadioProfile,
    /// What its battery holds when full.
    pub battery: Option<Figure<Energy>>,
}

/// A figure and how much it can be trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure<T> {
    /// The figure.
    pub value: T,
    /// How it came about.
    pub quality: FigureQuality,
    /// Where it comes from, so that it can be checked.
    pub source: String,
}

/// How a figure came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FigureQuality {
    /// With a meter, on this kind of device.
    Measured,
    /// From a model, or from another device.
    Modelled,
    /// Nobody knows.
    Unknown,
}

impl DeviceProfile {
    /// A device of which nothing is known: every energy is unknown.
    pub fn unknown() -> Self {
        Self { name: "unknown device".to_owned(), ..Self::default() }
    }

    /// Reads a profile; `file` is its name in errors.
    ///
    /// # Errors
    /// Text that is not TOML, a key that is unknown, missing or of another type, or a figure out of range; the error names file and
    /// key.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        parse::profile(file, text)
    }

    /// The text of a profile, as [`parse`](Self::parse) reads it.
    ///
    /// A figure whose quality is unknown is left out: what a profile says, it says with a source.
    pub fn to_toml(&self) -> String {
        write::profile(self)
    }
}

impl fmt::Display for FigureQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Measured => "measured",
            Self::Modelled => "modelled",
            Self::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use outboard_core::Power;

    use super::*;

    fn error(text: &str) -> String {
        DeviceProfile::parse("robot.toml", text).expect_err("it should be refused").to_string()
    }

    #[test]
    fn every_profile_that_comes_along_is_sound_and_names_its_sources() {
        for name in DeviceProfile::built_in_names() {
            let profile = DeviceProfile::built_in(name).unwrap_or_else(|error| panic!("{error}"));
            let cpu = [&profile.cpu.idle, &profile.cpu.busy, &profile.cpu.active];
            let radio =
                [&profile.radio.idle, &profile.radio.receive, &profile.radio.transmit, &profile.radio.tail];
            for figure in cpu.into_iter().chain(radio).flatten() {
                assert!(figure.source.len() > 10, "{name}: {figure:?}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_none() {
        let fuze = DeviceProfile::built_in("htc-fuze").expect("built in");
        assert_eq!((fuze.battery, fuze.cpu.active), (None, None));
        let busy = fuze.cpu.busy.expect("as in MAUI's figure 8");
        assert_eq!(busy.value * std::time::Duration::from_secs(12), Energy::from_millijoules(15_000));
        let pixel = DeviceProfile::built_in("pixel-4a-5g-wifi").expect("built in");
        assert_eq!(pixel.radio.transmit.map(|figure| figure.value), Some(Power::from_microwatts(1_224_700)));
        assert_eq!(pixel.radio.tail, None);
    }

    #[test]
    fn errors_name_file_key_and_what_may_stand_there() {
        assert_eq!(error("[cpu]"), "robot.toml: `name` is missing: add it");
        let unknown = error("name = 'r'\n[cpu]\nidel = 3");
        assert_eq!(
            unknown,
            "robot.toml: `cpu.idel` is not a key of a device profile: use one of active, busy, cluster, cores, idle, levels, speed"
        );
        let untold = error("name = 'r'\n[cpu]\nidle = { watts = 2.0, quality = 'measured' }");
        assert_eq!(untold, "robot.toml: `cpu.idle.source` is missing: add it");
        let negative =
            error("name = 'r'\n[cpu]\nidle = { watts = -2.0, quality = 'measured', source = 's' }");
        assert_eq!(negative, "robot.toml: `cpu.idle.watts` must be a number from 0 to 1000000");
        assert!(error("name = ").starts_with("robot.toml is not valid TOML: "));
        let missing = DeviceProfile::built_in("pi").expect_err("no such").to_string();
        assert!(missing.contains("`pi`") && missing.contains("raspberry-pi-4b"), "{missing}");
    }

    #[test]
    fn a_busy_device_cannot_draw_less_than_an_idle_one() {
        let text = "name = 'r'\n[cpu]\n\
            idle = { watts = 4, quality = 'measured', source = 'meter' }\n\
            busy = { watts = 3, quality = 'measured', source = 'meter' }";
        assert_eq!(error(text), "robot.toml: `cpu.busy` must be at least `cpu.idle`");
    }

    #[test]
    fn a_battery_is_given_in_joules_or_in_milliampere_hours() {
        let battery = |capacity: &str| {
            let text = format!(
                "name = 'r'\n[battery]\ncapacity = {{ {capacity}, quality = 'measured', source = 'label' }}"
            );
            DeviceProfile::parse("robot.toml", &text).map(|robot| robot.battery.map(|battery| battery.value))
        };
        assert_eq!(battery("milliampere_hours = 1000, volts = 3.7"), battery("joules = 13320"));
        assert_eq!(battery("joules = 13_320.5"), Ok(Some(Energy::from_millijoules(13_320_500))));
        let refused = |capacity| battery(capacity).expect_err("it should be refused").to_string();
        assert_eq!(
            refused("milliampere_hours = 1"),
            "robot.toml: `battery.capacity.volts` is missing: add it"
        );
        assert_eq!(refused("volts = 1"), "robot.toml: `battery.capacity.joules` is missing: add it");
        assert!(refused("joules = 1, milliampere_hours = 1").contains("must be left out where"));
        assert!(refused("milliampere_hours = 1e9, volts = 1e6").contains("must be so low"));
    }

    #[test]
    fn a_speed_is_a_whole_number_of_steps() {
        let speed = |steps: &str| {
            let text = format!(
                "name = 'r'\n[cpu]\nspeed = {{ steps_per_second = {steps}, quality = 'measured', source = 's' }}"
            );
            DeviceProfile::parse("robot.toml", &text).map(|robot| robot.cpu.speed.map(|speed| speed.value))
        };
        assert_eq!(speed("33_000_000"), Ok(Some(33_000_000)));
        for steps in ["0", "1.5", "-1", "1_000_000_000_001"] {
            let refused = speed(steps).expect_err(steps).to_string();
            assert!(refused.contains("`cpu.speed.steps_per_second` must be a whole number"), "{refused}");
        }
    }

    #[test]
    fn lists_are_in_order_and_name_the_row_that_is_not() {
        let row =
            |at: &str, watts: f64| format!("{{ {at}, watts = {watts}, quality = 'measured', source = 's' }}");
        let levels = |rows: &[String]| error(&format!("name = 'r'\n[cpu]\nlevels = [{}]", rows.join(", ")));
        let (low, high) = (row("utilisation = 0.1", 2.0), row("utilisation = 0.5", 3.0));
        assert_eq!(
            levels(&[high.clone(), low]),
            "robot.toml: `cpu.levels[1].utilisation` must be above that of the row before"
        );
        assert!(
            levels(&[high, row("utilisation = 0.9", 1.0)]).contains("`cpu.levels[1].watts` must be at least")
        );
        assert!(levels(&[row("utilisation = 1.1", 1.0)]).contains("must be a number from 0 to 1"));
        let cluster = |cores: u16, rows: &[String]| {
            let rows = rows.join(", ");
            error(&format!(
                "name = 'r'\n[cpu]\ncores = 4\n[[cpu.cluster]]\ncores = {cores}\nspeeds = [{rows}]"
            ))
        };
        let slow = row("megahertz = 100", 1.0);
        assert_eq!(
            cluster(2, std::slice::from_ref(&slow)),
            "robot.toml: `cpu.cores` must be the sum of the clusters' cores"
        );
        assert_eq!(cluster(4, &[]), "robot.toml: `cpu.cluster[0].speeds` is missing: add it");
        assert!(
            cluster(4, &[slow.clone(), slow]).contains("`cpu.cluster[0].speeds[1].megahertz` must be above")
        );
        let many = vec![row("utilisation = 0.1", 1.0); 257];
        assert!(levels(&many).contains("a list of at most 256 tables"));
    }
}
