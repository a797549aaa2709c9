use std::collections::BTreeMap;

use outboard_core::{BodyHash, MethodId};
use outboard_profiler::{MethodSnapshot, Summary};
use tempfile::TempDir;

use super::*;

fn app() -> AppIdentity {
    AppIdentity { name: "faces".into(), version: "1.0.0".into(), build: "c0ffee".into() }
}

fn keeper(folder: &TempDir) -> Keeper {
    Keeper::at(folder.path().join("deep/er/kept.toml"), "kitchen-pi".into(), Duration::from_secs(60))
}

/// What a run learned that called a method so often.
fn learned(calls: u64) -> Snapshot {
    let origin = Origin {
        app: "faces".into(),
        version: "1.0.0".into(),
        build: "c0ffee".into(),
        device: "kitchen-pi".into(),
    };
    let local = Summary { samples: calls, typical: Duration::from_millis(50), deviation: 0.1, work: None };
    let method = MethodSnapshot::new("faces::detect", BodyHash(7));
    let method = MethodSnapshot { local_calls: calls, local: Some(local), ..method };
    Snapshot {
        origin,
        methods: BTreeMap::from([(MethodId(1), method)]),
        edges: BTreeMap::from([((None, MethodId(1)), calls)]),
    }
}

fn calls(keeper: &Keeper) -> u64 {
    keeper.load(&app()).map_or(0, |(snapshot, _)| snapshot.edges.values().sum())
}

/// The names in the folder of the file.
fn files(keeper: &Keeper) -> Vec<String> {
    let entries = fs::read_dir(keeper.path.parent().expect("it has one")).expect("it is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_one_run_learned_the_next_one_knows_and_adds_to() {
    let folder = tempfile::tempdir().unwrap();
    let first = keeper(&folder);
    assert_eq!(first.load(&app()), None, "there was none before");
    first.save(learned(5));
    first.save(learned(5));
    first.save(learned(8));
    assert_eq!(calls(&first), 8, "nothing is added twice");
    let second = keeper(&folder);
    assert_eq!(second.load(&app()).map(|(_, trust)| trust), Some(Trust::Own));
    second.save(learned(4));
    assert_eq!(calls(&second), 12);
    assert_eq!(files(&second), ["kept.toml"]);
}

#[test]
fn runs_side_by_side_do_not_forget_what_the_other_saved() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (keeper(&folder), keeper(&folder));
    for round in 1..=5 {
        one.save(learned(10 * round));
        other.save(learned(100 * round));
    }
    assert_eq!(calls(&one), 550);
}

#[test]
fn runs_that_save_at_the_same_time_leave_a_sound_file() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let keeper = keeper(&folder);
                (1..=20).for_each(|calls| keeper.save(learned(calls)));
            });
        }
    });
    let keeper = keeper(&folder);
    let calls = calls(&keeper);
    assert!((1..=80).contains(&calls), "{calls}");
    assert_eq!(files(&keeper), ["kept.toml"], "nothing was set aside, and nothing is left over");
}

#[test]
fn a_damaged_file_is_set_aside_and_learned_anew() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = keeper(&folder);
    for (number, damage) in ["format = 1\n[[meth", "", "format = 1\nspoon = 2\n"].into_iter().enumerate() {
        keeper.write(damage).unwrap();
        assert_eq!(keeper.load(&app()), None);
        let aside = beside(&keeper.path, &format!("damaged-{}", number + 1));
        assert_eq!(fs::read_to_string(aside).unwrap(), damage);
        assert!(!keeper.path.exists());
    }
    fs::write(&keeper.path, [0xff, 0xfe]).unwrap();
    keeper.save(learned(3));
    assert_eq!(calls(&keeper), 3);
    assert_eq!(files(&keeper).len(), 5);
}

#[test]
fn a_file_of_another_version_is_kept_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = keeper(&folder);
    let foreign = "format = 7\nsomething = \"else\"\n";
    keeper.write(foreign).unwrap();
    assert_eq!(keeper.load(&app()), None);
    keeper.save(learned(3));
    assert_eq!(files(&keeper), ["kept.toml", "kept.toml.version-7-1"]);
    assert_eq!(fs::read_to_string(beside(&keeper.path, "version-7-1")).unwrap(), foreign);
}

#[test]
fn a_file_of_another_build_is_trusted_weakly_and_one_of_another_app_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = keeper(&folder);
    keeper.save(learned(3));
    let newer = AppIdentity { version: "1.0.1".into(), ..app() };
    assert_eq!(keeper.load(&newer).map(|(_, trust)| trust), Some(Trust::Weak));
    let other = AppIdentity { name: "chess".into(), ..app() };
    assert_eq!(keeper.load(&other), None);
    let before = fs::read_to_string(&keeper.path).unwrap();
    let mut others = learned(9);
    others.origin.app = "chess".into();
    Keeper::at(keeper.path.clone(), "kitchen-pi".into(), keeper.interval).save(others);
    assert_eq!(fs::read_to_string(&keeper.path).unwrap(), before);
}

#[test]
fn a_place_that_cannot_be_written_loses_nothing_of_what_was_learned() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("deep");
    fs::write(&in_the_way, "a file where a folder should be").unwrap();
    let keeper = keeper(&folder);
    keeper.save(learned(3));
    assert!(keeper.told.load(Ordering::Relaxed));
    fs::remove_file(&in_the_way).unwrap();
    keeper.save(learned(4));
    assert_eq!(calls(&keeper), 4, "what could not be saved before is in it");
    assert!(!keeper.told.load(Ordering::Relaxed), "the next failure is told again");
}

#[test]
fn each_build_and_device_has_its_own_file() {
    assert_eq!(name(&app(), "kitchen-pi"), "1.0.0+c0ffee@kitchen-pi.toml");
    let odd = AppIdentity { version: "../1".into(), build: String::new(), ..app() };
    assert_eq!(name(&odd, "a/b c"), ".._1@a_b_c.toml");
}
