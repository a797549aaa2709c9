//! The program as its user meets it: arguments, files, exit codes, and the demo with all its processes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_face-recognition"));
    // What the user of the tests has configured is not what they test.
    for name in ["OUTBOARD_SERVER", "OUTBOARD_CONFIG", "OUTBOARD_OBJECTIVE", "OUTBOARD_LOG"] {
        command.env_remove(name);
    }
    command.args(arguments).output().expect("the program was built for this test")
}

fn photo(name: &str) -> String {
    format!("{}/../../assets/photos/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The program's message, when it ends with the code for "change what you gave".
fn refused(arguments: &[&str]) -> String {
    let output = program(arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).expect("messages are text")
}

fn runs(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{output:?}");
    let runs: Value = serde_json::from_slice(&output.stdout).expect("--json prints JSON and nothing else");
    runs.as_array().expect("a list of runs").clone()
}

/// The names on the first photograph, from left to right.
fn names(run: &Value) -> Vec<&str> {
    let people = run["seen"][0]["people"].as_array().expect("a list of people");
    people.iter().map(|person| person["who"]["Person"]["name"].as_str().unwrap_or("unknown")).collect()
}

#[test]
fn the_device_sees_the_same_alone_and_with_a_server() {
    let runs = runs(&program(&["--json", "--rounds", "2", "--device-speed", "0.5"]));
    let [alone, edge] = runs.as_slice() else { panic!("two runs: {runs:?}") };
    assert_eq!(names(alone), ["Neil Armstrong", "unknown", "Buzz Aldrin"]);
    assert_eq!(alone["seen"], edge["seen"], "bit for bit");
    assert_eq!(alone["servers"].as_array().map(Vec::len), Some(0));
    assert_eq!(edge["servers"].as_array().map(Vec::len), Some(1));
    let methods = alone["methods"].as_array().expect("a list of methods");
    assert!(methods.iter().all(|method| method["energy"].is_u64()), "the default profile is complete");
}

#[test]
fn the_picture_shows_what_was_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.png");
    let path = path.to_str().expect("the folder's name is text");
    let output =
        program(&[&photo("eileen-collins.jpg"), "--picture", path, "--rounds=1", "--device-speed=1"]);
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("tables are text");
    assert!(printed.contains("Eileen Collins") && printed.contains("not slowed"), "{printed}");
    let drawn = image::open(path).expect("a picture").to_rgb8();
    assert_eq!(drawn.dimensions(), (512, 512));
    assert!(drawn.pixels().any(|pixel| pixel.0 == [60, 220, 90]), "there is a green box");
}

#[test]
fn what_cannot_be_used_is_refused_with_code_2() {
    assert!(refused(&["--speed", "3"]).contains("see face-recognition --help"));
    assert!(refused(&["no-such-photo.jpg"]).contains("no-such-photo.jpg: cannot be read"));
    assert!(refused(&["--device-speed=1", "--device-profile=no-such-profile"]).contains("no-such-profile"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.jpg");
    fs::write(&path, "not a picture").expect("the folder is ours");
    assert!(refused(&[path.to_str().expect("text")]).contains("not a PNG or JPEG picture"));
}

#[test]
fn help_names_every_option() {
    let output = program(&["--help"]);
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("help is text");
    for option in ["serve", "--picture", "--device-speed", "--device-profile", "--rounds", "--json"] {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn the_committed_files_are_those_whose_sources_are_told() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets");
    let sums = fs::read_to_string(assets.join("SHA256SUMS")).expect("a committed file");
    let listed: Vec<&str> =
        sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, file)| file).collect();
    for folder in ["photos", "photos/gallery", "models"] {
        for entry in fs::read_dir(assets.join(folder)).expect("a committed folder").flatten() {
            let name = entry.file_name().into_string().expect("names are text");
            let told = listed.contains(&format!("{folder}/{name}").as_str());
            let text = name.ends_with(".md") || name.starts_with("LICENSE") || entry.path().is_dir();
            assert!(told || text, "{folder}/{name} has no checksum");
        }
    }
}
