//! A method that waits for the device, and what happens to it meanwhile, in every order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use outboard_core::{CallId, Epoch};
use outboard_wire::frame::{Image, SlotImage};

use super::*;

/// A session that tells which call-backs were sent, and has no answers of its own.
struct Sent(Mutex<mpsc::Sender<u32>>);

impl Session for Sent {
    fn start(&self, _: Attempt, _: bool) -> Result<(), NotRun> {
        Ok(())
    }

    fn call_back(&self, back: BackFrame) -> Result<(), String> {
        let sent = self.0.lock().unwrap().send(back.sequence);
        sent.map_err(|_| "nobody listens".to_owned())
    }

    fn resumed(&self, _: Attempt) {}

    fn begin_once(&self, _: Attempt, _: InnerCall) -> Begin {
        Begin::Refused(NotRun::Fenced)
    }

    fn end_once(&self, _: OnceId, _: Outcome) {}
}

const METHOD: MethodId = MethodId(1);

fn call() -> (Arc<ServerCall>, mpsc::Receiver<u32>) {
    let (sender, sent) = mpsc::channel();
    let attempt = Attempt { call: CallId(1), epoch: Epoch::FIRST };
    let permit = Permits::new(1).acquire();
    let session = Box::new(Sent(Mutex::new(sender)));
    let carried = Arc::new(Carried::new(attempt, &[], [], None));
    (ServerCall::new(attempt, None, Vec::new(), carried, session, permit), sent)
}

fn answer(call: &ServerCall, sequence: u32) {
    let attempt = call.attempt;
    let image = AnswerImage { result: Image::from(vec![sequence as u8]), exclusive: Vec::<SlotImage>::new() };
    call.answer(AnswerFrame { attempt, sequence, outcome: Ok(image), onces: 0 });
}

/// The number of the call-back that was answered, or why the method was unwound.
fn calls_back(call: &ServerCall) -> Result<u8, String> {
    let answered = catch_unwind(AssertUnwindSafe(|| call.call_back(METHOD, Vec::new())));
    match answered {
        Ok(answer) => Ok(answer.result.0[0]),
        Err(payload) => Err(payload.downcast::<Unwound>().expect("ours").reason),
    }
}

#[test]
fn what_a_call_back_calls_runs_on_the_thread_that_waits_with_its_core_free() {
    let (call, _sent) = call();
    let (inner, here) = (Arc::clone(&call), std::thread::current().id());
    let runs = move || {
        assert_eq!(std::thread::current().id(), here);
        drop(inner.permits.acquire());
        // One more level, as if it called back in turn.
        answer(&inner, 0);
    };
    assert!(call.run_within(Box::new(runs)));
    assert_eq!(calls_back(&call), Ok(0));
}

#[test]
fn an_outer_call_that_is_let_go_while_an_inner_one_runs_unwinds_after_it() {
    let (call, _sent) = call();
    let (ended, inner) = (Arc::new(Mutex::new(false)), Arc::clone(&call));
    let runs = {
        let ended = Arc::clone(&ended);
        move || {
            inner.let_go("nobody waits");
            *ended.lock().unwrap() = true;
        }
    };
    assert!(call.run_within(Box::new(runs)));
    assert_eq!(calls_back(&call), Err("nobody waits".to_owned()));
    assert!(*ended.lock().unwrap());
}

#[test]
fn an_answer_that_is_there_ends_the_wait_and_what_is_left_goes_with_the_call() {
    let (call, _sent) = call();
    let held = Arc::new(());
    let kept = Arc::clone(&held);
    assert!(call.run_within(Box::new(move || drop(kept))));
    answer(&call, 0);
    assert_eq!(calls_back(&call), Ok(0));
    assert_eq!(Arc::strong_count(&held), 2, "it waits for the next call-back");
    call.end();
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(!call.run_within(Box::new(|| ())), "nobody will wait again");
}

#[test]
fn of_several_threads_that_wait_the_first_runs_what_is_called() {
    let (call, sent) = call();
    let waits = |call: &Arc<ServerCall>| {
        let call = Arc::clone(call);
        std::thread::spawn(move || (calls_back(&call), std::thread::current().id()))
    };
    let first = waits(&call);
    assert_eq!(sent.recv(), Ok(0));
    let second = waits(&call);
    assert_eq!(sent.recv(), Ok(1));
    let runs_on = |answers: u32| {
        let (sender, ran_on) = mpsc::channel();
        let inner = Arc::clone(&call);
        let runs = move || {
            sender.send(std::thread::current().id()).unwrap();
            answer(&inner, answers);
        };
        assert!(call.run_within(Box::new(runs)));
        ran_on.recv().unwrap()
    };
    let ran_on = runs_on(0);
    assert_eq!(first.join().unwrap(), (Ok(0), ran_on));
    let ran_on = runs_on(1);
    assert_eq!(second.join().unwrap(), (Ok(1), ran_on));
}
