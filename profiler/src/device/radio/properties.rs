//! Files of lines `KEY=VALUE`, as the importers read them.

use std::time::Duration;

use outboard_core::Power;
use thiserror::Error;

use super::Phase;
use crate::device::{Figure, FigureQuality};

/// A file that was read: its name, for errors, and what it says.
#[derive(Clone, Copy, Debug)]
pub struct RadioFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What is wrong with the file of a radio that was to be imported.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RadioImportError {
    /// It is longer than such files are.
    #[error("{file} has more than {limit} bytes: this is not the file of a radio")]
    TooLong {
        /// The file.
        file: String,
        /// The most that is read.
        limit: usize,
    },
    /// A line that is neither empty, nor a comment, nor `KEY=VALUE`.
    #[error("{file}, line {line}: write `KEY=VALUE`, or begin a comment with `#`")]
    NoPair {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A key that has to be there.
    #[error("{file}: `{key}` is missing: add it")]
    Missing {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
    },
    /// A value that cannot be used.
    #[error("{file}, line {line}: `{key}` must be {expected}")]
    BadValue {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: &'static str,
        /// What may stand there.
        expected: &'static str,
    },
}

/// The files that were seen have three kilobytes.
const LONGEST: usize = 64 << 10;

/// The pairs of a file. Where a key stands twice, the last one counts, as in the programs that these files are of.
pub(super) struct Properties<'a> {
    file: &'a str,
    /// What figures are said to be of: the program and the file.
    source: String,
    pairs: Vec<(usize, &'a str, &'a str)>,
}

impl<'a> Properties<'a> {
    pub(super) fn read(program: &str, file: RadioFile<'a>) -> Result<Self, RadioImportError> {
        let RadioFile { name, text } = file;
        if text.len() > LONGEST {
            return Err(RadioImportError::TooLong { file: name.to_owned(), limit: LONGEST });
        }
        let mut pairs = Vec::new();
        for (line, content) in text.lines().enumerate() {
            let content = content.trim();
            if content.is_empty() || content.starts_with(['#', '!']) {
                continue;
            }
            let Some((key, value)) = content.split_once('=') else {
                return Err(RadioImportError::NoPair { file: name.to_owned(), line: line + 1 });
            };
            pairs.push((line + 1, key.trim(), value.trim()));
        }
        Ok(Self { file: name, source: format!("{program}, {name}"), pairs })
    }

    pub(super) fn text(&self, key: &'static str) -> Option<&'a str> {
        self.find(key).map(|(_, value)| value)
    }

    /// The error for a key whose value is not one of those that are known.
    pub(super) fn bad(&self, key: &'static str, expected: &'static str) -> RadioImportError {
        match self.find(key) {
            Some((line, _)) => RadioImportError::BadValue { file: self.file.to_owned(), line, key, expected },
            None => RadioImportError::Missing { file: self.file.to_owned(), key },
        }
    }

    pub(super) fn number(&self, key: &'static str) -> Result<f64, RadioImportError> {
        let expected = "a number from 0 to 1000000";
        let (_, value) = self.find(key).ok_or_else(|| self.bad(key, expected))?;
        let number = value.parse().ok().filter(|number| (0.0..=1e6).contains(number));
        number.ok_or_else(|| self.bad(key, expected))
    }

    /// A number that something is divided by.
    pub(super) fn divisor(&self, key: &'static str) -> Result<f64, RadioImportError> {
        let number = self.number(key)?;
        if number >= 1e-6 { Ok(number) } else { Err(self.bad(key, "a number from 0.000001 to 1000000")) }
    }

    /// A figure with its keys as its source: somebody else's device, so modelled.
    pub(super) fn figure<T>(&self, value: T, keys: &str) -> Figure<T> {
        Figure { value, quality: FigureQuality::Modelled, source: format!("{}: {keys}", self.source) }
    }

    pub(super) fn power(&self, key: &'static str) -> Result<Figure<Power>, RadioImportError> {
        Ok(self.figure(Power::from_watts_f64(self.number(key)?), key))
    }

    fn find(&self, key: &'static str) -> Option<(usize, &'a str)> {
        let found = self.pairs.iter().rev().find(|(_, known, _)| *known == key);
        found.map(|(line, _, value)| (*line, *value))
    }
}

/// That many seconds at that many watts.
pub(super) fn phase(seconds: f64, watts: f64) -> Phase {
    Phase { time: Duration::from_secs_f64(seconds), power: Power::from_watts_f64(watts) }
}
