//! The device of the demo: from outside, as a slowed process, and from inside.

use std::hint;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::interrupt::Interrupt;
use super::measured::{Run, Seen, Slowed as HowSlowed};
use super::slow::Slowed;
use super::{as_photos, opened};
use crate::Recognizer;
use crate::options::{DEVICE, DemoOptions, DeviceOptions};
use crate::picture::PictureError;

/// Why the device has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DeviceError {
    #[error("the device process cannot be started ({0}): check that this program may be run again")]
    Start(io::Error),
    #[error("the device process cannot be talked to ({0})")]
    Talk(io::Error),
    #[error("the device process ended early ({0}); what it wrote above says why")]
    Ended(process::ExitStatus),
    #[error("the device process reported what cannot be read ({0})")]
    Report(serde_json::Error),
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error("round {round} saw other faces than the round before it: this is a fault of the program")]
    Differs { round: u32 },
}

/// What the device says on its standard output, one line each.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    /// It dies with the demo from now on, so that it may be slowed.
    Ready,
    /// All rounds are done.
    Done(Report),
}

#[derive(Debug, Serialize, Deserialize)]
struct Report {
    reference: Duration,
    rounds: Vec<Duration>,
    seen: Vec<Seen>,
}

const GO: &str = "go";

/// Runs the device, slowed, and hands over what it measured.
pub(super) fn run_slowed(options: &DemoOptions, interrupt: &Interrupt) -> Result<Run, DeviceError> {
    let full_speed = reference_loop();
    let program = std::env::current_exe().map_err(DeviceError::Start)?;
    let mut command = Command::new(program);
    command.arg(DEVICE).arg(format!("--rounds={}", options.rounds)).arg("--").args(&options.photos);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(DeviceError::Start)?;

    let mut device = Slowed::new(child, interrupt);
    let mut lines = BufReader::new(device.child().stdout.take().expect("standard output is a pipe"));
    let mut orders = device.child().stdin.take().expect("standard input is a pipe");
    if !matches!(next_line(&mut lines)?, Some(Line::Ready)) {
        return Err(DeviceError::Ended(device.finish().map_err(DeviceError::Talk)?));
    }
    device.slow_down(options.device_speed);
    let how = device.to_string();
    // If it has ended meanwhile, the next line is missing, and its status says more than a broken pipe.
    let _ = writeln!(orders, "{GO}");
    let last = next_line(&mut lines)?;
    let status = device.finish().map_err(DeviceError::Talk)?;
    let Some(Line::Done(report)) = last else { return Err(DeviceError::Ended(status)) };
    let measured = full_speed.as_secs_f64() / report.reference.as_secs_f64();
    Ok(Run {
        title: "device alone".to_owned(),
        slowed: HowSlowed { how, asked: options.device_speed.as_f64(), measured },
        rounds: report.rounds,
        methods: Vec::new(),
        seen: report.seen,
    })
}

/// Is the device: recognises everybody on the photographs, and reports on standard output.
pub(super) fn be(options: &DeviceOptions) -> Result<(), DeviceError> {
    die_with_the_demo()?;
    let mut orders = BufReader::new(io::stdin());
    say(&Line::Ready)?;
    let mut order = String::new();
    orders.read_line(&mut order).map_err(DeviceError::Talk)?;
    // Whoever gave the demo holds the other end until the end: nothing but its death ends this wait.
    thread::spawn(move || {
        let _ = orders.read_to_end(&mut Vec::new());
        process::exit(1);
    });

    let reference = reference_loop();
    let photos = as_photos(opened(&options.photos)?);
    let mut recognizer = Recognizer::new(io::stderr().is_terminal());
    let mut rounds = Vec::new();
    let mut seen: Vec<Seen> = Vec::new();
    for round in 1..=options.rounds {
        let start = Instant::now();
        let look =
            |(name, photo)| Seen { photo: String::clone(name), people: recognizer.show_who_is_on(photo) };
        let now: Vec<Seen> = photos.iter().map(|(name, photo)| (name, photo)).map(look).collect();
        rounds.push(start.elapsed());
        if round > 1 && now != seen {
            return Err(DeviceError::Differs { round });
        }
        seen = now;
    }
    say(&Line::Done(Report { reference, rounds, seen }))
}

/// A fixed piece of work, always the same: its time says how fast this process is. The shortest of three, at about 50 ms
/// each: at a twentieth of the speed that is still a hundred turns of being slowed.
fn reference_loop() -> Duration {
    let once = |_| {
        let start = Instant::now();
        let sum = (0..40_000_000_u64).fold(0_u64, |sum, i| sum.rotate_left(5) ^ hint::black_box(i));
        hint::black_box(sum);
        start.elapsed()
    };
    (0..3).map(once).min().unwrap_or_default()
}

/// A device that the demo has stopped could not go on when the demo is killed: so the kernel ends it then. Other systems
/// than Linux cannot do that; there, a device that is not stopped sees its standard input end.
fn die_with_the_demo() -> Result<(), DeviceError> {
    #[cfg(target_os = "linux")]
    {
        let killed = Some(rustix::process::Signal::KILL);
        rustix::process::set_parent_process_death_signal(killed)
            .map_err(|error| DeviceError::Talk(error.into()))?;
    }
    Ok(())
}

fn say(line: &Line) -> Result<(), DeviceError> {
    let text = serde_json::to_string(line).map_err(DeviceError::Report)?;
    writeln!(io::stdout(), "{text}").map_err(DeviceError::Talk)
}

/// `None` when the device has nothing more to say.
fn next_line(lines: &mut impl BufRead) -> Result<Option<Line>, DeviceError> {
    let mut line = String::new();
    lines.read_line(&mut line).map_err(DeviceError::Talk)?;
    if line.is_empty() {
        Ok(None)
    } else {
        serde_json::from_str(&line).map(Some).map_err(DeviceError::Report)
    }
}
