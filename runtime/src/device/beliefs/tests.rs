use outboard_core::{CallId, Epoch};
use outboard_wire::frame::{Attempt, Part};

use super::*;

const SERVER: ServerIndex = ServerIndex(0);
const METHOD: MethodId = MethodId(7);
const SIZE: usize = 1000;

fn version(call: u64) -> Version {
    Version { attempt: Attempt { call: CallId(call), epoch: Epoch::FIRST }, part: Part::Sent(0) }
}

fn image(byte: u8) -> Image {
    Image::from(vec![byte; SIZE])
}

/// Room for two images and what is kept beside them.
fn beliefs() -> Beliefs {
    Beliefs::new(bounds(ByteCount::from_bytes(3 * SIZE as u64 - 500)))
}

fn seat<T: 'static>(object: &T) -> Seat {
    Seat { method: METHOD, slot: 0, object: Object::at::<T, _>(object) }
}

fn learn<T: 'static>(beliefs: &Beliefs, object: &T, call: u64) {
    let place = (SERVER, beliefs.session(SERVER));
    beliefs.learn(place, &seat(object), version(call), &image(call as u8));
}

fn believed<T: 'static>(beliefs: &Beliefs, object: &T) -> Option<Version> {
    beliefs.base(SERVER, &seat(object)).map(|(version, _)| version)
}

#[test]
fn an_object_has_its_own_version_and_others_the_newest_of_their_kind() {
    let beliefs = beliefs();
    let objects = [1u64, 2, 3];
    learn(&beliefs, &objects[0], 1);
    learn(&beliefs, &objects[1], 2);
    assert_eq!(believed(&beliefs, &objects[0]), Some(version(1)));
    assert_eq!(believed(&beliefs, &objects[1]), Some(version(2)));
    assert_eq!(believed(&beliefs, &objects[2]), Some(version(2)));
    assert_eq!(believed(&beliefs, &"another type"), Some(version(2)), "the slot had one");
}

#[test]
fn what_an_object_was_before_is_let_go_here_and_there() {
    let beliefs = beliefs();
    let object = 1u64;
    learn(&beliefs, &object, 1);
    learn(&beliefs, &object, 2);
    assert_eq!(believed(&beliefs, &object), Some(version(2)));
    assert_eq!(beliefs.needless(SERVER), [version(1)]);
    assert_eq!(beliefs.needless(SERVER), [], "it is told once");
}

#[test]
fn a_version_lives_as_long_as_one_object_has_it() {
    let beliefs = beliefs();
    let objects = [1u64, 2];
    learn(&beliefs, &objects[0], 1);
    // It moved, say.
    learn(&beliefs, &objects[1], 1);
    learn(&beliefs, &objects[0], 2);
    assert_eq!(beliefs.needless(SERVER), []);
    assert_eq!(believed(&beliefs, &objects[1]), Some(version(1)));
    learn(&beliefs, &objects[1], 2);
    assert_eq!(beliefs.needless(SERVER), [version(1)]);
}

#[test]
fn what_is_driven_out_is_told_to_the_server() {
    let beliefs = beliefs();
    let objects = [1u64, 2, 3];
    learn(&beliefs, &objects[0], 1);
    learn(&beliefs, &objects[1], 2);
    learn(&beliefs, &objects[2], 3);
    assert_eq!(beliefs.needless(SERVER), [version(1)]);
    assert_eq!(believed(&beliefs, &objects[0]), Some(version(3)), "only by its kind");
}

#[test]
fn another_session_begins_with_nothing_and_learns_nothing_of_the_last() {
    let beliefs = beliefs();
    let object = 1u64;
    let last = beliefs.session(SERVER);
    learn(&beliefs, &object, 1);
    beliefs.reset(SERVER);
    assert_eq!(believed(&beliefs, &object), None);
    beliefs.learn((SERVER, last), &seat(&object), version(2), &image(2));
    beliefs.learn_result((SERVER, last), METHOD, version(2), &image(2));
    assert_eq!(believed(&beliefs, &object), None);
    assert_eq!(beliefs.result(SERVER, METHOD), None);
    assert_eq!(beliefs.needless(SERVER), []);
}

#[test]
fn what_a_server_turned_out_not_to_have_is_not_believed_again() {
    let beliefs = beliefs();
    let object = 1u64;
    learn(&beliefs, &object, 1);
    beliefs.doubt((SERVER, beliefs.session(SERVER)), version(1));
    assert_eq!(believed(&beliefs, &object), None);
}

#[test]
fn small_state_is_not_kept() {
    let beliefs = beliefs();
    let object = 1u64;
    let place = (SERVER, beliefs.session(SERVER));
    beliefs.learn(place, &seat(&object), version(1), &Image::from(vec![1; SMALLEST - 1]));
    assert_eq!(believed(&beliefs, &object), None);
}
