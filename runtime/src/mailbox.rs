//! Where a call waits for what becomes of its attempt.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Instant;

use outboard_client_proxy::AttemptEvent;

use crate::attempt::HedgeRan;
use crate::clock;
use crate::condition::Condition;

/// What ends a wait.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Something became of the attempt.
    Event(AttemptEvent),
    /// Its bound has passed.
    BoundPassed,
    /// The device, which runs the call too, was done.
    Hedged(HedgeRan),
}

/// The mailbox of one attempt. One thread or task waits at a time.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    changed: Condition,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<AttemptEvent>,
    bound_passed: bool,
    hedged: Option<HedgeRan>,
    waker: Option<Waker>,
}

impl Mailbox {
    /// Puts something in. The task that waits for it, if one does, is to be woken with no lock held: a waker is the
    /// code of whatever executor runs the task, and may drop the task, whose attempt then ends.
    #[must_use]
    pub(crate) fn deliver(&self, event: AttemptEvent) -> Option<Waker> {
        let mut state = self.lock();
        state.events.push_back(event);
        self.changed.notify_one();
        state.waker.take()
    }

    /// Ends the wait of an async call whose bound has passed; a blocked thread looks at the clock itself.
    pub(crate) fn pass_bound(&self) {
        self.put(|state| state.bound_passed = true);
    }

    /// Puts in what the device gave that ran the call too.
    pub(crate) fn hedged(&self, ran: HedgeRan) {
        self.put(|state| state.hedged = Some(ran));
        self.changed.notify_one();
    }

    fn put(&self, put: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        put(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Blocks until there is something, or until `bound`.
    pub(crate) fn wait(&self, bound: Option<Instant>) -> Mail {
        let mut state = self.lock();
        loop {
            if let Some(mail) = state.take() {
                return mail;
            }
            if bound.is_some_and(|bound| bound <= clock::now()) {
                return Mail::BoundPassed;
            }
            state = self.changed.wait(&self.state, state, bound);
        }
    }

    /// Waits until there is something.
    pub(crate) async fn next(&self) -> Mail {
        poll_fn(|context| {
            let mut state = self.lock();
            match state.take() {
                Some(mail) => Poll::Ready(mail),
                None => {
                    state.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What came first; events before the bound, since what has arrived has arrived. The bound passes once.
    fn take(&mut self) -> Option<Mail> {
        let event = self.events.pop_front().map(Mail::Event);
        let hedged = || self.hedged.take().map(Mail::Hedged);
        event.or_else(hedged).or_else(|| std::mem::take(&mut self.bound_passed).then_some(Mail::BoundPassed))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use outboard_wire::frame::{Failure, NotRun};

    use super::*;

    fn failed() -> AttemptEvent {
        AttemptEvent::Failed(Failure::NotRun(NotRun::Busy))
    }

    fn is_failed(mail: &Mail) -> bool {
        matches!(mail, Mail::Event(event) if *event == failed())
    }

    #[test]
    fn what_arrived_is_taken_before_the_bound() {
        let mailbox = Mailbox::default();
        assert!(mailbox.deliver(failed()).is_none());
        mailbox.pass_bound();
        assert!(is_failed(&mailbox.wait(Some(Instant::now()))));
        assert!(matches!(mailbox.wait(Some(Instant::now())), Mail::BoundPassed));
    }

    #[test]
    fn a_blocked_thread_is_woken() {
        let mailbox = Arc::new(Mailbox::default());
        let waiting = {
            let mailbox = Arc::clone(&mailbox);
            std::thread::spawn(move || mailbox.wait(None))
        };
        assert!(mailbox.deliver(failed()).is_none());
        assert!(is_failed(&waiting.join().unwrap()));
    }

    #[test]
    fn a_task_is_woken() {
        let mailbox = Arc::new(Mailbox::default());
        let deliver = {
            let mailbox = Arc::clone(&mailbox);
            move || mailbox.deliver(failed()).into_iter().for_each(Waker::wake)
        };
        let waits = async {
            let sender = std::thread::spawn(deliver);
            let mail = mailbox.next().await;
            sender.join().unwrap();
            mail
        };
        assert!(is_failed(&crate::poll::park(waits, None, None).unwrap()));
    }
}
