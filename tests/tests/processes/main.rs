//! Devices and servers as real processes, killed, stopped, drained, restarted and lied to.
//!
//! Nothing here waits for a time to pass: every wait is for something that a process does or says, and what is asserted
//! is order and state.
#![cfg(unix)]

mod asleep;
mod choices;
mod configured;
mod drained;
mod garbage;
mod gone;
mod kept;
mod lossy;
mod once;
mod planned;
mod refused;
mod roaming;
mod severed;
mod stalled;
mod stranger;
mod unread;

/// The program under test.
const APP: &str = env!("CARGO_BIN_EXE_edge-app");

/// How many attempts a device has sent.
fn attempts(log: &[String]) -> usize {
    log.iter().filter(|line| line.contains("departed")).count()
}
