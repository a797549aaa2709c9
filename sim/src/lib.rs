//! Replays networks, radios, batteries and servers in virtual time, for tests of apps that use `outboard`.
//!
//! It measures nothing on the machine that it runs on: every time comes from a declared or recorded model, so that a run
//! is the same to the last bit everywhere.

mod link;
mod random;
mod trace;

pub use link::{
    Direction, Link, LinkError, LinkState, Markov, Missing, OtherDirection, Outage, OutageKind, RoundTrip,
};
pub use random::Random;
pub use trace::{LinkStep, LinkTrace, Loss, StepsError, TraceEnd};
