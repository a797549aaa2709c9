//! What the user asked for.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

/// What to do, checked as far as it can be without looking at a file.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// Say how the program is used.
    Help,
    /// Recognise on the device alone, then with an edge server, and compare.
    Demo(DemoOptions),
    /// Be the device of a demo that another process of this program gives.
    Device(DeviceOptions),
}

/// See [`HELP`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DemoOptions {
    pub(crate) photos: Vec<PathBuf>,
    pub(crate) picture: Option<PathBuf>,
    pub(crate) device_speed: DeviceSpeed,
    pub(crate) device_profile: OsString,
    pub(crate) rounds: u32,
    pub(crate) json: bool,
}

/// The part of [`DemoOptions`] that the device needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeviceOptions {
    pub(crate) photos: Vec<PathBuf>,
    pub(crate) rounds: u32,
}

/// How fast the device runs, as a part of what this machine can do: above 0, at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DeviceSpeed(f64);

/// The command line asks for what does not exist or makes no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum OptionsError {
    #[error("{0}: see face-recognition --help")]
    Unknown(#[from] lexopt::Error),
    #[error("--device-speed {given}: give a number from {} to 1", DeviceSpeed::SLOWEST)]
    Speed { given: String },
    #[error("--rounds {given}: give a whole number from 1 to {MOST_ROUNDS}")]
    Rounds { given: String },
    #[error("--picture shows one photograph, but {photos} are given: name one")]
    PictureOfMany { photos: usize },
}

pub(crate) const HELP: &str = "\
Finds the faces on a photograph and says whose they are, first on the device alone, then with an edge server.

Usage: face-recognition [PHOTO…] [OPTIONS]
       face-recognition serve

  PHOTO…                  PNG or JPEG files; without any, the crew of Apollo 11
  --picture FILE          write the photograph with boxes and names as PNG
  --device-speed S        how fast the device is, as a part of this machine's speed, 0.05 to 1 (default 0.2);
                          the device process is slowed for real
  --device-profile FILE   power of the device's processor and radio: a file, or the name of a built-in profile
                          (default raspberry-pi-4b)
  --rounds N              look at every photograph N times (default 3)
  --json                  print the result as JSON
  --help                  print this
";

/// The name of the hidden command that makes the process the device of a demo.
pub(crate) const DEVICE: &str = "be-the-device";

const MOST_ROUNDS: u32 = 1_000;

/// Reads the command line without the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, OptionsError> {
    let mut options = DemoOptions {
        photos: Vec::new(),
        picture: None,
        device_speed: DeviceSpeed(0.2),
        device_profile: "raspberry-pi-4b".into(),
        rounds: 3,
        json: false,
    };
    let mut device = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(command) if command == DEVICE && !device && options.photos.is_empty() => device = true,
            Value(photo) => options.photos.push(photo.into()),
            Long("picture") => options.picture = Some(parser.value()?.into()),
            Long("device-speed") => options.device_speed = speed(&parser.value()?.string()?)?,
            Long("device-profile") => options.device_profile = parser.value()?,
            Long("rounds") => options.rounds = rounds(&parser.value()?.string()?)?,
            Long("json") => options.json = true,
            Long("help") | Short('h') => return Ok(Request::Help),
            other => return Err(other.unexpected().into()),
        }
    }
    if device {
        return Ok(Request::Device(DeviceOptions { photos: options.photos, rounds: options.rounds }));
    }
    match (&options.picture, options.photos.len()) {
        (Some(_), photos @ 2..) => Err(OptionsError::PictureOfMany { photos }),
        _ => Ok(Request::Demo(options)),
    }
}

impl DeviceSpeed {
    /// Below this, a second of work takes twenty, and nobody waits for the comparison.
    const SLOWEST: f64 = 0.05;

    /// That part of the machine's speed; `None` where no device can be that slow or fast.
    pub(crate) fn new(part: f64) -> Option<Self> {
        (Self::SLOWEST..=1.0).contains(&part).then_some(Self(part))
    }

    /// As a part of the machine's speed.
    pub(crate) fn as_f64(self) -> f64 {
        self.0
    }

    /// Whether nothing has to be slowed.
    pub(crate) fn is_full(self) -> bool {
        self.0 >= 1.0
    }
}

fn speed(given: &str) -> Result<DeviceSpeed, OptionsError> {
    let parsed = given.parse().ok().and_then(DeviceSpeed::new);
    parsed.ok_or_else(|| OptionsError::Speed { given: given.to_owned() })
}

fn rounds(given: &str) -> Result<u32, OptionsError> {
    let parsed = given.parse().ok().filter(|rounds| (1..=MOST_ROUNDS).contains(rounds));
    parsed.ok_or_else(|| OptionsError::Rounds { given: given.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn demo(line: &str) -> DemoOptions {
        match parsed(line) {
            Ok(Request::Demo(options)) => options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn nothing_given_is_the_committed_photograph_on_a_slow_device() {
        let options = demo("");
        assert_eq!((options.photos.len(), options.device_speed, options.rounds), (0, DeviceSpeed(0.2), 3));
    }

    #[test]
    fn photographs_and_options_come_in_any_order() {
        let options = demo("a.png --rounds 5 b.jpg --device-speed=1 --json");
        assert_eq!(options.photos, [PathBuf::from("a.png"), PathBuf::from("b.jpg")]);
        assert!(options.device_speed.is_full() && options.json && options.rounds == 5);
    }

    #[test]
    fn the_device_needs_photographs_and_rounds() {
        let expected = DeviceOptions { photos: vec!["a.png".into()], rounds: 2 };
        assert_eq!(parsed("be-the-device a.png --rounds 2"), Ok(Request::Device(expected)));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        let slow = "--device-speed 0.01: give a number from 0.05 to 1";
        assert_eq!(parsed("--device-speed 0.01"), Err(slow.to_owned()));
        assert!(parsed("--device-speed NaN").is_err() && parsed("--device-speed slow").is_err());
        let none = "--rounds 0: give a whole number from 1 to 1000";
        assert_eq!(parsed("--rounds 0"), Err(none.to_owned()));
        assert_eq!(
            parsed("a.png b.png --picture c.png"),
            Err("--picture shows one photograph, but 2 are given: name one".to_owned())
        );
        assert_eq!(
            parsed("--colour"),
            Err("invalid option '--colour': see face-recognition --help".to_owned())
        );
        assert_eq!(
            parsed("--rounds"),
            Err("missing argument for option '--rounds': see face-recognition --help".to_owned())
        );
    }

    #[test]
    fn help_is_help_whatever_else_is_given() {
        assert_eq!(parsed("a.png --help"), Ok(Request::Help));
    }
}
