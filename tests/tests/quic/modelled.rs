//! The session of [`Engines`](crate::engines::Engines), with the same engines, in the simulator.

use std::time::Duration;

use outboard_client_proxy::{AttemptEvent, Decision, MethodInfo, Notice, Policy, Request, Settings};
use outboard_core::{ByteCount, InstanceId, MethodId, MethodIndex, Timestamp};
use outboard_server_proxy::Reply;
use outboard_sim::{Happening, Job, Link, Path, ServerModel, World};
use outboard_wire::frame::{AppIdentity, ServerCost};

use crate::engines::{Work, image};

/// A simulated device and its server, over messages instead of packets.
pub(crate) struct Modelled {
    world: World<Job>,
    method: MethodIndex,
}

impl Modelled {
    pub(crate) fn new(link: Link) -> Self {
        let app = AppIdentity { name: "story".into(), version: "1".into(), build: String::new() };
        let mut settings = Settings::new(app, InstanceId(1));
        settings.policy = Policy::Server;
        let mut world = World::new(settings, vec![(ServerModel::default(), Path::new(link))]);
        let method = world.register(MethodInfo::remoteable(MethodId::named("method"), "method"));
        Self { world, method }
    }

    /// When the device is attached.
    pub(crate) fn attached(&mut self) -> Timestamp {
        let attached = |(_, notice): &&(Timestamp, Notice)| matches!(notice, Notice::Attached { .. });
        for millis in 0..60_000 {
            if let Some((at, _)) = self.world.notices().iter().find(attached) {
                return *at;
            }
            self.world.step(Timestamp::ZERO + Duration::from_millis(millis));
        }
        panic!("it never attaches: {:?}", self.world.notices());
    }

    /// A call with an argument of that size, and how long it took.
    pub(crate) fn call(&mut self, argument: usize, work: Work) -> Duration {
        let start = self.world.now();
        let request = Request::new(self.method);
        let decision = self.world.device(|engine, now| engine.decide(now, &request));
        let Decision::Remote(mut offer) = decision else { panic!("it stays here: {decision:?}") };
        let size = ByteCount::from_bytes(argument as u64);
        self.world
            .device(|engine, now| engine.confirm(now, &mut offer, size))
            .expect("all goes to the server");
        let sent = self.world.device(|engine, now| engine.attempt(now, &offer, vec![image(argument)]));
        sent.expect("the offer was confirmed");
        loop {
            match self.world.step(start + Duration::from_secs(60)).expect("something becomes of it") {
                Happening::Run(job, _) => {
                    self.world.start(&job).expect("nobody gave it up");
                    self.world.enter(self.world.now() + work.runs, job);
                }
                Happening::Due(job) => {
                    let cost = ServerCost { ran: work.runs, ..ServerCost::default() };
                    let (attempt, result) = (job.attempt, image(work.result));
                    self.world.reply(&job, Reply { attempt, result, exclusive: Vec::new(), onces: 0, cost });
                }
                Happening::Delivered { attempt, event, .. } => {
                    assert!(matches!(event, AttemptEvent::Replied(_)), "{event:?}");
                    self.world.device(|engine, now| engine.committed(now, attempt));
                    return self.world.now() - start;
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
