//! Small files of the system, read up to a bound.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::MeterError;

/// The kernel writes at most a page into such a file; ours have a number or a word.
const MOST_BYTES: u64 = 256;
/// More devices of a class than any machine has.
const MOST_ENTRIES: usize = 1_024;

/// The folders of a class, by name.
pub(super) fn folders(class: &Path) -> Result<Vec<PathBuf>, MeterError> {
    let entries = std::fs::read_dir(class).map_err(|error| match error.kind() {
        ErrorKind::NotFound => MeterError::Absent { place: class.to_owned() },
        _ => failure(class, &error),
    })?;
    let mut folders: Vec<_> = entries.take(MOST_ENTRIES).flatten().map(|entry| entry.path()).collect();
    folders.sort();
    Ok(folders)
}

/// A word or a line, without the white space around it.
pub(super) fn text(path: &Path) -> Result<String, MeterError> {
    #[expect(clippy::disallowed_types, reason = "an adapter of the system, behind the port `PowerMeter`")]
    let file = std::fs::File::open(path).map_err(|error| failure(path, &error))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| failure(path, &error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(_) => Err(MeterError::BadContent { path: path.to_owned(), expected: "text" }),
    }
}

/// A number that has a sign.
pub(super) fn number(path: &Path) -> Result<i64, MeterError> {
    let number = text(path)?.parse();
    number.map_err(|_| MeterError::BadContent { path: path.to_owned(), expected: "a whole number" })
}

/// A number that counts something.
pub(super) fn count(path: &Path) -> Result<u64, MeterError> {
    let number = text(path)?.parse();
    number.map_err(|_| MeterError::BadContent { path: path.to_owned(), expected: "a number from zero" })
}

fn failure(path: &Path, error: &std::io::Error) -> MeterError {
    match error.kind() {
        ErrorKind::PermissionDenied => MeterError::NotPermitted { path: path.to_owned() },
        _ => MeterError::Unreadable { path: path.to_owned(), reason: error.to_string() },
    }
}
