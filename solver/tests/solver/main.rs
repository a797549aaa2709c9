//! The solvers against MAUI's cases, against each other, and against what must hold for every problem.

mod acceptance;
mod backends;
mod differential;
mod invariants;
mod limits;
mod lp;
mod outlook;
mod places;
mod problems;
