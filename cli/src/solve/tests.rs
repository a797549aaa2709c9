//! What problem files are read as, and what is said of those that are none.

mod refused;
mod round_trip;

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Objective, Placement, Shipping, TimeBound};

use super::problem::{self, Posed};
use super::*;
use crate::arguments::Show;

const TWO: &str = r#"{"name": "a", "pin": "device", "local_millijoules": 1, "local_milliseconds": 1},
    {"name": "b", "local_millijoules": 9, "local_milliseconds": 9, "remote_milliseconds": 1}"#;

/// A file of two methods and these fields.
fn file(fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { "," };
    format!("{{\"methods\": [{TWO}]{comma}{fields}}}")
}

fn posed(text: &str) -> Posed {
    problem::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn answered(text: &str, show: Show) -> String {
    let options = SolveOptions { show, ..SolveOptions::default() };
    answer(text, "test.json", &options).unwrap_or_else(|failure| panic!("{text}: {failure}"))
}

#[test]
fn every_field_is_read_in_its_unit() {
    let posed = posed(
        r#"{
        "objective": {"minimise": "energy", "within_milliseconds": 12.5},
        "link": {"round_trip_milliseconds": 20, "megabits_per_second": 0.008,
                 "waiting_milliwatts": 500, "transferring_milliwatts": 1000},
        "methods": [
            {"name": "ui", "pin": "device", "local_millijoules": 0.0014, "local_milliseconds": 0.0015},
            {"name": "find", "local_millijoules": 900, "local_milliseconds": 15, "remote_milliseconds": 1.5,
             "remote_millijoules": 2, "memory_bytes": 4096,
             "resident": {"place": "server", "milliseconds": 3, "payload": {"millijoules": 4}}},
            {"name": "index", "pin": "server", "remote_milliseconds": 2}
        ],
        "edges": [
            {"caller": "ui", "callee": "find", "calls": 2, "bytes": 1000, "millijoules": 5},
            {"caller": "find", "callee": "index", "round_trips": {"milliseconds": 7}}
        ],
        "together": [["find", "index"]],
        "latency": [{"method": "find", "most_milliseconds": 99}],
        "memory": [{"place": "device", "most_bytes": 8192}]
    }"#,
    );
    let problem = posed.problem;
    let millijoules = Energy::from_millijoules;
    let ms = Duration::from_millis;
    assert_eq!(
        problem.objective(),
        Objective::EnergyWithin(TimeBound::Absolute(Duration::from_micros(12_500)))
    );
    let [ui, find, index] = problem.vertices() else { panic!("there are three") };
    assert_eq!((ui.local_energy, ui.local_time), (Energy::from_microjoules(1), Duration::from_micros(2)));
    assert_eq!((find.local_energy, find.local_time), (millijoules(900), ms(15)));
    assert_eq!((find.remote_energy, find.remote_time), (millijoules(2), Duration::from_micros(1_500)));
    assert_eq!(find.memory, ByteCount::from_bytes(4_096));
    let resident = find.resident.expect("it is resident");
    assert_eq!((resident.place, resident.fetch.fixed.time), (Placement::Server, ms(3)));
    assert_eq!(resident.fetch.payload.energy, millijoules(4));
    assert_eq!((index.pin, index.local_time), (Some(Placement::Server), Duration::ZERO));
    let edges: Vec<_> = problem.edges().map(|(_, _, edge)| edge.shipping).collect();
    // Two round trips of 20 ms at 500 mW, and a second for 8 kbit at 1 W.
    assert_eq!(edges[0].fixed.energy, millijoules(5));
    assert_eq!((edges[0].round_trips.energy, edges[0].round_trips.time), (millijoules(20), ms(40)));
    assert_eq!((edges[0].payload.energy, edges[0].payload.time), (millijoules(1_000), ms(1_000)));
    let round_trips = outboard_core::Cost { time: ms(7), ..Default::default() };
    assert_eq!(edges[1], Shipping { round_trips, ..Default::default() });
    assert_eq!(problem.limits().len(), 3);
    assert_eq!(problem.pin(1), Some(Placement::Server), "its group is pinned");
}

#[test]
fn a_file_without_an_objective_has_mauis() {
    assert_eq!(posed(&file("")).problem.objective(), Objective::default());
}

