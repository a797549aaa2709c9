//! `outboard::main`: one program, device and server.

use std::ffi::OsString;
use std::process::{ExitCode, Termination};

use crate::config::{ConfigError, Source, Values, parse, parse_listen};
use crate::error::StartError;
use crate::identity::of_this_app;
use crate::runtime::Runtime;
use crate::serve::Server;
use crate::{config, driver};

/// The word on the command line that makes the program a server.
const SERVE: &str = "serve";

const USAGE: &str = "\
usage: serve [OPTIONS]
  --listen ADDRESS:PORT   where to listen; default 127.0.0.1 and a free port. 0.0.0.0:4433 lets other machines in
  --public-host NAME      the host name or address that devices reach this machine by; default: where it listens
  --state-dir DIR         where the server's key and access token are kept
  --workers N             calls that run at once; default: the number of cores

The environment variables OUTBOARD_LISTEN, OUTBOARD_PUBLIC_HOST, OUTBOARD_STATE_DIR and OUTBOARD_WORKERS, and the keys
listen, public_host, state_dir and workers of outboard.toml, say the same.";

/// Runs an app: as a server if its first argument is `serve`, else as a device.
///
/// As a device it starts a [`Runtime`] from `outboard.toml` and `OUTBOARD_*` and runs `run`; without a configured server
/// everything runs locally. As a server it prints its address and serves the app's methods until it is asked to stop
/// by Ctrl-C or SIGTERM. Warnings of either go to standard error; `OUTBOARD_LOG=outboard=trace` shows every decision.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// #[outboard::remoteable]
/// fn is_prime(number: u64) -> bool {
///     (2..number).take_while(|divisor| divisor * divisor <= number).all(|divisor| number % divisor != 0)
/// }
///
/// fn main() -> ExitCode {
///     outboard::main(|| println!("{}", is_prime(1_000_000_007)))
/// }
/// ```
pub fn main<T: Termination>(run: impl FnOnce() -> T) -> ExitCode {
    serve_with(|| (), run)
}

/// As [`main`], for an app whose methods read what `setup` puts into statics: `setup` runs first, on device and server.
pub fn serve_with<T: Termination>(setup: impl FnOnce(), run: impl FnOnce() -> T) -> ExitCode {
    log_to_stderr();
    setup();
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == SERVE) {
        return report(serve(arguments));
    }
    match Runtime::builder().start() {
        Ok(runtime) => {
            let code = run().report();
            drop(runtime);
            code
        }
        Err(error) => report(Err(Stop::Start(error))),
    }
}

/// Why a server did not serve.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{0}\n\n{USAGE}")]
    Usage(String),
    #[error("{USAGE}")]
    Help,
}

impl From<ConfigError> for Stop {
    fn from(error: ConfigError) -> Self {
        Self::Start(error.into())
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the program's own output")]
fn report(stopped: Result<(), Stop>) -> ExitCode {
    match stopped {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Help) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve(arguments: impl Iterator<Item = OsString>) -> Result<(), Stop> {
    let variable = |name: &str| std::env::var(name).ok();
    let values = from_arguments(arguments)?.over(Values::of_process()?);
    let config = values.server(&of_this_app().name, variable)?;
    listen(&config)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the address is what the program is started for")]
fn listen(config: &config::ServerConfig) -> Result<(), StartError> {
    driver::runtime()?.block_on(async {
        // Asked for first: a signal that comes while the server starts drains it too.
        let stop = stop_signal()?;
        let server = Server::bind(config)?;
        println!("{}", server.address());
        // Whoever reads the address from a pipe waits for it.
        let _ = std::io::Write::flush(&mut std::io::stdout());
        tracing::info!("serving; set OUTBOARD_SERVER to the address on a device");
        server.serve(stop).await;
        tracing::info!("stopped");
        Ok(())
    })
}

fn from_arguments(mut arguments: impl Iterator<Item = OsString>) -> Result<Values, Stop> {
    let mut values = Values::default();
    while let Some(argument) = arguments.next() {
        let option = argument.to_string_lossy().into_owned();
        let (option, inline) = match option.split_once('=') {
            Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
            None => (option, None),
        };
        let mut value = || match inline.clone() {
            Some(value) => Ok(value),
            None => match arguments.next() {
                Some(value) => Ok(value.to_string_lossy().into_owned()),
                None => Err(Stop::Usage(format!("`{option}` needs a value"))),
            },
        };
        match option.as_str() {
            "--listen" => values.listen = Some(parse_listen(&value()?, Source::Argument("--listen"))?),
            "--workers" => values.workers = Some(parse("workers", &value()?, Source::Argument("--workers"))?),
            "--state-dir" => {
                let origin = Source::Argument("--state-dir");
                values.state_dir = Some(config::Set { value: value()?.into(), origin });
            }
            "--public-host" => {
                let origin = Source::Argument("--public-host");
                values.public_host = Some(config::parse_host(&value()?, origin)?);
            }
            "--help" | "-h" => return Err(Stop::Help),
            _ => return Err(Stop::Usage(format!("`{option}` is not an option of `serve`"))),
        }
    }
    Ok(values)
}

/// Ready when the process is asked to stop: Ctrl-C, or SIGTERM where there is such a thing.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>, StartError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::System)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::System)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready when the process is asked to stop.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()>, StartError> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Warnings, and what `OUTBOARD_LOG` asks for besides, go to standard error, unless the app has set up its own log.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_env_var("OUTBOARD_LOG")
        .with_default_directive(tracing::level_filters::LevelFilter::WARN.into())
        .from_env_lossy();
    // In a file or a pipe, escape sequences are in the way of whoever searches it.
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    // An app that set up its own subscriber keeps it.
    let _ = log.with_writer(std::io::stderr).try_init();
}
