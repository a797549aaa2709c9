//! How links behave: what the operator or the runtime may set, and what quinn is told.

use std::sync::Arc;
use std::time::Duration;

use crate::congestion::{Closing, Congestion};
use outboard_core::ByteCount;
use outboard_wire::Limits;
use quinn::{IdleTimeout, MtuDiscoveryConfig, VarInt};

/// The smallest datagram that QUIC allows a path to carry (RFC 9000, section 14).
const SMALLEST_MTU: u16 = 1_200;
/// quinn hands up to ten segments to the kernel in one call, which cannot take more than 65,507 bytes and does not say
/// so: with larger segments the datagrams are lost in silence.
const LARGEST_MTU_WITH_OFFLOAD: u16 = 6_550;
/// Without segmentation offload a datagram may be as large as UDP allows, short of the headers.
const LARGEST_MTU: u16 = 60_000;

/// How links behave. Both ends have one of their own; nothing in it has to agree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportConfig {
    /// Largest frame accepted and sent, in bytes. Default: that of [`Limits`]. A peer that announces a larger one loses
    /// the link before anything is allocated for it.
    pub frame_bytes: u32,
    /// A link on which nothing arrives for so long is lost; of both ends' times the shorter one counts. Default 30 s. Sessions
    /// notice a dead peer earlier, by their heartbeats; this is the bound for a process that has no session on the link. So it
    /// is longer than a heartbeat, and a server's is longer than that of any device. It does not bound how long a connection
    /// attempt takes: that is `handshake_timeout`.
    pub idle_timeout: Duration,
    /// Interval of keep-alive packets. Default `None`: sessions have heartbeats, and an idle radio should sleep.
    pub keep_alive: Option<Duration>,
    /// Round-trip time that is assumed before the first one is measured. Default 50 ms. It decides when the first
    /// packet of a handshake is sent again (after three times as long), not how fast a handshake is.
    pub initial_rtt: Duration,
    /// A connection attempt fails after so long, name resolution included; the server forgets a half-open handshake
    /// after so long. Default 5 s.
    pub handshake_timeout: Duration,
    /// Largest datagram that path discovery tries, in bytes. Default 6,500: loopback and jumbo frames gain, other paths
    /// find their own size. At most 6,550 with segmentation offload and 60,000 without.
    pub path_mtu: u16,
    /// Whether the kernel cuts datagrams. Default `true`; `false` where a container or a driver refuses it.
    pub segmentation_offload: bool,
    /// Bytes that a peer may send on one stream before we have read them. Default 4 MiB. Less throttles fast links
    /// with long round trips; together with `bulk_streams` it bounds what a link buffers.
    pub stream_window: ByteCount,
    /// Bulk frames that a peer may have under way at once. Default 8; further ones wait at the peer.
    pub bulk_streams: u16,
    /// Bytes of bulk frames that may be assembled at once. Default 128 MiB; at least `frame_bytes`. Further frames wait
    /// in their streams' windows.
    pub unfinished: ByteCount,
    /// Bytes that each lane queues for sending, for as long as the peer has not taken them. Default 128 MiB; at least
    /// `frame_bytes`. Beyond it, sending fails with `SendError::Full`.
    pub queue: ByteCount,
    /// Handshakes that a server has under way at once. Default 64. From a quarter of it on, clients prove their address
    /// first; beyond it they are turned away.
    pub handshakes: u16,
    /// Links that a server has at once, half-open ones included. Default 256; further clients are turned away.
    pub links: u16,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            frame_bytes: Limits::default().frame_bytes,
            idle_timeout: Duration::from_secs(30),
            keep_alive: None,
            initial_rtt: Duration::from_millis(50),
            handshake_timeout: Duration::from_secs(5),
            path_mtu: 6_500,
            segmentation_offload: true,
            stream_window: ByteCount::from_bytes(4 << 20),
            bulk_streams: 8,
            unfinished: ByteCount::from_bytes(128 << 20),
            queue: ByteCount::from_bytes(128 << 20),
            handshakes: 64,
            links: 256,
        }
    }
}

/// A setting of [`TransportConfig`] that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number that must not be zero is.
    #[error("transport setting `{field}` is zero: give at least 1")]
    Zero {
        /// The setting.
        field: &'static str,
    },
    /// A time is zero or longer than a day.
    #[error("transport setting `{field}` is {value:?}: give a time above zero and of a day at most")]
    Time {
        /// The setting.
        field: &'static str,
        /// What it was set to.
        value: Duration,
    },
    /// The datagram size is out of range.
    #[error(
        "transport setting `path_mtu` is {value}: give {SMALLEST_MTU} to {largest} bytes \
         (larger ones need `segmentation_offload` off, and end at {LARGEST_MTU})"
    )]
    PathMtu {
        /// What it was set to.
        value: u16,
        /// The largest allowed with the other settings.
        largest: u16,
    },
    /// A buffer is too small for the largest frame.
    #[error(
        "transport setting `{field}` is {value}, below `frame_bytes` ({frame_bytes}): raise it or lower that"
    )]
    BelowFrame {
        /// The setting.
        field: &'static str,
        /// What it was set to.
        value: ByteCount,
        /// The largest frame.
        frame_bytes: u32,
    },
    /// A window is out of range.
    #[error("transport setting `stream_window` is {value}: give 16 KiB to 1 GiB")]
    Window {
        /// What it was set to.
        value: ByteCount,
    },
}

/// A configuration that was checked.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) settings: TransportConfig,
    end: End,
}

/// Which end of a link we are: the server opens no stream of the small lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Device,
    Server,
}

impl TransportConfig {
    /// Checks every setting.
    pub(crate) fn resolve(self, end: End) -> Result<Resolved, ConfigError> {
        self.check()?;
        Ok(Resolved { settings: self, end })
    }

