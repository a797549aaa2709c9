//! Recorded and generated networks, by family, for experiments that replay them.
//!
//! The recordings are not ours: they are where `OUTBOARD_TRACES` says, by default beside the project.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outboard_sim::{Direction, LinkTrace, Missing, Preset, RoundTrip};

use crate::failure::Failure;

const VARIABLE: &str = "OUTBOARD_TRACES";
const BESIDE_THE_PROJECT: &str = "../shared/traces";
/// The resolution of Mahimahi's format: nothing is added up.
const OPPORTUNITY: Duration = Duration::from_millis(1);

/// Networks of one kind.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) traces: Vec<NamedTrace>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct NamedTrace {
    /// Its file's name, or its preset's and seed.
    pub(crate) name: String,
    pub(crate) trace: LinkTrace,
    /// What stands in for what it does not say.
    pub(crate) missing: Missing,
}

/// A kind of recording: its files, how they are read, and the round trip of those that have none.
struct Kind {
    family: &'static str,
    folder: &'static str,
    is_one: fn(&str) -> bool,
    read: fn(&str, &str) -> Result<LinkTrace, outboard_sim::TraceError>,
    round_trip: RoundTrip,
}

/// 3G, as MAUI had it (§6.1).
const THREE_G: RoundTrip = RoundTrip::Fixed(Duration::from_millis(220));
/// The middle of the 53–76 ms that calls took back to back on recorded cellular links.
const CELLULAR: RoundTrip = RoundTrip::Fixed(Duration::from_millis(65));
/// The median that SpaceX reported in March 2024.
const SATELLITE: RoundTrip = RoundTrip::Fixed(Duration::from_millis(33));

const KINDS: [Kind; 7] = [
    Kind {
        family: "lte",
        folder: "mahimahi",
        is_one: |name| name.contains("LTE") && is_mahimahi(name),
        read: mahimahi,
        round_trip: CELLULAR,
    },
    Kind {
        family: "evdo",
        folder: "mahimahi",
        is_one: |name| !name.contains("LTE") && is_mahimahi(name),
        read: mahimahi,
        round_trip: THREE_G,
    },
    Kind {
        family: "hsdpa",
        folder: "merina",
        is_one: |name| name.starts_with("norway_"),
        read: seconds,
        round_trip: THREE_G,
    },
    Kind {
        family: "fcc",
        folder: "merina",
        is_one: |name| name.starts_with("fcc_"),
        read: seconds,
        round_trip: CELLULAR,
    },
    Kind {
        family: "oboe",
        folder: "merina",
        is_one: |name| name.starts_with("oboe_"),
        read: seconds,
        round_trip: CELLULAR,
    },
    Kind {
        family: "5g",
        folder: "5g-ireland",
        is_one: |name| name.ends_with(".csv"),
        // Its uplink carried little more than acknowledgements: what it could have carried is not known.
        read: |name, text| Ok(LinkTrace::from_g_net_track(name, text)?.without(Direction::Up)),
        round_trip: CELLULAR,
    },
    Kind {
        family: "starlink",
        folder: "starlink",
        is_one: |name| name.ends_with(".csv"),
        read: LinkTrace::from_starlink,
        round_trip: SATELLITE,
    },
];

/// Where recordings are looked for.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os(VARIABLE).map_or_else(|| PathBuf::from(BESIDE_THE_PROJECT), PathBuf::from)
}

/// The recordings of a folder, each family in the order of its file names. Families without files are left out.
///
/// Fails if there are none at all, or one cannot be read.
pub(crate) fn recorded(folder: &Path) -> Result<Vec<Family>, Failure> {
    let mut families = Vec::new();
    for kind in &KINDS {
        let mut traces = Vec::new();
        for path in files(&folder.join("network").join(kind.folder), kind.is_one)? {
            let name = file_name(&path);
            let text = fs::read_to_string(&path).map_err(|source| Failure::Read { path, source })?;
            let trace = (kind.read)(&name, &text)?;
            let missing = Missing::default().round_trip(kind.round_trip);
            traces.push(NamedTrace { name, trace, missing });
        }
        if !traces.is_empty() {
            families.push(Family { name: kind.family, traces });
        }
    }
    if families.is_empty() {
        return Err(Failure::NoTraces { folder: folder.to_owned() });
    }
    Ok(families)
}

