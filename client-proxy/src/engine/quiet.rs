//! How long a device keeps quiet that has nothing to say: its heartbeats, and its tries to connect again.
//!
//! An idle device has no need to know whether its server is alive: the next call is bounded anyway. What a heartbeat
//! costs depends on the radio. Wi-Fi sleeps again after a quarter of a second; a cellular radio that is woken for a few
//! bytes stays awake for many seconds (Huang et al., MobiSys 2012, table 3), and one that is woken every 15 s never sleeps.

use std::time::Duration;

use outboard_core::{ByteCount, ServerIndex, Timestamp};
use outboard_profiler::{EnergyModel, Exchange};
use outboard_wire::Timing;

use super::Engine;
use crate::output::Output;
use crate::server::Link;

/// The share of an idle device's energy that its heartbeats may add, those of all sessions together.
const SHARE: f64 = 0.01;
/// No heartbeat is rarer than that: a server lets no device be silent for longer than three of them.
const LONGEST: Duration = Duration::from_secs(600);
/// A ping and its pong, with all headers.
const PING: ByteCount = ByteCount::from_bytes(100);

impl Engine {
    /// How long an idle session is silent before it asks whether its server is there. A connection on which nothing passes for
    /// so long is no dead one: the transport has to bear it.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// How the sessions of this device keep time. With calls under way nothing is saved on.
    pub(super) fn timing(&self) -> Timing {
        let mut timing = Timing::default();
        timing.heartbeat = self.heartbeat;
        timing
    }

    /// Tries again later, at least `least` from now. Tries that come quickly find the radio awake; later ones are as rare as
    /// heartbeats where nothing is called meanwhile.
    pub(super) fn retry(&mut self, now: Timestamp, position: usize, least: Duration) {
        let jitter = self.jitter.draw();
        let server = &mut self.servers[position];
        let wait = server.failures.next(jitter).max(least);
        let uncalled = if wait < Timing::default().heartbeat { wait } else { wait.max(self.heartbeat) };
        server.link = Link::Down { since: now, retry_at: now + wait, uncalled_at: now + uncalled };
    }

    /// When a connection that is down is tried again, as far as is known now.
    pub(crate) fn retry_at(&self, link: &Link) -> Option<Timestamp> {
        match *link {
            Link::Down { since, retry_at, .. } if self.radio.called_since(since) => Some(retry_at),
            Link::Down { uncalled_at, .. } => Some(uncalled_at),
            Link::Connecting(_) | Link::Up(_) | Link::Closed => None,
        }
    }

    /// Asks for the connections whose time has come.
    pub(super) fn connect_due(&mut self, now: Timestamp) {
        for position in 0..self.servers.len() {
            if self.retry_at(&self.servers[position].link).is_some_and(|due| due <= now) {
                self.servers[position].link = Link::Connecting(None);
                self.outputs.push_back(Output::Connect { server: ServerIndex(position as u16) });
            }
        }
    }
}

/// The heartbeat of each of so many idle sessions: E / (σ P) for each, where E is what a ping takes from a radio that sleeps, its
/// tail included, P what the idle device draws, and σ the share of it that all heartbeats together may add; never shorter
/// than on a radio that costs next to nothing, and never longer than the longest. Where E or P is not known, it is the
/// shortest.
pub(super) fn heartbeat(energy: &EnergyModel, sessions: usize) -> Duration {
    let shortest = Timing::default().heartbeat;
    let exchange = Exchange { up: PING, down: PING, ..Exchange::default() };
    let ping = energy.radio().map(|radio| radio.marginal(None, &exchange).energy.as_joules_f64());
    let idle = energy.waiting(Duration::from_secs(1)).map(|second| second.as_joules_f64());
    let Some((ping, idle)) = ping.zip(idle) else { return shortest };
    // A server may be added later.
    let all = ping * sessions.max(1) as f64;
    // What a heartbeat of that length may take. An idle device that draws nothing leaves nothing to divide by.
    let allowed = |heartbeat: Duration| SHARE * idle * heartbeat.as_secs_f64();
    if all <= allowed(shortest) {
        shortest
    } else if all >= allowed(LONGEST) {
        LONGEST
    } else {
        Duration::from_secs_f64(all / (SHARE * idle))
    }
}

#[cfg(test)]
mod tests {
    use outboard_profiler::DeviceProfile;

    use super::*;

    fn seconds(idle: Option<f64>, radio: &str, sessions: usize) -> u64 {
        let idle = idle.map_or(String::new(), |watts| {
            format!("[cpu]\nidle = {{ watts = {watts}, quality = 'modelled', source = 'test' }}\n")
        });
        let text = format!("name = 'robot'\n{idle}[radio]\nprofile = '{radio}'");
        let profile = DeviceProfile::parse("robot.toml", &text).expect("sound");
        heartbeat(&EnergyModel::new(&profile), sessions).as_secs()
    }

    #[test]
    fn heartbeats_add_a_small_share_to_what_the_idle_device_draws() {
        let lte =
            DeviceProfile::parse("robot.toml", "name = 'robot'\n[radio]\nprofile = 'lte'").expect("sound");
        let model = *EnergyModel::new(&lte).radio().expect("its powers are known");
        let exchange = Exchange { up: PING, down: PING, ..Exchange::default() };
        let ping = model.marginal(None, &exchange).energy.as_joules_f64();
        assert!((10.0..14.0).contains(&ping), "11.6 s of 1.06 W: {ping}");
        for idle in [2.29, 5.0] {
            let heartbeat = seconds(Some(idle), "lte", 1);
            let share = ping / heartbeat as f64 / idle;
            assert!((0.0099..0.0101).contains(&share), "{share} of {idle} W, every {heartbeat} s");
        }
        assert_eq!(seconds(Some(5.0), "lte", 2), (ping * 2.0 / 0.05) as u64, "both together");
    }

    #[test]
    fn no_heartbeat_is_shorter_than_on_wifi_or_longer_than_a_server_bears() {
        assert_eq!(seconds(Some(2.29), "wifi", 1), 15);
        assert_eq!(seconds(Some(0.1), "lte", 1), 600);
        assert_eq!(seconds(Some(0.0), "lte", 1), 600);
        assert_eq!(seconds(None, "lte", 1), 15, "of nothing known no share is known");
        assert_eq!(heartbeat(&EnergyModel::default(), 1).as_secs(), 15);
        assert_eq!(seconds(Some(2.29), "lte", 0), seconds(Some(2.29), "lte", 1), "one may be added later");
        assert!(LONGEST * 3 <= outboard_wire::Limits::default().silence);
    }
}
