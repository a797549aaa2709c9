//! `outboard solve`: the page that describes it, the examples, where problems come from and where plans go.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::{outboard, path, text};

/// Runs the command in the repository's root, as the page does.
fn at_the_root(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in a workspace");
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.args(arguments).current_dir(root).output().expect("the command runs")
}

/// What stands on the page between the fences of that language.
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../README.md");
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split_once("```").expect("a fence is closed").0).collect()
}

#[test]
fn the_page_shows_what_the_command_prints() {
    let shown = blocks("console");
    assert_eq!(shown.len(), 4);
    for block in shown {
        let (command, expected) = block.split_once('\n').expect("a command and what it prints");
        let words: Vec<_> = command.strip_prefix("$ outboard ").expect("a command").split(' ').collect();
        let output = at_the_root(&words);
        let printed = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(printed, expected, "{command}");
    }
    assert_eq!(blocks("json"), [include_str!("../../examples/arcade.json")]);
}

#[test]
fn the_examples_have_the_plans_that_were_published() {
    for (example, show, expected) in [
        ("face-recognition", None, include_str!("expected/face-recognition.table")),
        ("face-recognition", Some("--explain"), include_str!("expected/face-recognition.explain")),
        ("face-recognition", Some("--json"), include_str!("expected/face-recognition.json")),
        ("face-recognition", Some("--dot"), include_str!("expected/face-recognition.dot")),
        ("arcade", None, include_str!("expected/arcade.table")),
        ("arcade", Some("--explain"), include_str!("expected/arcade.explain")),
        ("arcade", Some("--json"), include_str!("expected/arcade.json")),
        ("arcade", Some("--dot"), include_str!("expected/arcade.dot")),
    ] {
        let file = format!("cli/examples/{example}.json");
        for backend in ["automatic", "exact", "microlp", "exhaustive"] {
            let line: Vec<_> = ["solve", &file, "--backend", backend].into_iter().chain(show).collect();
            assert_eq!(text(&at_the_root(&line).stdout), expected, "{line:?}");
        }
    }
}

#[test]
fn a_problem_comes_from_standard_input_and_its_plan_goes_to_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("plan.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    command.args(["solve", "-", "--json", "--seconds", "60", "--output", path(&output)]);
    let mut running = command.stdin(Stdio::piped()).spawn().expect("the command runs");
    let mut input = running.stdin.take().expect("it is piped");
    input.write_all(include_bytes!("../../examples/arcade.json")).expect("it is read");
    drop(input);
    assert!(running.wait().expect("it ends").success());
    let written = std::fs::read_to_string(&output).expect("it was written");
    assert_eq!(written, include_str!("expected/arcade.json"));
}

#[test]
fn an_objective_of_the_command_line_replaces_that_of_the_file() {
    let arcade = "cli/examples/arcade.json";
    let first = |words: &[&str]| {
        let output = at_the_root(&[&["solve", arcade], words].concat());
        (text(&output.stdout).lines().next().unwrap_or_default().to_owned(), text(&output.stderr))
    };
    assert_eq!(first(&["--objective", "time"]).0, "minimises  time");
    assert_eq!(first(&["--objective", "weighted=500mW"]).0, "minimises  energy and time at 500 mW");
    let budget = "minimises  time within 90 % of the all-local energy";
    assert_eq!(first(&["--objective", "time-within=0.9"]).0, budget);
    assert_eq!(
        first(&["--objective", "power"]).1,
        "outboard: --objective power: give energy, time, energy-within=1.05 or =200ms, time-within=0.8 or =90mJ, weighted=500mW or battery-life=500mW\n"
    );
}

#[test]
fn what_cannot_be_done_ends_with_status_1_and_says_the_least_possible() {
    let arcade = "cli/examples/arcade.json";
    let infeasible = at_the_root(&["solve", arcade, "--objective", "energy-within=10ms"]);
    assert_eq!(infeasible.status.code(), Some(1));
    assert_eq!(
        text(&infeasible.stderr),
        "outboard: no placement keeps the run's time below 121.2ms: allow that much instead of 10ms, or minimise it\n"
    );
    let missing = outboard(&["solve", "none.json"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).starts_with("outboard: cannot read none.json: "));
    assert_eq!(outboard(&["solve"]).status.code(), Some(2));
}

#[test]
fn a_problem_is_written_for_other_solvers() {
    let lp = text(&at_the_root(&["solve", "cli/examples/arcade.json", "--lp"]).stdout);
    assert!(lp.contains("\n energy: 101 all - 40.7 x1_DoLevel - 60.3 x2_HandleMissiles "), "{lp}");
    assert!(lp.ends_with("\nEnd\n"), "{lp}");
}
