//! The transcendental functions of the models, in one place.
//!
//! Everything that turns into a decision goes through here: the platform's own functions differ in their last bits from
//! machine to machine, these do not.

pub(crate) fn ln(value: f64) -> f64 {
    libm::log(value)
}

pub(crate) fn exp(value: f64) -> f64 {
    libm::exp(value)
}
