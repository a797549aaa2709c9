//! Who attaches, and what the others are told.

use outboard_core::{BodyHash, InstanceId, SchemaHash, SessionId};
use outboard_wire::frame::{
    AppIdentity, Hello, Load, MethodEntry, MethodStatus, ProtocolRange, Refusal, ToServer, encode_frame,
};
use outboard_wire::{Limits, Lost};

use crate::world::{
    DETECT, DETECT_TOKEN, LATE, MATCH, PROGRESS, World, app, attempt, call, hello, method, seconds,
};

fn refusal_of(hello: Hello) -> Option<Refusal> {
    let mut world = World::new();
    let phone = world.connect(hello);
    world.exchange();
    assert!(!world.is_attached(phone));
    assert_eq!(world.closed, [(phone, Lost::Refused)]);
    assert_eq!(world.gone, [], "a session that never was is not mourned");
    world.refusal(phone)
}

#[test]
fn a_device_of_the_same_build_attaches() {
    let mut world = World::new();
    let phone = world.attach();
    let welcome = world.welcome(phone);
    assert_eq!(welcome.session, SessionId(1));
    assert_eq!(welcome.server, InstanceId(1));
    assert_eq!(welcome.capacity.cores, 4);
    assert_eq!(welcome.methods, [MethodStatus::Accepted; 3]);
    assert_eq!(welcome.load, Load::default());
}

#[test]
fn session_ids_do_not_repeat_when_devices_come_and_go() {
    let mut world = World::new();
    let mut ids = vec![];
    for _ in 0..3 {
        let phone = world.attach();
        ids.push(world.welcome(phone).session);
        world.cut(phone);
    }
    assert_eq!(ids, [SessionId(1), SessionId(2), SessionId(3)]);
}

#[test]
fn another_protocol_is_refused_with_the_range_that_the_server_speaks() {
    let protocol = ProtocolRange { oldest: 7, newest: 9 };
    let refusal = refusal_of(Hello { protocol, ..hello() });
    assert_eq!(refusal, Some(Refusal::Protocol(ProtocolRange { oldest: 1, newest: 1 })));
}

#[test]
fn a_wrong_token_is_refused_before_anything_is_told_of_the_server() {
    let other = AppIdentity { name: "chess".into(), ..app() };
    let refusal = refusal_of(Hello { token: "guess".into(), app: other, ..hello() });
    assert_eq!(refusal, Some(Refusal::Token));
}

#[test]
fn another_app_is_told_which_one_runs_here() {
    let other = AppIdentity { name: "chess".into(), version: "9".into(), ..app() };
    assert_eq!(refusal_of(Hello { app: other, ..hello() }), Some(Refusal::App(app())));
}

#[test]
fn another_version_or_build_is_told_which_one_runs_here() {
    let version = AppIdentity { version: "1.2.4".into(), ..app() };
    let build = AppIdentity { build: String::new(), ..app() };
    for other in [version, build] {
        assert_eq!(refusal_of(Hello { app: other, ..hello() }), Some(Refusal::Version(app())));
    }
}

#[test]
fn a_full_server_tells_the_app_mismatch_first_and_takes_the_next_when_one_has_left() {
    let mut world = World::with(|settings| settings.sessions = 1);
    let first = world.attach();
    let tablet = Hello { device: InstanceId(200), ..hello() };

    let other = world.connect(Hello { app: AppIdentity::default(), ..tablet.clone() });
    let second = world.connect(tablet.clone());
    world.exchange();
    assert_eq!(world.refusal(other), Some(Refusal::App(app())));
    assert_eq!(world.refusal(second), Some(Refusal::Busy));
    assert!(world.is_attached(first));

    world.cut(first);
    world.attach_as(tablet);
}

#[test]
fn a_device_that_comes_back_to_a_full_server_takes_its_own_old_place() {
    let mut world = World::with(|settings| settings.sessions = 2);
    let tablet = world.attach_as(Hello { device: InstanceId(200), ..hello() });
    let old = world.attach();
    // The phone knows that its connection is lost, the server does not.
    let new = world.attach();
    assert!(world.is_attached(new) && world.is_attached(tablet));
    assert_eq!(world.closed, [(old, Lost::WeLeft)]);
}

#[test]
fn a_draining_server_refuses_new_sessions_as_busy() {
    let mut world = World::new();
    let phone = world.attach();
    world.run(phone, 1);
    world.drain();
    let late = world.connect(hello());
    world.exchange();
    assert_eq!(world.refusal(late), Some(Refusal::Busy));
}

