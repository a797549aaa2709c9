//! Files that are read whole, and where results go.

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::Path;

use crate::failure::Failure;

/// What a file is meant to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// In bytes, far above any of its kind: what is longer is something else.
    pub(crate) most: u64,
}

/// Reads a text file.
pub(crate) fn read(path: &Path, kind: Kind) -> Result<String, Failure> {
    let file = File::open(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    read_from(file, path, kind)
}

/// Reads a text from what is open as that file.
pub(crate) fn read_from(source: impl Read, path: &Path, kind: Kind) -> Result<String, Failure> {
    let mut text = String::new();
    let read = source.take(kind.most + 1).read_to_string(&mut text);
    let read = read.map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    if read as u64 > kind.most {
        return Err(Failure::TooLong { path: path.to_owned(), kind });
    }
    Ok(text)
}

/// Writes to a file, or to standard output.
pub(crate) fn write(text: &str, output: Option<&Path>) -> Result<(), Failure> {
    match output {
        None => Ok(std::io::stdout().write_all(text.as_bytes())?),
        Some(path) => {
            std::fs::write(path, text).map_err(|source| Failure::Write { path: path.to_owned(), source })
        }
    }
}
