//! The transport and the engines that ship, over simulated links, in virtual time.
//!
//! | as shipped | stands in |
//! |---|---|
//! | quinn with all its timers, TLS, framing, lanes, resumption | [`network`]: a simulated link carries its datagrams |
//! | both engines and session machines | [`engines`]: one task for the runtime's threads |
//! | – | tokio's paused clock, for both |
//!
//! Time passes in whole milliseconds: tokio's timers have no finer ones, so that a packet is met up to one late. Keys and
//! what they encrypt are random; times, sizes and losses of all packets are the same for a seed, in every process (a
//! certificate can be a byte longer than another one's, once in a hundred keys).

mod compared;
mod engines;
mod links;
mod modelled;
mod network;
mod scene;
mod sessions;
mod varying;
