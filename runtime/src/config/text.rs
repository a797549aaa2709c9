//! What a setting may be, as text.

use outboard_client_proxy::{Hedge, Policy};
use outboard_core::ByteCount;

use super::{Objective, Planning, Risk};

/// Something with a textual form and a sentence on what it may be.
pub(crate) trait Setting: Sized {
    const ALLOWED: &'static str;

    fn from_text(text: &str) -> Option<Self>;
}

impl Setting for Objective {
    const ALLOWED: &'static str = "use `time`, `energy` or `battery`";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "time" => Some(Self::Time),
            "energy" => Some(Self::Energy),
            "battery" => Some(Self::Battery),
            _ => None,
        }
    }
}

impl Setting for Risk {
    const ALLOWED: &'static str = "use `usual`, `expected` or `averse`";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "usual" => Some(Self::Usual),
            "expected" => Some(Self::Expected),
            "averse" => Some(Self::Averse),
            _ => None,
        }
    }
}

impl Setting for Planning {
    const ALLOWED: &'static str = "use `device` or `server`";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "device" => Some(Self::Device),
            "server" => Some(Self::Server),
            _ => None,
        }
    }
}

impl Setting for Policy {
    const ALLOWED: &'static str = "use `plan`, `device` or `server`";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "plan" => Some(Self::Plan),
            "device" => Some(Self::Device),
            "server" => Some(Self::Server),
            _ => None,
        }
    }
}

impl Setting for Hedge {
    const ALLOWED: &'static str = "use `never`, `late` or `always`";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            "late" => Some(Self::Late),
            "always" => Some(Self::Always),
            _ => None,
        }
    }
}

impl Setting for f64 {
    const ALLOWED: &'static str = "use a number such as 0.4";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for ByteCount {
    const ALLOWED: &'static str = "use a whole number of MiB";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(super::mebibytes)
    }
}

impl Setting for u64 {
    const ALLOWED: &'static str = "use a whole number";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for usize {
    const ALLOWED: &'static str = "use a whole number";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
