//! A positive quantity that is not known exactly.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use outboard_core::{Bandwidth, ByteCount};

use crate::math::{exp, ln, normal_share};

/// What a [`Spread`] can be of: a unit that is read as, and made from, a positive number.
pub trait Quantity: Copy {
    /// As a number: seconds, bytes, bits per second.
    fn to_number(self) -> f64;
    /// The quantity nearest to a number; what does not fit becomes the largest or the smallest one.
    fn from_number(number: f64) -> Self;
}

/// A probability as the models use it: how likely a quantity stays at or below a value.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Quantile {
    deviations: f64,
}

/// A log-normal distribution: the logarithm of the quantity is normal.
///
/// Times, sizes and rates spread by factors, never go below zero and have long upper tails, which is what this
/// distribution is. Products and quotients are exact; sums are matched by their first two moments (Fenton 1960).
pub struct Spread<T> {
    centre: f64,
    variance: f64,
    unit: PhantomData<fn() -> T>,
}

impl Quantile {
    /// As often below as above.
    pub const MEDIAN: Self = Self { deviations: 0.0 };
    /// Exceeded one time in ten.
    pub const P90: Self = Self { deviations: 1.281_551_565_544_600_4 };
    /// Exceeded one time in twenty: the bound of a call.
    pub const P95: Self = Self { deviations: 1.644_853_626_951_472_7 };
    /// Fallen short of one time in four: what can reasonably be hoped for of a time.
    pub const P25: Self = Self { deviations: -0.674_489_750_196_081_7 };
    /// Exceeded one time in four: what can reasonably be hoped for of a rate.
    pub const P75: Self = Self { deviations: 0.674_489_750_196_081_7 };
    /// Fallen short of one time in twenty.
    pub const P05: Self = Self { deviations: -1.644_853_626_951_472_7 };

    /// Standard deviations above the mean of a normal distribution.
    pub const fn deviations(self) -> f64 {
        self.deviations
    }
}

impl<T: Quantity> Spread<T> {
    /// Around `median`; `deviation` is the standard deviation of the logarithm (0.1 is about ±10 %).
    pub fn around(median: T, deviation: f64) -> Self {
        Self::from_log(ln(median.to_number().max(SMALLEST)), deviation * deviation)
    }

    /// The value exceeded with the probability that `quantile` says.
    pub fn at(self, quantile: Quantile) -> T {
        T::from_number(exp(self.centre + quantile.deviations * self.variance.sqrt()))
    }

    /// The value exceeded half of the time.
    pub fn median(self) -> T {
        T::from_number(exp(self.centre))
    }

    /// What it comes to on average.
    pub fn mean(self) -> T {
        T::from_number(self.moments().0)
    }

    /// The standard deviation of the logarithm.
    pub fn deviation(self) -> f64 {
        self.variance.sqrt()
    }

    /// The same quantity times a known factor; a factor that is not positive counts as a very small one.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self::from_log(self.centre + ln(factor.max(SMALLEST)), self.variance)
    }

    /// As certain as before and, on top, uncertain by a factor whose logarithm has this standard deviation.
    #[must_use]
    pub fn widened(self, deviation: f64) -> Self {
        Self::from_log(self.centre, self.variance + deviation * deviation)
    }

    /// The same where it is that uncertain already, and that uncertain where it is less.
    #[must_use]
    pub fn at_least_as_wide(self, deviation: f64) -> Self {
        Self::from_log(self.centre, self.variance.max(deviation * deviation))
    }

    /// The mean if everything above `cap` counted as `cap`: what something takes on average that is cut off there (the
    /// limited expected value of a log-normal distribution; Klugman et al., Loss Models).
    pub fn capped_mean(self, cap: T) -> T {
        let (cap, deviation) = (cap.to_number().max(SMALLEST), self.variance.min(WIDEST).sqrt());
        if deviation < 1e-6 {
            return T::from_number(exp(self.centre).min(cap));
        }
        let (mean, _) = self.moments();
        let gap = (ln(cap) - self.centre) / deviation;
        T::from_number(mean * normal_share(gap - deviation) + cap * (1.0 - normal_share(gap)))
    }

    /// How likely it is at most `value`.
    pub fn share_up_to(self, value: T) -> f64 {
        let gap = ln(value.to_number().max(SMALLEST)) - self.centre;
        let deviation = self.variance.sqrt();
        if deviation < 1e-6 { f64::from(u8::from(gap >= 0.0)) } else { normal_share(gap / deviation) }
    }

    /// The sum of independent parts.
    #[must_use]
    pub fn sum(parts: &[Self]) -> Self {
        let (mut mean, mut variance, mut largest) = (0.0, 0.0, f64::NEG_INFINITY);
        for part in parts {
            let (part_mean, part_variance) = part.moments();
            mean += part_mean;
            variance += part_variance;
            largest = largest.max(part.centre);
        }
        let sum = Self::from_moments(mean, variance);
        // One very wide part would pull the fit below the others; a sum of positive parts is no smaller than any.
        Self::from_log(sum.centre.max(largest), sum.variance)
    }

    /// Mean and variance of the quantity itself.
    pub(crate) fn moments(self) -> (f64, f64) {
        let variance = self.variance.min(WIDEST);
        let mean = exp(self.centre + variance / 2.0);
        (mean, (exp(variance) - 1.0) * mean * mean)
    }

    fn from_moments(mean: f64, variance: f64) -> Self {
        let mean = mean.max(SMALLEST);
        let log_variance = ln(1.0 + variance / (mean * mean));
        Self::from_log(ln(mean) - log_variance / 2.0, log_variance)
    }

    pub(crate) fn from_log(centre: f64, variance: f64) -> Self {
        Self { centre, variance: variance.max(0.0), unit: PhantomData }
    }
}

