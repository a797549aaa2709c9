//! Stories of whole runs: the engines that ship, in virtual time.

mod acceptance;
mod annotated;
mod policies;
mod runs;
