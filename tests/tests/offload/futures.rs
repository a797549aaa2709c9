//! Async device methods that remote code calls, whatever runs the caller.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake};
use std::time::Duration;

use outboard::{State, device, remoteable};
use outboard_tests::Edge;

#[derive(State, Debug, Default, PartialEq)]
struct Form {
    answers: Vec<String>,
    #[serde(skip)]
    window: Option<u64>,
}

#[remoteable]
impl Form {
    async fn fill(&mut self, questions: u32) -> u32 {
        for question in 0..questions {
            let answer = self.ask(question).await;
            self.answers.push(answer);
        }
        self.check().await
    }

    #[outboard::device]
    async fn ask(&mut self, question: u32) -> String {
        assert_eq!(self.window, Some(7), "the device's own field is there");
        self.answers.push(format!("asked {question}"));
        // Timers, tasks and what a task yields to: none of it is to need the caller's runtime, or to wait for it.
        tokio::time::sleep(Duration::ZERO).await;
        tokio::task::yield_now().await;
        let is_late = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.is_err();
        let answer = tokio::spawn(async move { format!("answer {question}") }).await.unwrap();
        format!("{answer} {is_late}")
    }

    /// Calls what may run on the server, from there.
    #[outboard::device]
    async fn check(&self) -> u32 {
        count(&self.answers).await
    }
}

#[remoteable]
async fn count(answers: &[String]) -> u32 {
    tokio::task::yield_now().await;
    answers.len() as u32
}

fn form() -> Form {
    Form { answers: Vec::new(), window: Some(7) }
}

async fn fill() -> (u32, Form) {
    let mut form = form();
    (form.fill(3).await, form)
}

/// An executor of nobody's.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Waits for the device by an executor of its own.
#[remoteable]
fn waits_by_itself() -> u32 {
    block_on(adds_later(3)) + block_on(adds_later(4))
}

#[device]
async fn adds_later(number: u32) -> u32 {
    tokio::time::sleep(Duration::ZERO).await;
    tokio::task::yield_now().await;
    number + 1
}

/// Tells that it was dropped.
struct Dropped(Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

static ENDLESS: Mutex<Option<Dropped>> = Mutex::new(None);

#[remoteable(deadline = "100ms")]
async fn waits_for_the_endless() -> u32 {
    endless_if(std::thread::current().name() == Some("outboard-worker")).await;
    7
}

/// What it waits for in a call-back never comes.
#[device]
async fn endless_if(endless: bool) {
    if endless {
        let _dropped = ENDLESS.lock().unwrap().take();
        std::future::pending::<()>().await;
    }
}

#[remoteable(deadline = "100ms")]
async fn waits_for_a_task() -> u32 {
    hears_from_a_task().await
}

/// Waits for another task of the thread that waits for this.
#[device]
async fn hears_from_a_task() -> u32 {
    // It runs when the thread is free: when the call-back was given up, and the call goes on here.
    tokio::task::spawn_local(async { 5 }).await.unwrap()
}

#[device]
async fn fails_on_the_device() {
    tokio::task::yield_now().await;
    panic!("the device said no");
}

#[remoteable]
async fn calls_what_fails() {
    fails_on_the_device().await;
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn an_async_call_back_gives_the_same_under_every_executor() {
    let here = {
        let _alone = Edge::alone();
        current_thread().block_on(fill())
    };
    assert_eq!(here.0, 6);
    let edge = Edge::start();
    assert_eq!(current_thread().block_on(fill()), here);
    let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(bare.block_on(tokio::task::LocalSet::new().run_until(fill())), here);
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    assert_eq!(many.block_on(fill()), here);
    let (context, mut filled) = (outboard::context(), Box::pin(fill()));
    let spawned = many.spawn(std::future::poll_fn(move |task| {
        let _entered = context.enter();
        filled.as_mut().poll(task)
    }));
    assert_eq!(many.block_on(spawned).unwrap(), here);
    assert_eq!(block_on(fill()), here);
    assert_eq!((edge.remote_calls("Form::fill"), edge.remote_calls("futures::count")), (5, 5));
}

#[test]
fn a_sync_method_may_wait_for_an_async_one_of_the_device() {
    let edge = Edge::start();
    assert_eq!(waits_by_itself(), 9);
    assert_eq!(edge.remote_calls("waits_by_itself"), 1);
}

#[test]
fn an_async_call_back_that_never_ends_is_dropped_and_its_call_runs_here() {
    let edge = Edge::start();
    let (sender, dropped) = channel();
    *ENDLESS.lock().unwrap() = Some(Dropped(sender));
    // On a busy machine the bound may pass before the call-back.
    while ENDLESS.lock().unwrap().is_some() {
        assert_eq!(current_thread().block_on(waits_for_the_endless()), 7);
    }
    assert_eq!(dropped.recv(), Ok(()));
    assert_eq!(edge.remote_calls("waits_for_the_endless"), 0);
}

#[test]
fn an_async_call_back_may_wait_for_a_task_of_the_thread_that_waits_for_it() {
    let edge = Edge::start();
    let local = tokio::task::LocalSet::new();
    assert_eq!(current_thread().block_on(local.run_until(waits_for_a_task())), 5);
    assert_eq!(edge.remote_calls("waits_for_a_task"), 0);
}

#[test]
fn a_panic_of_an_async_call_back_is_the_callers() {
    let _edge = Edge::start();
    let runtime = current_thread();
    let call = std::panic::AssertUnwindSafe(|| runtime.block_on(calls_what_fails()));
    let panic = std::panic::catch_unwind(call).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the device said no"));
}
