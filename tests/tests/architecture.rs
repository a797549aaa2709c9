//! The rules that ARCHITECTURE.md states about crates, checked against what `cargo metadata` says and what the files say.
//!
//! Each rule is a function from what was found to sentences about what breaks it, so that it can be shown to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may depend on whom, among our own crates. Whoever has no line here may depend on anything: benches, tests and the
/// command.
const ARROWS: [(&str, &[&str]); 13] = [
    ("outboard-core", &[]),
    ("outboard-macros", &[]),
    ("outboard-problems", &["outboard-core"]),
    ("outboard-wire", &["outboard-core"]),
    ("outboard-profiler", &["outboard-core"]),
    ("outboard-solver", &["outboard-core"]),
    ("outboard-client-proxy", &["outboard-core", "outboard-profiler", "outboard-solver", "outboard-wire"]),
    ("outboard-server-proxy", &["outboard-core", "outboard-profiler", "outboard-wire"]),
    ("outboard-transport", &["outboard-core", "outboard-wire"]),
    (
        "outboard-runtime",
        &[
            "outboard-client-proxy",
            "outboard-core",
            "outboard-profiler",
            "outboard-server-proxy",
            "outboard-solver",
            "outboard-transport",
            "outboard-wire",
        ],
    ),
    (
        "outboard-sim",
        &[
            "outboard-client-proxy",
            "outboard-core",
            "outboard-profiler",
            "outboard-runtime",
            "outboard-server-proxy",
            "outboard-solver",
            "outboard-wire",
        ],
    ),
    ("outboard", &["outboard-core", "outboard-macros", "outboard-runtime"]),
    ("face-recognition", &["outboard"]),
];

/// Free to depend on anything: nothing that is shipped depends on them.
const UNBOUND: [&str; 3] = ["outboard-bench", "outboard-cli", "outboard-tests"];

/// Crates whose decisions are the same on every run: time and seeds are their arguments.
const PURE: [&str; 5] = ["core", "wire", "solver", "client-proxy", "server-proxy"];

/// What brings a clock, a socket, a thread pool or a random source along.
const IMPURE: [&str; 19] = [
    "async-std",
    "chrono",
    "crossbeam-channel",
    "fastrand",
    "getrandom",
    "hyper",
    "mio",
    "polling",
    "quinn",
    "quinn-proto",
    "quinn-udp",
    "rand",
    "rand_core",
    "rayon",
    "ring",
    "rustls",
    "smol",
    "socket2",
    "tokio",
];

/// What a pure crate's `clippy.toml` bans.
const BANNED: [&str; 8] = [
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::sleep",
    "std::thread::spawn",
    "std::thread::Builder::spawn",
    "std::env::var",
    "std::net::UdpSocket",
    "std::fs::File",
];

/// What it bans besides, except where users' own maps are encoded.
const BANNED_ORDER: [&str; 3] = [
    "std::collections::HashMap::iter",
    "std::collections::HashMap::keys",
    "std::collections::HashMap::values",
];

const LONGEST_FILE: usize = 500;

/// Packages by name, and whom they depend on.
#[derive(Debug, Default)]
struct Graph {
    /// Ours, with their folders.
    members: BTreeMap<String, PathBuf>,
    /// Who depends on whom when shipped.
    shipped: BTreeMap<String, BTreeSet<String>>,
    /// Who depends on whom in tests, benches and examples only.
    testing: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn members_of<'a>(&'a self, edges: &'a BTreeMap<String, BTreeSet<String>>, of: &str) -> Vec<&'a str> {
        let ours = |name: &&String| self.members.contains_key(*name);
        edges.get(of).into_iter().flatten().filter(ours).map(String::as_str).collect()
    }

    /// The shortest way from a package to another one that is shipped with it.
    fn way(&self, from: &str, wanted: &str) -> Option<Vec<&str>> {
        let (start, _) = self.shipped.get_key_value(from)?;
        let mut ways = std::collections::VecDeque::from([vec![start.as_str()]]);
        let mut seen = BTreeSet::from([start.as_str()]);
        while let Some(way) = ways.pop_front() {
            let last = way[way.len() - 1];
            if last == wanted {
                return Some(way);
            }
            for next in self.shipped.get(last).into_iter().flatten() {
                if seen.insert(next) {
                    ways.push_back([way.as_slice(), &[next]].concat());
                }
            }
        }
        None
    }
}

