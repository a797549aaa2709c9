//! Runs of calls on the device beside their attempts: on threads of their own, on copies of what was sent.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::executor::Threads;
use crate::method::{Descriptor, Kind};
use crate::registry;
use crate::server_call::Unwound;
use crate::stage::Site;

/// The threads for hedges, and how many run.
#[derive(Debug)]
pub(crate) struct Hedges {
    threads: Threads,
    running: Arc<AtomicUsize>,
    /// Those that lost and run to their end are among them: more would only be in each other's way.
    most: usize,
}

/// One hedge, as the code that runs in it meets it.
#[derive(Debug, Default)]
pub(crate) struct Hedging {
    /// Why what it gives is not to be used.
    void: OnceLock<Unwound>,
    /// The server was faster.
    lost: Notify,
}

/// Counts a hedge that runs, until dropped.
struct Running(Arc<AtomicUsize>);

impl Hedges {
    /// As many as the machine has cores.
    pub(crate) fn of_machine() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// At most so many at once.
    pub(crate) fn new(most: usize) -> Self {
        Self { threads: Threads::new("outboard-hedge", Site::Device), running: Arc::default(), most }
    }

    /// Runs a hedge on a thread of its own. Says whether it does: not where as many run as may.
    pub(crate) fn start(&self, hedge: impl FnOnce() + Send + 'static) -> bool {
        let claim = |running: usize| (running < self.most).then_some(running + 1);
        if self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, claim).is_err() {
            return false;
        }
        let running = Running(Arc::clone(&self.running));
        // What a hedge must not call has to ask before it runs.
        registry::guard_words();
        let job = move || {
            hedge();
            drop(running);
        };
        self.threads.run(Box::new(job)).is_ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hedging {
    /// A method is about to be called. What may happen only once, or only where the device's own objects are, or only on a
    /// server, does not happen in a hedge: it is void, and unwinds. User code may have caught the first unwinding.
    pub(crate) fn gate(&self, method: &Descriptor) {
        if method.kind == Kind::Device || method.once || method.remote_only {
            let reason = || Unwound::new(format!("it calls `{}`", method.title()));
            self.void.get_or_init(reason);
        }
        if let Some(unwound) = self.failure() {
            resume_unwind(Box::new(unwound));
        }
    }

    /// Why what it gives is not to be used, if it is not.
    pub(crate) fn failure(&self) -> Option<Unwound> {
        self.void.get().cloned()
    }

    /// The server was faster, or the call was cancelled.
    pub(crate) fn lose(&self) {
        self.lost.notify_one();
    }

    /// An async method's body, dropped when the server is faster. One that is not async runs to its end.
    pub(crate) async fn unless_lost<F: Future>(&self, body: F) -> F::Output {
        tokio::select! {
            biased;
            () = self.lost.notified() => resume_unwind(Box::new(Unwound::new("the server was faster"))),
            output = body => output,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn no_more_run_than_may_and_each_that_ends_makes_room() {
        let hedges = Hedges::new(1);
        let (let_go, gate) = mpsc::channel::<()>();
        assert!(hedges.start(move || {
            let _ = gate.recv();
        }));
        assert!(!hedges.start(|| ()));
        drop(let_go);
        let (done, ended) = mpsc::channel();
        while !hedges.start({
            let done = done.clone();
            move || {
                let _ = done.send(());
            }
        }) {
            std::thread::yield_now();
        }
        assert_eq!(ended.recv(), Ok(()));
    }
}
