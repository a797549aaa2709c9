//! The attributes and derives of Outboard.
