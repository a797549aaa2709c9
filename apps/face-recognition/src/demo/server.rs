//! The edge server of the demo: this very program, started with `serve`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::device::ProcessError;

/// A server as a process of its own; dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: String,
    /// Its key and token, made for this demo. Removed after the server has ended.
    _state: TempDir,
}

impl Server {
    /// Starts a server at full speed and waits for its address.
    pub(super) fn start() -> Result<Self, ProcessError> {
        let program = std::env::current_exe().map_err(ProcessError::Start)?;
        let state = tempfile::tempdir().map_err(ProcessError::Start)?;
        let mut command = super::followed(program);
        command.arg("serve").arg("--state-dir").arg(state.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut server =
            Self { child: child.map_err(ProcessError::Start)?, address: String::new(), _state: state };
        let said = server.child.stdout.take().expect("standard output is a pipe");
        BufReader::new(said).read_line(&mut server.address).map_err(ProcessError::Talk)?;
        server.address.truncate(server.address.trim_end().len());
        if server.address.is_empty() {
            return Err(ProcessError::Ended(server.child.wait().map_err(ProcessError::Talk)?));
        }
        Ok(server)
    }

    /// What `OUTBOARD_SERVER` takes.
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It drains: it has nothing to do any more, so this is a matter of milliseconds. The standard library waits for a
        // child for ever or not at all, so it is looked at until a second has passed.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
