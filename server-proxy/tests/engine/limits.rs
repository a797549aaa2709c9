//! How much the server takes on.

use std::time::Duration;

use outboard_core::{ByteCount, InstanceId};
use outboard_wire::frame::{CallFrame, Load};
use outboard_wire::frame::{Failure, Hello, Image, NotRun, SlotImage};

use crate::world::{End, World, call, hello, not_run, within};

#[test]
fn calls_over_the_cap_are_not_run_and_say_busy() {
    let mut world = World::with(|settings| settings.calls = 2);
    let phone = world.attach();
    let tablet = world.attach_as(Hello { device: InstanceId(200), ..hello() });
    world.run(phone, 1);
    world.call(tablet, call(2));
    world.call(tablet, call(3));
    world.exchange();
    assert_eq!(world.ends(tablet), [not_run(3, NotRun::Busy)]);
    assert_eq!(world.told_load(tablet), Load { running: 1, queued: 1 });
    assert_eq!(world.queued(), [2]);

    world.reply(phone, 1);
    world.call(tablet, call(4));
    world.exchange();
    assert_eq!(world.queued(), [2, 4]);
}

#[test]
fn one_session_cannot_take_the_places_of_the_others() {
    let mut world = World::with(|settings| {
        settings.calls = 4;
        settings.session_calls = 2;
    });
    let phone = world.attach();
    let tablet = world.attach();
    for number in 1..=3 {
        world.call(phone, call(number));
    }
    world.exchange();
    assert_eq!(world.ends(phone), [not_run(3, NotRun::Busy)]);
    world.call(tablet, call(1));
    world.exchange();
    assert_eq!(world.queued(), [1, 2, 1]);
}

#[test]
fn giving_calls_up_does_not_make_room_while_their_methods_run() {
    let mut world = World::with(|settings| settings.session_calls = 1);
    let phone = world.attach();
    world.run(phone, 1);
    world.fence(phone, 1);
    world.call(phone, call(2));
    world.exchange();
    assert_eq!(world.ends(phone), [not_run(2, NotRun::Busy)]);
}

#[test]
fn leaving_does_not_make_room_while_methods_run() {
    let mut world = World::with(|settings| settings.calls = 1);
    let phone = world.attach();
    world.run(phone, 1);
    world.cut(phone);
    let again = world.attach();
    world.call(again, call(2));
    world.exchange();
    assert_eq!(world.ends(again), [not_run(2, NotRun::Busy)]);

    assert!(!world.reply(phone, 1), "nobody is there to hear it");
    world.run(again, 3);
}

#[test]
fn the_arguments_that_are_held_are_bounded() {
    let mut world = World::with(|settings| settings.argument_bytes = ByteCount::from_bytes(2500));
    let sized = |number, bytes| CallFrame {
        slots: vec![SlotImage::Whole(Image::from(vec![0; bytes]))],
        ..call(number)
    };
    let phone = world.attach();
    world.call(phone, sized(1, 2000));
    world.call(phone, sized(2, 501));
    world.call(phone, sized(3, 500));
    world.exchange();
    assert_eq!(world.ends(phone), [not_run(2, NotRun::Busy)]);
    assert_eq!(world.queued(), [1, 3]);

    world.start(phone, 1).unwrap();
    world.reply(phone, 1);
    world.call(phone, sized(4, 2000));
    world.exchange();
    assert_eq!(world.ends(phone), [End::Replied(1)]);
    assert_eq!(world.queued(), [3, 4]);
}

#[test]
fn what_a_call_held_that_was_let_go_before_its_start_is_there_for_others() {
    for end in ["fence", "lost", "late", "outer fence", "outer reply"] {
        let mut world = World::with(|settings| {
            settings.argument_bytes = ByteCount::from_bytes(2500);
            settings.calls = 2;
        });
        let (phone, tablet) = (world.attach(), world.attach());
        let time_left = Some(Duration::from_millis(500));
        let large = SlotImage::Whole(Image::from(vec![0; 2000]));
        let is_within = end.starts_with("outer");
        if is_within {
            world.run(phone, 1);
            world.back(phone, 1, 0).unwrap();
            world.exchange();
        }
        let frame = if is_within { within(1, 2) } else { call(2) };
        world.call(phone, CallFrame { time_left, slots: vec![large.clone()], ..frame });
        world.exchange();
        assert_eq!(world.queued(), [2], "{end}");
        match end {
            "fence" => world.fence(phone, 2),
            "lost" => world.cut(phone),
            "late" => world.pass(Duration::from_millis(500)),
            "outer fence" => world.fence(phone, 1),
            _ => assert!(world.reply(phone, 1)),
        }
        world.exchange();
        assert_eq!(world.queued(), [], "{end}: the worker is told");
        world.call(tablet, CallFrame { slots: vec![large], ..call(3) });
        world.exchange();
        assert_eq!((world.queued(), world.ends(tablet)), (vec![3], vec![]), "{end}");
    }
}

#[test]
fn calls_within_calls_end_before_the_stack_does() {
    let mut world = World::with(|settings| settings.depth = 2);
    let phone = world.attach();
    world.run(phone, 1);
    for number in 1..=2 {
        world.back(phone, number, 0).unwrap();
        world.call(phone, within(number, number + 1));
        world.exchange();
        world.start(phone, number + 1).unwrap();
    }
    world.back(phone, 3, 0).unwrap();
    world.call(phone, within(3, 4));
    world.exchange();
    assert_eq!(world.ends(phone), [not_run(4, NotRun::Busy)]);
}

#[test]
fn a_device_that_sends_more_than_it_was_allowed_is_cut_off() {
    let mut world = World::with(|settings| settings.limits.calls = 2);
    let phone = world.attach();
    let mut liar = World::new();
    // A device that was told other limits by another server.
    let other = liar.attach();
    for number in 1..=3 {
        liar.call(other, call(number));
    }
    let frames = liar.frames_going_up(other);
    for frame in &frames {
        world.raw(phone, frame);
    }
    assert!(!world.engine.status().sessions.iter().any(|session| session.queued > 0));
    assert!(matches!(world.closed[..], [(_, outboard_wire::Lost::Violation(_))]), "{:?}", world.closed);
    assert_eq!(world.load(), (0, 0));
    assert!(!world.fail(phone, 1, Failure::Fenced));
}
