//! What MAUI knows of the network.

use std::collections::VecDeque;
use std::time::Duration;

use outboard_core::{ByteCount, Energy, Timestamp};
use outboard_profiler::Exchange;

use super::Trial;

/// MAUI's estimate (MobiSys 2010, section 5.3): throughput of whole transfers, round trip included.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    /// Seconds per byte of the last transfers.
    samples: VecDeque<f64>,
    probed_at: Option<Timestamp>,
    heard: Timestamp,
}

impl Estimate {
    /// What a probe sends.
    pub(super) const PROBE: ByteCount = ByteCount::from_bytes(10_000);
    /// It probes after so long without a transfer.
    const IDLE: Duration = Duration::from_secs(60);
    /// How many transfers its mean slides over. The paper gives no number; twenty is what its kind of mean is compared with.
    const WINDOW: usize = 20;

    pub(super) fn new() -> Self {
        Self { samples: VecDeque::new(), probed_at: None, heard: Timestamp::ZERO }
    }

    pub(super) fn next_probe(&self) -> Timestamp {
        match self.probed_at {
            None => Timestamp::ZERO,
            Some(probed) => self.heard.max(probed) + Self::IDLE,
        }
    }

    pub(super) fn probing(&mut self, now: Timestamp) {
        self.probed_at = Some(now);
    }

    pub(super) fn probed(&mut self, now: Timestamp) {
        let Some(sent) = self.probed_at else { return };
        self.sample(now, Self::PROBE, now - sent);
    }

    pub(super) fn offloaded(&mut self, now: Timestamp, bytes: ByteCount, took: Duration) {
        self.sample(now, bytes, took);
    }

    fn sample(&mut self, now: Timestamp, bytes: ByteCount, took: Duration) {
        self.heard = now;
        self.samples.push_back(took.as_secs_f64() / bytes.as_bytes().max(1) as f64);
        if self.samples.len() > Self::WINDOW {
            self.samples.pop_front();
        }
    }

    /// What a call is expected to take on the server.
    pub(super) fn predict(&self, bytes: ByteCount, served: Duration) -> Option<Duration> {
        if self.samples.is_empty() {
            return None;
        }
        let each = self.samples.iter().sum::<f64>() / self.samples.len() as f64;
        let way = Duration::try_from_secs_f64(each * bytes.as_bytes() as f64).unwrap_or(Duration::MAX);
        Some(way.saturating_add(served))
    }

    /// Whether a call is expected to take less energy on the server. MAUI's model of the radio is one of the transfer
    /// alone, so what the radio did before does not count: it is taken to sleep.
    pub(super) fn saves(
        &self,
        trial: &Trial,
        (up, down): (ByteCount, ByteCount),
        (predicted, served): (Duration, Duration),
        local: Duration,
    ) -> bool {
        let way = predicted.saturating_sub(served).as_secs_f64();
        let all = (up + down).as_bytes().max(1) as f64;
        let share = |bytes: ByteCount| Duration::from_secs_f64(way * bytes.as_bytes() as f64 / all);
        let exchange = Exchange { up, down, up_time: share(up), wait: served, down_time: share(down) };
        let radio = trial.path.radio().map_or(Energy::ZERO, |radio| radio.marginal(None, &exchange).energy);
        let device = &trial.device;
        let there = device.idle(predicted).map(|idle| idle + radio);
        let here = device.idle(local).zip(device.busy(local)).map(|(idle, busy)| idle + busy);
        there.zip(here).is_some_and(|(there, here)| there < here)
    }
}
