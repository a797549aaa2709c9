//! A peer's two ends: the client in this process, the server in one of its own.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use crate::failure::Failure;

/// Bytes of a request.
pub(crate) const REQUEST: usize = 64;
/// Bytes of a reply.
pub(crate) const REPLY: usize = 8;

/// The client of something that answers 64 bytes with 8.
pub(crate) trait Client {
    /// Calls one after the other, and adds what each took, in microseconds.
    fn call(&mut self, calls: usize, latencies: &mut Vec<f64>) -> Result<(), Failure>;
}

/// A server in a process of its own, which ends with this value.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    greeting: String,
}

impl ServerProcess {
    /// Starts this program with these arguments, as the server of a peer, and waits until it says where it listens.
    pub(crate) fn start<A: AsRef<OsStr>>(
        peer: &'static str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self, Failure> {
        let failed = Failure::of_peer::<io::Error>;
        let program = std::env::current_exe().map_err(failed(peer))?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed(peer))?;
        let mut server = Self { child, greeting: String::new() };
        if let Some(stdout) = server.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut server.greeting).map_err(failed(peer))?;
        }
        if !server.greeting.ends_with('\n') {
            return Err(Failure::Greeting { peer, said: server.greeting.clone() });
        }
        Ok(server)
    }

    /// What the server said: whatever its client needs to reach it.
    pub(crate) fn greeting(&self) -> &str {
        self.greeting.trim_end()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail only where the process has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says where a server listens.
pub(crate) fn greet(greeting: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{greeting}")?;
    Ok(out.flush()?)
}

/// Ends this server's process once the one that started it is gone.
pub(crate) fn end_with_parent() {
    std::thread::spawn(|| {
        // Whether it ends or fails, nobody holds the other end any more.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}
