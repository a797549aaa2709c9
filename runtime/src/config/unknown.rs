//! Environment variables that look like ours and are not: a typing mistake would otherwise change nothing, in silence.

/// Every variable that is read, those of the log, of the compilation and of tests included.
const KNOWN: [&str; 21] = [
    "OUTBOARD_BASES",
    "OUTBOARD_BUILD_ID",
    "OUTBOARD_CONFIG",
    "OUTBOARD_DEVICE_PROFILE",
    "OUTBOARD_EXPLORATION",
    "OUTBOARD_HEDGE",
    "OUTBOARD_LISTEN",
    "OUTBOARD_LOG",
    "OUTBOARD_OBJECTIVE",
    "OUTBOARD_PLANNING",
    "OUTBOARD_POLICY",
    "OUTBOARD_PROFILE",
    "OUTBOARD_PROFILE_INTERVAL",
    "OUTBOARD_PUBLIC_HOST",
    "OUTBOARD_RISK",
    "OUTBOARD_SERVER",
    "OUTBOARD_SESSION_BASES",
    "OUTBOARD_SLOWDOWN",
    "OUTBOARD_STATE_DIR",
    "OUTBOARD_TRACES",
    "OUTBOARD_WORKERS",
];

/// Warns of the variables of this process that nobody reads.
pub(crate) fn warn() {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if let Some(nearest) = nearest(&name) {
            tracing::warn!(
                "the environment variable {name} is not known and changes nothing: is {nearest} meant?"
            );
        }
    }
}

/// The known name that is nearest to one of ours that is not known.
fn nearest(name: &str) -> Option<&'static str> {
    if !name.starts_with("OUTBOARD_") || KNOWN.contains(&name) {
        return None;
    }
    KNOWN.into_iter().min_by_key(|known| distance(name, known))
}

/// How many letters have to be added, left out or changed to make one word the other (Levenshtein 1966).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, against) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *against);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::config::Values;

    #[test]
    fn every_variable_that_is_read_is_known() {
        let read = RefCell::new(Vec::new());
        let variable = |name: &str| {
            read.borrow_mut().push(name.to_owned());
            None
        };
        Values::from_environment(variable).unwrap();
        let read = read.into_inner();
        assert!(read.len() >= 10);
        for name in read {
            assert!(KNOWN.contains(&name.as_str()), "{name} is read, and would be called unknown");
        }
    }

    #[test]
    fn a_mistyped_name_is_answered_with_the_one_that_was_meant() {
        for (name, meant) in [
            ("OUTBOARD_SEVER", Some("OUTBOARD_SERVER")),
            ("OUTBOARD_POLICIES", Some("OUTBOARD_POLICY")),
            ("OUTBOARD_STATEDIR", Some("OUTBOARD_STATE_DIR")),
            ("OUTBOARD_SERVER", None),
            ("OUTBOARDS", None),
            ("PATH", None),
        ] {
            assert_eq!(nearest(name), meant, "{name}");
        }
    }

    #[test]
    fn the_distance_counts_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