/// Arrows among our crates that DESIGN does not have.
fn wrong_arrows(graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    for member in graph.members.keys() {
        let arrows = ARROWS.iter().find(|(name, _)| name == member);
        let Some((_, allowed)) = arrows else {
            if !UNBOUND.contains(&member.as_str()) {
                wrong.push(format!("`{member}` has no line in ARROWS: say what it may depend on"));
            }
            continue;
        };
        for on in graph.members_of(&graph.shipped, member) {
            if !allowed.contains(&on) {
                wrong.push(format!("`{member}` depends on `{on}`; it may depend on {allowed:?}"));
            }
        }
        for on in graph.members_of(&graph.testing, member) {
            let proxies = ["outboard-client-proxy", "outboard-server-proxy"];
            if proxies.contains(&on) && proxies.contains(&member.as_str()) {
                wrong.push(format!(
                    "`{member}` depends on `{on}` in its tests; they meet in `outboard-tests`"
                ));
            }
        }
    }
    wrong
}

/// Clocks, sockets, threads and random sources within reach of the pure crates.
fn impurities(graph: &Graph) -> Vec<String> {
    let ways = PURE.iter().flat_map(|pure| {
        let pure = format!("outboard-{pure}");
        IMPURE.iter().filter_map(move |impure| graph.way(&pure, impure)).collect::<Vec<_>>()
    });
    ways.map(|way| way.join(" → ")).collect()
}

