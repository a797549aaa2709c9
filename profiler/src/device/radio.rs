//! What a radio draws and how long it takes, by its state.

mod aro;
mod energybox;
#[cfg(test)]
mod import_tests;
mod properties;

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Power};

use super::{Figure, ProfileError, parse};

pub use properties::{RadioFile, RadioImportError};

/// Power and times of a radio. A figure that is not known is `None`, never zero.
///
/// In a device profile it is the table `[radio]`; a file of its own has the same keys at its top. `profile` takes the figures of
/// a built-in one, and what stands beside it replaces single figures:
///
/// ```toml
/// kind = "3g"
/// active = { watts = 0.7, quality = "modelled", source = "AT&T ARO, its defaults" }
/// promotion = { seconds = 2.0, watts = 0.53, quality = "modelled", source = "AT&T ARO, its defaults" }
/// per_megabit_up = { joules = 0.44, quality = "modelled", source = "Huang et al., MobiSys 2012" }
///
/// [[tails]]
/// seconds = 5
/// watts = 0.7
/// quality = "modelled"
/// source = "AT&T ARO, its defaults"
///
/// [[tails]]
/// seconds = 12
/// watts = 0.35
/// quality = "modelled"
/// source = "AT&T ARO, its defaults"
/// promotion = { seconds = 1.5, watts = 0.55, quality = "modelled", source = "AT&T ARO, its defaults" }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RadioProfile {
    /// Which kind of radio, for people: `wifi`, `lte`, …
    pub kind: Option<String>,
    /// Whether the powers are those of the whole device while the radio is in that state; what the idle device draws is
    /// taken off them then. In files `figures_of = "device"`; `"radio"` by default.
    pub whole_device: bool,
    /// Associated and silent, asleep where it saves power. What the other states draw counts above this.
    pub idle: Option<Figure<Power>>,
    /// Awake, with an exchange under way, whatever passes: the β of a linear model. Without it, the smaller one of `receive` and
    /// `transmit`.
    pub active: Option<Figure<Power>>,
    /// Receiving.
    pub receive: Option<Figure<Power>>,
    /// Transmitting.
    pub transmit: Option<Figure<Power>>,
    /// Energy of a megabit sent, on top of the power: the α of a linear model, watts per Mbit/s.
    pub per_megabit_up: Option<Figure<Energy>>,
    /// The same of a megabit received.
    pub per_megabit_down: Option<Figure<Energy>>,
    /// Energy of a frame, whatever its size, on top of all else.
    pub per_frame: Option<Figure<Energy>>,
    /// How much one frame carries.
    pub frame_size: Option<Figure<ByteCount>>,
    /// From idle to active.
    pub promotion: Option<Figure<Phase>>,
    /// The only tail's power: awake after a transfer, before it sleeps again. A short form of `tails`.
    pub tail: Option<Figure<Power>>,
    /// The only tail's length.
    pub tail_time: Option<Figure<Duration>>,
    /// What it passes through after a transfer, in this order, before it is idle again.
    pub tails: Vec<TailProfile>,
    /// A message to the network up to this size leaves a radio in the tail it is in, where that tail has a promotion.
    pub small_up: Option<Figure<ByteCount>>,
    /// The same for a message from the network.
    pub small_down: Option<Figure<ByteCount>>,
    /// An idle radio sleeps, and hears what is there for it once in this time.
    pub beacon: Option<Figure<Duration>>,
}

/// One of a radio's tails.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TailProfile {
    /// How long it lasts, and what is drawn meanwhile.
    pub phase: Figure<Phase>,
    /// What it takes to be active again from here; `None`: nothing.
    pub promotion: Option<Figure<Phase>>,
}

/// A time at a power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phase {
    /// How long.
    pub time: Duration,
    /// At which power.
    pub power: Power,
}

/// More tails than this no radio has.
pub(crate) const MOST_TAILS: usize = 4;

impl RadioProfile {
    /// Reads a radio's own file; `file` is its name in errors.
    ///
    /// # Errors
    /// Text that is not TOML, a key that is unknown, missing or of another type, or a figure out of range; the error names file and
    /// key.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        parse::radio(file, text)
    }

    /// The names of the radios that come with Outboard.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A radio that comes with Outboard: `lte`, say. None of them was measured on the device that uses it.
    ///
    /// # Errors
    /// A name that none of them has; the error lists them.
    pub fn built_in(name: &str) -> Result<Self, ProfileError> {
        let Some((file, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let known = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(ProfileError::NoSuchRadio { name: name.to_owned(), known });
        };
        Self::parse(file, text)
    }

    /// The tails in their order, from whichever form the profile has.
    pub fn tail_phases(&self) -> Vec<(Phase, Option<Phase>)> {
        if let Some((power, time)) = self.tail.as_ref().zip(self.tail_time.as_ref()) {
            return vec![(Phase { time: time.value, power: power.value }, None)];
        }
        let phases = |tail: &TailProfile| (tail.phase.value, tail.promotion.as_ref().map(|it| it.value));
        self.tails.iter().map(phases).collect()
    }
}

