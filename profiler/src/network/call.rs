//! What a call's time says of round trip and rates, apart.

use super::gauge::Gauge;
use crate::math::{exp, ln};

/// A part of a call's way: what it is expected to take, and how uncertain that is.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// Seconds.
    pub(super) expected: f64,
    /// The variance of the logarithm.
    pub(super) variance: f64,
}

impl Part {
    pub(super) fn round_trip(gauge: &Gauge, variance: f64) -> Self {
        Self { expected: gauge.typical(), variance }
    }

    /// So many bytes at the rate of the gauge.
    pub(super) fn transfer(bytes: f64, gauge: &Gauge, variance: f64) -> Self {
        Self { expected: bytes * 8.0 / gauge.typical().max(1.0), variance }
    }
}

/// A part as it probably was, given the whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Seconds.
    pub(super) took: f64,
    /// How much of what is unexpected about the whole is this part's doing, from 0 to 1.
    pub(super) blame: f64,
}

/// Rounds of the iteration. Each goes half of the way, since a whole step overshoots where a part shrinks to nothing.
const ROUNDS: usize = 16;

/// Splits `whole` among the parts: the most probable split, each part being log-normal around what is expected.
///
/// It is the iterated extended Kalman update (Bell & Cathey 1993) of one measurement without noise, taken in logarithms:
/// minimise `Σ xᵢ²/vᵢ` under `ln Σ mᵢ·e^xᵢ = ln whole`. A part that is well known keeps its time, and what is
/// unexpected goes to those that are large and uncertain, so that a slow upload is not taken for a slow download.
pub(super) fn split<const PARTS: usize>(whole: f64, parts: [Part; PARTS]) -> [Found; PARTS] {
    let target = ln(whole);
    let mut offsets = [0.0; PARTS];
    let mut blames = [0.0; PARTS];
    for _ in 0..ROUNDS {
        let times: [f64; PARTS] = std::array::from_fn(|part| parts[part].expected * exp(offsets[part]));
        let sum: f64 = times.iter().sum();
        let shares = times.map(|time| time / sum);
        let leverage: [f64; PARTS] = std::array::from_fn(|part| parts[part].variance * shares[part]);
        let gained: f64 = leverage.iter().zip(&shares).map(|(lever, share)| lever * share).sum();
        if !(sum > 0.0 && gained > 0.0) {
            break;
        }
        let along: f64 = shares.iter().zip(&offsets).map(|(share, offset)| share * offset).sum();
        let step = (along + target - ln(sum)) / gained;
        // A factor of e^6 within one call is not believed of any part; it keeps the iteration in bounds too.
        offsets =
            std::array::from_fn(|part| (offsets[part] + (leverage[part] * step).clamp(-6.0, 6.0)) / 2.0);
        blames = std::array::from_fn(|part| leverage[part] * shares[part] / gained);
    }
    std::array::from_fn(|part| Found { took: parts[part].expected * exp(offsets[part]), blame: blames[part] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(expected: f64, deviation: f64) -> Part {
        Part { expected, variance: deviation * deviation }
    }

    #[test]
    fn the_parts_found_add_up_to_the_whole() {
        for whole in [0.02, 0.1, 0.5, 3.0] {
            let found = split(whole, [part(0.03, 0.3), part(0.05, 1.0), part(0.02, 0.5)]);
            let sum: f64 = found.iter().map(|found| found.took).sum();
            assert!((sum / whole - 1.0).abs() < 0.02, "{whole}: {found:?}");
        }
    }

    #[test]
    fn what_is_unexpected_is_blamed_on_the_part_that_is_uncertain() {
        let [round_trip, up, down] = split(0.25, [part(0.03, 0.1), part(0.1, 1.0), part(0.02, 0.1)]);
        assert!((round_trip.took - 0.03).abs() < 0.003 && (down.took - 0.02).abs() < 0.003, "{round_trip:?}");
        assert!((up.took - 0.2).abs() < 0.006 && up.blame > 0.9, "{up:?}");
    }

    #[test]
    fn parts_that_are_not_there_take_nothing_and_are_not_blamed() {
        let [first, nothing] = split(0.2, [part(0.1, 0.5), part(0.0, 2.0)]);
        assert!((first.took - 0.2).abs() < 1e-5 && nothing.took < 1e-12 && nothing.blame < 1e-12);
        assert!(split(0.2, [part(0.0, 1.0)])[0].took < 1e-12);
    }
}
