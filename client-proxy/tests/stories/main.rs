//! The engine in virtual time, against scripted servers over simulated links: each test is a story.

mod aside;
mod callbacks;
mod failures;
mod flips;
mod found_again;
mod hedges;
mod kept;
mod network;
mod offloading;
mod properties;
mod quiet;
mod radio;
mod rules;
mod servers;
mod world;
