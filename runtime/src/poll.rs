//! Running a future to its end on a thread that has to wait for it, whatever async runtime that thread is in.

use std::cell::RefCell;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::clock;
use crate::condition::Condition;
use crate::driver::Background;
use crate::stage;

thread_local! {
    /// Kept from one call of this thread to the next.
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

/// What a server's thread runs an async method on: a single-threaded runtime of its own, so that the method's future
/// need not be `Send`.
pub(crate) enum Poller {
    /// On this thread alone.
    Own(Runtime),
    /// The thread is within a runtime already: it runs a call made by a call-back, on top of the async method that
    /// waits for it. A thread enters one runtime at a time, so another one keeps the timers and sockets of this.
    Beside(Beside),
    /// On a stage: there are no timers and sockets but simulated ones.
    Staged,
}

/// A runtime that another thread drives, until dropped.
pub(crate) struct Beside {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Poller {
    /// Has everything ready that the system might refuse.
    pub(crate) fn ready() -> io::Result<Self> {
        if stage::is_on() {
            return Ok(Self::Staged);
        }
        if Handle::try_current().is_ok() {
            return Beside::start().map(Self::Beside);
        }
        // Taken out while it is in use, and lost if the future panics: what it was in the middle of is lost too.
        RUNTIME.take().map_or_else(build, Ok).map(Self::Own)
    }

    /// Runs a future to its end.
    pub(crate) fn run<F: Future>(self, future: F) -> F::Output {
        let runtime = match self {
            Self::Own(runtime) => runtime,
            Self::Staged => return park(future, None, None).expect("without a bound it waits for the end"),
            Self::Beside(beside) => {
                return park(future, Some(&beside.handle), None)
                    .expect("without a bound it waits for the end");
            }
        };
        let output = runtime.block_on(future);
        if runtime.metrics().num_alive_tasks() == 0 {
            RUNTIME.set(Some(runtime));
        } else {
            // What a call leaves behind must not go on within the next one, which may be of another device.
            runtime.shutdown_background();
        }
        output
    }
}

impl Beside {
    fn start() -> io::Result<Self> {
        // Dropped on this thread if there is none for it.
        let runtime = Background(Some(build()?));
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let drive = move || drop(runtime.block_on(stopped));
        std::thread::Builder::new().name("outboard-beside".into()).spawn(drive)?;
        Ok(Self { handle, _stop: stop })
    }
}

fn build() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// How long a thread within a runtime sleeps at most before it polls again, whether or not it was woken.
const LONGEST_DOZE: Duration = Duration::from_millis(10);

/// Polls a future on this thread, which sleeps in between, until it is ready or `until` has passed. Its timers, sockets
/// and tasks are those of `timers`.
///
/// It is not tokio's own way, since that panics on a thread that is within a runtime.
pub(crate) fn park<F: Future>(
    future: F,
    timers: Option<&Handle>,
    until: Option<Instant>,
) -> Option<F::Output> {
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    let mut context = Context::from_waker(&waker);
    // Within a task of tokio the future would share that task's budget, which is renewed between the task's polls, and
    // this is within one. For the same reason `yield_now` would be woken when this has ended; hence the dozing.
    let is_within = Handle::try_current().is_ok();
    let mut doze = is_within.then_some(Duration::ZERO);
    let _entered = timers.map(Handle::enter);
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let polls_again = doze.and_then(|doze| clock::now().checked_add(doze));
        let is_woken = signal.wait(until.into_iter().chain(polls_again).min());
        if until.is_some_and(|until| until <= clock::now()) {
            return None;
        }
        doze = doze.map(|doze| match is_woken {
            true => Duration::ZERO,
            false => (doze * 2).clamp(Duration::from_micros(50), LONGEST_DOZE),
        });
    }
}

/// Wakes the thread that parks. Not the thread's own token, which the future's code may use for itself.
#[derive(Default)]
struct Signal {
    woken: Mutex<bool>,
    changed: Condition,
}

impl Signal {
    /// Waits until it is woken, or until `until`. Whether it was woken.
    fn wait(&self, until: Option<Instant>) -> bool {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if std::mem::take(&mut *woken) {
                return true;
            }
            if until.is_some_and(|until| until <= clock::now()) {
                return false;
            }
            woken = self.changed.wait(&self.woken, woken, until);
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        Poller::ready().unwrap().run(future)
    }

    #[test]
    fn a_task_does_not_outlive_the_call_that_spawned_it() {
        let left = Arc::new(());
        let kept = Arc::clone(&left);
        block_on(async move {
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(kept);
            });
            tokio::task::yield_now().await;
        });
        assert_eq!(Arc::strong_count(&left), 1);
        assert_eq!(block_on(async { 7 }), 7);
    }

    #[test]
    fn a_future_that_is_not_send_runs() {
        let value = std::rc::Rc::new(7);
        let output = block_on(async move {
            tokio::task::yield_now().await;
            *value
        });
        assert_eq!(output, 7);
    }

    #[test]
    fn a_future_runs_within_another_one_with_timers_and_tasks_of_its_own() {
        let output = block_on(async {
            let inner = block_on(async {
                tokio::time::sleep(Duration::ZERO).await;
                tokio::task::yield_now().await;
                tokio::spawn(async { 3 }).await.unwrap()
            });
            tokio::time::sleep(Duration::ZERO).await;
            inner + tokio::spawn(async { 4 }).await.unwrap()
        });
        assert_eq!(output, 7);
    }

    #[test]
    fn what_parks_within_a_task_is_not_held_to_its_budget() {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        (0..1000).for_each(|number| sender.send(number).unwrap());
        drop(sender);
        let sum = block_on(async move {
            let add = async {
                let mut sum = 0;
                while let Some(number) = receiver.recv().await {
                    sum += number;
                }
                sum
            };
            park(add, None, None)
        });
        assert_eq!(sum, Some(499_500));
    }

    #[test]
    fn a_future_that_never_ends_is_dropped_when_its_time_is_up() {
        let passed = Some(Instant::now());
        assert_eq!(park(std::future::pending::<()>(), None, passed), None);
        let restless = async {
            loop {
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(park(restless, None, passed), None::<()>);
    }
}
