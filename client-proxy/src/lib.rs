//! The device's engine of Outboard: decide, attempt, bound, fall back, learn, replan.
