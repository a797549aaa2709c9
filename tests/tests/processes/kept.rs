//! What a run of an app leaves to the next one, whatever has become of the file in between.

use std::path::{Path, PathBuf};

use outboard_profiler::Snapshot;
use outboard_tests::process::{DeviceProcess, Signal};
use tempfile::TempDir;

use crate::APP;

/// A home of which several runs keep their state.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    /// A run of the app, on its own.
    fn run(&self) -> DeviceProcess {
        self.run_with(&[])
    }

    fn run_with(&self, variables: &[(&str, &str)]) -> DeviceProcess {
        DeviceProcess::start(APP, |command| {
            command.env("XDG_STATE_HOME", self.0.path()).envs(variables.iter().copied());
        })
    }

    /// The folder where profiles are; named after the app, which is that of the test's package.
    fn folder(&self) -> PathBuf {
        self.0.path().join("outboard/outboard-tests/profiles")
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.folder()) else { return Vec::new() };
        let mut files: Vec<_> = entries.map(|entry| entry.expect("it is readable").path()).collect();
        files.sort();
        files
    }

    /// The one profile that is there.
    fn file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    /// How many runs of `add` all runs of the app together have seen.
    fn adds(&self) -> u64 {
        adds(&self.file())
    }
}

fn adds(file: &Path) -> u64 {
    let text = std::fs::read_to_string(file).expect("it is there");
    let snapshot = Snapshot::parse("the profile", &text).expect("it is sound");
    let add = snapshot.methods.values().find(|method| method.name == "add");
    add.map_or(0, |method| method.local_calls)
}

fn call(device: &mut DeviceProcess, times: usize) {
    for _ in 0..times {
        assert_eq!(device.call_here("add 2 3"), "5");
    }
}

#[test]
fn the_second_run_knows_what_the_first_one_learned() {
    let home = Home::new();
    let mut first = home.run();
    call(&mut first, 3);
    let log = first.end();
    assert!(!log.iter().any(|line| line.contains("profile loaded")), "{log:?}");
    assert_eq!(home.adds(), 3);
    let mut second = home.run();
    second.logs("profile loaded");
    call(&mut second, 4);
    drop(second.end());
    assert_eq!(home.adds(), 7);
}

#[test]
fn runs_side_by_side_add_up() {
    let home = Home::new();
    let mut runs = [home.run(), home.run(), home.run()];
    runs.iter_mut().for_each(|run| call(run, 5));
    runs.into_iter().for_each(|run| drop(run.end()));
    assert_eq!(home.adds(), 15);
}

#[test]
fn a_run_that_is_killed_leaves_what_it_saved_by_then() {
    let home = Home::new();
    let mut device = home.run_with(&[("OUTBOARD_PROFILE_INTERVAL", "1")]);
    // Long enough that its thread tells of it at once.
    assert_eq!(device.call("churn 50000000").process, device.id());
    device.logs("profile saved");
    device.signal(Signal::KILL);
    let (status, _) = device.ended();
    assert!(!status.success());
    let text = std::fs::read_to_string(home.file()).expect("it is there");
    let kept = Snapshot::parse("the profile", &text).expect("it is sound");
    assert!(kept.methods.values().any(|method| method.name == "churn" && method.local_calls == 1), "{text}");
}

#[test]
fn a_damaged_profile_is_told_of_and_set_aside_and_the_app_runs() {
    let home = Home::new();
    let mut first = home.run();
    call(&mut first, 3);
    drop(first.end());
    let file = home.file();
    let text = std::fs::read_to_string(&file).expect("it is there");
    let half = &text[..text.len() / 2];
    std::fs::write(&file, half).expect("it is ours");
    let mut second = home.run();
    second.logs("the profile cannot be used and was set aside");
    call(&mut second, 2);
    drop(second.end());
    let files = home.files();
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(adds(&file), 2, "learned anew");
    let aside =
        files.iter().find(|path| path.to_string_lossy().ends_with(".toml.damaged-1")).expect("set aside");
    assert_eq!(std::fs::read_to_string(aside).expect("it is there"), half);
}

#[test]
fn a_profile_of_another_version_is_kept_for_that_version() {
    let home = Home::new();
    drop({
        let mut first = home.run();
        call(&mut first, 3);
        first.end()
    });
    let file = home.file();
    std::fs::write(&file, "format = 99\n").expect("it is ours");
    let mut second = home.run();
    let told = second.logs("was set aside");
    assert!(told.contains("has format 99, and this program reads format 1"), "{told}");
    call(&mut second, 1);
    drop(second.end());
    assert!(home.files().iter().any(|path| path.to_string_lossy().ends_with(".toml.version-99-1")));
}

#[test]
fn a_state_folder_that_cannot_be_written_is_told_of_and_the_app_runs() {
    let home = Home::new();
    let in_the_way = home.0.path().join("outboard");
    std::fs::write(&in_the_way, "a file where a folder should be").expect("it is ours");
    let mut device = home.run();
    call(&mut device, 3);
    let log = device.end();
    assert!(log.iter().any(|line| line.contains("the profile cannot be saved")), "{log:?}");
}

#[test]
fn a_profile_is_kept_where_it_is_said_or_nowhere() {
    let home = Home::new();
    let mut off = home.run_with(&[("OUTBOARD_PROFILE", "off")]);
    call(&mut off, 3);
    drop(off.end());
    assert_eq!(home.files(), Vec::<PathBuf>::new());
    let file = home.0.path().join("elsewhere.toml");
    let mut elsewhere = home.run_with(&[("OUTBOARD_PROFILE", &file.to_string_lossy())]);
    call(&mut elsewhere, 3);
    drop(elsewhere.end());
    assert_eq!(adds(&file), 3);
    assert_eq!(home.files(), Vec::<PathBuf>::new());
}
