//! `decide`: what the engine takes to say where a call runs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use outboard_client_proxy::{Decision, Engine, MethodInfo, Output, Request, ServerSettings, Settings};
use outboard_core::{InstanceId, MethodId, MethodIndex, Objective, ServerIndex, Timestamp};
use outboard_profiler::{DeviceProfile, EnergyModel, LocalCalls};
use outboard_server_proxy as server;
use outboard_solver::{Limits, plan_ahead};
use outboard_wire::frame::{AppIdentity, Capacity, MethodEntry};

use crate::experiment::{Contender, Effort, Experiment, side_by_side};
use crate::failure::Failure;
use crate::report::{Report, Target};

const METHODS: u32 = 1_000;
const SERVERS: u16 = 4;
/// Decisions in a turn of a full run: some hundredths of a second.
const DECISIONS: usize = 200_000;
/// Between two calls of one method in a loop.
const HOT: Duration = Duration::from_micros(1);
/// Between two calls of a busy app: every method is called every 10 ms.
const BUSY: Duration = Duration::from_micros(10);
/// Between two calls of a quiet one: whatever was reckoned for the last call of a method is out of date.
const QUIET: Duration = Duration::from_millis(1);

pub(crate) struct Decide;

impl Experiment for Decide {
    fn name(&self) -> &'static str {
        "decide"
    }

    fn about(&self) -> &'static str {
        "one decision under a plan with 1,000 methods and 4 servers: of one method in a loop; of all in turn, each \
         every 10 ms and every second; the same two with the energies of a device and its radio; and how long the \
         engine is busy with a plan, the search for which does not keep it"
    }

    fn run(&self, effort: Effort, report: &mut Report) -> Result<(), Failure> {
        let decisions = effort.work(DECISIONS);
        let plain = EnergyModel::default;
        let mut worlds = [
            World::attached(plain())?,
            World::attached(plain())?,
            World::attached(plain())?,
            World::attached(raspberry_pi()?)?,
            World::attached(raspberry_pi()?)?,
        ];
        let paces = [
            ("hot", 1, HOT),
            ("busy", METHODS, BUSY),
            ("quiet", METHODS, QUIET),
            ("radio", METHODS, BUSY),
            ("radio-quiet", METHODS, QUIET),
        ];
        let mut contenders = Vec::new();
        for (world, (name, methods, pace)) in worlds.iter_mut().zip(paces) {
            contenders.push(Contender::new(name, move || Ok(world.time(decisions, methods, pace))));
        }
        let series = side_by_side(effort, &mut contenders)?;
        for (contender, series) in contenders.iter().zip(series) {
            let name = format!("decide/{}", contender.name);
            report.figure(name, series, "ns", Some(Target::AtMost(100.0)))?;
        }
        let busy = || Ok(World::attached(raspberry_pi()?)?.planning.as_secs_f64() * 1e6);
        for series in side_by_side(effort, &mut [Contender::new("replan", busy)])? {
            report.figure("decide/replan".to_owned(), series, "µs", None)?;
        }
        Ok(())
    }
}

/// The energies and the Wi-Fi radio of a Raspberry Pi 4B.
fn raspberry_pi() -> Result<EnergyModel, Failure> {
    let device = DeviceProfile::built_in("raspberry-pi-4b").map_err(Failure::of("taking a profile"))?;
    Ok(EnergyModel::new(&device))
}

/// An engine that is attached to its servers and has a plan, in virtual time.
struct World {
    engine: Engine,
    now: Timestamp,
    next: u32,
    /// How long the engine was busy with its plan: with the problem, and with what followed from the plan.
    planning: Duration,
}

