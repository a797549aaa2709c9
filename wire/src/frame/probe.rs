//! A look at the path: a message of a chosen size, and its answer.

use serde::{Deserialize, Serialize};

use super::{Image, Load};

/// A message that is as large as the device wants, to see how long the path takes for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeFrame {
    /// Which probe.
    pub number: u64,
    /// How much padding the answer should have. The server sends no more than [`ProbeFrame::MOST`], nor than the
    /// device's frames may have.
    pub wanted: u32,
    /// Bytes without a meaning.
    pub padding: Image,
}

impl ProbeFrame {
    /// Most bytes of padding, either way.
    pub const MOST: u32 = 64 << 10;
}

/// The answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbedFrame {
    /// Which probe.
    pub number: u64,
    /// As many bytes as were wanted, or fewer.
    pub padding: Image,
    /// How busy the server is now.
    pub load: Load,
}
