//! Problems of all kinds, written as files and read again.

use std::collections::BTreeMap;

use outboard_core::{Cost, Edge, MethodIndex, Problem};
use outboard_problems::{any, maui};
use serde_json::{Value as Json, json};

use super::*;

/// The file of a problem.
fn written(problem: &Problem) -> String {
    let name = |method: MethodIndex| {
        let position = problem.position(method).expect("it has a vertex");
        problem.vertices()[position].name.clone()
    };
    let milliseconds = |time: Duration| time.as_micros() as f64 / 1e3;
    let cost = |cost: Cost| json!({"millijoules": cost.energy.as_millijoules_f64(), "milliseconds": milliseconds(cost.time)});
    let shipped = |mut fields: Json, shipping: &Shipping| {
        fields["millijoules"] = shipping.fixed.energy.as_millijoules_f64().into();
        fields["milliseconds"] = milliseconds(shipping.fixed.time).into();
        fields["round_trips"] = cost(shipping.round_trips);
        fields["payload"] = cost(shipping.payload);
        fields
    };
    let methods = problem.vertices().iter().map(|vertex| {
        let resident = vertex.resident.map(|it| shipped(json!({"place": it.place}), &it.fetch));
        json!({
            "name": vertex.name,
            "local_millijoules": vertex.local_energy.as_millijoules_f64(),
            "local_milliseconds": milliseconds(vertex.local_time),
            "remote_millijoules": vertex.remote_energy.as_millijoules_f64(),
            "remote_milliseconds": milliseconds(vertex.remote_time),
            "pin": vertex.pin,
            "memory_bytes": vertex.memory.as_bytes(),
            "resident": resident,
        })
    });
    let edges = problem.edges().map(|(_, _, edge)| {
        shipped(json!({"caller": name(edge.caller), "callee": name(edge.callee)}), &edge.shipping)
    });
    let constraints = problem.constraints();
    let together =
        constraints.together.iter().map(|group| group.iter().copied().map(name).collect::<Vec<_>>());
    let latency = constraints.latency.iter();
    let latency =
        latency.map(|it| json!({"method": name(it.method), "most_milliseconds": milliseconds(it.most)}));
    let memory = constraints.memory.iter();
    let memory = memory.map(|it| json!({"place": it.place, "most_bytes": it.most.as_bytes()}));
    json!({
        "objective": format::ObjectiveFields::from(problem.objective()),
        "methods": methods.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "together": together.collect::<Vec<_>>(),
        "latency": latency.collect::<Vec<_>>(),
        "memory": memory.collect::<Vec<_>>(),
    })
    .to_string()
}

/// The same as a file can say it: each pair and bound once, bounds in whole microseconds.
fn sayable(problem: &Problem) -> Problem {
    let mut edges: Vec<Edge> = Vec::new();
    let mut known = BTreeMap::new();
    for (caller, callee, edge) in problem.edges() {
        match known.get(&(caller, callee)) {
            Some(number) => {
                let first: &mut Edge = &mut edges[*number];
                first.shipping += edge.shipping;
            }
            None => {
                known.insert((caller, callee), edges.len());
                edges.push(*edge);
            }
        }
    }
    let mut constraints = problem.constraints().clone();
    constraints.latency.sort_by_key(|bound| bound.method);
    constraints.latency.dedup_by_key(|bound| bound.method);
    let whole = |time: Duration| Duration::from_micros(time.as_micros().try_into().expect("it is short"));
    for bound in &mut constraints.latency {
        bound.most = whole(bound.most);
    }
    let objective = match problem.objective() {
        Objective::EnergyWithin(TimeBound::Absolute(most)) => {
            Objective::EnergyWithin(TimeBound::Absolute(whole(most)))
        }
        other => other,
    };
    constraints.memory.sort_by_key(|limit| limit.place);
    constraints.memory.dedup_by_key(|limit| limit.place);
    let vertices = problem.vertices().to_vec();
    Problem::constrained(vertices, edges, objective, constraints).expect("it was one before")
}

#[test]
fn any_problem_is_read_as_it_was_written() {
    for seed in 0..500 {
        let problem = sayable(&any(16, seed));
        assert_eq!(posed(&written(&problem)).problem, problem, "seed {seed}");
    }
}

#[test]
fn the_examples_are_mauis_applications() {
    let example = |text| posed(text).problem;
    let face_recognition = maui::face_recognition(Objective::default());
    assert_eq!(example(include_str!("../../../examples/face-recognition.json")), face_recognition);
    let arcade = maui::arcade(5, Duration::from_millis(45));
    assert_eq!(example(include_str!("../../../examples/arcade.json")), arcade);
}

#[test]
fn any_problem_is_told_of_or_has_no_plan() {
    for seed in 0..60 {
        let text = written(&sayable(&any(8, seed)));
        for show in [Show::Table, Show::Explanation, Show::Json, Show::Dot, Show::Lp] {
            let answer = answer(&text, "f", &SolveOptions { show, ..SolveOptions::default() });
            match answer {
                Ok(told) => assert!(told.ends_with('\n'), "seed {seed}: {told}"),
                Err(failure) => {
                    assert!(failure.to_string().starts_with("no placement "), "{seed}: {failure}")
                }
            }
        }
    }
}
