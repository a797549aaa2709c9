//! Asking for a call that may run once only and that remote code made.

use std::time::Duration;

use outboard_client_proxy::{AbandonReason, AttemptEvent, Question};
use outboard_core::{CallId, InstanceId, MethodId, Objective, ServerIndex};
use outboard_wire::Lost;
use outboard_wire::frame::{ArgumentsHash, Attempt, Failure, Inner};

use crate::world::{Cost, How, World, millis};

const DETECT: Cost = Cost::of(1_000, 20_000, 1_000);

/// A world with a call that the server has finished: the stand-in there answers for what it made, too.
fn world() -> (World, Question) {
    let mut world = World::new(Objective::Time);
    let detect = world.method("detect", DETECT);
    world.pass(millis(100));
    world.calls(detect, 3);
    assert_eq!(world.call(detect).how, How::Remote);
    let root = *world.server().finished.keys().next().expect("it was finished there");
    let inner = Inner { sequence: 0, method: MethodId::named("pay"), arguments: ArgumentsHash(1) };
    let question = Question { server: ServerIndex(0), instance: InstanceId(100), root, inner };
    (world, question)
}

impl World {
    fn asks(&mut self, question: Question) -> Attempt {
        self.engine.ask_inner(self.now, question)
    }

    fn hears(&mut self, attempt: Attempt) -> Option<AttemptEvent> {
        self.delivered.get_mut(&attempt).and_then(Vec::pop)
    }
}

#[test]
fn the_session_that_is_open_is_asked_at_once() {
    let (mut world, question) = world();
    let asked = world.asks(question);
    let unknown = world.asks(Question { root: CallId(1 << 40), ..question });
    world.pass(millis(50));
    assert!(matches!(world.hears(asked), Some(AttemptEvent::Replied(_))));
    assert_eq!(world.hears(unknown), Some(AttemptEvent::Failed(Failure::Forgotten)));
}

#[test]
fn a_question_that_was_lost_is_asked_again_in_the_next_session() {
    let (mut world, question) = world();
    let asked = world.asks(question);
    world.break_link_in(millis(1));
    world.pass(millis(2));
    assert_eq!(world.hears(asked), None);
    // Asked while there is no session.
    let later = world.asks(question);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.server().connects, 2);
    for attempt in [asked, later] {
        assert!(matches!(world.hears(attempt), Some(AttemptEvent::Replied(_))));
    }
}

#[test]
fn another_run_of_the_server_is_not_asked() {
    let (mut world, question) = world();
    world.kill_server();
    let asked = world.asks(question);
    world.restart_server();
    world.pass(Duration::from_secs(5));
    assert_eq!(world.hears(asked), Some(AttemptEvent::Lost(Lost::Connection)));
    let at_once = world.asks(question);
    world.pass(Duration::ZERO);
    assert_eq!(world.hears(at_once), Some(AttemptEvent::Lost(Lost::Connection)));
}

#[test]
fn nobody_waits_for_a_server_for_ever() {
    let (mut world, question) = world();
    world.kill_server();
    let asked = world.asks(question);
    world.pass(Duration::from_secs(9));
    assert_eq!(world.hears(asked), None);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.hears(asked), Some(AttemptEvent::Lost(Lost::Silence)));
}

#[test]
fn an_app_that_leaves_gets_its_answer_at_once() {
    let (mut world, question) = world();
    world.kill_server();
    let asked = world.asks(question);
    world.leave_in(millis(10));
    world.pass(millis(20));
    assert_eq!(world.hears(asked), Some(AttemptEvent::Lost(Lost::WeLeft)));
}

#[test]
fn a_question_that_was_taken_back_is_not_answered() {
    let (mut world, question) = world();
    let asked = world.asks(question);
    world.engine.abandon(world.now, asked, AbandonReason::Cancelled);
    world.pass(millis(50));
    assert_eq!(world.hears(asked), None);
}
