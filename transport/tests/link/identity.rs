//! The identity's files: made once, kept, private, and never guessed at.

use std::fs;
use std::path::Path;
use std::sync::Barrier;

use outboard_transport::{Identity, IdentityError};

fn loaded(directory: &Path) -> Identity {
    Identity::load_or_create(directory).unwrap()
}

fn refused(directory: &Path) -> IdentityError {
    Identity::load_or_create(directory).unwrap_err()
}

/// Replaces a file's text and keeps its permissions.
fn overwrite(path: &Path, text: &str) {
    assert!(path.exists());
    fs::write(path, text).unwrap();
}

#[test]
fn key_and_token_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let nested = directory.path().join("state/outboard");
    let (first, second) = (loaded(&nested), loaded(&nested));
    assert_eq!(first.key(), second.key());
    assert_eq!(first.token(), second.token());
    let elsewhere = loaded(&directory.path().join("elsewhere"));
    assert_ne!(first.key(), elsewhere.key());
    assert_ne!(first.token(), elsewhere.token());
}

#[test]
fn a_removed_token_is_replaced_and_the_key_stays() {
    let directory = tempfile::tempdir().unwrap();
    let first = loaded(directory.path());
    fs::remove_file(directory.path().join("access-token")).unwrap();
    let second = loaded(directory.path());
    assert_eq!(first.key(), second.key());
    assert_ne!(first.token(), second.token());
}

#[test]
fn servers_that_start_together_agree() {
    let directory = tempfile::tempdir().unwrap();
    let start = Barrier::new(8);
    let identities: Vec<_> = std::thread::scope(|scope| {
        let start = || {
            start.wait();
            loaded(directory.path())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for identity in &identities {
        assert_eq!(identity.key(), identities[0].key());
        assert_eq!(identity.token(), identities[0].token());
    }
}

#[test]
fn a_file_left_half_written_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("server-key.unfinished"), "-----BEGIN").unwrap();
    let first = loaded(directory.path());
    assert_eq!(first.key(), loaded(directory.path()).key());
}

#[test]
fn a_damaged_file_is_named_and_left_alone() {
    for (file, text) in [
        ("server-key.pem", ""),
        ("server-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ("access-token", ""),
        ("access-token", "too-short"),
        ("access-token", "not base64url at all!!"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        loaded(directory.path());
        let path = directory.path().join(file);
        overwrite(&path, text);
        let error = refused(directory.path());
        assert!(matches!(&error, IdentityError::Damaged { path: named, .. } if *named == path), "{error}");
        assert!(error.to_string().contains("move it away"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_huge_file_is_not_read_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    loaded(directory.path());
    let path = directory.path().join("access-token");
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(matches!(refused(directory.path()), IdentityError::Damaged { .. }));
}

#[test]
fn something_else_in_the_place_of_the_directory_or_a_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = refused(&file.join("identity"));
    assert!(error.to_string().contains("file"), "{error}");

    let taken = directory.path().join("taken");
    fs::create_dir_all(taken.join("access-token")).unwrap();
    assert!(matches!(refused(&taken), IdentityError::Unreadable { .. } | IdentityError::Exposed { .. }));
}

#[cfg(unix)]
mod modes {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_directory_are_for_their_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("identity");
        loaded(&directory);
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join("server-key.pem")), 0o600);
        assert_eq!(mode(&directory.join("access-token")), 0o600);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        loaded(directory.path());
        let path = directory.path().join("server-key.pem");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = refused(directory.path());
        assert!(
            matches!(&error, IdentityError::Exposed { path: named, mode: 0o640 } if *named == path),
            "{error}"
        );
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}
