//! Congestion control: quinn's CUBIC, which steps aside when a link closes.
//!
//! quinn-proto up to 0.11.19 holds the packet that closes a connection back while the congestion window is full of other
//! data, and never sends it then (quinn issue 2785): a peer whose link is closed in the middle of a bulk frame would learn
//! of it by a time-out. So each connection has a controller that is told of the close and opens its window for that one
//! packet. With a quinn that sends it anyway, this module can go.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use quinn::congestion::{Controller, ControllerFactory, ControllerMetrics, CubicConfig};
use quinn_proto::RttEstimator;

/// Above 32 bits quinn does not pace either.
const WIDE_OPEN: u64 = 1 << 40;

/// Whether a connection, or all connections of its endpoint, are being closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing {
    connection: Arc<AtomicBool>,
    endpoint: Arc<AtomicBool>,
}

impl Closing {
    /// One for another connection of the same endpoint.
    pub(crate) fn of_another_connection(&self) -> Self {
        Self { connection: Arc::default(), endpoint: Arc::clone(&self.endpoint) }
    }

    /// To be called before the connection is closed.
    pub(crate) fn begin(&self) {
        // quinn's lock, taken to close and taken to send, orders this before every later look at the window.
        self.connection.store(true, Ordering::Relaxed);
    }

    /// To be called before the endpoint is closed.
    pub(crate) fn begin_all(&self) {
        self.endpoint.store(true, Ordering::Relaxed);
    }

    fn has_begun(&self) -> bool {
        self.connection.load(Ordering::Relaxed) || self.endpoint.load(Ordering::Relaxed)
    }
}

/// Makes the controllers of one connection's paths.
#[derive(Debug)]
pub(crate) struct Congestion {
    cubic: Arc<CubicConfig>,
    closing: Closing,
}

impl Congestion {
    pub(crate) fn new(closing: Closing) -> Self {
        Self { cubic: Arc::default(), closing }
    }
}

impl ControllerFactory for Congestion {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        Box::new(UntilClosed {
            cubic: Arc::clone(&self.cubic).build(now, mtu),
            closing: self.closing.clone(),
        })
    }
}

struct UntilClosed {
    cubic: Box<dyn Controller>,
    closing: Closing,
}

impl Controller for UntilClosed {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.cubic.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        self.cubic.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest_acked: Option<u64>) {
        self.cubic.on_end_acks(now, in_flight, app_limited, largest_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.cubic.on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.cubic.on_mtu_update(mtu);
    }

    fn window(&self) -> u64 {
        if self.closing.has_begun() { WIDE_OPEN } else { self.cubic.window() }
    }

    fn metrics(&self) -> ControllerMetrics {
        self.cubic.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self { cubic: self.cubic.clone_box(), closing: self.closing.clone() })
    }

    fn initial_window(&self) -> u64 {
        self.cubic.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(closing: &Closing) -> u64 {
        Arc::new(Congestion::new(closing.clone())).build(Instant::now(), 1_200).clone_box().window()
    }

    #[test]
    fn the_window_opens_for_the_connection_that_closes_and_for_no_other() {
        let one = Closing::default();
        let other = one.of_another_connection();
        assert!(window(&one) < 1 << 20);
        one.begin();
        assert_eq!(window(&one), WIDE_OPEN);
        assert!(window(&other) < 1 << 20);
        one.begin_all();
        assert_eq!(window(&other), WIDE_OPEN);
    }
}
