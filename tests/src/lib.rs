//! Cross-crate tests of Outboard: what several of them share.

mod edge;
pub mod link;
#[cfg(unix)]
pub mod process;

pub use edge::{Edge, Stop};
