//! The transcendental functions of the models, in one place.
//!
//! Everything that turns into a decision goes through here: the platform's own functions differ in their last bits from
//! machine to machine, these do not.

/// The natural logarithm.
pub fn ln(value: f64) -> f64 {
    libm::log(value)
}

/// e to that power.
pub fn exp(value: f64) -> f64 {
    libm::exp(value)
}

/// The share of a standard normal distribution that is at most `value`.
pub(crate) fn normal_share(value: f64) -> f64 {
    0.5 * libm::erfc(-value * std::f64::consts::FRAC_1_SQRT_2)
}

pub(crate) fn cos(value: f64) -> f64 {
    libm::cos(value)
}
