//! Finds and names the faces on a photograph, on the device or on an edge server.
fn main() {}
