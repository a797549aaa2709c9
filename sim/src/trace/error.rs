//! Why a text is not a trace.

use thiserror::Error;

use super::steps::StepsError;

/// Why a text could not be read as a trace: whose text, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// It has no line with a figure that covers any time.
    #[error("{file}: it has no samples: is it the right file, and is it whole?")]
    Empty {
        /// The file's name, as the caller gave it.
        file: String,
    },
    /// A column that the format cannot do without is not in the header.
    #[error("{file}, line 1: the header has no column for {column}: is it the right format?")]
    NoColumn {
        /// The file's name.
        file: String,
        /// What the column holds.
        column: &'static str,
    },
    /// A column of the header is none that the format has, or is there twice, or has a unit that it does not have.
    #[error("{file}, line 1: the column `{column}` is not one of the format, or is there twice: {known}")]
    UnknownColumn {
        /// The file's name.
        file: String,
        /// What the header says, cut where it is long.
        column: String,
        /// The columns and units that there are.
        known: &'static str,
    },
    /// A line says something else than a figure where one belongs, or one that is too large.
    #[error("{file}, line {line}: `{found}` is not {expected}")]
    NoFigure {
        /// The file's name.
        file: String,
        /// Which line, counted from one.
        line: usize,
        /// What is there, cut where it is long.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A line lacks a field.
    #[error("{file}, line {line}: {expected} is missing: is the line cut off?")]
    NoField {
        /// The file's name.
        file: String,
        /// Which line.
        line: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// Time goes backwards.
    #[error("{file}, line {line}: it is earlier than the line before it: sort the file")]
    Backwards {
        /// The file's name.
        file: String,
        /// Which line.
        line: usize,
    },
    /// There are more lines than are kept.
    #[error("{file}: it has more than {limit} samples: aggregate or cut it")]
    TooLong {
        /// The file's name.
        file: String,
        /// How many are kept.
        limit: usize,
    },
    /// The lines can be read, and are no trace together.
    #[error("{file}: {source}")]
    Steps {
        /// The file's name.
        file: String,
        /// What is wrong with them.
        source: StepsError,
    },
}

/// As much of a text as an error shows.
const SHOWN: usize = 40;

/// A text within an error: cut where it is long, since nobody knows what it holds.
pub(crate) fn shown(text: &str) -> String {
    if text.chars().nth(SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
