//! Cross-crate tests of Outboard: what several of them share.

mod edge;
#[cfg(unix)]
pub mod process;

pub use edge::{Edge, Stop};
