//! The device of the demo: from outside, as a slowed process, and from inside.

use std::hint;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{self, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use outboard::{Runtime, StartError};
use serde::{Deserialize, Serialize};

use super::interrupt::Interrupt;
use super::measured::{self, Method, Run, Seen, Slowed as HowSlowed};
use super::slow::Slowed;
use super::{as_photos, opened};
use crate::Recognizer;
use crate::options::{DEVICE, DemoOptions, DeviceOptions};
use crate::picture::PictureError;
use crate::vision::Photo;

/// Why a process that the demo started has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ProcessError {
    #[error("its process cannot be started ({0}): check that this program may be run again")]
    Start(io::Error),
    #[error("its process cannot be talked to ({0})")]
    Talk(io::Error),
    #[error("its process ended early ({0}); what it wrote above says why")]
    Ended(process::ExitStatus),
    #[error("its process reported what cannot be read ({0})")]
    Report(#[from] serde_json::Error),
}

/// Why the device has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DeviceError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error(transparent)]
    Runtime(#[from] StartError),
    #[error("no session with the server within {} s", PATIENCE.as_secs())]
    NotAttached,
    #[error("round {round} saw other faces than the round before it: this is a fault of the program")]
    Differs { round: u32 },
}

/// A server on the same machine is there at once, even for a slow device.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the device says on its standard output, one line each.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    /// It dies with the demo from now on, so that it may be slowed.
    Ready,
    /// All rounds are done.
    Done(Done),
}

#[derive(Debug, Serialize, Deserialize)]
struct Done {
    reference: Duration,
    rounds: Vec<Duration>,
    seen: Vec<Seen>,
    methods: Vec<Method>,
    servers: Vec<String>,
}

const GO: &str = "go";

/// Runs the device, slowed, and hands over what it measured.
pub(super) fn run_slowed(
    options: &DemoOptions,
    server: Option<&str>,
    interrupt: &Interrupt,
) -> Result<Run, ProcessError> {
    let full_speed = reference_loop();
    let program = std::env::current_exe().map_err(ProcessError::Start)?;
    let mut command = super::followed(program);
    command.arg(DEVICE).arg(format!("--rounds={}", options.rounds)).arg("--").args(&options.photos);
    command.env("OUTBOARD_DEVICE_PROFILE", &options.device_profile);
    // A device that knows nothing yet, however often the demo is run.
    command.env("OUTBOARD_PROFILE", "off");
    match server {
        Some(address) => command.env("OUTBOARD_SERVER", address),
        None => command.env_remove("OUTBOARD_SERVER"),
    };
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(ProcessError::Start)?;

    let mut device = Slowed::new(child, interrupt);
    let mut lines = BufReader::new(device.child().stdout.take().expect("standard output is a pipe"));
    let mut orders = device.child().stdin.take().expect("standard input is a pipe");
    if !matches!(next_line(&mut lines)?, Some(Line::Ready)) {
        return Err(ProcessError::Ended(device.finish().map_err(ProcessError::Talk)?));
    }
    device.slow_down(options.device_speed);
    let how = device.to_string();
    // If it has ended meanwhile, the next line is missing, and its status says more than a broken pipe.
    let _ = writeln!(orders, "{GO}");
    let last = next_line(&mut lines)?;
    let status = device.finish().map_err(ProcessError::Talk)?;
    let Some(Line::Done(done)) = last else { return Err(ProcessError::Ended(status)) };
    let measured = full_speed.as_secs_f64() / done.reference.as_secs_f64();
    Ok(Run {
        title: if server.is_some() { "with edge server" } else { "device alone" }.to_owned(),
        slowed: HowSlowed { how, asked: options.device_speed.as_f64(), measured },
        servers: done.servers,
        rounds: done.rounds,
        methods: done.methods,
        seen: done.seen,
    })
}

/// Is the device: recognises everybody on the photographs, and reports on standard output.
pub(super) fn be(options: &DeviceOptions) -> Result<(), DeviceError> {
    say(&Line::Ready)?;
    let mut orders = BufReader::new(io::stdin());
    let mut order = String::new();
    orders.read_line(&mut order).map_err(ProcessError::Talk)?;
    // Whoever gave the demo holds the other end until the end: nothing but its death ends this wait.
    thread::spawn(move || {
        let _ = orders.read_to_end(&mut Vec::new());
        process::exit(1);
    });

    let reference = reference_loop();
    let photos = as_photos(opened(&options.photos)?);
    let runtime = Runtime::builder().start()?;
    if !runtime.report().servers.is_empty() && !runtime.wait_attached(PATIENCE) {
        return Err(DeviceError::NotAttached);
    }
    let (rounds, seen) = recognise(&photos, options.rounds)?;
    let report = runtime.report();
    say(&Line::Done(Done {
        reference,
        rounds,
        seen,
        methods: report.methods.iter().map(Method::from).collect(),
        servers: report.servers.iter().map(measured::described).collect(),
    }))?;
    Ok(())
}

fn recognise(photos: &[(String, Photo)], rounds: u32) -> Result<(Vec<Duration>, Vec<Seen>), DeviceError> {
    let mut recognizer = Recognizer::new(io::stderr().is_terminal());
    let mut times = Vec::new();
    let mut seen: Vec<Seen> = Vec::new();
    for round in 1..=rounds {
        let start = Instant::now();
        let mut now = Vec::new();
        for (name, photo) in photos {
            now.push(Seen { photo: name.clone(), people: recognizer.show_who_is_on(photo) });
        }
        times.push(start.elapsed());
        if round > 1 && now != seen {
            return Err(DeviceError::Differs { round });
        }
        seen = now;
    }
    Ok((times, seen))
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

fn say(line: &Line) -> Result<(), ProcessError> {
    let text = serde_json::to_string(line)?;
    writeln!(io::stdout(), "{text}").map_err(ProcessError::Talk)
}

/// `None` when the device has nothing more to say.
fn next_line(lines: &mut impl BufRead) -> Result<Option<Line>, ProcessError> {
    let mut line = String::new();
    lines.read_line(&mut line).map_err(ProcessError::Talk)?;
    if line.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_str(&line)?)) }
}
