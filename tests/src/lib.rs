//! Cross-crate tests of Outboard: what several of them share.

mod edge;

pub use edge::{Edge, Stop};
