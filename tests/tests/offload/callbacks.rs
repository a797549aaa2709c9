//! Remote code calls back, on the thread that waits.

use std::cell::Cell;
use std::rc::Rc;
use std::thread::ThreadId;

use outboard::{CallError, State, device, remoteable};
use outboard_tests::Edge;
use tokio::sync::Notify;

thread_local! {
    static SEEN: Cell<u32> = const { Cell::new(0) };
    static PRINTED: Rc<Notify> = Rc::default();
    static THREAD: Cell<Option<ThreadId>> = const { Cell::new(None) };
}

#[derive(State, Debug, Default, PartialEq)]
struct Job {
    done: u32,
    screen: Screen,
}

#[derive(State, Debug, Default, PartialEq)]
struct Screen {
    lines: Vec<String>,
    #[serde(skip)]
    window: Option<u64>,
}

#[remoteable]
impl Job {
    fn run(&mut self, steps: u32) -> u32 {
        for step in 0..steps {
            self.done += 1;
            report(self.done);
            self.show();
            self.screen.print(&format!("step {step}"));
        }
        nested(self.done)
    }

    fn stumble(&mut self) -> u32 {
        self.done += 1;
        self.screen.print("about to stumble");
        if self.screen.lines.len() > 1 || is_on_server() {
            panic!("stumbled");
        }
        self.done
    }

    async fn go_on(&mut self) {
        loop {
            self.done += 1;
            self.screen.print("still here");
            tokio::task::yield_now().await;
        }
    }

    #[outboard::device]
    fn show(&self) {
        assert_eq!(self.screen.window, Some(7), "the device's own field is there");
        SEEN.set(SEEN.get() + self.done);
    }
}

#[device]
impl Screen {
    fn print(&mut self, line: &str) {
        assert_eq!(self.window, Some(7), "the device's own field is there");
        self.lines.push(line.to_owned());
        PRINTED.with(|printed| printed.notify_one());
    }
}

#[remoteable]
fn nested(number: u32) -> u32 {
    number * 2
}

#[remoteable]
fn lines_of(screen: &Screen) -> usize {
    screen.lines.len()
}

#[device]
fn report(done: u32) {
    THREAD.set(Some(std::thread::current().id()));
    SEEN.set(SEEN.get() + 100 * done);
}

#[device]
fn fail_on_device() {
    panic!("the device said no");
}

#[remoteable]
fn calls_what_fails() {
    fail_on_device();
}

#[remoteable(remote_only)]
fn only_there(number: u32) -> Result<u32, CallError> {
    assert!(is_on_server(), "the device cannot run it");
    Ok(number + 1)
}

#[device]
fn asks_only_there(number: u32) -> Result<u32, CallError> {
    only_there(number)
}

#[remoteable]
fn asks_to_and_fro(number: u32) -> Result<u32, CallError> {
    asks_only_there(number)
}

/// Differs between server and device by the one thing a test may look at: the name of the thread.
fn is_on_server() -> bool {
    std::thread::current().name() == Some("outboard-worker")
}

fn job() -> Job {
    Job { done: 0, screen: Screen { lines: Vec::new(), window: Some(7) } }
}

#[test]
fn call_backs_run_on_the_waiting_thread_with_the_devices_own_fields() {
    let run = || {
        SEEN.set(0);
        let mut job = job();
        let result = job.run(3);
        (result, job, SEEN.get())
    };
    let here = {
        let _alone = Edge::alone();
        run()
    };
    assert_eq!((here.0, here.2), (6, 606));
    let edge = Edge::start();
    THREAD.set(None);
    assert_eq!(run(), here);
    assert_eq!(THREAD.get(), Some(std::thread::current().id()));
    assert_eq!(edge.remote_calls("Job::run"), 1);
    assert_eq!(edge.remote_calls("nested"), 0, "it ran within the outer call, on the server");
}

#[test]
fn what_a_call_back_did_is_taken_back_when_its_attempt_fails() {
    let edge = Edge::start();
    let mut job = job();
    // On the server it panics after the call-back; the run here starts from the state before, and succeeds.
    assert_eq!(job.stumble(), 1);
    assert_eq!(
        job,
        Job { done: 1, screen: Screen { lines: vec!["about to stumble".into()], window: Some(7) } }
    );
    assert_eq!(edge.remote_calls("stumble"), 0);
    let report = edge.runtime().report();
    let stumble = report.methods.iter().find(|method| method.name.ends_with("stumble")).unwrap();
    assert!(stumble.why.contains("stumbled"), "{}", stumble.why);
}

#[test]
fn a_panic_of_a_call_back_is_the_callers() {
    let _edge = Edge::start();
    let panic = std::panic::catch_unwind(calls_what_fails).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the device said no"));
}

#[test]
fn what_only_a_server_can_run_goes_there_from_within_a_call_back_too() {
    let edge = Edge::start();
    assert_eq!(asks_to_and_fro(1), Ok(2));
    assert_eq!((edge.remote_calls("asks_to_and_fro"), edge.remote_calls("callbacks::only_there")), (1, 1));
}

#[test]
fn a_borrowed_value_with_a_skipped_field_keeps_its_method_on_the_device() {
    let edge = Edge::start();
    assert_eq!(lines_of(&job().screen), 0);
    let report = edge.runtime().report();
    let method = report.methods.iter().find(|method| method.name.ends_with("lines_of")).unwrap();
    assert_eq!(method.remote_calls, 0);
    assert!(method.why.contains("`screen.window` is skipped"), "{}", method.why);
}

#[test]
fn a_dropped_future_leaves_the_state_as_it_was_and_frees_the_server() {
    let edge = Edge::start();
    let mut job = job();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let printed = PRINTED.with(Rc::clone);
        let printed = async {
            for _ in 0..3 {
                printed.notified().await;
            }
        };
        tokio::select! {
            () = job.go_on() => unreachable!("it never ends"),
            () = printed => {}
        }
    });
    assert_eq!(job, self::job(), "nothing of the attempt is left");
    assert_eq!(edge.remote_calls("go_on"), 0);
    assert_eq!(nested(4), 8);
    assert_eq!(edge.remote_calls("nested"), 1, "the server takes other calls");
}
