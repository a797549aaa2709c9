//! Outboard itself: a method that only a server can run, called as any other function.

use std::ffi::OsStr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use outboard::{CallError, ContextGuard, Runtime, remoteable};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::peer::{Client, REQUEST, ServerProcess, end_with_parent};

pub(crate) const NAME: &str = "outboard";

/// The command that makes an Outboard app a server.
pub(crate) const SERVE: &str = "serve";

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Answers 64 bytes with 8. It has to leave the device: by its time alone no plan would ever send it.
#[remoteable(remote_only)]
fn null(request: &[u8; REQUEST]) -> Result<u64, CallError> {
    Ok(u64::from(request[0]))
}

/// Is the server, until standard input closes.
pub(crate) fn serve() -> ExitCode {
    end_with_parent();
    outboard::main(|| ExitCode::FAILURE)
}

/// A server without a device.
pub(crate) struct Served {
    server: ServerProcess,
    _keys: TempDir,
}

impl Served {
    pub(crate) fn start() -> Result<Self, Failure> {
        let keys = TempDir::new().map_err(Failure::of_peer(NAME))?;
        let words = [SERVE, "--listen", "127.0.0.1:0", "--state-dir"].map(OsStr::new);
        let server = ServerProcess::start(NAME, words.into_iter().chain([keys.path().as_os_str()]))?;
        Ok(Self { server, _keys: keys })
    }

    pub(crate) fn address(&self) -> &str {
        self.server.greeting()
    }
}

/// From the start of a runtime to the first reply, in milliseconds.
pub(crate) fn first_reply(address: &str) -> Result<f64, Failure> {
    let start = Instant::now();
    let runtime = attached(address).map_err(Failure::of_peer(NAME))?;
    let _entered = runtime.enter();
    null(&[0; REQUEST]).map_err(Failure::of_peer(NAME))?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

pub(crate) struct Outboard {
    // Left before the runtime ends, which is before its server does.
    _entered: ContextGuard,
    _runtime: Runtime,
    _server: Served,
}

impl Outboard {
    pub(crate) fn start() -> Result<Self, Failure> {
        let server = Served::start()?;
        let runtime = attached(server.address()).map_err(Failure::of_peer(NAME))?;
        Ok(Self { _entered: runtime.enter(), _runtime: runtime, _server: server })
    }
}

fn attached(address: &str) -> Result<Runtime, Problem> {
    let runtime = Runtime::builder().without_environment().server(address).start_isolated()?;
    if !runtime.wait_attached(Duration::from_secs(10)) {
        return Err(format!("no session with its server:\n{}", runtime.report()).into());
    }
    Ok(runtime)
}

impl Client for Outboard {
    fn call(&mut self, calls: usize, latencies: &mut Vec<f64>) -> Result<(), Failure> {
        for _ in 0..calls {
            let start = Instant::now();
            null(&[0; REQUEST]).map_err(Failure::of_peer(NAME))?;
            latencies.push(start.elapsed().as_secs_f64() * 1e6);
        }
        Ok(())
    }
}
