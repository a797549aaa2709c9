//! A device and its server in one process, on loopback.

use std::thread::JoinHandle;
use std::time::Duration;

use outboard::{Builder, ContextGuard, Policy, Runtime, Server, ServerConfig};
use tokio::sync::oneshot;

/// Longest wait for a session on loopback: a guard against hanging, not a measure.
const ATTACH: Duration = Duration::from_secs(30);

/// A device that the current thread has entered, attached to a server in this process.
///
/// Every annotated call of the thread goes to the server, unless the builder says otherwise.
#[derive(Debug)]
pub struct Edge {
    _entered: ContextGuard,
    runtime: Runtime,
    server: Option<Stop>,
}

/// A server that runs on a thread of its own; stopped when dropped.
#[derive(Debug)]
pub struct Stop {
    address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _state: tempfile::TempDir,
}

impl Edge {
    /// Everything goes to the server.
    #[must_use]
    pub fn start() -> Self {
        Self::with(|builder| builder.policy(Policy::Server))
    }

    /// Everything goes to a server that runs so many calls at once.
    #[must_use]
    pub fn with_workers(workers: usize) -> Self {
        let server = Stop::server_with(|config| config.workers = workers);
        Self::of(server, |builder| builder.policy(Policy::Server))
    }

    /// Everything goes to this server.
    #[must_use]
    pub fn served_by(server: Stop, set: impl FnOnce(Builder) -> Builder) -> Self {
        Self::of(server, |builder| set(builder.policy(Policy::Server)))
    }

    /// A device without a server. What runs without one in a process that serves other tests has to say that it is a
    /// device: a thread without a context is taken for one that a server's method spawned.
    #[must_use]
    pub fn alone() -> Self {
        let runtime = Runtime::builder().without_environment().start_isolated().expect("a runtime starts");
        Self { _entered: runtime.enter(), runtime, server: None }
    }

    /// One more device of a server, to which everything goes.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self::at_with(address, |builder| builder)
    }

    /// The same, and besides as the builder says.
    #[must_use]
    pub fn at_with(address: &str, set: impl FnOnce(Builder) -> Builder) -> Self {
        Self::attached_to(None, address, |builder| set(builder.policy(Policy::Server)))
    }

    /// As the builder says.
    #[must_use]
    pub fn with(set: impl FnOnce(Builder) -> Builder) -> Self {
        Self::of(Stop::server(), set)
    }

    fn of(server: Stop, set: impl FnOnce(Builder) -> Builder) -> Self {
        let address = server.address().to_owned();
        Self::attached_to(Some(server), &address, set)
    }

    fn attached_to(server: Option<Stop>, address: &str, set: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = Runtime::builder().without_environment().server(address);
        let runtime = set(builder).start_isolated().expect("a runtime starts");
        assert!(runtime.wait_attached(ATTACH), "no session: {:?}", runtime.report().servers);
        Self { _entered: runtime.enter(), runtime, server }
    }

    /// The device.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// How many calls of the method whose path ends so were answered by the server.
    pub fn remote_calls(&self, method: &str) -> u64 {
        let report = self.runtime.report();
        let found = report.methods.iter().find(|found| found.name.ends_with(method));
        found.unwrap_or_else(|| panic!("no method {method} in {report:?}")).remote_calls
    }

    /// How many bytes of slots and results went to the server and came back, for the method whose path ends so.
    pub fn travelled(&self, method: &str) -> (u64, u64) {
        let report = self.runtime.report();
        let found = report.methods.iter().find(|found| found.name.ends_with(method));
        let found = found.unwrap_or_else(|| panic!("no method {method} in {report:?}"));
        (found.sent.as_bytes(), found.received.as_bytes())
    }

    /// Stops the server and waits for its end.
    pub fn stop_server(&mut self) {
        self.server = None;
    }
}

impl Stop {
    /// Starts a server on a free port of loopback.
    #[must_use]
    pub fn server() -> Self {
        Self::server_with(|_| ())
    }

    /// As the configuration says, but for what a test has to be free of.
    #[must_use]
    pub fn server_with(set: impl FnOnce(&mut ServerConfig)) -> Self {
        let state = tempfile::tempdir().expect("a directory for the key");
        let mut config = ServerConfig::new(state.path());
        set(&mut config);
        let (stop, stopped) = oneshot::channel::<()>();
        let (address, bound) = std::sync::mpsc::channel();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a tokio runtime starts").block_on(async move {
                let server = Server::bind(&config).expect("a free port of loopback can be had");
                address.send(server.address().to_string()).expect("the test waits for the address");
                server.serve(async { drop(stopped.await) }).await;
            });
        };
        let thread = std::thread::Builder::new().name("server".into()).spawn(serve).expect("a thread starts");
        let address = bound.recv().expect("the server says where it listens");
        Self { address, stop: Some(stop), thread: Some(thread), _state: state }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A server that panicked has said so; the test fails by what it did not get.
            let _ = thread.join();
        }
    }
}
