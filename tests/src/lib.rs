//! Cross-crate tests of Outboard.
