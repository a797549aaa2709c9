//! Measurements of Outboard, side by side with its peers.
