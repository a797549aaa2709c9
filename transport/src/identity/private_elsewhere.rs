//! Where there are no mode bits, files are as private as the directory that the user chose.

use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io;
use std::path::Path;

pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

pub(super) fn exposure(_metadata: &Metadata) -> Option<u32> {
    None
}
