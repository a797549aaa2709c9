//! Decimal numbers as integers of a unit, without a float in between.

/// Digits that are looked at from the first one that counts; more cannot change 64 bits, and these fit in 128.
const MOST_DIGITS: usize = 38;
/// Exponents beyond say zero or too much whatever the digits are.
const LARGEST_EXPONENT: i64 = 60;

/// A decimal number (`12`, `0.5`, `.5`, `1e-3`) times a power of ten, rounded half up; `None` if the text is something
/// else, negative, or does not fit.
///
/// Exact, so that what is written out in the unit itself is read back as it was.
pub(super) fn scaled(text: &str, power: i64) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0_u128;
    let mut counted = 0;
    // The power of ten of the last digit that was taken in.
    let mut last = exponent.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT) + power;
    last = last.checked_add(i64::try_from(whole.len()).ok()?)?;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        if counted >= MOST_DIGITS {
            continue;
        }
        value = value * 10 + u128::from(digit);
        last -= 1;
        counted += usize::from(value > 0);
    }
    if value == 0 {
        return Some(0);
    }
    let value = if last >= 0 {
        value.checked_mul(10_u128.checked_pow(u32::try_from(last).ok()?)?)?
    } else {
        match u32::try_from(-last).ok().and_then(|places| 10_u128.checked_pow(places)) {
            Some(divisor) => value / divisor + u128::from(value % divisor >= divisor / 2),
            None => 0,
        }
    };
    u64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_scaled_and_rounded_half_up() {
        for (text, power, expected) in [
            ("12", 0, 12),
            ("12", 9, 12_000_000_000),
            ("0.0015", 3, 2),
            ("0.0014", 3, 1),
            (".5", 0, 1),
            ("5.", 1, 50),
            ("1e-3", 6, 1_000),
            ("2.5E+2", 0, 250),
            ("+7", 0, 7),
            ("18446744073709551615", 0, u64::MAX),
            ("0.000000000000000000000000000000000000000000000000000000001", 0, 0),
            ("3.04999995232", 9, 3_049_999_952),
            ("4.701075630252101594", 6, 4_701_076),
        ] {
            assert_eq!(scaled(text, power), Some(expected), "{text} × 10^{power}");
        }
    }

    #[test]
    fn what_is_no_number_or_too_large_is_none() {
        for text in
            ["", ".", "-1", "1.2.3", "nan", "inf", "1e", "e5", "0x10", "1 2", "18446744073709551616", "9e999"]
        {
            assert_eq!(scaled(text, 0), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_read_as_they_are(value: u64) {
            prop_assert_eq!(scaled(&value.to_string(), 0), Some(value));
        }

        #[test]
        fn numbers_are_within_half_a_unit_of_their_float(value in 0.0..1e9_f64, digits in 0..12_usize) {
            let text = format!("{value:.digits$}");
            let exact: f64 = text.parse().unwrap();
            let read = scaled(&text, 3).unwrap() as f64;
            prop_assert!((read - exact * 1e3).abs() <= 0.5 + exact * 1e-12, "{} as {}", text, read);
        }

        #[test]
        fn any_text_is_answered(text: String, power in -20..20_i64) {
            let _ = scaled(&text, power);
        }
    }
}
