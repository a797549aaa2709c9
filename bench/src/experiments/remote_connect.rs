//! `remote.connect`: from nothing, or from a lost link, to the first remote reply.

use std::time::Duration;

use outboard_tests::link::{Conditions, EmulatedLink};

use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::peers::link::{Device, Server};
use crate::peers::outboard;
use crate::report::{Report, Target};

/// One way of an emulated link: round trips are then what counts, and not the processor.
const DELAY: Duration = Duration::from_millis(10);

pub(crate) struct RemoteConnect;

impl Experiment for RemoteConnect {
    fn name(&self) -> &'static str {
        "remote.connect"
    }

    fn about(&self) -> &'static str {
        "to the first remote reply over an emulated link of 20 ms: of an app that starts, of a new link, of a resumed one"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let (links, app) = (Server::start()?, outboard::Served::start()?);
        let far = |address: &str| {
            let link = EmulatedLink::to(address);
            link.conditions(Conditions { delay: DELAY, ..Conditions::default() });
            link
        };
        let (far_links, far_app) = (far(links.address()), far(app.address()));
        let mut near = Device::of(links.address())?;
        let (mut new, mut known) = (Device::of(far_links.address())?, Device::of(far_links.address())?);
        known.begin()?;
        let mut contenders = [
            Contender::new("handshake-near", || near.shake_hands()),
            Contender::new("app", || outboard::first_reply(far_app.address())),
            Contender::new("new", || new.begin()),
            Contender::new("resumed", || known.again()),
        ];
        let series = side_by_side(effort, &mut contenders)?;
        let [handshake, first @ ..] = series.as_slice() else { return Ok(()) };
        report.figure("remote.connect/handshake-near", handshake.clone(), "ms", None)?;
        // The least that it can take: the delay both ways, and the work of a handshake.
        let least = handshake.plus(2.0 * DELAY.as_secs_f64() * 1e3);
        for (contender, first) in contenders[1..].iter().zip(first) {
            report.figure(format!("remote.connect/{}", contender.name), first.clone(), "ms", None)?;
            let name = format!("remote.connect/{}-over-round-trip-and-handshake", contender.name);
            report.figure(name, first.over(&least), "×", Some(Target::AtMost(1.1)))?;
        }
        Ok(())
    }
}