impl World {
    /// Runs the methods, attaches the servers, solves the problem that follows and hands the plan in.
    fn attached(energy: EnergyModel) -> Result<Self, Failure> {
        let app = AppIdentity::default();
        let mut settings = Settings::new(app.clone(), InstanceId(1));
        settings.objective = Objective::Time;
        settings.energy = energy;
        settings.device_speed = Some(1_000);
        settings.servers = (0..SERVERS)
            .map(|number| ServerSettings { name: format!("server{number}"), token: "token".into() })
            .collect();
        let now = Timestamp::ZERO;
        let mut world = Self { engine: Engine::new(settings, now), now, next: 0, planning: Duration::ZERO };
        let methods: Vec<MethodEntry> = (0..METHODS).map(|number| world.learn(number)).collect();
        for number in 0..SERVERS {
            let capacity = Capacity { cores: 8, speed: 8_000 };
            let settings = server::Settings::new(app.clone(), InstanceId(2), capacity);
            let anyone = |_: &str| Some(server::Grants::Everything);
            let engine = server::Engine::new(settings, anyone, methods.iter().cloned());
            world.attach(ServerIndex(number), engine);
        }
        world.plan()?;
        Ok(world)
    }

    /// Registers a method that runs for 20 ms and was called by another one.
    fn learn(&mut self, number: u32) -> MethodEntry {
        let info = MethodInfo::remoteable(MethodId(u64::from(number)), format!("method{number}"));
        let entry =
            MethodEntry { id: info.id, body: info.body, schema: info.schema, compatible: info.compatible };
        let method = self.engine.register(self.now, info);
        let run = Duration::from_millis(20);
        self.engine.ran_locally(
            self.now,
            &LocalCalls {
                method,
                caller: number.checked_sub(1).map(|caller| MethodIndex(caller / 2)),
                calls: 8,
                timed: 8,
                inclusive: run * 8,
                exclusive: run * 8,
                cpu: None,
                work: None,
                offloaded_within: false,
            },
        );
        entry
    }

    /// Carries frames between the two ends until neither has more to say.
    fn attach(&mut self, index: ServerIndex, mut server: server::Engine) {
        let connection = server::Connection(0);
        server.connected(self.now, connection);
        self.engine.link_up(self.now, index, Some(Duration::from_micros(500)));
        loop {
            let mut quiet = true;
            while let Some(output) = self.engine.poll() {
                if let Output::Transmit { server: to, bytes, .. } = output
                    && to == index
                {
                    server.handle_frame(self.now, connection, &bytes);
                    quiet = false;
                }
            }
            while let Some(output) = server.poll() {
                if let server::Output::Transmit { bytes, .. } = output {
                    self.engine.handle_frame(self.now, index, &bytes);
                    quiet = false;
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn plan(&mut self) -> Result<(), Failure> {
        self.now += Duration::from_millis(100);
        let begun = Instant::now();
        self.engine.handle_timeout(self.now);
        self.planning += begun.elapsed();
        while let Some(output) = self.engine.poll() {
            if let Output::Replan(problem) = output {
                let plan = plan_ahead(&problem, &Limits::default()).map_err(Failure::of("planning"))?;
                let begun = Instant::now();
                self.engine.plan(self.now, plan);
                self.planning += begun.elapsed();
            }
        }
        Ok(())
    }

    /// Decides on the next of the first so many methods.
    fn decide(&mut self, methods: u32, pace: Duration) -> Decision {
        self.now += pace;
        self.next = (self.next + 1) % methods;
        self.engine.decide(self.now, &Request::new(MethodIndex(self.next)))
    }

    /// Nanoseconds for each of so many decisions.
    fn time(&mut self, decisions: usize, methods: u32, pace: Duration) -> f64 {
        let start = Instant::now();
        for _ in 0..decisions {
            let _ = black_box(self.decide(methods, pace));
        }
        start.elapsed().as_secs_f64() * 1e9 / decisions as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_timed_is_a_decision_to_offload() {
        for energy in [EnergyModel::default(), raspberry_pi().unwrap()] {
            let mut world = World::attached(energy).unwrap();
            for _ in 0..METHODS {
                let decision = world.decide(METHODS, BUSY);
                assert!(matches!(decision, Decision::Remote(_)), "{decision:?}");
            }
        }
    }

    #[test]
    fn a_decision_allocates_nothing() {
        for energy in [EnergyModel::default(), raspberry_pi().unwrap()] {
            let mut world = World::attached(energy).unwrap();
            for pace in [BUSY, QUIET] {
                let counted = allocation_counter::measure(|| {
                    for _ in 0..2 * METHODS {
                        let _ = black_box(world.decide(METHODS, pace));
                    }
                });
                assert_eq!(counted.count_total, 0, "at one call every {pace:?}");
            }
        }
    }
}