impl Spread<ByteCount> {
    /// The time to pass that many bytes at that rate.
    #[must_use]
    pub fn over(self, rate: Spread<Bandwidth>) -> Spread<Duration> {
        Spread::from_log(self.centre - rate.centre + ln(8.0), self.variance + rate.variance)
    }
}

impl<T> Clone for Spread<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Spread<T> {}

impl<T> PartialEq for Spread<T> {
    fn eq(&self, other: &Self) -> bool {
        self.centre == other.centre && self.variance == other.variance
    }
}

impl<T: Quantity + fmt::Debug> fmt::Debug for Spread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spread({:?} ± {:.0} %)", self.median(), self.deviation() * 100.0)
    }
}

/// Wider than this the moments overflow and say nothing: e^25 is a factor of 10^10.
const WIDEST: f64 = 25.0;

/// Stands in for zero, whose logarithm does not exist: a nanosecond in seconds, far below a byte.
const SMALLEST: f64 = 1e-9;

impl Quantity for Duration {
    fn to_number(self) -> f64 {
        self.as_secs_f64()
    }

    fn from_number(number: f64) -> Self {
        Duration::try_from_secs_f64(number.max(0.0)).unwrap_or(Duration::MAX)
    }
}

impl Quantity for ByteCount {
    fn to_number(self) -> f64 {
        self.as_bytes() as f64
    }

    fn from_number(number: f64) -> Self {
        // The cast saturates and maps what is not a number to zero.
        ByteCount::from_bytes(number.round() as u64)
    }
}

impl Quantity for Bandwidth {
    fn to_number(self) -> f64 {
        self.as_bits_per_second() as f64
    }

    fn from_number(number: f64) -> Self {
        Bandwidth::from_bits_per_second(number.round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sum_of_sharp_parts_is_their_sum() {
        let part = |millis| Spread::around(Duration::from_millis(millis), 0.0);
        let sum = Spread::sum(&[part(30), part(12)]);
        assert!((sum.at(Quantile::P95).as_secs_f64() - 0.042).abs() < 1e-9);
    }

    #[test]
    fn bytes_over_a_rate_are_a_time_as_uncertain_as_both() {
        let bytes = Spread::around(ByteCount::from_bytes(10_000), 0.3);
        let time = bytes.over(Spread::around(Bandwidth::from_megabits_per_second(8), 0.4));
        assert!((time.median().as_secs_f64() - 0.010).abs() < 1e-9);
        assert!((time.deviation() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn nothing_at_all_and_more_than_fits_stay_quantities() {
        assert_eq!(Spread::around(ByteCount::ZERO, 0.0).median(), ByteCount::ZERO);
        let endless = Spread::around(Duration::MAX, 9.0).times(f64::INFINITY);
        assert_eq!(endless.at(Quantile::P95), Duration::MAX);
    }

    #[test]
    fn a_cut_off_mean_is_that_of_many_draws() {
        let time = Spread::around(Duration::from_millis(100), 0.7);
        for (cap, sharp) in [(40, 0.5), (100, 0.5), (300, 0.5), (5_000, 1.0)] {
            let cap = Duration::from_millis(cap);
            // The quantiles in the middle of ten thousand equal shares stand for draws.
            let draws = (0..10_000).map(|n| {
                let share = (f64::from(n) + 0.5) / 10_000.0;
                let (mut low, mut high) = (1e-6f64, 1e3f64);
                while high / low > 1.0 + 1e-9 {
                    let middle = (low * high).sqrt();
                    let below = time.share_up_to(Duration::from_secs_f64(middle)) < share;
                    if below { low = middle } else { high = middle }
                }
                low.min(cap.as_secs_f64())
            });
            let mean = draws.sum::<f64>() / 10_000.0 * 1e3;
            let said = time.capped_mean(cap).as_secs_f64() * 1e3;
            assert!((said - mean).abs() < sharp, "{cap:?}: {said} {mean}");
        }
        assert_eq!(Spread::around(Duration::from_millis(7), 0.0).capped_mean(Duration::MAX).as_millis(), 7);
    }

    proptest! {
        /// Adding a part never makes the bound earlier than the larger part's typical time.
        #[test]
        fn a_sum_is_not_below_its_parts(a in 1u64..10_000, b in 1u64..10_000, da in 0.0..5.0f64, db in 0.0..1.0f64) {
            let a = Spread::around(Duration::from_millis(a), da);
            let b = Spread::around(Duration::from_millis(b), db);
            let sum = Spread::sum(&[a, b]);
            prop_assert!(sum.median().as_secs_f64() >= a.median().max(b.median()).as_secs_f64() * 0.999);
            prop_assert!(sum.at(Quantile::P95) >= a.median().max(b.median()));
            prop_assert!(sum.at(Quantile::P95) >= sum.median());
        }
    }
}
