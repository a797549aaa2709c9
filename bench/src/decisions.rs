//! What the experiments on decisions share: networks, the device on them, and the calls.

mod networks;

use std::time::Duration;

use outboard_core::{ByteCount, Objective, Timestamp};
use outboard_profiler::{DeviceProfile, RadioModel, RadioProfile};
use outboard_sim::{DeviceModel, MethodModel, Path, Script, ServerModel, Threads, Trial, median_way};

use crate::failure::Failure;
pub(crate) use networks::{Network, all};

/// A workload of GOALS: how large, how often, and how hard to decide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Workload {
    /// What goes to the server. A thousand bytes come back.
    pub(crate) state: ByteCount,
    /// Time between calls on average.
    pub(crate) gap: Duration,
    /// Local time over the network's median remote time, server included.
    pub(crate) factor: f64,
}

/// How many times as fast as the device the server is.
pub(crate) const SPEED: f64 = 5.0;
/// What comes back.
const RESULT: ByteCount = ByteCount::from_bytes(1_000);
const SEED: u64 = 20_10;

impl Workload {
    /// Those of `regret.*`.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for state in [10, 100, 1_000] {
            for gap in [5_000, 500] {
                for factor in [0.3, 1.0, 3.0] {
                    let (state, gap) = (ByteCount::from_bytes(state * 1_000), Duration::from_millis(gap));
                    all.push(Self { state, gap, factor });
                }
            }
        }
        all
    }

    /// The calls on a network; `None` where most would never arrive.
    pub(crate) fn on(&self, network: &Network, objective: Objective) -> Result<Option<Trial>, Failure> {
        let path = Path::new(network.link.clone());
        let until = Timestamp::ZERO + network.duration;
        let step = Duration::from_secs(1);
        let Some(way) = median_way(&path, until, step, self.state, RESULT) else { return Ok(None) };
        // Local time is the factor times remote time, which is way + local / SPEED.
        let local = way.mul_f64(self.factor / (1.0 - self.factor / SPEED));
        let mut profile = DeviceProfile::built_in("raspberry-pi-4b").map_err(Failure::of("a profile"))?;
        profile.radio = RadioProfile::built_in(network.radio).map_err(Failure::of("a radio profile"))?;
        let idle = profile.cpu.idle.as_ref().map(|figure| figure.value);
        let radio = RadioModel::new(&profile.radio, idle);
        let path = radio.into_iter().fold(path, Path::with_radio);
        Ok(Some(Trial {
            method: MethodModel::new("work", local, ByteCount::ZERO).taking(self.state).giving(RESULT),
            script: Script::poisson(SEED, self.gap, until, 0).on(Threads::Each),
            device: DeviceModel::new(&profile),
            server: ServerModel::of_speed(SPEED),
            path,
            objective,
            until,
        }))
    }
}

#[cfg(test)]
mod tests {
    use outboard_core::Bandwidth;
    use outboard_sim::{Link, Policy};

    use super::*;

    #[test]
    fn local_time_is_the_factor_times_remote_time() {
        let rate = Bandwidth::from_megabits_per_second(8);
        let network = Network {
            family: "steady".to_owned(),
            name: "steady".to_owned(),
            link: Link::constant(Duration::from_millis(50), rate, rate),
            radio: "wifi",
            duration: Duration::from_secs(200),
        };
        for factor in [0.3, 1.0, 3.0] {
            let state = ByteCount::from_bytes(10_000);
            let workload = Workload { state, gap: Duration::from_secs(5), factor };
            let trial =
                workload.on(&network, Objective::Time).expect("profiles are built in").expect("it is up");
            let remote = trial.play(Policy::Remote);
            let mut took: Vec<Duration> = remote.calls.iter().map(|call| call.took).collect();
            took.sort_unstable();
            let ratio = trial.method.own.fixed.as_secs_f64() / took[took.len() / 2].as_secs_f64();
            // The radio adds a little: it listens at its beacons.
            assert!((ratio / factor - 1.0).abs() < 0.05, "{ratio} instead of {factor}");
        }
    }
}
