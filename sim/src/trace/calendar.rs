//! Dates with a time of day, as nanoseconds since 1970.

/// `2024-04-19 16:23:00.001039872`, `2019.12.16_12.27.05` and the like: six numbers apart, and a fraction of a second.
///
/// No time zones and no leap seconds: only differences are of use. `None` if the text is something else.
pub(super) fn nanoseconds(text: &str) -> Option<u64> {
    let text = text.trim_end_matches('Z');
    // Nothing longer is a date, and what is cut into parts stays small.
    if text.len() > 40 || !text.is_ascii() {
        return None;
    }
    let mut parts = text.split(['-', '.', '_', ':', ' ', 'T', '/']);
    let mut next = |most: u64| parts.next()?.parse::<u64>().ok().filter(|&value| value <= most);
    let (year, month, day) = (next(2200)?, next(12)?, next(31)?);
    let (hour, minute, second) = (next(23)?, next(59)?, next(60)?);
    if year < 1970 || month == 0 || day == 0 {
        return None;
    }
    let fraction = match parts.next() {
        None => 0,
        Some(digits) if !digits.is_empty() && digits.len() <= 9 => {
            digits.parse::<u64>().ok()? * 10_u64.pow(9 - digits.len() as u32)
        }
        Some(_) => return None,
    };
    if parts.next().is_some() {
        return None;
    }
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000_000_000 + fraction)
}

/// Days since 1 January 1970 in the Gregorian calendar, with years that begin in March so that a leap day is the last
/// (Richards, "Mapping time", 1998, the usual algorithm).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_1970() {
        assert_eq!(nanoseconds("1970-01-01 00:00:00"), Some(0));
        assert_eq!(nanoseconds("2000-03-01T00:00:00Z"), Some(951_868_800_000_000_000));
        assert_eq!(nanoseconds("2019.12.16_12.27.05"), Some(1_576_499_225_000_000_000));
        assert_eq!(nanoseconds("2024-02-29 23:59:59.5"), Some(1_709_251_199_500_000_000));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2024-13-01 00:00:00",
            "2024-01-01",
            "2024-01-01 00:00:00.",
            "1.2.3.4.5.6.7.8",
            "Ä-1-1 1:1:1",
        ] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }
}
