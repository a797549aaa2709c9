//! Shows on one machine what offloading is worth.
//!
//! The process that the user started only gives the demo: it runs this program again as the *device*, slowed as the user
//! asked, once alone and once with an edge server, and prints what they reported side by side.
//!
//! ```text
//!   demo ──┬─ device, slowed             recognises alone
//!          └─ device, slowed ◄──► server, at full speed
//! ```

mod device;
mod interrupt;
mod measured;
mod slow;
mod table;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use image::RgbImage;

use crate::options::{DemoOptions, HELP, OptionsError, Request};
use crate::picture::{self, PictureError};
use crate::vision::Photo;

use self::device::DeviceError;

/// The photograph that is looked at when none is named: it is part of the program, like the gallery.
const COMMITTED: (&str, &[u8]) =
    ("apollo-11-crew.jpg", include_bytes!("../../../../assets/photos/apollo-11-crew.jpg"));

/// Why the program ends without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Failure {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// 2 for what the user can change, 130 as shells have it for Ctrl-C, 1 for the rest.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Options(_) | Self::Picture(_) => ExitCode::from(2),
            Self::Interrupted => ExitCode::from(130),
            Self::Device(_) => ExitCode::FAILURE,
        }
    }
}

/// Does what was asked for.
pub(crate) fn run(request: Request) -> Result<(), Failure> {
    match request {
        Request::Help => {
            print!("{HELP}");
            Ok(())
        }
        Request::Device(options) => Ok(device::be(&options)?),
        Request::Demo(options) => give(&options),
    }
}

fn give(options: &DemoOptions) -> Result<(), Failure> {
    // Opened here first, so that a wrong file is reported once and at once.
    let pictures = opened(options.photos.as_slice())?;
    let interrupt = interrupt::watch();
    let alone = device::run_slowed(options, &interrupt)?;
    if interrupt.happened() {
        return Err(Failure::Interrupted);
    }
    if let (Some(path), [(_, picture)], [seen]) =
        (&options.picture, pictures.as_slice(), alone.seen.as_slice())
    {
        picture::save(&picture::drawn(picture, &seen.people), path)?;
    }
    if options.json {
        println!("{}", measured::to_json(&[&alone]));
    } else {
        print!("{}", Shown { runs: &[&alone] });
    }
    Ok(())
}

struct Shown<'a> {
    runs: &'a [&'a measured::Run],
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.runs.first() {
            table::people(f, &first.seen)?;
        }
        for run in self.runs {
            table::methods(f, run)?;
        }
        table::totals(f, self.runs)
    }
}

/// All photographs with their names; the committed one where none is named.
fn opened(photos: &[impl AsRef<Path>]) -> Result<Vec<(String, RgbImage)>, PictureError> {
    if photos.is_empty() {
        let (name, bytes) = COMMITTED;
        return Ok(vec![(name.to_owned(), picture::decode(Path::new(name), bytes)?)]);
    }
    let named = |path: &Path| Ok((path.display().to_string(), picture::open(path)?));
    photos.iter().map(|path| named(path.as_ref())).collect()
}

fn as_photos(pictures: Vec<(String, RgbImage)>) -> Vec<(String, Photo)> {
    pictures.into_iter().map(|(name, picture)| (name, Photo::from_colour(&picture))).collect()
}
