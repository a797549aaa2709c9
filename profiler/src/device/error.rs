//! What can be wrong with a device profile.

use thiserror::Error;

/// What is wrong with a device profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The file is not TOML.
    #[error("{file} is not valid TOML: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// Where, and what the parser says.
        message: String,
    },
    /// A key that no profile has; most often a misspelling.
    #[error("{file}: `{key}` is not a key of a device profile: use one of {allowed}")]
    UnknownKey {
        /// The file.
        file: String,
        /// The key with its sections.
        key: String,
        /// What may stand there.
        allowed: String,
    },
    /// A key that has to be there.
    #[error("{file}: `{key}` is missing: add it")]
    Missing {
        /// The file.
        file: String,
        /// The key with its sections.
        key: String,
    },
    /// A value of the wrong type or out of range.
    #[error("{file}: `{key}` must be {expected}")]
    BadValue {
        /// The file.
        file: String,
        /// The key with its sections.
        key: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// The file is larger than any profile.
    #[error(
        "{file} has {bytes} bytes, more than the {most} that a power profile may have: is it the right file?"
    )]
    TooLarge {
        /// The file.
        file: String,
        /// What it has.
        bytes: usize,
        /// What it may have.
        most: usize,
    },
    /// The file is not XML.
    #[error("{file} is not valid XML: {message}")]
    Xml {
        /// The file.
        file: String,
        /// Where, and what the parser says.
        message: String,
    },
    /// An item of a foreign profile that cannot be used.
    #[error("{file}, line {line}: `{item}` must be {expected}")]
    BadItem {
        /// The file.
        file: String,
        /// Where the item begins.
        line: u32,
        /// The item's name.
        item: String,
        /// What may stand there.
        expected: String,
    },
    /// No radio of that name comes with Outboard.
    #[error(
        "there is no built-in radio `{name}`: use one of {known}, or leave `profile` out and state the figures"
    )]
    NoSuchRadio {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No profile of that name comes with Outboard.
    #[error("there is no built-in device profile `{name}`: use one of {known}, or the path of a file")]
    NoSuchProfile {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
}
