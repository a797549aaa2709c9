//! Links that swallow everything, or everything that goes one way, and tell nobody.

use outboard_tests::link::{EmulatedLink, Way};
use outboard_tests::process::{DeviceProcess, Gate, ServerProcess};

use crate::APP;

/// A device, its server, and the link between them.
struct World {
    device: DeviceProcess,
    link: EmulatedLink,
    server: ServerProcess,
    gate: Gate,
}

impl World {
    fn new() -> Self {
        let server = ServerProcess::start(APP);
        let link = EmulatedLink::to(server.address());
        let device = DeviceProcess::attached(APP, link.address());
        Self { device, link, server, gate: Gate::open() }
    }

    /// A link that does that in the middle of a call costs nothing but the call's time there.
    fn severed(mut self, sever: impl FnOnce(&EmulatedLink)) {
        // Nothing bounds this call but the session.
        let call = self.device.begin(&format!("post 7 {}", self.gate.address()));
        let there = self.gate.visitor();
        assert_eq!(there.process, self.server.id());
        sever(&self.link);
        let here = self.gate.visitor();
        assert_eq!(here.process, self.device.id());
        here.let_go();
        let outcome = self.device.outcome(call);
        assert_eq!((outcome.value.as_str(), outcome.process), ("7", self.device.id()));
        for _ in 0..20 {
            assert_eq!(self.device.call_here("add-soon 2 3"), "5");
        }
        // What comes of the call there counts for nothing, now and when the link is back.
        there.let_go();
        self.link.mend();
        self.device.attaches();
        assert_eq!(self.device.call("add 2 3").process, self.server.id());
        assert_eq!(
            self.device.call_here("ledger"),
            r#"Ledger { entries: [7], balance: 7, screen: "drawn by the device" }"#
        );
        assert_eq!(self.gate.uninvited(), 0);
        drop(self.device.end());
    }
}

#[test]
fn a_black_hole_in_mid_call() {
    World::new().severed(EmulatedLink::black_hole);
}

#[test]
fn a_link_that_is_half_open_towards_the_device() {
    World::new().severed(|link| link.swallow(Way::Up));
}

#[test]
fn a_link_that_is_half_open_towards_the_server() {
    World::new().severed(|link| link.swallow(Way::Down));
}

#[test]
fn a_link_that_holds_everything_up_until_the_call_was_given_up() {
    World::new().severed(EmulatedLink::freeze);
}

#[test]
fn a_reply_counts_though_the_device_cannot_be_heard_any_more() {
    let mut world = World::new();
    let call = world.device.begin(&format!("post 7 {}", world.gate.address()));
    let there = world.gate.visitor();
    world.link.swallow(Way::Up);
    there.let_go();
    let outcome = world.device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("7", world.server.id()));
    // The next call never gets there, and is given up at its bound.
    assert_eq!(world.device.call_here("add-soon 2 3"), "5");
    assert_eq!(
        world.device.call_here("ledger"),
        r#"Ledger { entries: [7], balance: 7, screen: "drawn by the device" }"#
    );
    assert_eq!(world.gate.uninvited(), 0);
    drop(world.device.end());
}

#[test]
fn a_reply_that_was_swallowed_is_sent_again_when_the_link_is_back_in_time() {
    let mut world = World::new();
    let call = world.device.begin(&format!("post 7 {}", world.gate.address()));
    let there = world.gate.visitor();
    let before = world.link.seen();
    world.link.swallow(Way::Down);
    there.let_go();
    world.link.wait_until(|seen| seen.lost > before.lost);
    world.link.mend();
    let outcome = world.device.outcome(call);
    assert_eq!((outcome.value.as_str(), outcome.process), ("7", world.server.id()));
    assert_eq!(world.gate.uninvited(), 0);
    drop(world.device.end());
}
