//! What problem files are read as, and what is said of those that are none.

use std::time::Duration;

use outboard_core::{ByteCount, Energy, Objective, Placement, Shipping, TimeBound};
use proptest::prelude::*;

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

fn refused(text: &str) -> String {
    let failure = answer(text, "f", &SolveOptions::default());
    failure.map_or_else(|failure| failure.to_string(), |plan| panic!("{text}: {plan}"))
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
fn what_is_wrong_is_told_with_its_place_and_what_to_do() {
    let edge = |costs: &str| file(&format!(r#""edges": [{{"caller": "a", "callee": "b"{costs}}}]"#));
    let objective = |fields: &str| file(&format!(r#""objective": {{{fields}}}"#));
    let method = |fields: &str| format!(r#"{{"methods": [{{"name": "m"{fields}}}]}}"#);
    for (text, message) in [
        ("", "f: line 1, column 0: the file ends within the problem: add what was cut off"),
        (
            "{\n\"methods\": [}",
            "f: line 2, column 13: methods[0]: this is no value of JSON, as NaN and infinities are not: give one",
        ),
        ("[]", "f: line 1, column 0: invalid type: sequence, expected an object"),
        ("{}", "f: line 1, column 2: missing field `methods`: add it"),
        (&(file("") + "x"), "f: line 2, column 95: something follows the problem: drop it"),
        (
            &method(r#", "local_millijoules": -3"#),
            "f: line 1, column 50: methods[0].local_millijoules: -3 is negative: give 0 or more",
        ),
        (
            &method(r#", "local_millijoules": -0.5"#),
            "f: line 1, column 52: methods[0].local_millijoules: -0.5 is negative: give 0 or more",
        ),
        (
            &method(r#", "local_millijoules": 1e999"#),
            "f: line 1, column 53: methods[0].local_millijoules: the number is past all that can be counted: give a smaller one",
        ),
        (
            &method(r#", "local_millijoules": 1e300"#),
            "f: line 1, column 53: methods[0].local_millijoules: 1e300 is more than anything can be: give 1152921504606846 at most",
        ),
        (
            &method(r#", "local_millijoules": 18446744073709551615"#),
            "f: line 1, column 68: methods[0].local_millijoules: 18446744073709551615 is more than anything can be: give 1152921504606846 at most",
        ),
        (
            &method(r#", "local_millijoules": NaN"#),
            "f: line 1, column 49: methods[0].local_millijoules: this is no value of JSON, as NaN and infinities are not: give one",
        ),
        (
            &method(r#", "local_millijoules": "3""#),
            r#"f: line 1, column 51: methods[0].local_millijoules: invalid type: string "3", expected a number of 0 or more"#,
        ),
        (
            &method(r#", "memory_bytes": 0.5"#),
            "f: line 1, column 46: methods[0].memory_bytes: 0.5 has a fraction: give a whole number",
        ),
        (
            &method(r#", "local_milijoules": 3"#),
            "f: line 1, column 45: methods[0].local_milijoules: unknown field `local_milijoules`, expected one of `name`, `local_millijoules`, `local_milliseconds`, `remote_millijoules`, `remote_milliseconds`, `pin`, `memory_bytes`, `resident`",
        ),
        (
            &method(r#", "name": "n""#),
            "f: line 1, column 33: methods[0]: duplicate field `name`: give it once",
        ),
        (
            &method(r#", "pin": "cloud""#),
            "f: line 1, column 41: methods[0].pin: unknown variant `cloud`, expected `device` or `server`",
        ),
        (
            &method(r#", "pin": "server", "remote_milliseconds": 1, "resident": {"place": "device"}"#),
            "f: methods[0].resident: nothing says what shipping costs: give millijoules and milliseconds, or calls and bytes",
        ),
        (
            &method(r#", "resident": ["server"]"#),
            "f: line 1, column 39: methods[0].resident: invalid type: sequence, expected an object",
        ),
        (
            &edge(r#", "payload": [1, 1]"#),
            "f: line 2, column 146: edges[0].payload: invalid type: sequence, expected an object",
        ),
        (
            &method(r#", "local_millijoules": 1, "local_milliseconds": 1"#),
            "f: methods[0]: `m` may run on the server but has no remote_milliseconds: give it, or pin the method to the device",
        ),
        (
            &method(r#", "local_millijoules": 1, "pin": "device""#),
            "f: methods[0]: `m` may run on the device but has no local_milliseconds: give it, or pin the method to the server",
        ),
        (
            r#"{"methods": [{"name": " "}]}"#,
            r#"f: methods[0].name: " " is no name: give one or more characters, none of which controls a terminal"#,
        ),
        (
            r#"{"methods": [{"name": "\u001b[2J"}]}"#,
            r#"f: methods[0].name: "\u{1b}[2J" is no name: give one or more characters, none of which controls a terminal"#,
        ),
        (
            &file(r#""\u001b": 1"#),
            "f: line 2, column 102: �: unknown field `�`, expected one of `objective`, `link`, `methods`, `edges`, `together`, `latency`, `memory`",
        ),
        (
            &format!(r#"{{"methods": [{TWO}, {{"name": "a", "pin": "server", "remote_milliseconds": 1}}]}}"#),
            "f: methods[2].name: `a` is the name of methods[0] already: give every method a name of its own, or add the figures of one up",
        ),
        (
            &file(r#""edges": [{"caller": "c", "callee": "b", "millijoules": 1}]"#),
            r#"f: edges[0].caller: no method is called "c": add it to the methods, or correct the name"#,
        ),
        (
            &file(r#""edges": [{"caller": "a", "millijoules": 1}]"#),
            "f: line 2, column 137: edges[0]: missing field `callee`: add it",
        ),
        (
            &file(
                r#""edges": [{"caller": "a", "callee": "b", "millijoules": 1}, {"caller": "a", "callee": "b", "milliseconds": 1}]"#,
            ),
            "f: edges[1]: `a → b` is edges[0] already: add their figures up",
        ),
        (
            &edge(""),
            "f: edges[0]: nothing says what shipping costs: give millijoules and milliseconds, or calls and bytes",
        ),
        (&edge(r#", "calls": 1"#), "f: edges[0]: there are calls but no bytes: give bytes as well"),
        (
            &edge(r#", "bytes": 1"#),
            "f: edges[0]: there are bytes but no calls: give calls as well, one for each round trip",
        ),
        (
            &edge(r#", "calls": 1, "bytes": 1"#),
            "f: edges[0]: calls and bytes have no price without a link: add a link to the file",
        ),
        (
            &edge(r#", "calls": 1, "bytes": 1, "payload": {}"#),
            "f: edges[0]: it is priced twice: give calls and bytes, or round_trips and payload",
        ),
        (
            &edge(r#", "payload": {"millijoule": 1}"#),
            "f: line 2, column 159: edges[0].payload.millijoule: unknown field `millijoule`, expected `millijoules` or `milliseconds`",
        ),
        (
            &file(
                r#""link": {"round_trip_milliseconds": 1, "megabits_per_second": 0, "waiting_milliwatts": 0, "transferring_milliwatts": 0}"#,
            ),
            "f: link.megabits_per_second: a link without bandwidth carries nothing: give more than 0",
        ),
        (
            &file(
                r#""link": {"round_trip_milliseconds": 1, "megabits_per_second": 1, "waiting_milliwatts": 0}"#,
            ),
            "f: line 2, column 183: link: missing field `transferring_milliwatts`: add it",
        ),
        (&objective(""), "f: line 2, column 109: objective: missing field `minimise`: add it"),
        (
            &objective(r#""minimise": "power""#),
            "f: line 2, column 127: objective.minimise: unknown variant `power`, expected one of `energy`, `time`, `weighted`, `battery_life`",
        ),
        (
            &objective(r#""minimise": "energy", "within_of_local": 1, "within_milliseconds": 1"#),
            "f: objective: there are several bounds: give one of within_of_local, within_milliseconds and within_millijoules",
        ),
        (
            &objective(r#""minimise": "energy", "within_millijoules": 1"#),
            "f: objective: energy is bounded by time: give within_milliseconds or within_of_local",
        ),
        (
            &objective(r#""minimise": "time", "within_milliseconds": 1"#),
            "f: objective: time is bounded by energy: give within_millijoules or within_of_local",
        ),
        (
            &objective(r#""minimise": "weighted""#),
            "f: objective: what a second is worth is missing: give milliwatts",
        ),
        (
            &objective(r#""minimise": "weighted", "milliwatts": 1, "within_of_local": 1"#),
            "f: objective: a weighted objective has no bound: drop it, or minimise energy or time",
        ),
        (
            &objective(r#""minimise": "battery_life", "milliwatts": 0.5"#),
            "f: line 2, column 153: objective.milliwatts: 0.5 has a fraction: give a whole number",
        ),
        (
            &objective(r#""minimise": "time", "milliwatts": 1"#),
            "f: objective: energy or time alone has no milliwatts: drop them, or minimise weighted or battery_life",
        ),
        (
            &objective(r#""minimise": "time", "within_of_local": 5000000"#),
            "f: objective: within_of_local is past any factor: give 4294967 at most",
        ),
        (
            &file(r#""together": [["a", "b", "c"]]"#),
            r#"f: together[0][2]: no method is called "c": add it to the methods, or correct the name"#,
        ),
        (
            &format!(
                r#"{{"methods": [{TWO}, {{"name": "c", "pin": "server", "remote_milliseconds": 1}}], "together": [["a", "b"], ["b", "c"]]}}"#
            ),
            "f: `a` and `c` go together but are pinned to different places: drop one of the pins",
        ),
        (
            &file(r#""latency": [{"method": "c", "most_milliseconds": 1}]"#),
            r#"f: latency[0].method: no method is called "c": add it to the methods, or correct the name"#,
        ),
        (
            &file(
                r#""latency": [{"method": "b", "most_milliseconds": 1}, {"method": "b", "most_milliseconds": 2}]"#,
            ),
            "f: latency[1].method: `b` is bounded by latency[0] already: keep the tighter one",
        ),
        (
            &file(r#""latency": [{"method": "b", "most_milliseconds": 0.5}]"#),
            "no placement keeps the time of `b` and what it calls below 1ms: allow more than 500µs, or minimise it",
        ),
        (
            &file(
                r#""memory": [{"place": "device", "most_bytes": 1}, {"place": "device", "most_bytes": 2}]"#,
            ),
            "f: memory[1].place: `device` is limited by memory[0] already: keep the smaller one",
        ),
        (
            &edge(r#", "millijoules": 1e15, "milliseconds": 1e15, "payload": {"milliseconds": 1e15}"#),
            "f: the shipping time of `a → b` takes the sum past 1152921504606846976 µJ, µs or bytes: leave out what cannot happen",
        ),
    ] {
        assert_eq!(refused(text), message, "{text}");
    }
}

#[test]
fn a_file_that_is_too_much_is_refused_before_it_is_taken_apart() {
    let bound = r#"{"method": "b", "most_milliseconds": 9}"#;
    let bounds = vec![bound; 101].join(",");
    assert_eq!(
        refused(&file(&format!(r#""latency": [{bounds}]"#))),
        "f: latency: give at most 100, there are 101"
    );
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
fn where_nothing_can_be_told_of_a_condition_it_says_why() {
    // On the server it takes 10 ms and it must: at half the speed that is too long.
    let text = r#"{"objective": {"minimise": "energy", "within_milliseconds": 10},
        "methods": [{"name": "a", "pin": "server", "remote_milliseconds": 10}]}"#;
    let told = answered(text, Show::Explanation);
    let unknown =
        "What another server speed would change is not known: no placement keeps the run's time below ";
    assert!(told.contains(unknown), "{told}");
    assert!(answered(text, Show::Json).contains(r#""unknown": "no placement keeps"#));
}

proptest! {
    /// Whatever is done to a file, it is read or refused.
    #[test]
    fn a_file_with_mistakes_ends_nothing(at in 0_usize..2_000, put in "[-0-9a-z\"{}\\[\\],:. ]{0,4}", cut in 0_usize..4) {
        let arcade = include_str!("../../examples/arcade.json");
        let at = at.min(arcade.len());
        let end = (at + cut).min(arcade.len());
        let text = format!("{}{put}{}", &arcade[..at], &arcade[end..]);
        let _ = answer(&text, "f", &SolveOptions { show: Show::Json, ..SolveOptions::default() });
    }
}