/// Generated ones: for each preset a trace of that length for each seed.
pub(crate) fn generated(seeds: std::ops::Range<u64>, duration: Duration) -> Vec<Family> {
    let family = |preset: Preset| {
        let named = |seed| NamedTrace {
            name: format!("{}-{seed}", preset.name()),
            trace: preset.trace(seed, duration),
            missing: Missing::default(),
        };
        Family { name: preset.name(), traces: seeds.clone().map(named).collect() }
    };
    Preset::ALL.into_iter().map(family).collect()
}

fn is_mahimahi(name: &str) -> bool {
    name.ends_with(".down") || name.ends_with(".up")
}

fn mahimahi(name: &str, text: &str) -> Result<LinkTrace, outboard_sim::TraceError> {
    let direction = if name.ends_with(".up") { Direction::Up } else { Direction::Down };
    LinkTrace::from_mahimahi(name, text, direction, OPPORTUNITY)
}

fn seconds(name: &str, text: &str) -> Result<LinkTrace, outboard_sim::TraceError> {
    LinkTrace::from_seconds(name, text, Direction::Down)
}

/// The files of a folder that pass, in order; none where there is no folder.
fn files(folder: &Path, passes: fn(&str) -> bool) -> Result<Vec<PathBuf>, Failure> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |source| Failure::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && passes(&file_name(&path)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use outboard_core::{ByteCount, Timestamp};
    use outboard_sim::Link;

    use super::*;

    /// One message of 100 kB each way on every trace.
    fn carries(families: &[Family]) {
        for NamedTrace { name, trace, missing } in families.iter().flat_map(|family| &family.traces) {
            let mut link =
                Link::recorded(trace, missing, 1).unwrap_or_else(|error| panic!("{name}: {error}"));
            for direction in [Direction::Up, Direction::Down] {
                let arrives = link.send(Timestamp::ZERO, direction, ByteCount::from_bytes(100_000));
                let arrives = arrives.unwrap_or_else(|| panic!("{name} never carries 100 kB {direction:?}"));
                assert!(arrives < Timestamp::ZERO + Duration::from_secs(120), "{name}: {arrives}");
            }
        }
    }

    #[test]
    fn every_shared_recording_can_be_replayed() {
        // Tests run in their crate's folder, everything else in the project's.
        let folder = Path::new("..").join(folder());
        match recorded(&folder) {
            Err(Failure::NoTraces { folder }) => {
                let _ = writeln!(std::io::stderr(), "skipped: no recordings in {}", folder.display());
            }
            families => carries(&families.expect("the recordings are readable")),
        }
    }

    #[test]
    fn generated_families_stand_in_for_recordings() {
        let families = generated(0..2, Duration::from_secs(600));
        assert_eq!(families.len(), Preset::ALL.len());
        carries(&families);
    }

    #[test]
    fn files_are_told_apart_by_folder_and_name() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join("network").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("mahimahi/X-LTE-short.up", "1\n2\n");
        write("mahimahi/X-EVDO.down", "1\n2\n");
        write("mahimahi/README", "not a trace\n");
        write("merina/norway_b", "0 1\n1 1\n");
        write("merina/norway_a", "0 1\n1 1\n");
        write("merina/LICENSE", "not a trace\n");
        let families = recorded(folder.path()).unwrap();
        let names: Vec<_> = families
            .iter()
            .map(|family| {
                (family.name, family.traces.iter().map(|trace| trace.name.as_str()).collect::<Vec<_>>())
            })
            .collect();
        let expected = [
            ("lte", vec!["X-LTE-short.up"]),
            ("evdo", vec!["X-EVDO.down"]),
            ("hsdpa", vec!["norway_a", "norway_b"]),
        ];
        assert_eq!(names, expected);
        assert!(families[0].traces[0].trace.steps()[0].up.is_some(), "`.up` is the way up");

        write("merina/norway_c", "0 1\nx 1\n");
        let error = recorded(folder.path()).unwrap_err().to_string();
        assert!(error.contains("norway_c, line 2"), "{error}");
    }

    #[test]
    fn a_folder_without_recordings_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = recorded(folder.path()).unwrap_err().to_string();
        assert!(error.contains("set OUTBOARD_TRACES"), "{error}");
    }
}
