//! Who may use a core: as many threads as there are permits, first come, first served.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::condition::Condition;

/// A fixed number of permits.
#[derive(Debug)]
pub(crate) struct Permits {
    state: Mutex<State>,
    changed: Condition,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Those who wait, in the order in which they came.
    queue: VecDeque<u64>,
    next: u64,
}

/// One permit, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
}

impl Permits {
    pub(crate) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State { free: count.max(1), queue: VecDeque::new(), next: 0 }),
            changed: Condition::default(),
        })
    }

    /// Waits for a permit.
    pub(crate) fn acquire(self: &Arc<Self>) -> Permit {
        self.acquire_unless(|| false).expect("nobody gave up waiting")
    }

    /// Waits for a permit, or until nobody wants it any more: [`Permits::recheck`] asks again.
    pub(crate) fn acquire_unless(self: &Arc<Self>, is_unwanted: impl Fn() -> bool) -> Option<Permit> {
        let mut state = self.lock();
        let ticket = state.next;
        state.next += 1;
        state.queue.push_back(ticket);
        let wanted = loop {
            if is_unwanted() {
                break false;
            }
            if state.free > 0 && state.queue.front() == Some(&ticket) {
                state.free -= 1;
                break true;
            }
            state = self.changed.wait(&self.state, state, None);
        };
        state.queue.retain(|waiting| *waiting != ticket);
        // The next in line may find a free permit too.
        self.changed.notify_all();
        wanted.then(|| Permit { permits: Arc::clone(self) })
    }

    /// Something that a waiting thread wanted a permit for may be wanted no more.
    pub(crate) fn recheck(&self) {
        // With the lock held, so that nobody is between its look and its wait.
        let _state = self.lock();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Those that it is one of.
    pub(crate) fn all(&self) -> Arc<Permits> {
        Arc::clone(&self.permits)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.lock().free += 1;
        self.permits.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn no_more_run_than_there_are_permits_and_all_get_their_turn() {
        let permits = Permits::new(2);
        let held = [permits.acquire(), permits.acquire()];
        let (sender, receiver) = mpsc::channel();
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let (permits, sender) = (Arc::clone(&permits), sender.clone());
                std::thread::spawn(move || {
                    let _permit = permits.acquire();
                    let _ = sender.send(worker);
                })
            })
            .collect();
        assert!(receiver.try_recv().is_err(), "both permits are held");
        drop(held);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        drop(sender);
        assert_eq!(receiver.iter().count(), 8);
        assert_eq!(permits.lock().free, 2);
    }

    #[test]
    fn who_wants_none_any_more_leaves_the_line() {
        let permits = Permits::new(1);
        let held = permits.acquire();
        let (unwanted, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let waits = {
            let (permits, unwanted, asked) =
                (Arc::clone(&permits), Arc::clone(&unwanted), Arc::clone(&asked));
            std::thread::spawn(move || {
                let is_unwanted = || {
                    asked.store(true, Ordering::SeqCst);
                    unwanted.load(Ordering::SeqCst)
                };
                permits.acquire_unless(is_unwanted).is_some()
            })
        };
        while !asked.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        unwanted.store(true, Ordering::SeqCst);
        permits.recheck();
        assert!(!waits.join().unwrap(), "it gave up while the permit was held");
        drop(held);
        drop(permits.acquire());
    }
}
