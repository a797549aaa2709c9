//! What the transport knows of the paths to the servers, told to the engine.

use outboard_core::{ServerIndex, Timestamp};
use outboard_profiler::PathSample;
use outboard_transport::{LinkSender, LinkStats};

use super::{Core, Device};

impl Device {
    /// Tells the engine of every path. For moments at which it has something to do anyway.
    pub(crate) fn look_at_paths(&self) {
        let mut core = self.lock();
        let now = self.clock.now();
        for server in (0..core.links.len()).map(|position| ServerIndex(position as u16)) {
            core.look_at_path(now, server);
        }
        self.drain(&mut core);
    }
}

impl Core {
    /// Tells the engine of the path to a server. A simulated link has nothing to tell.
    pub(super) fn look_at_path(&mut self, now: Timestamp, server: ServerIndex) {
        let link = self.links.get(server.position()).and_then(Option::as_ref);
        let stats = link.and_then(|(_, way)| way.quic()).map(LinkSender::stats);
        if let Some(stats) = stats {
            self.engine.path(now, server, path_sample(&stats));
        }
    }
}

fn path_sample(stats: &LinkStats) -> PathSample {
    let mut sample = PathSample::default();
    sample.round_trip = stats.round_trip;
    sample.shortest_round_trip = stats.shortest_round_trip;
    sample.congestion_window = stats.congestion_window;
    sample.congestion_events = stats.congestion_events;
    sample.sent = stats.sent;
    sample.received = stats.received;
    sample.sent_packets = stats.sent_packets;
    sample.lost_packets = stats.lost_packets;
    sample.black_holes = stats.black_holes;
    sample
}
