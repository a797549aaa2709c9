//! The identity's two files.
//!
//! A file appears whole or not at all: it is written under another name, flushed, and renamed. A lock lets only one
//! process make files at a time; reading what is there needs no lock and no right to write.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rcgen::KeyPair;

use super::{IdentityError, new_key, private};
use crate::credential::AccessToken;

const KEY: &str = "server-key.pem";
const TOKEN: &str = "access-token";
const LOCK: &str = "lock";
/// More than any key or token needs; a larger file is not read to its end.
const LARGEST_FILE: u64 = 16 << 10;

/// One file: how its text is read, made and printed.
struct Kept<T> {
    path: PathBuf,
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
    make: fn() -> Result<T, IdentityError>,
    print: fn(&T) -> String,
}

pub(super) fn load_or_create(directory: &Path) -> Result<(KeyPair, AccessToken), IdentityError> {
    let key = Kept {
        path: directory.join(KEY),
        expected: "a private key in PEM",
        parse: |text| KeyPair::from_pem(text).ok(),
        make: new_key,
        print: KeyPair::serialize_pem,
    };
    let token = Kept {
        path: directory.join(TOKEN),
        expected: "an access token (22 letters, digits, `-` and `_`)",
        parse: |text| text.trim().parse().ok(),
        make: || Ok(AccessToken::generate()?),
        print: |token| token.reveal() + "\n",
    };
    if let (Some(key), Some(token)) = (key.load()?, token.load()?) {
        return Ok((key, token));
    }
    private::create_directory(directory)
        .map_err(|source| IdentityError::Directory { path: directory.to_owned(), source })?;
    let lock = directory.join(LOCK);
    let lock = take_lock(&lock).map_err(|source| IdentityError::Unwritable { path: lock, source })?;
    let made = (key.load_or_make()?, token.load_or_make()?);
    drop(lock);
    Ok(made)
}

impl<T> Kept<T> {
    fn load(&self) -> Result<Option<T>, IdentityError> {
        let unreadable = |source| IdentityError::Unreadable { path: self.path.clone(), source };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        if let Some(mode) = private::exposure(&file.metadata().map_err(unreadable)?) {
            return Err(IdentityError::Exposed { path: self.path.clone(), mode });
        }
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
        let value = std::str::from_utf8(&bytes).ok().and_then(self.parse);
        let damaged = || IdentityError::Damaged { path: self.path.clone(), expected: self.expected };
        value.map(Some).ok_or_else(damaged)
    }

    /// Only under the lock.
    fn load_or_make(&self) -> Result<T, IdentityError> {
        if let Some(value) = self.load()? {
            return Ok(value);
        }
        let value = (self.make)()?;
        write(&self.path, &(self.print)(&value))
            .map_err(|source| IdentityError::Unwritable { path: self.path.clone(), source })?;
        Ok(value)
    }
}

fn take_lock(path: &Path) -> io::Result<File> {
    let file = private::options().create(true).truncate(false).open(path)?;
    file.lock()?;
    Ok(file)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    // Left over when a process died in the middle; opened anew, so that its permissions are ours.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private::options().create_new(true).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}