#[test]
fn each_method_of_the_table_gets_its_status() {
    let other_body = MethodEntry { body: BodyHash(0), ..method(DETECT) };
    let other_schema = MethodEntry { schema: SchemaHash(0), ..method(MATCH) };
    let mut world = World::new();
    let phone = world.attach_as(Hello { methods: vec![other_body, other_schema, method(LATE)], ..hello() });
    let expected = [MethodStatus::BodyDiffers, MethodStatus::SchemaDiffers, MethodStatus::Absent];
    assert_eq!(world.statuses(phone), expected);
}

#[test]
fn a_token_for_some_methods_opens_those_alone() {
    let mut world = World::new();
    let phone = world.attach_as(Hello { token: DETECT_TOKEN.into(), ..hello() });
    let expected = [MethodStatus::Accepted, MethodStatus::NotAllowed, MethodStatus::NotAllowed];
    assert_eq!(world.statuses(phone), expected);
}

#[test]
fn a_method_that_registers_late_is_there_for_the_next_session() {
    let mut world = World::new();
    let table = Hello { methods: vec![method(LATE), method(PROGRESS)], ..hello() };
    let early = world.attach_as(table.clone());
    world.engine.register(method(LATE));
    let later = world.attach_as(table);
    assert_eq!(world.statuses(early), [MethodStatus::Absent, MethodStatus::Accepted]);
    assert_eq!(world.statuses(later), [MethodStatus::Accepted; 2]);
}

#[test]
fn a_device_that_could_not_read_its_welcome_leaves_no_session_behind() {
    let limits = Limits::default();
    let mut small = hello().limits;
    small.frame_bytes = Limits::SMALLEST_FRAME;
    let methods = (0..4096).map(|id| method(outboard_core::MethodId(1000 + id))).collect();
    let bytes = encode_frame(&ToServer::Hello(Hello { limits: small, methods, ..hello() }), &limits).unwrap();

    let mut world = World::with(|settings| settings.sessions = 1);
    let phone = world.connect_silent();
    world.raw(phone, &bytes);
    assert!(matches!(world.closed[..], [(_, Lost::Violation(_))]), "{:?}", world.closed);
    world.attach();
}

#[test]
fn garbage_instead_of_a_greeting_is_refused_and_forgotten() {
    let mut world = World::new();
    let phone = world.connect_silent();
    world.raw(phone, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(world.closed, [(phone, Lost::Refused)]);
    world.raw(phone, b"more of it");
    assert_eq!(world.engine.timeout(), None);
}

#[test]
fn a_connection_that_never_greets_is_closed() {
    let mut world = World::new();
    let silent = world.connect_silent();
    world.pass_for_the_server(seconds(9));
    assert_eq!(world.closed, []);
    world.pass_for_the_server(seconds(1));
    assert_eq!(world.closed, [(silent, Lost::Silence)]);
}

#[test]
fn a_flood_of_silent_connections_does_not_keep_a_device_out() {
    let mut world = World::with(|settings| settings.strangers = 2);
    let first = world.connect_silent();
    let second = world.connect_silent();
    let phone = world.connect(hello());
    assert_eq!(world.closed, [(first, Lost::WeLeft)]);
    world.exchange();
    assert!(world.is_attached(phone));

    // Who is attached is no stranger any more.
    world.connect_silent();
    assert_eq!(world.closed, [(first, Lost::WeLeft)]);
    world.connect_silent();
    assert_eq!(world.closed, [(first, Lost::WeLeft), (second, Lost::WeLeft)]);
}

#[test]
fn neither_status_nor_debug_shows_a_token() {
    let mut world = World::new();
    let phone = world.attach();
    world.call(phone, call(1));
    world.exchange();
    assert_eq!(world.queue[0].1.attempt, attempt(1));
    let shown = format!("{:?} {}", world.engine, world.engine.status());
    assert!(!shown.contains(crate::world::TOKEN), "{shown}");
}

#[test]
fn a_full_server_lets_a_device_go_that_has_missed_a_ping_and_none_that_is_silent_as_agreed() {
    let mut world = World::with(|settings| settings.sessions = 2);
    let quiet = world.attach_quiet(hello(), seconds(600));
    let gone = world.attach_as(Hello { device: InstanceId(200), ..hello() });
    let next = |device| Hello { device: InstanceId(device), ..hello() };

    world.pass_for_the_server(seconds(22));
    let early = world.connect(next(300));
    world.exchange();
    assert_eq!(world.refusal(early), Some(Refusal::Busy), "a ping may be on its way");
    world.pass_for_the_server(seconds(1));
    let late = world.attach_as(next(400));
    assert_eq!(world.closed.last(), Some(&(gone, Lost::WeLeft)));
    assert!(world.is_attached(quiet) && world.is_attached(late));
}
