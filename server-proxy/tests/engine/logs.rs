//! What the engine logs, and what it does not.

use std::fmt;
use std::sync::{Arc, Mutex};

use outboard_core::InstanceId;
use outboard_wire::frame::Hello;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::world::{TOKEN, World, call, hello};

/// Keeps every event as a line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<(Level, String)>>>);

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().unwrap().push((*event.metadata().level(), line.0));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

/// What a story logs, of any level.
fn logged(story: impl FnOnce(&mut World)) -> Vec<(Level, String)> {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        story(&mut World::with(|settings| settings.calls = 1))
    });
    let lines = lines.0.lock().unwrap();
    lines.clone()
}

fn infos(lines: &[(Level, String)]) -> Vec<&str> {
    lines.iter().filter(|(level, _)| *level == Level::INFO).map(|(_, line)| line.as_str()).collect()
}

#[test]
fn who_comes_and_goes_is_logged_with_the_device_and_nobody_s_token() {
    let device = InstanceId(0xbeef);
    let lines = logged(|world| {
        let guest = world.connect(Hello { token: "a secret guess".into(), device, ..hello() });
        world.exchange();
        assert!(!world.is_attached(guest));
        let phone = world.attach_as(Hello { device, ..hello() });
        world.call(phone, call(1));
        world.call(phone, call(2));
        world.exchange();
        world.cut(phone);
    });
    let [refused, attached, left] = infos(&lines)[..] else { panic!("three events: {lines:?}") };
    for (line, what) in
        [(refused, "a device was refused"), (attached, "a device has attached"), (left, "a device has left")]
    {
        assert!(line.contains(what) && line.contains(&format!("device={device}")), "{line}");
    }
    assert!(left.contains("reason=the connection was lost"), "{left}");
    assert!(lines.iter().any(|(_, line)| line.contains("why=the server is busy")), "{lines:?}");
    for (_, line) in &lines {
        assert!(!line.contains("secret") && !line.contains(TOKEN), "{line}");
    }
}

#[test]
fn a_device_cannot_write_lines_of_its_own_into_the_log() {
    let mut app = hello().app;
    app.name = "chess\nERROR all is lost".into();
    let lines = logged(|world| {
        world.connect(Hello { app, ..hello() });
        world.exchange();
    });
    assert_eq!(infos(&lines).len(), 1);
    assert!(lines.iter().all(|(_, line)| !line.contains('\n')), "{lines:?}");
}