#[test]
fn every_objective_is_read_and_written_as_the_same_fields() {
    for fields in [
        r#"{"minimise":"energy"}"#,
        r#"{"minimise":"time"}"#,
        r#"{"minimise":"energy","within_of_local":1.05}"#,
        r#"{"minimise":"energy","within_milliseconds":12.5}"#,
        r#"{"minimise":"time","within_of_local":2}"#,
        r#"{"minimise":"time","within_millijoules":0.001}"#,
        r#"{"minimise":"weighted","milliwatts":500}"#,
    ] {
        let objective = posed(&file(&format!(r#""objective": {fields}"#))).problem.objective();
        let written = serde_json::to_string(&format::ObjectiveFields::from(objective)).unwrap();
        assert_eq!(written, fields);
    }
}

#[test]
fn names_are_escaped_where_they_are_drawn() {
    let text = r#"{"methods": [{"name": "a\\\"b", "pin": "device", "local_millijoules": 1, "local_milliseconds": 0}]}"#;
    let dot = answered(text, Show::Dot);
    assert!(dot.contains(r#"m0 [label="a\\\"b\n1.00 mJ", style=bold];"#), "{dot}");
}

#[test]
fn nothing_at_all_has_a_plan_too() {
    for show in [Show::Table, Show::Explanation, Show::Json, Show::Dot, Show::Lp] {
        assert!(!answered(r#"{"methods": []}"#, show).is_empty());
    }
}

#[test]
fn a_limit_on_one_side_of_the_present_leaves_the_other_to_be_told() {
    // On the server it takes 10 ms and it must: any slower is too long.
    let text = r#"{"objective": {"minimise": "energy", "within_milliseconds": 10},
        "methods": [{"name": "a", "pin": "server", "remote_milliseconds": 10}]}"#;
    let json = answered(text, Show::Json);
    let speed = "\"condition\": \"server_speed\",\n      \"from\": 1.0,\n      \"until\": 30.0";
    let work = "\"condition\": \"work\",\n      \"from\": 0.03,\n      \"until\": 1.0";
    assert!(json.contains(speed) && json.contains(work), "{json}");
    // A call of 11 ms within 20 ms, 8 of which the device has to itself: 0.9 ms on the server, all of what is left.
    let text = r#"{"objective": {"minimise": "energy", "within_milliseconds": 20},
        "link": {"round_trip_milliseconds": 10, "megabits_per_second": 8, "waiting_milliwatts": 1000,
                 "transferring_milliwatts": 1000},
        "methods": [
            {"name": "ui", "pin": "device", "local_millijoules": 0, "local_milliseconds": 8},
            {"name": "find", "local_millijoules": 30, "local_milliseconds": 100, "remote_milliseconds": 0.9}],
        "edges": [{"caller": "ui", "callee": "find", "calls": 1, "bytes": 1000}]}"#;
    let told = answered(text, Show::Explanation);
    assert!(told.contains("find runs on the server"), "{told}");
    assert!(!told.contains("is not known"), "{told}");
}

#[test]
fn where_nothing_can_be_told_of_a_condition_it_says_why() {
    let text = file("");
    let options =
        |show| SolveOptions { show, time: Some(Duration::from_nanos(1)), ..SolveOptions::default() };
    let told = |show| answer(&text, "test.json", &options(show)).expect("two methods take no search");
    let unknown =
        "What another server speed would change is not known: the search ran out of time: allow more.";
    assert!(told(Show::Explanation).contains(unknown), "{}", told(Show::Explanation));
    assert!(told(Show::Json).contains(r#""unknown": "the search ran out of time: allow more""#));
}

#[test]
fn a_price_that_is_one_sum_says_nothing_of_another_link() {
    let edge = |price: &str| {
        answered(
            &file(&format!(r#""edges": [{{"caller": "a", "callee": "b", {price}}}]"#)),
            Show::Explanation,
        )
    };
    let unknown =
        "What another round trip would change is not known: the problem has no round_trips, payload or calls";
    assert!(edge(r#""millijoules": 80"#).contains(unknown), "{}", edge(r#""millijoules": 80"#));
    for told in [edge(r#""millijoules": 0"#), edge(r#""millijoules": 8, "payload": {"millijoules": 1}"#)] {
        assert!(!told.contains("not known"), "{told}");
    }
}
