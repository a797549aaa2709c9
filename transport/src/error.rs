//! How a link ends.

use quinn::{ConnectionError, TransportErrorCode, VarInt};

/// Longest explanation that is sent with a close, in bytes.
const LONGEST_DETAIL: usize = 256;

/// Why one end closes a link on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// Nothing more is to be said.
    Done,
    /// The process or the server's part of it goes away.
    GoingAway,
    /// The other end broke the protocol.
    Violation,
    /// The other end may not be here.
    Unwelcome,
    /// The link was let go without a word.
    Dropped,
    /// A reason of a newer version.
    Other(u32),
}

/// How a link ended, or why it can carry nothing more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The peer closed it on purpose.
    #[error("the peer closed the link ({reason}){}", explained(.detail))]
    ClosedByPeer {
        /// Why.
        reason: CloseReason,
        /// What it said besides; printable, possibly empty.
        detail: String,
    },
    /// This end closed it.
    #[error("the link was closed here")]
    ClosedHere,
    /// Nothing arrived for the idle time.
    #[error("the peer has been silent for too long: it is gone, or the network is")]
    TimedOut,
    /// The peer does not know the link any more: it has restarted.
    #[error("the peer has restarted and does not know the link any more: connect again")]
    Reset,
    /// The peer broke the protocol, and this end closed the link.
    #[error("the peer broke the protocol: {0}")]
    Violation(#[from] Violation),
    /// The peer's network layer gave the link up.
    #[error("the peer's network layer gave the link up (code {code:#x}){}", explained(.detail))]
    Aborted {
        /// The QUIC error code (RFC 9000, section 20.1).
        code: u64,
        /// What it said besides; printable, possibly empty.
        detail: String,
    },
    /// This process's network layer has stopped: its async runtime ended, or its socket failed.
    #[error("the network layer of this process has stopped: start a new runtime to connect again")]
    Stopped,
}

/// What a peer did that no peer of ours does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// It announced a frame above the limit.
    #[error("a frame of {size} bytes was announced, above the limit of {limit}")]
    FrameTooLarge {
        /// The announced size.
        size: u32,
        /// What is accepted.
        limit: u32,
    },
    /// A bulk stream ended within its frame.
    #[error("a bulk stream ended within its frame")]
    CutFrame,
    /// A bulk stream went on after its frame.
    #[error("a bulk stream went on after its frame")]
    TrailingBytes,
    /// The small lane ended while the link was open.
    #[error("the small lane ended while the link was open")]
    SmallLaneEnded,
    /// The first bytes of the small lane were not the opening.
    #[error("the link did not begin as an Outboard link does")]
    Opening,
    /// It refused a frame that this end had sent.
    #[error("a frame was turned away")]
    FrameRefused,
    /// QUIC itself was broken.
    #[error("{0}")]
    Quic(String),
}

impl CloseReason {
    pub(crate) fn code(self) -> VarInt {
        match self {
            // quinn closes with zero, without asking, when the last handle of a connection is gone.
            Self::Dropped => VarInt::from_u32(0),
            Self::Done => VarInt::from_u32(1),
            Self::GoingAway => VarInt::from_u32(2),
            Self::Violation => VarInt::from_u32(3),
            Self::Unwelcome => VarInt::from_u32(4),
            Self::Other(code) => VarInt::from_u32(code),
        }
    }

    pub(crate) fn of(code: VarInt) -> Self {
        match u32::try_from(code.into_inner()).unwrap_or(u32::MAX) {
            0 => Self::Dropped,
            1 => Self::Done,
            2 => Self::GoingAway,
            3 => Self::Violation,
            4 => Self::Unwelcome,
            other => Self::Other(other),
        }
    }
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => f.write_str("it is done"),
            Self::GoingAway => f.write_str("it is going away"),
            Self::Violation => f.write_str("this end broke the protocol"),
            Self::Unwelcome => f.write_str("this end may not connect"),
            Self::Dropped => f.write_str("it let the link go"),
            Self::Other(code) => write!(f, "reason {code}"),
        }
    }
}

impl From<ConnectionError> for LinkError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => Self::ClosedByPeer {
                reason: CloseReason::of(close.error_code),
                detail: printable(&close.reason),
            },
            ConnectionError::ConnectionClosed(close) => {
                Self::Aborted { code: close.error_code.into(), detail: printable(&close.reason) }
            }
            ConnectionError::LocallyClosed => Self::ClosedHere,
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Reset => Self::Reset,
            // quinn reports the end of its own endpoint as an internal error of the connection.
            ConnectionError::TransportError(error) if error.code == TransportErrorCode::INTERNAL_ERROR => {
                Self::Stopped
            }
            ConnectionError::CidsExhausted => Self::Stopped,
            ConnectionError::TransportError(error) => {
                Violation::Quic(printable(error.to_string().as_bytes())).into()
            }
            ConnectionError::VersionMismatch => {
                Violation::Quic("no common version of QUIC".to_owned()).into()
            }
        }
    }
}

/// An explanation as it is sent: short enough for one packet, whole characters.
pub(crate) fn shortened(detail: &str) -> &[u8] {
    &detail.as_bytes()[..detail.floor_char_boundary(LONGEST_DETAIL)]
}

/// What a peer says ends up in logs: no control characters, bounded.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_DETAIL)]);
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn explained(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_comes_back_from_its_code() {
        let reasons = [
            CloseReason::Done,
            CloseReason::GoingAway,
            CloseReason::Violation,
            CloseReason::Unwelcome,
            CloseReason::Dropped,
            CloseReason::Other(77),
        ];
        for reason in reasons {
            assert_eq!(CloseReason::of(reason.code()), reason);
        }
    }

    #[test]
    fn what_a_peer_says_cannot_forge_log_lines() {
        assert_eq!(
            printable(b"bye\n2026 INFO all is well\x1b[2J"),
            "bye\u{fffd}2026 INFO all is well\u{fffd}[2J"
        );
        assert_eq!(printable(&[b'x'; 5_000]).len(), LONGEST_DETAIL);
        assert_eq!(printable(&[0xff, b'a']), "\u{fffd}a");
    }

    #[test]
    fn a_long_explanation_is_cut_between_characters() {
        let cut = shortened(&"é".repeat(200)).to_vec();
        assert_eq!(String::from_utf8(cut).unwrap(), "é".repeat(128));
    }

    #[test]
    fn an_ended_link_tells_who_ended_it_and_why() {
        let close = quinn::ApplicationClose {
            error_code: CloseReason::GoingAway.code(),
            reason: b"update"[..].into(),
        };
        let error = LinkError::from(ConnectionError::ApplicationClosed(close));
        assert_eq!(error.to_string(), "the peer closed the link (it is going away): update");
    }
}
