//! Code offload for Rust: annotate a method, run a server nearby, every call runs where it costs least.