    fn check(&self) -> Result<(), ConfigError> {
        for (field, value) in [
            ("idle_timeout", self.idle_timeout),
            ("initial_rtt", self.initial_rtt),
            ("handshake_timeout", self.handshake_timeout),
            ("keep_alive", self.keep_alive.unwrap_or(self.idle_timeout)),
        ] {
            if value < Duration::from_millis(1) || value > Duration::from_secs(24 * 3600) {
                return Err(ConfigError::Time { field, value });
            }
        }
        for (field, value) in [
            ("frame_bytes", self.frame_bytes),
            ("bulk_streams", u32::from(self.bulk_streams)),
            ("handshakes", u32::from(self.handshakes)),
            ("links", u32::from(self.links)),
        ] {
            if value == 0 {
                return Err(ConfigError::Zero { field });
            }
        }
        let largest = if self.segmentation_offload { LARGEST_MTU_WITH_OFFLOAD } else { LARGEST_MTU };
        if !(SMALLEST_MTU..=largest).contains(&self.path_mtu) {
            return Err(ConfigError::PathMtu { value: self.path_mtu, largest });
        }
        if !(16 << 10..=1 << 30).contains(&self.stream_window.as_bytes()) {
            return Err(ConfigError::Window { value: self.stream_window });
        }
        for (field, value) in [("unfinished", self.unfinished), ("queue", self.queue)] {
            if value.as_bytes() < u64::from(self.frame_bytes) {
                return Err(ConfigError::BelowFrame { field, value, frame_bytes: self.frame_bytes });
            }
        }
        Ok(())
    }
}

impl Resolved {
    /// What quinn is told of a connection.
    pub(crate) fn quinn(&self, closing: Closing) -> Arc<quinn::TransportConfig> {
        let settings = &self.settings;
        let mut quinn = quinn::TransportConfig::default();
        let window = settings.stream_window.as_bytes();
        // With room for every stream at once in the connection's window, bulk streams that fill theirs cannot
        // take the small lane's.
        let streams = u64::from(settings.bulk_streams) + 1;
        quinn
            .max_concurrent_bidi_streams(VarInt::from_u32(u32::from(self.end == End::Server)))
            .max_concurrent_uni_streams(VarInt::from_u32(u32::from(settings.bulk_streams)))
            .max_idle_timeout(Some(idle_timeout(settings.idle_timeout)))
            .stream_receive_window(variable(window))
            .receive_window(variable(window.saturating_mul(streams)))
            // The bulk queue counts frames until they are acknowledged, so one window more is always free for
            // the small lane.
            .send_window(settings.queue.as_bytes().saturating_add(window))
            // Without it, quinn completes the stream that it is at before it looks at priorities: a small frame would
            // wait for the rest of a bulk one. Bulk streams have priorities of their own, in the order of their frames.
            .send_fairness(true)
            .initial_rtt(settings.initial_rtt)
            .keep_alive_interval(settings.keep_alive)
            .enable_segmentation_offload(settings.segmentation_offload)
            .datagram_receive_buffer_size(None)
            .congestion_controller_factory(Arc::new(Congestion::new(closing)));
        let mut discovery = MtuDiscoveryConfig::default();
        discovery.upper_bound(settings.path_mtu);
        quinn.mtu_discovery_config(Some(discovery));
        Arc::new(quinn)
    }
}

fn variable(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}

fn idle_timeout(value: Duration) -> IdleTimeout {
    IdleTimeout::try_from(value)
        .expect("a day at most, as `check` has made sure, is within a variable-length integer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut TransportConfig)) -> Result<Resolved, ConfigError> {
        let mut config = TransportConfig::default();
        change(&mut config);
        config.resolve(End::Device)
    }

    #[test]
    fn the_default_is_accepted_on_both_ends() {
        TransportConfig::default().resolve(End::Device).unwrap();
        TransportConfig::default().resolve(End::Server).unwrap();
    }

    #[test]
    fn datagrams_that_would_be_lost_in_silence_are_refused() {
        assert_eq!(
            with(|config| config.path_mtu = 9_000).unwrap_err(),
            ConfigError::PathMtu { value: 9_000, largest: 6_550 }
        );
        with(|config| {
            config.path_mtu = 9_000;
            config.segmentation_offload = false;
        })
        .unwrap();
        with(|config| config.path_mtu = 1_199).unwrap_err();
    }

    #[test]
    fn buffers_hold_at_least_one_frame() {
        let error = with(|config| config.queue = ByteCount::from_bytes(1 << 20)).unwrap_err();
        assert!(matches!(error, ConfigError::BelowFrame { field: "queue", .. }));
        let error = with(|config| config.unfinished = ByteCount::from_bytes(1 << 20)).unwrap_err();
        assert!(matches!(error, ConfigError::BelowFrame { field: "unfinished", .. }));
    }

    #[test]
    fn times_and_counts_are_neither_zero_nor_endless() {
        assert_eq!(
            with(|config| config.idle_timeout = Duration::ZERO).unwrap_err(),
            ConfigError::Time { field: "idle_timeout", value: Duration::ZERO }
        );
        with(|config| config.handshake_timeout = Duration::MAX).unwrap_err();
        with(|config| config.keep_alive = Some(Duration::ZERO)).unwrap_err();
        assert_eq!(with(|config| config.links = 0).unwrap_err(), ConfigError::Zero { field: "links" });
    }

    #[test]
    fn an_error_names_the_setting_and_what_is_allowed() {
        let message = with(|config| config.path_mtu = 9_000).unwrap_err().to_string();
        assert!(message.contains("`path_mtu` is 9000: give 1200 to 6550 bytes"), "{message}");
    }
}
