//! The threads that run a server's methods.
//!
//! A call gets a thread of its own for as long as it lasts, since methods are ordinary code that blocks; threads are
//! kept for later calls. How many of them *run* at once is the business of [`Permits`]; how many calls there may be is
//! that of the server's engine, which refuses calls over its cap before they come here.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::permits::Permits;
use crate::stage::{self, Site};

type Job = Box<dyn FnOnce() + Send>;

/// Threads for calls, and the permits that they run under.
#[derive(Debug)]
pub(crate) struct Executor {
    pub(crate) permits: Arc<Permits>,
    threads: Threads,
}

/// Threads that are kept for later jobs.
#[derive(Debug)]
pub(crate) struct Threads {
    name: &'static str,
    /// Whose work its jobs are, on a stage.
    site: Site,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    idle: usize,
    closed: bool,
}

impl Executor {
    pub(crate) fn new(workers: usize, site: Site) -> Self {
        Self { permits: Permits::new(workers), threads: Threads::new("outboard-worker", site) }
    }

    /// Runs a job on a thread of its own. An error gives the job up: the system has no thread for it.
    pub(crate) fn run(&self, job: Job) -> Result<(), std::io::Error> {
        self.threads.run(job)
    }
}

impl Threads {
    /// None yet.
    pub(crate) fn new(name: &'static str, site: Site) -> Self {
        Self { name, site, queue: Arc::default() }
    }

    /// Runs a job on a thread of its own. An error gives the job up: the system has no thread for it.
    pub(crate) fn run(&self, job: Job) -> Result<(), std::io::Error> {
        let job = stage::admit(self.site, job);
        let mut state = self.queue.lock();
        if state.idle > state.jobs.len() {
            state.jobs.push_back(job);
            self.queue.changed.notify_one();
            return Ok(());
        }
        drop(state);
        let queue = Arc::clone(&self.queue);
        let work = move || {
            job();
            while let Some(job) = queue.next() {
                job();
            }
        };
        std::thread::Builder::new().name(self.name.into()).spawn(work).map(drop)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    /// Waits for a job; `None` when there will be no more.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        state.idle += 1;
        while state.jobs.is_empty() && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle -= 1;
        state.jobs.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn jobs_that_wait_for_each_other_all_run() {
        let executor = Executor::new(1, Site::Device);
        let barrier = Arc::new(std::sync::Barrier::new(5));
        for _ in 0..4 {
            let barrier = Arc::clone(&barrier);
            let job = move || {
                barrier.wait();
            };
            executor.run(Box::new(job)).unwrap();
        }
        barrier.wait();
    }

    #[test]
    fn threads_are_used_again() {
        let executor = Executor::new(1, Site::Device);
        let (sender, receiver) = mpsc::channel();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..50 {
            let sender = sender.clone();
            executor
                .run(Box::new(move || drop(sender.send(format!("{:?}", std::thread::current().id())))))
                .unwrap();
            seen.insert(receiver.recv().unwrap());
        }
        assert!(seen.len() < 50, "{}", seen.len());
    }
}
