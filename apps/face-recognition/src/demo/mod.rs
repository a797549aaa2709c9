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
mod server;
mod slow;
mod table;

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode};

use image::RgbImage;

use crate::options::{DEVICE, DemoOptions, HELP, OptionsError, Request};
use crate::picture::{self, PictureError};
use crate::vision::Photo;

use self::device::{DeviceError, ProcessError};
use self::measured::Run;
use self::server::Server;

/// The photograph that is looked at when none is named: it is part of the program, like the gallery.
const COMMITTED: (&str, &[u8]) =
    ("apollo-11-crew.jpg", include_bytes!("../../../../assets/photos/apollo-11-crew.jpg"));

/// Set for processes that the demo starts: they end with it.
const FOLLOW: &str = "FACE_RECOGNITION_FOLLOW";

/// Why the program ends without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Failure {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error("the device: {0}")]
    Device(#[from] DeviceError),
    #[error("the edge server: {0}")]
    Server(ProcessError),
    #[error("with the server the device saw other faces than alone: this is a fault of the program")]
    Differs,
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// 2 for what the user can change, 130 as shells have it for Ctrl-C, 1 for the rest.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Options(_) | Self::Picture(_) => ExitCode::from(2),
            // A profile or a configuration that cannot be used; the demo hands on what its device found.
            Self::Device(DeviceError::Runtime(_)) => ExitCode::from(2),
            Self::Device(DeviceError::Process(ProcessError::Ended(status))) if status.code() == Some(2) => {
                ExitCode::from(2)
            }
            Self::Interrupted => ExitCode::from(130),
            Self::Device(_) | Self::Server(_) | Self::Differs => ExitCode::FAILURE,
        }
    }
}

/// Whether this process is the device of a demo.
pub(crate) fn is_device() -> bool {
    std::env::args_os().nth(1).is_some_and(|first| first == DEVICE)
}

/// Processes that a demo started end with it, even when it is killed: a device that stands still could not notice by
/// itself. Other systems than Linux cannot do that; there, a device that runs sees its standard input end.
pub(crate) fn follow_the_demo() {
    #[cfg(target_os = "linux")]
    if std::env::var_os(FOLLOW).is_some() {
        // This cannot fail with a signal that exists.
        let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    }
}

fn followed(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env(FOLLOW, "1");
    command
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
    let run = |server: Option<&Server>| {
        let run = device::run_slowed(options, server.map(Server::address), &interrupt);
        // The device was ended then, and its error says no more than that.
        if interrupt.happened() { Err(Failure::Interrupted) } else { Ok(run.map_err(DeviceError::from)?) }
    };
    let alone = run(None)?;
    let server = Server::start().map_err(Failure::Server)?;
    let edge = run(Some(&server))?;
    drop(server);
    if alone.seen != edge.seen {
        return Err(Failure::Differs);
    }

    if let (Some(path), [(_, picture)], [seen]) =
        (&options.picture, pictures.as_slice(), edge.seen.as_slice())
    {
        picture::save(&picture::drawn(picture, &seen.people), path)?;
    }
    let runs = [&alone, &edge];
    match options.json {
        true => println!("{}", measured::to_json(&runs)),
        false => print!("{}", Shown { runs: &runs }),
    }
    Ok(())
}

struct Shown<'a> {
    runs: &'a [&'a Run],
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
