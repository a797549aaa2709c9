//! What one run learned, kept in a file for the next.
//!
//! The engine says what it learned, the profiler how that is written; here are the file and everything that may be wrong
//! with it. Nothing about it ever stops an app: what cannot be read is reported and set aside, what cannot be written is
//! reported once.
//!
//! A file is replaced whole, by renaming, after what is new was merged into what is there. Runs of an app that end at
//! the same moment do not wait for each other: between reading and renaming the last one wins, and what the other learned
//! since its own last save is lost. Nothing else is.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use outboard_profiler::{Origin, Snapshot, SnapshotError, Trust};
use outboard_wire::frame::AppIdentity;

use crate::config::Keep;

/// A profile's file.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    device: String,
    interval: Duration,
    /// What this run has saved already: only what came since is merged into the file.
    saved: Mutex<Snapshot>,
    /// Whether a failure to write was told.
    told: AtomicBool,
}

/// Files that are set aside under one name.
const MOST_ASIDE: u32 = 1_000;

impl Keeper {
    /// The file of this app on this device; `None` where none is kept.
    pub(crate) fn new(keep: &Keep, interval: Duration, app: &AppIdentity) -> Option<Self> {
        let device = sysinfo::System::host_name().unwrap_or_else(|| "device".to_owned());
        let path = match keep {
            Keep::Off => return None,
            Keep::File(path) => path.clone(),
            Keep::In(folder) => folder.join("profiles").join(name(app, &device)),
        };
        Some(Self::at(path, device, interval))
    }

    fn at(path: PathBuf, device: String, interval: Duration) -> Self {
        let saved = Mutex::new(Snapshot::default());
        Self { path, device, interval, saved, told: AtomicBool::new(false) }
    }

    /// The device's name.
    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    /// How often what is new is saved.
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    /// What earlier runs learned, and how far it can be trusted.
    pub(crate) fn load(&self, app: &AppIdentity) -> Option<(Snapshot, Trust)> {
        let snapshot = self.read()?;
        let Origin { app: name, version, build, device } = &snapshot.origin;
        if *name != app.name {
            tracing::warn!(
                path = %self.path.display(), of = name,
                "the profile is of another app and is not used: name another file in `profile`"
            );
            return None;
        }
        let own = *version == app.version && *build == app.build && *device == self.device;
        tracing::debug!(path = %self.path.display(), methods = snapshot.methods.len(), own, "profile loaded");
        Some((snapshot, if own { Trust::Own } else { Trust::Weak }))
    }

    /// Merges what this run has learned by now into the file.
    pub(crate) fn save(&self, now: Snapshot) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let new = now.since(&saved);
        if new.is_empty() {
            return;
        }
        let mut kept = self.read().unwrap_or_default();
        if !kept.is_empty() && kept.origin.app != now.origin.app {
            // Told at the start. The file is somebody else's.
            return;
        }
        kept.forget_changed(&now);
        let mut merged = kept.merge(new);
        merged.origin = now.origin.clone();
        match self.write(&merged.to_text()) {
            Ok(()) => {
                tracing::debug!(path = %self.path.display(), methods = merged.methods.len(), "profile saved");
                *saved = now;
                self.told.store(false, Ordering::Relaxed);
            }
            Err(error) if !self.told.swap(true, Ordering::Relaxed) => {
                tracing::warn!(
                    path = %self.path.display(), %error,
                    "the profile cannot be saved, and the next run learns anew: make its folder writable, or set \
                     OUTBOARD_PROFILE to another file, or to `off`"
                );
            }
            Err(error) => tracing::debug!(%error, "the profile still cannot be saved"),
        }
    }

    /// The file, if it is there and sound; one that is not is set aside.
    fn read(&self) -> Option<Snapshot> {
        let name = self.path.display().to_string();
        let aside = match bounded(&self.path) {
            Ok(None) => return None,
            Ok(Some(text)) => match Snapshot::parse(&name, &text) {
                Ok(snapshot) => return Some(snapshot),
                Err(error @ SnapshotError::Foreign { found, .. }) => {
                    (format!("version-{found}"), error.to_string())
                }
                Err(error) => ("damaged".to_owned(), error.to_string()),
            },
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                ("damaged".to_owned(), error.to_string())
            }
            Err(error) => {
                tracing::warn!(path = name, %error, "the profile cannot be read: make it readable, or remove it");
                return None;
            }
        };
        let (kind, error) = aside;
        match set_aside(&self.path, &kind) {
            Ok(to) => tracing::warn!(
                path = name, to = %to.display(), error,
                "the profile cannot be used and was set aside; what it knew is learned anew"
            ),
            Err(failed) => tracing::warn!(
                path = name, error, %failed,
                "the profile can neither be used nor set aside: remove it"
            ),
        }
        None
    }

    fn write(&self, text: &str) -> io::Result<()> {
        if text.len() > Snapshot::MOST_BYTES {
            return Err(io::Error::other("it has more methods than a profile may have"));
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        // In the same folder, since only there can it be renamed; under a name that no other process or thread has.
        let new = beside(&self.path, &format!("new-{}-{number}", std::process::id()));
        let written = write_whole(&new, text).and_then(|()| fs::rename(&new, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written?;
        // The renaming itself has to reach the disk too; where folders cannot be synchronised it does so in its own time.
        let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// A file's text; `None` if there is none.
fn bounded(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    // One byte more than it may have shows that it has too many.
    file.take(Snapshot::MOST_BYTES as u64 + 1).read_to_string(&mut text)?;
    Ok(Some(text))
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Renames a file, never over another one.
fn set_aside(path: &Path, kind: &str) -> io::Result<PathBuf> {
    let places = (1..=MOST_ASIDE).map(|number| beside(path, &format!("{kind}-{number}")));
    for place in places {
        // Taken by creating it: another process may set the same file aside at the same moment.
        match File::options().write(true).create_new(true).open(&place) {
            Ok(_) => {
                let renamed = fs::rename(path, &place);
                if renamed.is_err() {
                    let _ = fs::remove_file(&place);
                }
                return renamed.map(|()| place);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many were set aside already"))
}

/// A path with something after its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// One file for each build and device.
fn name(app: &AppIdentity, device: &str) -> String {
    let build = if app.build.is_empty() { String::new() } else { format!("+{}", plain(&app.build)) };
    format!("{}{build}@{}.toml", plain(&app.version), plain(device))
}

/// A part of a file name: nothing that a file system or a shell minds, and not too long.
fn plain(text: &str) -> String {
    let sound = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '+');
    text.chars().take(60).map(|letter| if sound(letter) { letter } else { '_' }).collect()
}
