//! How long a device keeps quiet that has nothing to say: before it connects, its heartbeats, and its tries to connect again.
//!
//! Where energy counts, a connection has to be worth the radio that it wakes: calls that take less than that find no server
//! worth it, however fast it is.
//!
//! An idle device has no need to know whether its server is alive: the next call is bounded anyway. What a heartbeat
//! costs depends on the radio. Wi-Fi sleeps again after a quarter of a second; a cellular radio that is woken for a few
//! bytes stays awake for many seconds (Huang et al., MobiSys 2012, table 3), and one that is woken every 15 s never sleeps.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, ServerIndex, Timestamp};
use outboard_profiler::{EnergyModel, Exchange, RadioModel};
use outboard_wire::Timing;

use super::Engine;
use crate::output::Output;
use crate::server::Link;

/// The share of an idle device's energy that its heartbeats may add, those of all sessions together; and the share of what
/// its calls take, where energy counts and that is less.
const SHARE: f64 = 0.01;
/// No heartbeat is rarer than that: a server lets no device be silent for longer than three of them.
const LONGEST: Duration = Duration::from_secs(600);
/// A ping and its pong, with all headers.
const PING: ByteCount = ByteCount::from_bytes(100);
/// A handshake and a greeting, each way.
const GREETING: ByteCount = ByteCount::from_bytes(3_000);

/// What the calls of a program take, and what servers might have saved of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worth {
    began: Timestamp,
    spent: Energy,
    /// When calls that ran here were heard of last.
    heard: Timestamp,
    forgone: Energy,
    /// Servers are left alone until calls are worth connecting.
    waits: bool,
}

impl Worth {
    pub(super) fn new(now: Timestamp, waits: bool) -> Self {
        Self { began: now, spent: Energy::ZERO, heard: now, forgone: Energy::ZERO, waits }
    }

    /// A call took so much.
    pub(super) fn spent(&mut self, energy: Energy) {
        self.spent += energy;
    }

    /// So many calls ran here and took so much together. What a server that takes no time would have saved of it is that
    /// without what the radio takes for each of them, one after the other; once that is what connecting takes, it is
    /// worth it (rented skis, as for [`RadioUse`](crate::radio::RadioUse)).
    fn ran(&mut self, now: Timestamp, calls: u32, energy: Energy, radio: &RadioModel) {
        self.spent(energy);
        let gap = now.since(std::mem::replace(&mut self.heard, now)) / calls.max(1);
        let each = radio.marginal(Some(gap), &Exchange::default()).energy;
        self.forgone += energy.saturating_sub(each.scaled(f64::from(calls)));
        let greeting = Exchange { up: GREETING, down: GREETING, ..Exchange::default() };
        self.waits &= self.forgone < radio.marginal(None, &greeting).energy;
    }

    /// Watts that calls take on average; `None` before there was one.
    fn draw(&self, now: Timestamp) -> Option<f64> {
        let time = now.since(self.began).as_secs_f64();
        (self.spent > Energy::ZERO && time > 0.0).then(|| self.spent.as_joules_f64() / time)
    }
}

impl Engine {
    /// The longest that an idle session is silent before it asks whether its server is there. A connection on which nothing
    /// passes for so long is no dead one: the transport has to bear it.
    pub fn heartbeat(&self) -> Duration {
        if self.counts_radio() { LONGEST } else { self.heartbeat_of(None) }
    }

    /// How the sessions of this device keep time. With calls under way nothing is saved on.
    pub(super) fn timing(&self, now: Timestamp) -> Timing {
        let mut timing = Timing::default();
        timing.heartbeat = self.heartbeat_of(self.worth.draw(now).filter(|_| self.counts_radio()));
        timing
    }

    fn heartbeat_of(&self, calls: Option<f64>) -> Duration {
        heartbeat(&self.settings.energy, self.settings.servers.len(), calls)
    }

    /// Whether it is about energy, and the radio's is known.
    fn counts_radio(&self) -> bool {
        !self.objective.is_time() && self.settings.energy.radio().is_some()
    }

    /// Calls ran here that took so much together.
    pub(super) fn ran_here(&mut self, now: Timestamp, calls: u64, energy: Option<Energy>) {
        let Some((energy, radio)) = energy.zip(self.settings.energy.radio()) else { return };
        let waited = self.worth.waits;
        self.worth.ran(now, u32::try_from(calls).unwrap_or(u32::MAX), energy, radio);
        if waited {
            self.connect_due(now);
        }
    }

    /// There is something that only servers can do.
    pub(super) fn needs_servers(&mut self, now: Timestamp) {
        if std::mem::take(&mut self.worth.waits) {
            self.connect_due(now);
        }
    }

    /// Tries again later, at least `least` from now. Tries that come quickly find the radio awake; later ones are as rare as
    /// heartbeats where nothing is called meanwhile.
    pub(super) fn retry(&mut self, now: Timestamp, position: usize, least: Duration) {
        let (jitter, heartbeat) = (self.jitter.draw(), self.timing(now).heartbeat);
        let server = &mut self.servers[position];
        let wait = server.failures.next(jitter).max(least);
        let uncalled = if wait < Timing::default().heartbeat { wait } else { wait.max(heartbeat) };
        server.link = Link::Down { since: now, retry_at: now + wait, uncalled_at: now + uncalled };
    }

    /// When a connection that is down is tried again, as far as is known now.
    pub(crate) fn retry_at(&self, link: &Link) -> Option<Timestamp> {
        match *link {
            Link::Down { .. } if self.worth.waits => None,
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
/// tail included, P what the idle device draws, or its calls if that is less, and σ the share of it that all heartbeats together may add; never shorter
/// than on a radio that costs next to nothing, and never longer than the longest. Where E or P is not known, it is the
/// shortest.
fn heartbeat(energy: &EnergyModel, sessions: usize, calls: Option<f64>) -> Duration {
    let shortest = Timing::default().heartbeat;
    let exchange = Exchange { up: PING, down: PING, ..Exchange::default() };
    let ping = energy.radio().map(|radio| radio.marginal(None, &exchange).energy.as_joules_f64());
    let idle = energy.waiting(Duration::from_secs(1)).map(|second| second.as_joules_f64());
    let Some((ping, idle)) = ping.zip(idle) else { return shortest };
    let idle = calls.map_or(idle, |calls| idle.min(calls));
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
        heartbeat(&EnergyModel::new(&profile), sessions, None).as_secs()
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
        assert_eq!(heartbeat(&EnergyModel::default(), 1, None).as_secs(), 15);
        assert_eq!(seconds(Some(2.29), "lte", 0), seconds(Some(2.29), "lte", 1), "one may be added later");
        assert!(LONGEST * 3 <= outboard_wire::Limits::default().silence);
    }
}
