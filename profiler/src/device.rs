//! What a device draws: profiles as files, every figure with its source.

mod parse;
mod radio;

use std::fmt;

use outboard_core::Power;
use thiserror::Error;

pub(crate) use radio::MOST_TAILS;
pub use radio::{Phase, RadioProfile, TailProfile};

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
}

/// Power of the whole device by the state of its processors.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CpuProfile {
    /// How many cores share the difference between `idle` and `busy`.
    pub cores: Option<u16>,
    /// The whole device, idle, its radio associated and silent.
    pub idle: Option<Figure<Power>>,
    /// The whole device with every core busy.
    pub busy: Option<Figure<Power>>,
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

    /// The names of the profiles that come with Outboard.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A profile that comes with Outboard, by its file name without the ending: `raspberry-pi-4b`, say.
    ///
    /// # Errors
    /// A name that none of them has; the error lists them.
    pub fn built_in(name: &str) -> Result<Self, ProfileError> {
        let Some((file, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let known = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(ProfileError::NoSuchProfile { name: name.to_owned(), known });
        };
        Self::parse(file, text)
    }
}

const BUILT_IN: [(&str, &str); 5] = [
    ("pixel-4a-5g-wifi", include_str!("../profiles/pixel-4a-5g-wifi.toml")),
    ("raspberry-pi-3b-plus", include_str!("../profiles/raspberry-pi-3b-plus.toml")),
    ("raspberry-pi-4b", include_str!("../profiles/raspberry-pi-4b.toml")),
    ("raspberry-pi-5", include_str!("../profiles/raspberry-pi-5.toml")),
    ("raspberry-pi-zero-w", include_str!("../profiles/raspberry-pi-zero-w.toml")),
];

impl fmt::Display for FigureQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Measured => "measured",
            Self::Modelled => "modelled",
            Self::Unknown => "unknown",
        })
    }
}

/// What is wrong with a device profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The file is not TOML.
    #[error("{file} is not valid TOML: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// Where, and what the parser says.
        message: String,
    },
    /// A key that no profile has; most often a misspelling.
    #[error("{file}: `{key}` is not a key of a device profile: use one of {allowed}")]
    UnknownKey {
        /// The file.
        file: String,
        /// The key with its sections.
        key: String,
        /// What may stand there.
        allowed: String,
    },
    /// A key that has to be there.
    #[error("{file}: `{key}` is missing: add it")]
    Missing {
        /// The file.
        file: String,
        /// The key with its sections.
        key: String,
    },
    /// A value of the wrong type or out of range.
    #[error("{file}: `{key}` must be {expected}")]
    BadValue {
        /// The file.
        file: String,
        /// The key with its sections.
        key: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// No radio of that name comes with Outboard.
    #[error(
        "there is no built-in radio `{name}`: use one of {known}, or leave `profile` out and state the figures"
    )]
    NoSuchRadio {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No profile of that name comes with Outboard.
    #[error("there is no built-in device profile `{name}`: use one of {known}, or the path of a file")]
    NoSuchProfile {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        DeviceProfile::parse("robot.toml", text).expect_err("it should be refused").to_string()
    }

    #[test]
    fn every_profile_that_comes_along_is_sound_and_names_its_sources() {
        for name in DeviceProfile::built_in_names() {
            let profile = DeviceProfile::built_in(name).unwrap_or_else(|error| panic!("{error}"));
            let cpu = [&profile.cpu.idle, &profile.cpu.busy];
            let radio =
                [&profile.radio.idle, &profile.radio.receive, &profile.radio.transmit, &profile.radio.tail];
            for figure in cpu.into_iter().chain(radio).flatten() {
                assert!(figure.source.len() > 10, "{name}: {figure:?}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_none() {
        let pixel = DeviceProfile::built_in("pixel-4a-5g-wifi").expect("built in");
        assert_eq!(pixel.cpu.idle, None);
        assert_eq!(pixel.radio.transmit.map(|figure| figure.value), Some(Power::from_milliwatts(1_220)));
    }

    #[test]
    fn errors_name_file_key_and_what_may_stand_there() {
        assert_eq!(error("[cpu]"), "robot.toml: `name` is missing: add it");
        let unknown = error("name = 'r'\n[cpu]\nidel = 3");
        assert_eq!(
            unknown,
            "robot.toml: `cpu.idel` is not a key of a device profile: use one of busy, cores, idle"
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
}