const BUILT_IN: [(&str, &str); 6] = [
    ("3g", include_str!("../../profiles/radio/3g.toml")),
    ("5g-low-band", include_str!("../../profiles/radio/5g-low-band.toml")),
    ("5g-mmwave", include_str!("../../profiles/radio/5g-mmwave.toml")),
    ("lte", include_str!("../../profiles/radio/lte.toml")),
    ("wifi", include_str!("../../profiles/radio/wifi.toml")),
    ("wifi-pixel-4a-5g", include_str!("../../profiles/radio/wifi-pixel-4a-5g.toml")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceProfile;

    fn error(text: &str) -> String {
        RadioProfile::parse("radio.toml", text).expect_err("it should be refused").to_string()
    }

    #[test]
    fn every_radio_that_comes_along_is_sound_and_names_its_sources() {
        for name in RadioProfile::built_in_names() {
            let radio = RadioProfile::built_in(name).unwrap_or_else(|error| panic!("{error}"));
            assert!(radio.kind.is_some(), "{name}");
            let powers = [&radio.idle, &radio.active, &radio.receive, &radio.transmit];
            for figure in powers.into_iter().flatten() {
                assert!(figure.source.len() > 10, "{name}: {figure:?}");
            }
        }
    }

    #[test]
    fn tails_come_in_their_order_and_a_single_one_has_a_short_form() {
        let third = RadioProfile::built_in("3g").expect("built in").tail_phases();
        let seconds: Vec<_> = third.iter().map(|(phase, _)| phase.time.as_secs()).collect();
        assert_eq!(seconds, [5, 12]);
        assert_eq!(third[0].1, None);
        assert_eq!(third[1].1.map(|promotion| promotion.time), Some(Duration::from_millis(1_500)));

        let pi = DeviceProfile::built_in("raspberry-pi-4b").expect("built in").radio.tail_phases();
        let short = Phase { time: Duration::from_millis(220), power: Power::from_milliwatts(250) };
        assert_eq!(pi, [(short, None)]);
    }

    #[test]
    fn a_device_takes_a_built_in_radio_and_replaces_single_figures() {
        let text = "name = 'r'\n[radio]\nprofile = 'lte'\n\
            promotion = { seconds = 0.5, watts = 1, quality = 'measured', source = 'meter' }";
        let device = DeviceProfile::parse("robot.toml", text).expect("sound");
        let lte = RadioProfile::built_in("lte").expect("built in");
        let promotion = device.radio.promotion.clone().expect("stated");
        assert_eq!(promotion.value.time, Duration::from_millis(500));
        assert_eq!(RadioProfile { promotion: lte.promotion.clone(), ..device.radio }, lte);
    }

    #[test]
    fn errors_name_file_key_and_what_may_stand_there() {
        let unknown = error("profile = 'umts'");
        assert!(unknown.starts_with("there is no built-in radio `umts`: use one of 3g, "), "{unknown}");
        assert!(error("taill = 3").contains("`taill` is not a key"), "{}", error("taill = 3"));
        let no_source = error("[[tails]]\nseconds = 1\nwatts = 1\nquality = 'modelled'");
        assert_eq!(no_source, "radio.toml: `tails[0].source` is missing: add it");
        let figure = "quality = 'modelled', source = 's'";
        let both = error(&format!(
            "tails = []\ntail = {{ watts = 1, {figure} }}\ntail_time = {{ seconds = 1, {figure} }}"
        ));
        assert_eq!(both, "radio.toml: `tails` must be left out where `tail` stands");
        assert!(error("tails = [1]").ends_with("`tails` must be a list of tables, at most 4"));
        let tail = "[[tails]]\nseconds = 1\nwatts = 1\nquality = 'modelled'\nsource = 's'\n";
        assert!(error(&tail.repeat(5)).ends_with("`tails` must be a list of tables, at most 4"));
        let never = error(&format!("beacon = {{ seconds = 0, {figure} }}"));
        assert_eq!(never, "radio.toml: `beacon.seconds` must be more than 0");
    }
}
