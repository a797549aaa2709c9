//! What is said of files that are no problem.

use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> String {
    let failure = answer(text, "f", &SolveOptions::default());
    failure.map_or_else(|failure| failure.to_string(), |plan| panic!("{text}: {plan}"))
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
            "no placement keeps the time of `b` and what it calls below 1ms: allow that much instead of 500µs, or minimise it",
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

proptest! {
    /// Whatever is done to a file, it is read or refused.
    #[test]
    fn a_file_with_mistakes_ends_nothing(at in 0_usize..2_000, put in "[-0-9a-z\"{}\\[\\],:. ]{0,4}", cut in 0_usize..4) {
        let arcade = include_str!("../../../examples/arcade.json");
        let at = at.min(arcade.len());
        let end = (at + cut).min(arcade.len());
        let text = format!("{}{put}{}", &arcade[..at], &arcade[end..]);
        let _ = answer(&text, "f", &SolveOptions { show: Show::Json, ..SolveOptions::default() });
    }
}