/// What is wrong with the start of a `lib.rs`.
fn banner_fault(name: &str, text: &str) -> Option<&'static str> {
    let banner: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let first = banner.first()?.trim();
    let is_internal = name != "outboard" && !UNBOUND.contains(&name);
    if !first.ends_with('.') || !first.starts_with(char::is_uppercase) {
        Some("its first line is no sentence on what the crate is for")
    } else if is_internal && !banner.iter().any(|line| line.contains("`outboard`")) {
        Some("its banner does not name the facade `outboard`, which is what apps use")
    } else {
        None
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// The workspace as cargo resolves it for this machine.
fn workspace() -> Graph {
    let cargo = || Command::new(env!("CARGO"));
    let version = cargo().arg("-vV").output().expect("cargo says its version");
    let version = String::from_utf8(version.stdout).expect("in UTF-8");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("and its host");
    // Without the filter it would ask for packages of platforms that this machine never downloaded.
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    read(&metadata)
}

fn read(metadata: &serde_json::Value) -> Graph {
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let members: BTreeSet<_> = list(&metadata["workspace_members"]).iter().map(text).collect();
    let mut graph = Graph::default();
    let mut names = BTreeMap::new();
    for package in list(&metadata["packages"]) {
        let (id, name) = (text(&package["id"]), text(&package["name"]));
        if members.contains(&id) {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            graph.members.insert(name.clone(), manifest.parent().expect("a folder").to_owned());
        }
        names.insert(id, name);
    }
    for node in list(&metadata["resolve"]["nodes"]) {
        let from = &names[&text(&node["id"])];
        for dependency in list(&node["deps"]) {
            let on = names[&text(&dependency["pkg"])].clone();
            let kinds = list(&dependency["dep_kinds"]);
            let testing = kinds.iter().all(|kind| kind["kind"] == "dev");
            let edges = if testing { &mut graph.testing } else { &mut graph.shipped };
            edges.entry(from.clone()).or_default().insert(on);
        }
    }
    graph
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace").flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type().expect("the kind of a file") {
            kind if kind.is_dir() && !hidden && entry.file_name() != "target" => rust_files(&path, found),
            kind if kind.is_file() && path.extension().is_some_and(|end| end == "rs") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn crates_depend_on_each_other_as_designed() {
    let graph = workspace();
    assert!(graph.members.len() > ARROWS.len(), "{:?}", graph.members);
    assert_eq!(wrong_arrows(&graph), [""; 0]);
}

#[test]
fn no_clock_socket_thread_pool_or_random_source_is_within_reach_of_a_pure_crate() {
    let graph = workspace();
    assert!(graph.way("outboard-runtime", "tokio").is_some(), "the way would be found");
    assert_eq!(impurities(&graph), [""; 0]);
}

#[test]
fn every_library_says_what_it_is_for() {
    for (name, folder) in workspace().members {
        let Ok(text) = fs::read_to_string(folder.join("src/lib.rs")) else { continue };
        assert_eq!(banner_fault(&name, &text), None, "{name}");
        assert!(text.starts_with("//!"), "{name}");
    }
}

#[test]
fn no_source_file_is_longer_than_one_can_read() {
    let mut files = Vec::new();
    rust_files(&root(), &mut files);
    assert!(files.len() > 100, "{}", files.len());
    let lines = |path: &PathBuf| fs::read_to_string(path).expect("a source file").lines().count();
    let long: Vec<_> = files.iter().filter(|path| lines(path) > LONGEST_FILE).collect();
    assert!(long.is_empty(), "split at {LONGEST_FILE} lines: {long:?}");
}

#[test]
fn every_pure_crate_has_clippy_ban_what_would_make_it_impure() {
    for pure in PURE {
        let path = root().join(pure).join("clippy.toml");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let missing = |banned: &&&str| !text.contains(&format!("{{ path = \"{banned}\", reason = "));
        assert_eq!(BANNED.iter().filter(missing).collect::<Vec<_>>(), [&""; 0], "{}", path.display());
        if pure != "wire" {
            assert_eq!(
                BANNED_ORDER.iter().filter(missing).collect::<Vec<_>>(),
                [&""; 0],
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn only_state_of_users_is_kept_in_maps_without_order() {
    let mut files = Vec::new();
    for pure in PURE {
        rust_files(&root().join(pure).join("src"), &mut files);
    }
    let is_test = |path: &Path| path.ends_with("tests.rs") || path.iter().any(|part| part == "tests");
    let of_users = root().join("wire/src/state");
    files.retain(|path| !path.starts_with(&of_users) && !is_test(path));
    for path in files {
        let text = fs::read_to_string(&path).expect("a source file");
        assert!(!text.contains("HashMap<") && !text.contains("HashSet<"), "{}", path.display());
    }
}

mod rules {
    //! The rules find what breaks them.

    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, on) in edges {
            for name in [from, on].into_iter().filter(|name| name.starts_with("outboard")) {
                graph.members.insert((*name).to_owned(), PathBuf::new());
            }
            graph.shipped.entry((*from).to_owned()).or_default().insert((*on).to_owned());
            graph.shipped.entry((*on).to_owned()).or_default();
        }
        graph
    }

    #[test]
    fn an_arrow_against_the_design_is_found() {
        assert_eq!(wrong_arrows(&graph(&[("outboard-wire", "outboard-core")])), [""; 0]);
        assert_eq!(
            wrong_arrows(&graph(&[("outboard-core", "outboard-wire")])),
            ["`outboard-core` depends on `outboard-wire`; it may depend on []"]
        );
        let proxies = graph(&[("outboard-client-proxy", "outboard-server-proxy")]);
        assert_eq!(wrong_arrows(&proxies).len(), 1);
    }

    #[test]
    fn the_proxies_may_not_meet_in_their_tests_either() {
        let mut graph =
            graph(&[("outboard-client-proxy", "outboard-core"), ("outboard-server-proxy", "outboard-core")]);
        graph
            .testing
            .insert("outboard-server-proxy".to_owned(), BTreeSet::from(["outboard-client-proxy".to_owned()]));
        assert_eq!(wrong_arrows(&graph).len(), 1);
    }

    #[test]
    fn a_crate_without_a_line_is_found() {
        let found = wrong_arrows(&graph(&[("outboard-cache", "outboard-core")]));
        assert_eq!(found, ["`outboard-cache` has no line in ARROWS: say what it may depend on"]);
    }

    #[test]
    fn an_impurity_is_found_however_far_it_is() {
        let graph = graph(&[
            ("outboard-solver", "outboard-core"),
            ("outboard-core", "petgraph"),
            ("petgraph", "rayon"),
            ("outboard-runtime", "tokio"),
        ]);
        assert_eq!(
            impurities(&graph),
            ["outboard-core → petgraph → rayon", "outboard-solver → outboard-core → petgraph → rayon"]
        );
    }

    #[test]
    fn a_banner_has_to_say_what_the_crate_is_for_and_what_apps_use() {
        let good = "//! Frames of Outboard.\n//!\n//! Apps name `outboard` only.\n\nmod frame;\n";
        assert_eq!(banner_fault("outboard-wire", good), None);
        assert!(banner_fault("outboard-wire", "//! Frames of Outboard.\nmod frame;").is_some());
        assert!(banner_fault("outboard", "//! frames").is_some());
        assert_eq!(banner_fault("outboard", "//! Code offload for Rust."), None);
    }

    #[test]
    fn metadata_tells_shipped_dependencies_from_those_of_tests() {
        let kinds = |kind: serde_json::Value| serde_json::json!([{ "kind": kind }]);
        let graph = read(&serde_json::json!({
            "workspace_members": ["1"],
            "packages": [
                { "id": "1", "name": "outboard-wire", "manifest_path": "wire/Cargo.toml" },
                { "id": "2", "name": "serde" },
                { "id": "3", "name": "proptest" },
            ],
            "resolve": { "nodes": [{ "id": "1", "deps": [
                { "pkg": "2", "dep_kinds": kinds(serde_json::Value::Null) },
                { "pkg": "3", "dep_kinds": kinds("dev".into()) },
            ] }] },
        }));
        assert_eq!(graph.shipped["outboard-wire"], BTreeSet::from(["serde".to_owned()]));
        assert_eq!(graph.testing["outboard-wire"], BTreeSet::from(["proptest".to_owned()]));
        assert_eq!(graph.members["outboard-wire"], Path::new("wire"));
    }
}
