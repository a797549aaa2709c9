//! The transcendental functions of the models, in one place.
//!
//! Everything that turns into a decision goes through here, so that one edit makes the figures the same to the last
//! bit on every machine.

pub(crate) fn ln(value: f64) -> f64 {
    value.ln()
}

pub(crate) fn exp(value: f64) -> f64 {
    value.exp()
}
